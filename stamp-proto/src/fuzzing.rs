//! What must hold for any octets: one check per fuzz target, replayed by the tests of this crate.
//!
//! Each check takes octets as a network may send them and panics when something that was read is
//! not written the same way again. Only `fuzz/` and tests call them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a check tells what it found by panicking; no packet ever comes here"
)]

mod fixed_tlvs;
mod hmac;
mod location;
mod packet_control;
mod packets;
mod reflected_headers;
mod return_path;
mod sr;
mod timestamps;
mod tlvs;

pub use fixed_tlvs::value as fixed_tlvs;
pub use hmac::check as hmac;
pub use location::value as location;
pub use packet_control::value as packet_control;
pub use packets::{check_reflector as reflector_packet, check_sender as sender_packet};
pub use reflected_headers::packet as reflected_headers;
pub use return_path::value as return_path;
pub use sr::csid::lists as csid;
pub use sr::layers::packet as layers;
pub use sr::mpls::stack as mpls_stack;
pub use sr::srh::header as srh;
pub use timestamps::check as timestamps;
pub use tlvs::check as tlvs;

#[cfg(test)]
mod tests;

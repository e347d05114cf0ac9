//! Segment Routing: label stacks, Segment Routing Headers and what is around them.
//!
//! | module | answers |
//! |---|---|
//! | [`header`] | IPv4, IPv6 and UDP |
//! | [`checksum`] | what a checksum covers, and what it is after a change |
//! | [`protocol`] | how one header names the next |

pub mod checksum;
pub mod header;
pub mod protocol;

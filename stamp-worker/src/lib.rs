//! Packet loops: an engine of `stamp-session` joined to sockets of `stamp-net` on its own thread.
//!
//! ```text
//!  control (a binary)            worker thread
//!  ┌────────────────┐  command   ┌───────────────────────────────────────────────┐
//!  │ ReflectorPool  │ ─────────► │ wait ► error queue ► receive ► engine ► send  │
//!  │ SenderPool     │ ◄───────── │   (epoll, absolute timer, batches)            │
//!  └────────────────┘  observer  └───────────────────────────────────────────────┘
//! ```
//!
//! A worker owns its sockets, its engines and its buffers. It allocates nothing and takes no lock
//! per packet; what it has to tell goes to an observer that must not block.
#![forbid(unsafe_code)]

mod clock;
mod error;
pub mod forwarder;
mod line;
mod margin;
pub mod reflector;
mod roll_call;
pub mod sender;
pub mod traffic;

pub use clock::{clock_state, now};
pub use error::WorkerError;
pub use roll_call::{Absence, RollCall};

/// Largest UDP payload that is sent or answered, in octets: a jumbo frame.
///
/// Larger datagrams exist on loopback only, and a slot for each of them would cost more cache than
/// the packets themselves.
pub const LARGEST_PAYLOAD_OCTETS: usize = 9_216;

/// Octets of one packet slot: an odd number of cache lines, so that the heads of neighbouring
/// slots do not fall into the same cache set.
const SLOT_OCTETS: usize = LARGEST_PAYLOAD_OCTETS + 64;

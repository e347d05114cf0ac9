//! Testkit of the simulations: links, clocks and a far end in virtual time.
//!
//! Time is a number of nanoseconds that jumps from event to event. Everything random comes from the
//! seed of a run, so a failing run repeats itself.

mod agenda;
mod clock;
mod far_end;
mod link;
mod random;
mod seeds;

pub use agenda::Agenda;
pub use clock::{Clock, Step};
pub use far_end::{Answer, FarEnd, PlainReflector};
pub use link::{Impairment, Link, Passage, Policer};
pub use random::Random;
pub use seeds::for_each_seed;

/// Nanoseconds in a microsecond.
pub const US: u64 = 1_000;
/// Nanoseconds in a millisecond.
pub const MS: u64 = 1_000_000;
/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

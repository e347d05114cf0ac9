//! Session-Senders on links that lose, copy, delay and change, compared with what was done to them.

mod directions;
mod hostile;
mod memory;
mod patterns;
mod runs;
mod thresholds;

//! What both programs measure, as Prometheus reads it.
//!
//! A program hands in plain data of one moment ([`sender::Sender`]); the [`catalogue`] names every
//! metric once; an [`exposition::Exposition`] writes them piece by piece.
#![forbid(unsafe_code)]

pub mod catalogue;
mod counters;
pub mod exposition;
mod ledger;
pub mod process;
pub mod program;
pub mod sender;

pub use counters::SessionCounters;
pub use ledger::Ledger;

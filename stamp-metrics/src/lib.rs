//! What both programs measure, as Prometheus reads it, and the HTTP server that tells it.
//!
//! A program hands in plain data of one moment ([`sender::Sender`], [`reflector::Reflector`]); the
//! [`catalogue`] names every metric once; an [`exposition::Exposition`] writes them piece by piece.
//! A [`feed::Feed`] keeps the latest events, a [`table::Table`] which paths carry traffic; [`http`] serves them and whatever else a program shows, on a thread of its own.
#![forbid(unsafe_code)]

pub mod catalogue;
mod counters;
pub mod exposition;
pub mod feed;
pub mod http;
mod ledger;
pub mod policy;
pub mod process;
pub mod program;
pub mod reflector;
pub mod select;
pub mod sender;
pub mod table;
pub mod writer;

pub use counters::SessionCounters;
pub use ledger::Ledger;

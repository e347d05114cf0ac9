//! The decisions, packet by packet.

mod kit;
mod labels;
mod properties;
mod sids;

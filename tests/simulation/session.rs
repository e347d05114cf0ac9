//! A simulated session: what happens to it, a record of that, and what it must find by the record.

pub(crate) mod compare;
mod exact;
pub(crate) mod expect;
pub(crate) mod fallback;
pub(crate) mod figures;
pub(crate) mod scenario;
pub(crate) mod world;

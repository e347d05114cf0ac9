//! Policies of the file: their lists become sessions, and what these measure decides which lists carry
//! traffic.
//!
//! A [`Plan`] is made beside everything that runs, of the file, of what is drained and of what was
//! measured of links. Once it is in force a [`Chooser`] takes what its sessions tell and decides, on the
//! control side; what comes of it is shown as [`Shown`].

mod chooser;
mod circumstances;
mod composite;
mod heard;
mod links;
mod plan;
mod sessions;
mod shown;
mod table;
mod told;

pub use chooser::{Chooser, Moved};
pub use circumstances::{Circumstances, Drain};
pub use plan::Plan;
pub use shown::ShownPolicy;

#[cfg(test)]
mod tests;

//! Policies of the file: their lists become sessions, and what these measure decides which lists carry
//! traffic.
//!
//! A [`Plan`] is made beside everything that runs, of the file, of what is drained and of what was
//! measured of links. Once it is in force a [`Chooser`] takes what its sessions tell and decides; what comes
//! of it is shown as [`ShownPolicy`] and told as rows of a table. Who tells it is nothing to it: packet
//! threads of this process, or whatever has asked others.

mod chooser;
mod circumstances;
mod composite;
pub mod draining;
mod drawing;
mod heard;
mod links;
mod plan;
mod sessions;
mod shown;
mod site;
mod table;
mod told;
mod window;

pub use chooser::{Chooser, Moved};
pub use circumstances::{Circumstances, Drain};
pub use drawing::Drawing;
pub use heard::Known;
pub use links::LinkNews;
pub use plan::{Listed, Plan};
pub use shown::ShownPolicy;
pub use site::page;
pub use window::{share, window};

#[cfg(test)]
mod tests;

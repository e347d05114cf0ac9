//! Ways through the network that somebody wants: the best, the next best, disjoint ones, all equal.
//!
//! A [`Network`] is made once from a topology; a [`Request`] says from where to where, by which
//! metric and within which [`Constraint`]s. Every answer says whether it is proven the best: several
//! bounds at once are a hard problem, so a request has a limit of work. Where there is no way, an
//! [`Absence`] says which constraint is in it.
//!
//! ```
//! use stamp_path::compute::{Constraint, Metric, Network, Request};
//! # use stamp_path::Topology;
//! # let text = ["a", "b", "c"].map(|name| format!("[[node]]\nname = \"{name}\"\n")).concat()
//! #     + "[[link]]\nends = [\"a\", \"b\"]\ndelay = \"9ms\"\n"
//! #     + "[[link]]\nends = [\"a\", \"c\"]\ndelay = \"1ms\"\n[[link]]\nends = [\"c\", \"b\"]\n";
//! # let topology = Topology::read("net.toml", &text)?;
//! let network = Network::new(&topology);
//! let [a, b, c] = ["a", "b", "c"].map(|name| topology.node_id(name).unwrap());
//! let request = Request::new(a, b).by(Metric::Delay);
//! let answer = network.best(&request).unwrap();
//! assert_eq!((answer.path.hops().len(), answer.metric, answer.optimal), (2, 1_000_000, true));
//!
//! let elsewhere = network.best(&request.with(Constraint::AvoidNode(c))).unwrap();
//! assert_eq!(elsewhere.metric, 9_000_000);
//! # Ok::<(), stamp_document::document::ConfigErrors>(())
//! ```
//!
//! The same input gives the same answer. Of ways that are equally good, the one with fewer links is
//! taken, then the one that leaves a node by the link that stands first in the file.

mod absence;
mod answers;
mod disjoint;
mod flow;
mod lists;
mod network;
mod query;
mod ranking;
mod request;
mod search;
mod share;
mod tree;
mod view;

pub use absence::{Absence, Relaxation};
pub use answers::Answer;
pub use disjoint::Pair;
pub use lists::{ImposedLabels, ImposedSids, ListError, label_lists, sid_lists};
pub use network::Network;
pub use request::{Constraint, Disjointness, Metric, Request};
pub use share::weights;
pub use view::{View, known_parts};

#[cfg(test)]
mod tests;

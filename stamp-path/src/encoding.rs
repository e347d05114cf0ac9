//! Segment lists that keep packets to a path, and what packets with a list can touch.
//!
//! [`Forwarding`] knows what every node of a topology does with what is on top of a packet. It follows
//! a list to all its ends, over all equally good links ([`Forwarding::walk`]), and finds the fewest
//! labels or SIDs for an [`Intent`] ([`Forwarding::encode_labels`], [`Forwarding::encode_sids`]): a segment is taken only if packets that
//! follow it keep to the intent, whatever kind it is and whoever reads it.
//!
//! ```
//! use stamp_path::encoding::{Forwarding, Imposer, Intent};
//! use stamp_path::path::{Hop, Path};
//! use stamp_path::topology::{Side, Topology};
//!
//! let topology = Topology::read(
//!     "net.toml",
//!     r#"
//!     node = [
//!         { name = "a", loopbacks = ["192.0.2.1"], index = 1 },
//!         { name = "b", loopbacks = ["192.0.2.2"], index = 2 },
//!         { name = "c", loopbacks = ["192.0.2.3"], index = 3, srgb = [[3000, 3999]] },
//!     ]
//!     link = [{ ends = ["a", "b"] }, { ends = ["b", "c"] }, { ends = ["a", "c"], igp = 5 }]
//!     "#,
//! )?;
//! let hops = [0, 1].map(|number| Hop {
//!     link: topology.link_ids().nth(number).unwrap(),
//!     side: Side::First,
//! });
//! let path = Path::new(&topology, topology.node_id("a").unwrap(), hops.to_vec()).unwrap();
//! let forwarding = Forwarding::new(&topology);
//! let list = forwarding.encode_labels(Imposer::Node, &Intent::path(&topology, &path), 0)?;
//! let labels: Vec<u32> = list.labels().unwrap().iter().map(|label| label.value()).collect();
//! assert_eq!(labels, [16003], "b is next to a and wants no label; c is what it reads");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod error;
#[cfg(test)]
mod examples;
mod forwarding;
mod intent;
#[cfg(test)]
mod interconnect;
mod labels;
#[cfg(test)]
mod oracle;
mod packet;
mod reading;
mod routes;
mod search;
mod sid_table;
mod sids;
mod stray;
mod tree;
mod walk;

pub use error::{EncodeError, Lack};
pub use forwarding::Forwarding;
pub use intent::Intent;
pub use labels::{Imposer, LabelList, Segment};
pub use reading::{Read, Reading};
pub use routes::{Route, RouteError};
pub use sids::{SidKinds, SidList};
pub use stray::Stray;
pub use walk::{Departure, End, Walk};

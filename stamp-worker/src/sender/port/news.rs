//! Changes of routes and neighbours, and what sessions find out because of them: many go the same way, which need not
//! be asked for more than once.

use std::collections::HashMap;
use std::net::IpAddr;

use stamp_net::egress::{Changes, Egress, Resolution};

use super::frames::FrameWay;

/// What has changed.
pub(in crate::sender) struct News {
    changes: Changes,
    ways: HashMap<FrameWay, Option<Egress>>,
    neighbours: HashMap<(u32, IpAddr), Option<Resolution>>,
}

impl News {
    pub(in crate::sender) fn new(changes: Changes) -> Self {
        Self { changes, ways: HashMap::new(), neighbours: HashMap::new() }
    }

    /// How frames of `way` leave from now on, if that may be another than `now`.
    pub(super) fn egress(
        &mut self,
        way: &FrameWay,
        now: Option<&Egress>,
    ) -> Option<Option<Egress>> {
        match now {
            Some(egress) if !self.changes.concern_way(egress) => {
                if !self.changes.concern_neighbour(egress) {
                    return None;
                }
                let place = (egress.interface, egress.next_hop);
                let resolve = || egress.clone().resolve().ok();
                let known = *self.neighbours.entry(place).or_insert_with(resolve);
                // What cannot be told now is told with the next change.
                known.map(|resolution| Some(Egress { resolution, ..egress.clone() }))
            }
            _ => {
                if let Some(found) = self.ways.get(way) {
                    return Some(found.clone());
                }
                let found = way.find().ok();
                self.ways.insert(way.clone(), found.clone());
                Some(found)
            }
        }
    }
}

//! What was measured of links, in place of what the topology file says of them.
//!
//! A session measures a path. Where that path is one link and nothing else, its values are those of the
//! link; never otherwise, for nobody can tell which of several links made them. Values come in when
//! they are worth telling, damped as announcements to routers are (RFC 8570 §6), so that paths are not
//! computed anew with every window. What is taken back returns to what the file says.

use core::time::Duration;
use std::collections::BTreeMap;

use stamp_document::quantity::Ratio;

use crate::class::Touched;
use crate::path::Hop;
use crate::topology::Topology;

/// What was measured of one direction of a link; what is none stays as the file has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkValue {
    /// How long packets are under way.
    pub delay: Option<Duration>,
    /// How many are lost.
    pub loss: Option<Ratio>,
}

/// Measured values by link and direction.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MeasuredLinks {
    values: BTreeMap<Hop, LinkValue>,
}

impl MeasuredLinks {
    /// Takes a delay in, or back; whether that is new.
    pub fn set_delay(&mut self, hop: Hop, delay: Option<Duration>) -> bool {
        self.set(hop, |value| LinkValue { delay, ..value })
    }

    /// Takes a loss in, or back; whether that is new.
    pub fn set_loss(&mut self, hop: Hop, loss: Option<Ratio>) -> bool {
        self.set(hop, |value| LinkValue { loss, ..value })
    }

    /// Of one direction of a link.
    #[must_use]
    pub fn of(&self, hop: Hop) -> LinkValue {
        self.values.get(&hop).copied().unwrap_or_default()
    }

    /// The topology with what was measured.
    #[must_use]
    pub fn applied(&self, topology: &Topology) -> Topology {
        let mut measured = topology.clone();
        for (hop, value) in &self.values {
            let [first, second] = &mut measured.links[hop.link.position()].directions.0;
            let direction = hop.side.choose(first, second);
            direction.delay = value.delay.unwrap_or(direction.delay);
            direction.loss = value.loss.unwrap_or(direction.loss);
        }
        measured
    }

    fn set(&mut self, hop: Hop, change: impl FnOnce(LinkValue) -> LinkValue) -> bool {
        let before = self.of(hop);
        let after = change(before);
        if after == LinkValue::default() {
            self.values.remove(&hop);
        } else {
            self.values.insert(hop, after);
        }
        before != after
    }
}

impl Touched {
    /// The one link that packets pass, if there is only one: what is measured is measured of it.
    #[must_use]
    pub fn only_link(&self) -> Option<Hop> {
        let mut hops = self.hops.iter();
        hops.next().copied().filter(|_| hops.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;
    use crate::topology::Side;

    fn line() -> Topology {
        let nodes = ["a", "b", "c"].map(|name| format!("[[node]]\nname = \"{name}\"\n"));
        let links = "[[link]]\nends = [\"a\", \"b\"]\ndelay = \"1ms\"\nback = { delay = \"2ms\" }\n\
                     [[link]]\nends = [\"b\", \"c\"]\n";
        Topology::read("t.toml", &(nodes.concat() + links)).unwrap()
    }

    fn hop(topology: &Topology, link: &str) -> Hop {
        Hop { link: topology.link_id(link).unwrap(), side: Side::First }
    }

    #[test]
    fn a_direction_has_what_was_measured_of_it_and_the_other_what_the_file_says() {
        let topology = line();
        let mut links = MeasuredLinks::default();
        let forth = hop(&topology, "a-b");
        let (delay, loss) = (Duration::from_micros(1500), Ratio::from_billionths(7));
        assert!(links.set_delay(forth, Some(delay)));
        assert!(links.set_loss(forth, loss));
        assert!(!links.set_loss(forth, loss), "nothing new");
        let measured = links.applied(&topology);
        assert_eq!(measured.links[0].from(Side::First).delay, delay);
        assert_eq!(Some(measured.links[0].from(Side::First).loss), loss);
        assert_eq!(measured.links[0].from(Side::Second), topology.links[0].from(Side::Second));
    }

    #[test]
    fn what_is_taken_back_returns_to_the_file() {
        let topology = line();
        let mut links = MeasuredLinks::default();
        let forth = hop(&topology, "a-b");
        links.set_delay(forth, Some(Duration::ZERO));
        assert_eq!(links.applied(&topology).links[0].from(Side::First).delay, Duration::ZERO);
        assert!(links.set_delay(forth, None));
        assert_eq!(links, MeasuredLinks::default());
        assert_eq!(links.applied(&topology), topology);
    }

    #[test]
    fn a_path_of_one_link_measures_it_and_a_longer_one_none() {
        let topology = line();
        let [one, other] = ["a-b", "b-c"].map(|link| hop(&topology, link));
        let touched = |hops: &[Hop]| {
            let start = topology.node_id("a").unwrap();
            Touched::by(&topology, &Path::new(&topology, start, hops.to_vec()).unwrap())
        };
        assert_eq!(touched(&[one]).only_link(), Some(one));
        assert_eq!(touched(&[one, other]).only_link(), None);
        assert_eq!(touched(&[]).only_link(), None);
    }
}

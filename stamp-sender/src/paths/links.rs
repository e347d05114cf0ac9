//! What sessions announce of links, for paths that are computed: of a list that packets pass exactly one
//! link with, whatever the way back.

use std::collections::BTreeMap;
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_path::measured_links::{LinkValue, MeasuredLinks};
use stamp_path::path::Hop;
use stamp_path::topology::Topology;
use stamp_session::te::{TeAdvertisement, TeMode, TeSubTlv, TeValues};

use super::window::share;

/// Values of links, each by the link's name and that of the node that sends: another version of the
/// topology file may count them otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LinkValues(BTreeMap<(String, String), LinkValue>);

/// What is announced of the one link of a list; none where nothing is, or nothing of one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkNews {
    /// The smallest delay.
    Delay(Option<Duration>),
    /// Loss.
    Loss(Option<Ratio>),
}

impl LinkNews {
    /// What is said by an announcement, if it is about either. What was measured there and back says
    /// nothing of one direction.
    pub fn of(told: &TeAdvertisement) -> Option<Self> {
        let known = told.values.filter(|_| told.mode == Some(TeMode::OneWay));
        match (told.sub_tlv, known) {
            (TeSubTlv::MinMaxDelay, Some(TeValues::MinMaxDelay { min, .. })) => {
                Some(Self::Delay(Some(Duration::from_micros(min.micros().into()))))
            }
            (TeSubTlv::MinMaxDelay, _) => Some(Self::Delay(None)),
            (TeSubTlv::Loss, Some(TeValues::Loss(loss))) => {
                Some(Self::Loss(Some(share(loss.ratio()))))
            }
            (TeSubTlv::Loss, _) => Some(Self::Loss(None)),
            _ => None,
        }
    }
}

impl LinkValues {
    /// The topology with them, as far as it still has these links.
    pub(super) fn applied(&self, topology: &Topology) -> Topology {
        let mut links = MeasuredLinks::default();
        for ((link, from), value) in &self.0 {
            let found = topology.link_id(link).zip(topology.node_id(from));
            let hop = found
                .and_then(|(link, from)| Some(Hop { link, side: topology[link].side_of(from)? }));
            if let Some(hop) = hop {
                links.set_delay(hop, value.delay);
                links.set_loss(hop, value.loss);
            }
        }
        links.applied(topology)
    }

    /// Takes in what is announced of a link; whether that is new.
    pub(super) fn announced(&mut self, topology: &Topology, hop: Hop, news: LinkNews) -> bool {
        let key = (topology[hop.link].name.clone(), topology[hop.from(topology)].name.clone());
        let before = self.0.get(&key).copied().unwrap_or_default();
        let after = match news {
            LinkNews::Delay(delay) => LinkValue { delay, ..before },
            LinkNews::Loss(loss) => LinkValue { loss, ..before },
        };
        if after == LinkValue::default() {
            self.0.remove(&key);
        } else {
            self.0.insert(key, after);
        }
        before != after
    }

    /// Nobody measures a link any more.
    pub(super) fn forget(&mut self, topology: &Topology, hop: Hop) -> bool {
        let key = (topology[hop.link].name.clone(), topology[hop.from(topology)].name.clone());
        self.0.remove(&key).is_some()
    }
}

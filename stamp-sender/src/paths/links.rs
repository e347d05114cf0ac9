//! What sessions announce of links, for paths that are computed: of a list that packets pass exactly one
//! link with, whatever the way back.

use std::collections::BTreeMap;
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_path::measured_links::{LinkValue, MeasuredLinks};
use stamp_path::path::Hop;
use stamp_path::topology::Topology;
use stamp_session::te::{TeAdvertisement, TeMode, TeSubTlv, TeValues};

/// Values of links, each by the link's name and that of the node that sends: another version of the
/// topology file may count them otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LinkValues(BTreeMap<(String, String), LinkValue>);

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

    /// Takes in what is announced of a link; whether that is new. What was measured there and back says
    /// nothing of one direction.
    pub(super) fn announced(
        &mut self,
        topology: &Topology,
        hop: Hop,
        told: &TeAdvertisement,
    ) -> bool {
        let known = told.values.filter(|_| told.mode == Some(TeMode::OneWay));
        let key = (topology[hop.link].name.clone(), topology[hop.from(topology)].name.clone());
        let before = self.0.get(&key).copied().unwrap_or_default();
        let after = match (told.sub_tlv, known) {
            (TeSubTlv::MinMaxDelay, Some(TeValues::MinMaxDelay { min, .. })) => {
                let delay = Duration::from_micros(min.micros().into());
                LinkValue { delay: Some(delay), ..before }
            }
            (TeSubTlv::MinMaxDelay, _) => LinkValue { delay: None, ..before },
            (TeSubTlv::Loss, Some(TeValues::Loss(loss))) => {
                LinkValue { loss: Some(share(loss.ratio())), ..before }
            }
            (TeSubTlv::Loss, _) => LinkValue { loss: None, ..before },
            _ => return false,
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a ratio from 0 to 1 in billionths"
)]
fn share(ratio: f64) -> Ratio {
    Ratio::from_billionths((ratio * 1e9).round() as u32).unwrap_or_default()
}

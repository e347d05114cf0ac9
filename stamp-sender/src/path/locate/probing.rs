//! Probes of locate's own, over lists that tell every link from every other.

use stamp_path::encoding::Forwarding;
use stamp_path::locate::{Probe, ProbeList, covering};
use stamp_path::{NodeId, Topology};

use crate::command_line::path::{DataPlane, Locate};
use crate::exit::Failure;
use crate::output::record::SessionRecord;
use crate::path::sending::{self, Way};

/// What was measured.
pub(super) struct Probed {
    pub(super) sessions: Vec<SessionRecord>,
    /// Lists that were not sent, and why.
    pub(super) left_out: Vec<(String, String)>,
}

/// Sends them from a node that is this host.
///
/// # Errors
///
/// When no list leads round any link, or none can be sent.
pub(super) fn probed(topology: &Topology, from: NodeId, flags: &Locate) -> Result<Probed, Failure> {
    let sids = flags.dataplane == DataPlane::Srv6;
    let cover = covering(&Forwarding::new(topology), &[from], sids);
    let name = &topology[from].name;
    if cover.probes.is_empty() {
        let problem = format!("no list leads from {name} round any link and back");
        return Err(Failure::Usage { flag: "--probe", problem });
    }
    let ways: Vec<Way> = cover.probes.iter().map(|probe| way(topology, probe)).collect();
    let outcomes = sending::measured(&ways, (&flags.topology, name), &flags.probing)?;
    let (mut sessions, mut left_out, mut last) = (Vec::new(), Vec::new(), None);
    for (way, outcome) in ways.into_iter().zip(outcomes) {
        match outcome {
            Ok(records) => sessions.extend(records),
            Err(failure) => {
                left_out.push((way.name, failure.to_string()));
                last = Some(failure);
            }
        }
    }
    match last.filter(|_| sessions.is_empty()) {
        Some(failure) => Err(failure),
        None => Ok(Probed { sessions, left_out }),
    }
}

/// The words of a loop; a session is called after them.
fn way(topology: &Topology, probe: &Probe) -> Way {
    let words: Vec<String> =
        probe.list.segments().iter().map(|segment| segment.word(topology)).collect();
    let list = words.join(",");
    let mut flags = vec!["--mode", "loopback", "--segments", &list];
    if matches!(probe.list, ProbeList::Sids(_)) {
        flags.extend(["--srv6", "host"]);
    }
    let flows = probe.flows.min(u16::from(u8::MAX)).to_string();
    if probe.flows > 1 {
        flags.extend(["--entropy-sweep", &flows]);
    }
    Way {
        name: format!("{} {}", topology[probe.from].name, words.join(" ")),
        host: topology[probe.far].name.clone(),
        flags: flags.into_iter().map(str::to_owned).collect(),
    }
}

//! What has to be typed to measure a way.

use stamp_path::Topology;
use stamp_path::compute::Answer;
use stamp_path::encoding::{EncodeError, Forwarding, Imposer, Intent, Segment, SidKinds};
use stamp_path::path::Path;
use stamp_path::segments::SidKind;

use crate::command_line::path::{DataPlane, ProbeWays, Turn};
use crate::path::route;
use crate::path::seen::Seen;
use crate::path::sending::Way;

/// The session of a way; why there can be none where that is so.
pub(super) fn of(seen: &Seen<'_>, answer: &Answer, flags: &ProbeWays) -> Result<Way, String> {
    let (topology, path) = (seen.topology(), &answer.path);
    let name = route::words(topology, path);
    if seen.is_unknown(path) {
        return Err("nobody knows what it passes".to_owned());
    }
    let mut words = vec!["--mode".to_owned(), flags.mode.mode().label().to_owned()];
    let back = path.reversed(topology);
    let lists = match flags.mode {
        // There and back is one list, so that no part of it has to lead somewhere by itself.
        Turn::Loopback => {
            [list(topology, &there_and_back(topology, path), flags, Imposer::Node)?, Vec::new()]
        }
        Turn::EnhancedLoopback => {
            let back = list(topology, &back, flags, Imposer::Before)?;
            [list(topology, path, flags, Imposer::Node)?, back]
        }
        Turn::TwoWay => [list(topology, path, flags, Imposer::Node)?, Vec::new()],
    };
    for (flag, list) in ["--segments", "--return-segments"].into_iter().zip(lists) {
        if !list.is_empty() {
            words.extend([flag.to_owned(), list.join(",")]);
        }
    }
    if flags.dataplane == DataPlane::Srv6 {
        words.extend(["--srv6".to_owned(), "host".to_owned()]);
        let far = path.end(topology);
        if flags.mode == Turn::EnhancedLoopback {
            let tsf = topology.sid(far, SidKind::EndTsf).map_err(|error| error.to_string())?;
            words.extend(["--end-tsf".to_owned(), tsf.to_string()]);
        }
    }
    Ok(Way { name, host: topology[path.end(topology)].name.clone(), flags: words })
}

fn there_and_back(topology: &Topology, path: &Path) -> Path {
    let hops = [path.hops(), path.reversed(topology).hops()].concat();
    Path::new(topology, path.start(), hops).unwrap_or_else(|| path.clone())
}

/// The words that keep packets to a path.
fn list(
    topology: &Topology,
    path: &Path,
    flags: &ProbeWays,
    imposer: Imposer,
) -> Result<Vec<String>, String> {
    let (forwarding, intent) = (Forwarding::new(topology), Intent::path(topology, path));
    let told = |error: EncodeError| error.to_string();
    let is_home = topology[path.end(topology)].name == flags.wanted.from;
    let segments = match flags.dataplane {
        DataPlane::Mpls => forwarding.encode_labels(imposer, &intent, 0).map_err(told)?.segments,
        DataPlane::Srv6 => {
            // No interface is named, so the first SID has to say it all; at the end stands the address of
            // whoever is to get the packet.
            let found = forwarding.encode_sids(Imposer::Before, &intent, SidKinds::END);
            let mut segments = found.map_err(told)?.segments;
            if is_home {
                segments.pop();
            }
            segments
        }
    };
    if let (Some(Segment::Link(hop)), Imposer::Node) = (segments.first(), imposer) {
        let link = &topology[hop.link].name;
        return Err(format!(
            "its list begins with link {link} of this host: measure it with --via"
        ));
    }
    Ok(segments.into_iter().map(|segment| segment.word(topology)).collect())
}

//! Names of a topology file in place of labels, SIDs and HOST (`--topology`).

mod labels;
mod sids;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use stamp_config::steering::{Segment, SegmentWord, SegmentWords, Segments};
use stamp_net::interface;
use stamp_path::segments::{self, Origin, SegmentError, Step};
use stamp_path::{NodeId, Topology};

use crate::command_line::{Measure, SteeringFlags};
use crate::exit::Failure;
use crate::setup;
use crate::target::{Family, Target};

/// What names turned out to be; kept with the flags they were resolved for.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Hosts that are nodes, as typed.
    hosts: BTreeMap<String, IpAddr>,
    /// Labels with the names they stand for, in the order of the stack.
    pub labels: Vec<(String, String)>,
    /// Addresses of the first node of the list, towards which frames with labels leave.
    pub first: Vec<IpAddr>,
}

/// The same with labels and SIDs in place of names. What was resolved before stays as it is.
///
/// # Errors
///
/// [`Failure::Usage`] for a name that is unknown or has no label or SID, [`Failure::Input`] for a file
/// that is no topology.
pub fn resolved(measure: &Measure) -> Result<Measure, Failure> {
    let mut measure = measure.clone();
    let steering = &mut measure.steering;
    let (forward, back) = (steering.segment_words.take(), steering.return_segment_words.take());
    let Some(path) = steering.topology.take() else {
        for (words, list, flag) in [
            (forward, &mut steering.segments, "--segments"),
            (back, &mut steering.return_segments, "--return-segments"),
        ] {
            if let Some(words) = words {
                *list = Some(without_topology(&words, flag)?);
            }
        }
        return Ok(measure);
    };
    let topology = read(&path)?;
    let lists = Lists { forward, back };
    let family = setup::family(&measure.probe);
    let sids = lists.are_sids(&measure.steering);
    measure.steering.named.hosts = hosts(&topology, &measure, family, sids)?;
    let here = origin(&topology, &measure.steering)?;
    let far = measure.hosts.first().and_then(|text| node_of(&topology, &measure, text));
    let resolver = Resolver { topology: &topology, here, far };
    if sids {
        resolver.sids(&lists, &mut measure.steering)?;
    } else {
        resolver.labels(&lists, &mut measure.steering)?;
    }
    Ok(measure)
}

/// Address and port of a host, which may be a node.
///
/// # Errors
///
/// Those of [`Target::parse`] and [`Target::resolve`].
pub fn host(measure: &Measure, text: &str, scope: u32) -> Result<SocketAddr, Failure> {
    let target = Target::parse(text, measure.probe.port)?;
    match measure.steering.named.hosts.get(target.host()) {
        Some(address) => Ok(SocketAddr::new(*address, target.port())),
        None => Ok(target.resolve(setup::family(&measure.probe), scope)?),
    }
}

/// Both lists as they were written.
struct Lists {
    forward: Option<SegmentWords>,
    back: Option<SegmentWords>,
}

impl Lists {
    /// SIDs are meant: one is written, or how they are to be put into packets is.
    fn are_sids(&self, flags: &SteeringFlags) -> bool {
        let is_sid = |word: &SegmentWord| matches!(word, SegmentWord::Segment(Segment::Sid(_)));
        let mut words = [&self.forward, &self.back].into_iter().flatten().flat_map(|list| &list.0);
        flags.srv6.is_some() || flags.end_tsf.is_some() || words.any(is_sid)
    }
}

/// A topology, and where in it this host and the far one are.
struct Resolver<'t> {
    topology: &'t Topology,
    here: Option<Origin>,
    far: Option<NodeId>,
}

impl Resolver<'_> {
    /// What a word is, and what it is called in the topology.
    fn find(&self, word: &SegmentWord, flag: &'static str) -> Result<Found, Failure> {
        let text = word.to_string();
        match (segments::find(self.topology, &text), word) {
            (Ok(step), _) => Ok(Found::Named(step, text)),
            (Err(_), SegmentWord::Segment(segment)) => Ok(Found::Written(*segment)),
            (Err(error), SegmentWord::Name(_)) => Err(refused(flag, &error)),
        }
    }

    /// Where the list begins.
    fn here(&self) -> Result<Origin, Failure> {
        self.here.ok_or_else(|| {
            let problem = "this host has no address of a node there: --from NODE when it is one, \
                           --behind NODE for the router in front of it";
            Failure::Usage { flag: "--topology", problem: problem.to_owned() }
        })
    }

    fn own_node(&self) -> Option<NodeId> {
        match self.here? {
            Origin::Node(node) => Some(node),
            Origin::Behind(_) | Origin::At(_) => None,
        }
    }
}

/// A word of a list.
enum Found {
    /// A name of the topology.
    Named(Step, String),
    /// A label or SID.
    Written(Segment),
}

fn refused(flag: &'static str, error: &SegmentError) -> Failure {
    Failure::Usage { flag, problem: error.to_string() }
}

fn read(path: &Path) -> Result<Topology, Failure> {
    let name = path.display().to_string();
    let text =
        fs::read_to_string(path).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    Topology::read(&name, &text).map_err(|errors| Failure::Input(errors.to_string()))
}

fn without_topology(words: &SegmentWords, flag: &'static str) -> Result<Segments, Failure> {
    words.plain().ok_or_else(|| {
        let name = words.0.iter().find(|word| matches!(word, SegmentWord::Name(_)));
        let name = name.map(ToString::to_string).unwrap_or_default();
        let problem = format!(
            "\"{name}\" is no label (16 to 1048575) and no SID; names need --topology FILE"
        );
        Failure::Usage { flag, problem }
    })
}

/// The addresses of hosts that are nodes: in the family that was asked for, else in that of the
/// segments, IPv4 first below labels.
fn hosts(
    topology: &Topology,
    measure: &Measure,
    family: Family,
    sids: bool,
) -> Result<BTreeMap<String, IpAddr>, Failure> {
    let mut known = BTreeMap::new();
    for text in &measure.hosts {
        let host = Target::parse(text, measure.probe.port)?.host().to_owned();
        let Some(node) = topology.node_id(&host).map(|id| &topology[id]) else { continue };
        let (v4, v6) = (node.ipv4().map(IpAddr::from), node.ipv6().map(IpAddr::from));
        let address = match family {
            Family::V4 => v4,
            Family::V6 => v6,
            Family::Any if sids => v6,
            Family::Any => v4.or(v6),
        };
        let address = address.ok_or_else(|| Failure::Usage {
            flag: "--topology",
            problem: format!("node {host} has no address of the family that is wanted"),
        })?;
        known.insert(host, address);
    }
    Ok(known)
}

/// The node of a host that was named, or whose address one has.
fn node_of(topology: &Topology, measure: &Measure, text: &str) -> Option<NodeId> {
    let target = Target::parse(text, measure.probe.port).ok()?;
    topology.node_id(target.host()).or_else(|| {
        let address: IpAddr = target.host().parse().ok()?;
        topology.ids().find(|id| topology[*id].loopbacks.contains(&address))
    })
}

fn origin(topology: &Topology, flags: &SteeringFlags) -> Result<Option<Origin>, Failure> {
    let node =
        |name: &str, flag| segments::node(topology, name).map_err(|error| refused(flag, &error));
    if let Some(name) = &flags.from {
        return node(name, "--from").map(|node| Some(Origin::Node(node)));
    }
    if let Some(name) = &flags.behind {
        return node(name, "--behind").map(|node| Some(Origin::Behind(node)));
    }
    let own = interface::local_addresses()?;
    let is_here = |id: &NodeId| topology[*id].loopbacks.iter().any(|one| own.contains(one));
    Ok(topology.ids().find(is_here).map(Origin::Node))
}

#[cfg(test)]
mod tests;

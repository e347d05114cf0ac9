//! Names of a topology file in place of labels, SIDs and HOST (`--topology`).

mod known;
mod labels;
mod sids;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use stamp_config::steering::{
    BindingSid, BindingWord, ReturnPath, ReturnPathWords, Segment, SegmentWord, SegmentWords,
    Segments,
};
use stamp_net::interface;
use stamp_path::segments::{self, Origin, SegmentError, Step};
use stamp_path::{NodeId, Topology};

use crate::command_line::{Measure, SteeringFlags};
use crate::exit::Failure;
use crate::setup;
use crate::target::{Family, Target, TargetError};
pub use labels::asks_for_stamps;

/// What names turned out to be; kept with the flags they were resolved for.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Hosts that are nodes, as typed.
    hosts: BTreeMap<String, IpAddr>,
    /// Labels with the names they stand for, in the order of the stack.
    pub labels: Vec<(String, String)>,
    /// Addresses of the first node of the list, towards which frames with labels leave.
    pub first: Vec<IpAddr>,
    /// What that node, or the link that the list begins with, is called.
    pub toward: Option<String>,
}

/// The same with labels and SIDs in place of names. What was resolved before stays as it is.
///
/// # Errors
///
/// [`Failure::Usage`] for a name that is unknown or has no label or SID, [`Failure::Absent`] where this host is no node
/// (yet), [`Failure::Topology`] for a file that is no topology.
pub fn resolved(measure: &Measure) -> Result<Measure, Failure> {
    let mut measure = measure.clone();
    let steering = &mut measure.steering;
    let lists = Lists::take(steering);
    let bound = steering.return_binding_word.take();
    if let Some(path) = steering.topology.take() {
        let topology = known::read(&path)?;
        let family = setup::family(&measure.probe);
        let sids = lists.are_sids(&measure.steering);
        measure.steering.named.hosts = hosts(&topology, &measure, family, sids)?;
        let here = origin(&topology, &measure.steering)?;
        let far = measure.hosts.first().and_then(|text| node_of(&topology, &measure, text));
        let resolver = Resolver { topology: &topology, here, far };
        let steering = &mut measure.steering;
        if let Some(word) = bound {
            steering.return_binding_sid = Some(resolver.bound(word, &lists, sids)?);
        }
        if sids {
            resolver.sids(&lists, steering)?;
        } else {
            resolver.labels(&lists, steering)?;
        }
    } else {
        for (words, list, flag) in [
            (&lists.forward, &mut steering.segments, "--segments"),
            (&lists.back, &mut steering.return_segments, lists.back_flag),
        ] {
            if let Some(words) = words {
                *list = Some(without_topology(words, flag)?);
            }
        }
        if let Some(word) = bound {
            steering.return_binding_sid = Some(bound_without_topology(word)?);
        }
    }
    if lists.back_flag == RETURN_PATH {
        let asked = measure.steering.return_segments.take();
        measure.steering.return_path = asked.map(ReturnPath::Segments);
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

/// The same as far as nobody has to be asked and no interface has to be there; `None` for a name.
///
/// # Errors
///
/// What neither could mend.
pub fn written_host(measure: &Measure, text: &str) -> Result<Option<SocketAddr>, Failure> {
    let (probe, target) = (&measure.probe, Target::parse(text, measure.probe.port)?);
    if let Some(address) = measure.steering.named.hosts.get(target.host()) {
        return Ok(Some(SocketAddr::new(*address, target.port())));
    }
    let scope = u32::from(setup::device_name(probe).is_some());
    // No other address will ever stand there.
    let refused = |error: TargetError| Failure::Usage { flag: "HOST", problem: error.to_string() };
    target.written(setup::family(probe), scope).map_err(refused)
}

/// Both lists as they were written.
struct Lists {
    forward: Option<SegmentWords>,
    back: Option<SegmentWords>,
    /// The flag that the way back was written behind.
    back_flag: &'static str,
}

const RETURN_PATH: &str = "--return-path";
const RETURN_BINDING_SID: &str = "--return-binding-sid";

impl Lists {
    /// A way back that has no segments stays where it belongs.
    fn take(flags: &mut SteeringFlags) -> Self {
        let forward = flags.segment_words.take();
        let (back, back_flag) = match flags.return_path_words.take() {
            Some(ReturnPathWords::Segments(words)) => (Some(words), RETURN_PATH),
            Some(ReturnPathWords::Plain(plain)) => {
                flags.return_path = Some(plain);
                (flags.return_segment_words.take(), "--return-segments")
            }
            None => (flags.return_segment_words.take(), "--return-segments"),
        };
        Self { forward, back, back_flag }
    }

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
            let problem = "this host has no address of a node there: --from names it when it is \
                           one, --behind the router in front of it";
            Failure::Absent { flag: "--topology", problem: problem.to_owned() }
        })
    }

    /// The binding SID of the far node: that of its tunnel to the node that is named.
    fn bound(&self, word: BindingWord, lists: &Lists, sids: bool) -> Result<BindingSid, Failure> {
        let name = match word {
            BindingWord::Sid(sid) => return Ok(sid),
            BindingWord::Node(name) => name,
        };
        let usage = |problem| Failure::Usage { flag: RETURN_BINDING_SID, problem };
        let to = segments::node(self.topology, &name)
            .map_err(|error| refused(RETURN_BINDING_SID, &error))?;
        let from = self.far_end(lists)?.ok_or_else(|| {
            usage("HOST is no node of the topology, so nobody knows whose tunnel is meant".into())
        })?;
        let far = &self.topology[from].name;
        let mut tunnels = self.topology.tunnels.iter();
        let tunnel = tunnels.find(|tunnel| (tunnel.from, tunnel.to) == (from, to));
        match tunnel {
            None => Err(usage(format!("node {far} has no [[tunnel]] to {name}"))),
            Some(_) if sids => {
                Err(usage(format!("the [[tunnel]] from {far} to {name} has a label and no SID")))
            }
            Some(tunnel) => Ok(BindingSid(Segments::Labels(vec![tunnel.label]))),
        }
    }

    /// The node where the way there ends.
    fn far_end(&self, lists: &Lists) -> Result<Option<NodeId>, Failure> {
        let last = lists.forward.as_ref().and_then(|list| list.0.last());
        let last = last.map(|word| self.find(word, "--segments")).transpose()?;
        Ok(match last {
            Some(Found::Named(Step::Node(node), _)) => Some(node),
            _ => self.far,
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

/// Reads a topology file.
///
/// # Errors
///
/// [`Failure::Topology`] for a file that cannot be read or is no topology.
pub fn read(path: &Path) -> Result<Topology, Failure> {
    parsed(path, &text(path)?).map_err(Failure::Topology)
}

/// What stands in a topology file.
fn text(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::Topology(format!("{}: {error}", path.display()));
    fs::read_to_string(path).map_err(failed)
}

fn parsed(path: &Path, text: &str) -> Result<Topology, String> {
    Topology::read(&path.display().to_string(), text).map_err(|errors| errors.to_string())
}

fn bound_without_topology(word: BindingWord) -> Result<BindingSid, Failure> {
    match word {
        BindingWord::Sid(sid) => Ok(sid),
        BindingWord::Node(name) => {
            let problem = format!(
                "\"{name}\" is no label (16 to 1048575) and no SID; names need --topology FILE"
            );
            Err(Failure::Usage { flag: RETURN_BINDING_SID, problem })
        }
    }
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

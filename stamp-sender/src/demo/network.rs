//! A sender, a far node that only writes a timestamp, and three ways between them.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use stamp_lab::{Impairment, Lab, LabError, Loss, Namespace, Options, Plan, THREE_PATHS};
use stamp_path::Topology;
use stamp_path::topology::{Link, LinkId, Node, NodeId, Side, TimestampLabel};
use stamp_proto::sr::mpls::Label;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::{Place, SidForm, Trigger};
use stamp_worker::forwarder::{
    ForwarderSetup, ForwarderWorker, LabelSetup, NextHopSetup, TimestampSetup,
};

use super::showing::Showing;
use super::{choice, flags};
use crate::Ended;
use crate::command_line::{Demo, Measure};
use crate::exit::Failure;
use crate::run;
use crate::setup::{self, Sessions};

/// The file, as messages name it.
const FILE: &str = "three-paths.toml";
/// The sender, and the node that only writes a timestamp.
const ENDS: [&str; 2] = ["s", "r"];
/// The only nodes of the three ways.
const MIDDLES: [&str; 3] = ["a", "b", "c"];

/// The network, and the far node at work in it.
pub(super) struct Network {
    lab: Lab,
    raised_in: Duration,
    paths: Vec<Path>,
    _far: ForwarderWorker,
}

/// One way from the sender to the far node and back.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// As the node in its middle.
    pub(super) name: String,
    /// The link that has its delay, and the sender's side of it.
    pub(super) near: (LinkId, Side),
    /// The SID of the node in its middle.
    pub(super) end: Ipv6Addr,
    /// What to type at the sender: over labels, over SIDs.
    pub(super) flags: [Vec<String>; 2],
}

/// The data planes, in the order of [`Path::flags`].
pub(super) const DATA_PLANES: [&str; 2] = ["SR-MPLS", "SRv6"];

impl Network {
    /// Builds the lab and starts the far node.
    ///
    /// # Errors
    ///
    /// What this machine or user may not do, and what its kernel cannot.
    pub(super) fn up() -> Result<Self, Failure> {
        let start = Instant::now();
        let topology = Topology::read(FILE, THREE_PATHS)
            .map_err(|errors| Failure::Input(errors.to_string()))?;
        let [sender, far] = ENDS.map(|name| node(&topology, name));
        let (sender, far) = (sender?, far?);
        let middles = MIDDLES.map(|name| node(&topology, name));
        let middles = middles.into_iter().collect::<Result<Vec<_>, _>>()?;
        let lab = Lab::up(topology, Options::default())?;
        let ways = Ways { topology: lab.topology(), plan: lab.plan(), sender, far };
        let paths = middles.iter().map(|middle| ways.path(*middle)).collect::<Result<_, _>>()?;
        let setup = ways.far_node(&middles)?;
        let far = within(lab.namespace(far), || ForwarderWorker::start(setup))?;
        Ok(Self { paths, raised_in: start.elapsed(), _far: far?, lab })
    }

    /// Measures every way over both data planes at once, and makes one of them worse meanwhile.
    pub(super) fn run(self, demo: &Demo) -> Ended {
        let inner = run::reporter(&demo.output)?;
        let sender = node(self.lab.topology(), ENDS[0])?;
        let stage = run::Stage::open()?.at(self.lab.namespace(sender));
        let mut sessions = Sessions { setups: vec![], infos: vec![], missing: vec![] };
        for path in &self.paths {
            for (flags, data_plane) in path.flags.iter().zip(DATA_PLANES) {
                let measure = measure(flags, demo)?;
                let opened = within(self.lab.namespace(sender), || setup::sessions(&measure))??;
                sessions.setups.extend(opened.setups);
                sessions.infos.extend(opened.infos.into_iter().map(|mut info| {
                    info.name = format!("{} {data_plane}", path.name);
                    info.target_text = ENDS[1].to_owned();
                    info
                }));
            }
        }
        let Sessions { setups, infos, .. } = sessions;
        let mut showing = Showing::new(demo, inner, self);
        let (status, _) = stage.run(setups, &infos, &mut showing)?;
        // A document has its end already.
        let goes_on = demo.output.is_for_people() || demo.output.ndjson;
        match showing.into_network().filter(|_| goes_on) {
            Some(network) => choice::run(network, demo).map(|()| status),
            None => Ok(status),
        }
    }

    /// Sender and far node: their namespaces, and addresses of theirs.
    pub(super) fn ends(&self) -> Result<[(Namespace, Ipv6Addr); 2], Failure> {
        let end = |name| -> Result<_, Failure> {
            let id = node(self.lab.topology(), name)?;
            let address = self.lab.topology()[id].ipv6();
            let address = address.ok_or_else(|| lacks("an IPv6 address of", name))?;
            Ok((self.lab.namespace(id).clone(), address))
        };
        let [near, far] = ENDS.map(end);
        Ok([near?, far?])
    }

    pub(super) fn paths(&self) -> &[Path] {
        &self.paths
    }

    pub(super) const fn raised_in(&self) -> Duration {
        self.raised_in
    }

    /// What a way does to packets there, and back.
    pub(super) fn treatment(&self, path: &Path) -> [Impairment; 2] {
        let (link, side) = path.near;
        [side, side.opposite()].map(|side| self.lab.impairment(link, side))
    }

    /// How long the way held each packet so far there, and back.
    pub(super) fn held(&self, path: &Path) -> [Vec<Duration>; 2] {
        let (link, side) = path.near;
        [side, side.opposite()].map(|side| {
            let held = self.lab.held(link, side).unwrap_or_default();
            held.iter().map(|held| held.until_let_go).collect()
        })
    }

    /// Packets that the ways lost so far, there and back.
    pub(super) fn dropped(&self) -> u64 {
        let lanes = self.paths.iter().flat_map(|path| {
            let (link, side) = path.near;
            [(link, side), (link, side.opposite())]
        });
        lanes.filter_map(|(link, side)| self.lab.counts(link, side)).map(|counts| counts.lost).sum()
    }

    /// Makes the way there slower and lets it lose packets; returns what to type in a lab for it.
    ///
    /// # Errors
    ///
    /// What the kernel refuses.
    pub(super) fn degrade(
        &mut self,
        path: &Path,
        delay: Duration,
        loss: Loss,
    ) -> Result<String, LabError> {
        let (link, side) = path.near;
        let mut impairment = self.lab.impairment(link, side);
        impairment.delay = delay;
        impairment.loss = loss;
        let loss = match &impairment.loss {
            Loss::Share(share) => format!(" --loss {share}"),
            _ => String::new(),
        };
        self.lab.impair(link, side, impairment)?;
        let Link { name, .. } = &self.lab.topology()[link];
        let delay = stamp_config::quantity::print_duration(delay);
        let (from, to) = (ENDS[0], &path.name);
        Ok(format!("stamp-sender lab degrade '{name}:{from}>{to}' --delay {delay}{loss}"))
    }
}

/// What was typed, and what the demo adds: how often, and that all nodes read one clock.
fn measure(typed: &[String], demo: &Demo) -> Result<Measure, Failure> {
    let mut arguments = typed.to_vec();
    for clock in ["--clock", "--far-clock"] {
        arguments.extend([clock.to_owned(), "synchronized,error=1us".to_owned()]);
    }
    let mut measure = flags(&arguments)?;
    measure.probe.count = demo.count;
    measure.probe.interval = demo.interval;
    measure.output = demo.output.clone();
    Ok(measure)
}

/// Does something at a node.
pub(super) fn within<T: Send>(
    namespace: &Namespace,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Failure> {
    namespace.run(work).map_err(|source| Failure::System { what: "entering a node", source })
}

fn node(topology: &Topology, name: &str) -> Result<NodeId, Failure> {
    topology.node_id(name).ok_or_else(|| lacks("a node", name))
}

/// Only a change of the file that comes with the program can make this happen.
fn lacks(what: &str, name: &str) -> Failure {
    Failure::Input(format!("{FILE}: {what} \"{name}\" is missing"))
}

/// What is known of the ways before there is a network.
struct Ways<'a> {
    topology: &'a Topology,
    plan: &'a Plan,
    sender: NodeId,
    far: NodeId,
}

impl Ways<'_> {
    fn path(&self, middle: NodeId) -> Result<Path, Failure> {
        let [sender, far, node] = [self.sender, self.far, middle].map(|node| &self.topology[node]);
        let near = self.link(self.sender, middle)?;
        let (own, to_far, to_sender) =
            (label(node, node)?, label(node, far)?, label(node, sender)?);
        let sid = |node: &Node, sid: Option<stamp_path::topology::Sid>| {
            sid.map(|sid| sid.address()).ok_or_else(|| lacks("a SID of", &node.name))
        };
        let (end, tsf) = (sid(node, node.sids.end)?, sid(far, far.sids.tsf)?);
        let host = |version: &str, address: Option<std::net::IpAddr>| {
            address.map(|address| address.to_string()).ok_or_else(|| lacks(version, &far.name))
        };
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let over_labels = [
            text(&[&host("an IPv4 address of", far.ipv4().map(Into::into))?]),
            text(&["--mode", "enhanced-loopback", "--segments", &format!("{own},{to_far}")]),
            text(&["--return-segments", &format!("{own},{to_sender}"), "--via", &self.via(near)?]),
        ];
        let over_sids = [
            text(&[&host("an IPv6 address of", far.ipv6().map(Into::into))?]),
            text(&["--mode", "enhanced-loopback", "--segments", &format!("{end},{tsf}")]),
            text(&["--return-segments", &end.to_string()]),
        ];
        Ok(Path {
            name: node.name.clone(),
            near,
            end,
            flags: [over_labels.concat(), over_sids.concat()],
        })
    }

    /// Interface and next hop of frames.
    fn via(&self, (link, side): (LinkId, Side)) -> Result<String, Failure> {
        let plan = self.plan.link(link).ok_or_else(|| lacks("link", &self.topology[link].name))?;
        Ok(format!("{},{}", plan.interface, plan.end(side.opposite()).ipv4.addr()))
    }

    fn link(&self, from: NodeId, to: NodeId) -> Result<(LinkId, Side), Failure> {
        let mut links = self.topology.links_of(from);
        links
            .find(|(link, side)| self.topology[*link].at(side.opposite()) == to)
            .ok_or_else(|| lacks("a link to", &self.topology[to].name))
    }

    /// The far node writes timestamps, and takes off the labels that lead to its neighbours.
    fn far_node(&self, middles: &[NodeId]) -> Result<ForwarderSetup, Failure> {
        let node = &self.topology[self.far];
        let mut setup = ForwarderSetup::default();
        let mut interfaces = Vec::new();
        for middle in middles {
            let (link, side) = self.link(self.far, *middle)?;
            let plan = self.plan.link(link).ok_or_else(|| lacks("a link to", &node.name))?;
            interfaces.push(plan.interface.clone());
            let address = plan.end(side.opposite()).ipv4.addr().into();
            let interface = Some(plan.interface.clone());
            setup.labels.push(LabelSetup {
                label: label(node, &self.topology[*middle])?,
                interfaces: vec![],
                replaced_by: vec![],
                next_hop: Some(NextHopSetup { interface, address }),
            });
        }
        setup.labels.iter_mut().for_each(|entry| entry.interfaces.clone_from(&interfaces));
        let tsf = node.sids.tsf.ok_or_else(|| lacks("a SID of", &node.name))?.prefix();
        let sid = SidForm::new(tsf.addr(), tsf.prefix_len())
            .map_err(|error| Failure::Input(format!("{FILE}: {error}")))?;
        let Some(TimestampLabel::Extended { label }) = node.timestamp_label else {
            return Err(lacks("a timestamp label of", &node.name));
        };
        let place = Place {
            offset: Place::UNAUTHENTICATED,
            format: TimestampFormat::Ptp,
            ptp_utc_offset: PtpUtcOffset::UTC,
        };
        setup.timestamps = [Trigger::Extended(label), Trigger::Sid(sid)]
            .map(|trigger| TimestampSetup {
                trigger,
                interfaces: interfaces.clone(),
                place,
                ports: vec![],
                rate_limit: None,
            })
            .into();
        Ok(setup)
    }
}

/// The label of one node as another reads it.
fn label(reader: &Node, of: &Node) -> Result<Label, Failure> {
    let label = of.index.and_then(|index| reader.label_of(index));
    label.ok_or_else(|| lacks("a label of", &of.name))
}

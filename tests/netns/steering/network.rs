//! The lab of these trials: its nodes as hosts, its links by direction.

use std::os::fd::AsFd;
use std::time::Duration;

use stamp_lab::{Counts, Held, Impairment, Lab, Loss, Options};
use stamp_path::Topology;
use stamp_path::topology::{LinkId, Side};
use stamp_tests::netns::{self, Finished, Host, Program};

/// Port of the reflector that takes open probes.
pub(super) const OPEN: &str = "8620";
/// Port of the one that takes authenticated probes.
pub(super) const AUTHENTICATED: &str = "8621";

pub(super) const TOPOLOGY: &str = include_str!("network.toml");

/// Two hosts, three ways; see `network.toml`.
pub(super) struct Net {
    lab: Lab,
}

impl Net {
    pub(super) fn up() -> Self {
        Self::of(TOPOLOGY)
    }

    /// The same with a sender that is no part of the network: nothing at its node reads labels but
    /// the sender itself.
    pub(super) fn with_sender_outside() -> Self {
        Self::of(&TOPOLOGY.replace("index = 1\n", "index = 1\nsr = false\n"))
    }

    /// The same with a sender whose own label nobody before takes off.
    pub(super) fn with_own_label_to_the_end() -> Self {
        Self::of(&TOPOLOGY.replace("index = 1\n", "index = 1\nphp = false\n"))
    }

    /// The same with a SID at r that asks for timestamps, which its kernel knows nothing of.
    pub(super) fn with_end_tsf() -> Self {
        let dt6 = "dt6 = \"fcbb:bb00:2:d6::/64\"";
        Self::of(&TOPOLOGY.replace(dt6, &format!("{dt6}, tsf = \"fc00:bb:2:f::/64\"")))
    }

    fn of(topology: &str) -> Self {
        let topology = Topology::read("network.toml", topology).expect("the topology has no error");
        let lab = Lab::up(topology, Options { wire_all: true }).expect("the lab is built");
        Self { lab }
    }

    /// A node, as the kit knows hosts.
    pub(super) fn host(&self, name: &str) -> Host {
        let node = self.lab.topology().node_id(name).expect("a node of the lab");
        let namespace = self.lab.namespace(node).as_fd();
        let namespace = namespace.try_clone_to_owned().expect("a descriptor is left");
        let links = self.lab.plan().links.iter();
        let interfaces = links.flat_map(|link| {
            let here = link.ends.iter().filter(|end| end.node == node);
            here.map(|end| (link.interface.clone(), end.index, end.mac))
        });
        Host::adopt(name, namespace, interfaces)
    }

    /// Interfaces that packets arrive on: of each direction of each link its name, the node it leads
    /// to, and the interface there.
    pub(super) fn arrivals(&self) -> Vec<(String, String, String)> {
        let topology = self.lab.topology();
        let both = self.lab.plan().links.iter().flat_map(|link| {
            Side::BOTH.map(|side| {
                let [from, to] =
                    [side, side.opposite()].map(|side| topology[link.end(side).node].name.clone());
                (format!("{from}>{to}"), to, link.interface.clone())
            })
        });
        both.collect()
    }

    fn lane(&self, way: &str) -> (LinkId, Side) {
        let (from, to) = way.split_once('>').expect("FROM>TO");
        let topology = self.lab.topology();
        let direct = topology.link_id(&format!("{from}-{to}")).map(|link| (link, Side::First));
        let back = || topology.link_id(&format!("{to}-{from}")).map(|link| (link, Side::Second));
        direct.or_else(back).unwrap_or_else(|| panic!("no link {way}"))
    }

    pub(super) fn counts(&self, way: &str) -> Counts {
        let (link, side) = self.lane(way);
        self.lab.counts(link, side).expect("every link is a wire")
    }

    /// How long the latest packets were really held, the oldest first.
    pub(super) fn held(&self, way: &str) -> Vec<Held> {
        let (link, side) = self.lane(way);
        self.lab.held(link, side).expect("every link is a wire")
    }

    /// How long packets are to be held.
    pub(super) fn set_delay(&self, way: &str) -> Duration {
        let (link, side) = self.lane(way);
        self.lab.impairment(link, side).delay
    }

    /// From now on packets are held for so long.
    pub(super) fn delay(&mut self, way: &str, delay: Duration) {
        let (link, side) = self.lane(way);
        let impairment = Impairment { delay, ..self.lab.impairment(link, side) };
        self.lab.impair(link, side, impairment).expect("every link is a wire");
    }

    /// From now on, exactly these packets are lost, counted from 1.
    pub(super) fn lose(&mut self, way: &str, positions: &[u64]) {
        let (link, side) = self.lane(way);
        let loss = Loss::Exactly(positions.to_vec());
        let impairment = Impairment { loss, ..self.lab.impairment(link, side) };
        self.lab.impair(link, side, impairment).expect("every link is a wire");
    }

    /// From now on nothing arrives, or everything does again.
    pub(super) fn cut(&mut self, way: &str, is_cut: bool) {
        let (link, side) = self.lane(way);
        let loss = if is_cut { Loss::Every(1) } else { Loss::None };
        let impairment = Impairment { loss, ..self.lab.impairment(link, side) };
        self.lab.impair(link, side, impairment).expect("every link is a wire");
    }

    /// The sender at s, started with these flags.
    pub(super) fn start(&self, flags: &str) -> Program {
        self.host("s").spawn(&mut sender(flags))
    }

    /// What the sender at s comes to.
    pub(super) fn send(&self, flags: &str) -> Finished {
        self.start(flags).wait()
    }

    /// A reflector at r that tells directions of loss apart.
    pub(super) fn reflector(&self, port: &str, flags: &[&str]) -> Program {
        let mut command = netns::binary("stamp-reflector");
        command.args(["--listen", &format!(":{port}"), "--rate-limit", "off", "--stateful"]);
        let host = self.host("r");
        let program = host.spawn(command.args(flags));
        host.wait_for_udp_listener(&program, port.parse().expect("a port"));
        program
    }
}

/// The sender's command line.
pub(super) fn sender(flags: &str) -> std::process::Command {
    let mut command = netns::binary("stamp-sender");
    command.args(flags.split_whitespace());
    command
}

//! A network as a whole: it comes up, everybody reaches everybody, and it goes away.

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use libtest_mimic::Trial;
use nix::sys::stat::fstat;
use stamp_lab::{Lab, Options};
use stamp_path::Topology;
use stamp_path::topology::{LinkId, NodeId};

use crate::trials;

/// Longest that a packet is waited for: reaching it means that it never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// s – p – q – r, and a second way s – x – r; SIDs and labels everywhere.
pub(crate) const RING: &str = r#"
[[node]]
name = "s"
loopbacks = ["192.0.2.1", "2001:db8::1"]
index = 1
sids = { end = "fc00:bb:1:1::/64", dt6 = "fc00:bb:1:d6::/64", un = "fcbb:bb00:1::/48" }
[[node]]
name = "p"
loopbacks = ["192.0.2.11", "2001:db8::11"]
index = 11
sids = { end = "fc00:bb:11:1::/64", dt6 = "fc00:bb:11:d6::/64", un = "fcbb:bb00:11::/48" }
[[node]]
name = "q"
loopbacks = ["192.0.2.12", "2001:db8::12"]
index = 12
sids = { end = "fc00:bb:12:1::", dt6 = "fc00:bb:12:d6::", un = "fcbb:bb00:12::/48" }
[[node]]
name = "r"
loopbacks = ["192.0.2.2", "2001:db8::2"]
index = 2
srgb = [[100, 109], [2000, 2099]]
sids = { end = "fc00:bb:2:1::/64", dt6 = "fc00:bb:2:d6::/64", un = "fcbb:bb00:2::/48" }
[[node]]
name = "x"
loopbacks = ["192.0.2.13", "2001:db8::13"]
index = 13
php = false
sids = { end = "fc00:bb:13:1::/64", dt6 = "fc00:bb:13:d6::/64", un = "fcbb:bb00:13::/48" }
[[link]]
ends = ["s", "p"]
adjacency = [24011, 24110]
end-x = ["fc00:bb:1:a1::/64", "fc00:bb:11:a1::/64"]
[[link]]
ends = ["p", "q"]
adjacency = [24112, 24121]
end-x = ["fc00:bb:11:a2::/64", "fc00:bb:12:a2::/64"]
[[link]]
ends = ["q", "r"]
adjacency = [24122, 24221]
end-x = ["fc00:bb:12:a3::/64", "fc00:bb:2:a3::/64"]
[[link]]
ends = ["s", "x"]
igp = 100
adjacency = [24013, 24130]
end-x = ["fc00:bb:1:a4::/64", "fc00:bb:13:a4::/64"]
[[link]]
ends = ["x", "r"]
igp = 100
adjacency = [24132, 24213]
end-x = ["fc00:bb:13:a5::/64", "fc00:bb:2:a5::/64"]
"#;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        everybody_reaches_everybody,
        a_packet_takes_the_shortest_way,
        equal_ways_share_the_flows,
        an_address_that_is_shared_is_found_at_the_nearest,
        nothing_is_left_of_a_lab_that_was_dropped,
        labs_do_not_know_each_other,
        ten_nodes_come_up,
    ]
}

/// A lab with names for its parts.
pub(crate) struct Net(pub(crate) Lab);

impl Net {
    pub(crate) fn up(text: &str) -> Self {
        let topology = Topology::read("t", text).unwrap_or_else(|errors| panic!("{errors}"));
        let lab = Lab::up(topology, Options::default());
        Self(lab.unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) fn node(&self, name: &str) -> NodeId {
        self.0.topology().node_id(name).expect("a node of that name")
    }

    pub(crate) fn link(&self, name: &str) -> LinkId {
        self.0.topology().link_id(name).expect("a link of that name")
    }

    /// The node's own address, IPv6 or IPv4.
    pub(crate) fn address(&self, name: &str, is_v6: bool) -> IpAddr {
        let node = &self.0.topology()[self.node(name)];
        let address = node.loopbacks.iter().find(|address| address.is_ipv6() == is_v6);
        *address.expect("an address of that family")
    }

    /// A socket bound to the node's own address.
    pub(crate) fn socket(&self, name: &str, is_v6: bool) -> UdpSocket {
        let address = SocketAddr::new(self.address(name, is_v6), 0);
        let bound = self.inside(name, || UdpSocket::bind(address));
        let socket = bound.expect("an address of this node");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time");
        socket
    }

    pub(crate) fn inside<T: Send>(&self, name: &str, work: impl FnOnce() -> T + Send) -> T {
        self.0.namespace(self.node(name)).run(work).expect("the namespace is there")
    }
}

/// Sends one datagram and waits for it.
pub(crate) fn pass(from: &UdpSocket, to: &UdpSocket, payload: &[u8]) {
    from.send_to(payload, to.local_addr().expect("bound")).expect("it leaves");
    assert_eq!(receive(to), (payload.to_vec(), from.local_addr().expect("bound")));
}

pub(crate) fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut octets = [0; 2048];
    let (length, from) = socket.recv_from(&mut octets).expect("it arrives");
    (octets[..length].to_vec(), from)
}

fn everybody_reaches_everybody() {
    let net = Net::up(RING);
    for is_v6 in [false, true] {
        let sockets = ["s", "p", "q", "r", "x"].map(|name| net.socket(name, is_v6));
        for from in &sockets {
            for to in &sockets {
                pass(from, to, b"hello");
            }
        }
    }
}

/// An unbound socket says by its source that the route names the node's own address; the hops are
/// counted by the links the datagram passed.
fn a_packet_takes_the_shortest_way() {
    let delayed = RING.replace("ends = [\"s\", \"x\"]", "ends = [\"s\", \"x\"]\ndelay = \"1us\"");
    let net = Net::up(&delayed);
    let far = net.socket("r", true);
    let near = net.inside("s", || UdpSocket::bind("[::]:0")).expect("a port is left");
    near.send_to(b"x", far.local_addr().expect("bound")).expect("it leaves");
    let (_, from) = receive(&far);
    assert_eq!(from.ip(), net.address("s", true));
    let side = stamp_path::topology::Side::First;
    assert_eq!(net.0.counts(net.link("s-x"), side).map(|counts| counts.seen), Some(0));
    pass(&net.socket("s", false), &net.socket("x", false), b"over the direct link");
    assert_eq!(net.0.counts(net.link("s-x"), side).map(|counts| counts.seen), Some(1));
}

/// Two ways from s to r, equally long.
const SQUARE: &str = r#"
[[node]]
name = "s"
loopbacks = ["192.0.2.1", "2001:db8::1"]
[[node]]
name = "r"
loopbacks = ["192.0.2.2", "2001:db8::2"]
[[node]]
name = "a"
loopbacks = ["192.0.2.11", "2001:db8::11"]
anycast = [{ prefix = "192.0.2.20", index = 20 }, { prefix = "2001:db8::20", index = 21 }]
[[node]]
name = "b"
anycast = [{ prefix = "192.0.2.20", index = 20 }, { prefix = "2001:db8::20", index = 21 }]
[[link]]
ends = ["s", "a"]
delay = "1us"
[[link]]
ends = ["a", "r"]
[[link]]
ends = ["s", "b"]
delay = "1us"
[[link]]
ends = ["b", "r"]
"#;

fn equal_ways_share_the_flows() {
    let net = Net::up(SQUARE);
    for is_v6 in [false, true] {
        let seen = |link| {
            let side = stamp_path::topology::Side::First;
            net.0.counts(net.link(link), side).expect("it is a wire").seen
        };
        let before = [seen("s-a"), seen("s-b")];
        let far = net.socket("r", is_v6);
        // Each from a port of its own; that 64 flows all go one way happens to nobody.
        for _ in 0..64 {
            pass(&net.socket("s", is_v6), &far, b"flow");
        }
        let passed = [seen("s-a") - before[0], seen("s-b") - before[1]];
        assert_eq!(passed[0] + passed[1], 64);
        assert!(passed.iter().all(|count| *count > 0), "{passed:?}");
    }
}

fn an_address_that_is_shared_is_found_at_the_nearest() {
    let net = Net::up(&SQUARE.replace("[\"s\", \"a\"]", "[\"s\", \"a\"]\nigp = 3"));
    for shared in ["192.0.2.20:99", "[2001:db8::20]:99"] {
        let shared: SocketAddr = shared.parse().expect("an address");
        let [at_a, at_b] = ["a", "b"].map(|name| {
            let bound = net.inside(name, || UdpSocket::bind(shared));
            bound.expect("an address of both nodes")
        });
        at_a.set_read_timeout(Some(PATIENCE)).expect("a time");
        net.socket("s", shared.is_ipv6()).send_to(b"any", shared).expect("it leaves");
        assert_eq!(receive(&at_a).0, b"any");
        at_b.set_nonblocking(true).expect("it can be");
        assert!(at_b.recv(&mut [0; 9]).is_err());
    }
}

fn nothing_is_left_of_a_lab_that_was_dropped() {
    let net = Net::up(&RING.replace("igp = 100", "delay = \"1ms\""));
    let namespaces: Vec<String> = ["s", "r"]
        .map(|name| {
            let namespace = net.0.namespace(net.node(name));
            format!("net:[{}]", fstat(namespace.as_fd()).expect("a file").st_ino)
        })
        .into();
    assert!(namespaces.iter().all(|name| is_open(name)));
    drop(net);
    assert!(!namespaces.iter().any(|name| is_open(name)));
}

/// Whether a descriptor or a thread of this process holds the namespace.
fn is_open(namespace: &str) -> bool {
    let descriptors = fs::read_dir("/proc/self/fd").expect("there is /proc");
    let threads = fs::read_dir("/proc/self/task").expect("there is /proc");
    let threads = threads.flatten().map(|thread| thread.path().join("ns/net"));
    let links = descriptors.flatten().map(|descriptor| descriptor.path()).chain(threads);
    links.flat_map(fs::read_link).any(|target| target.as_os_str() == namespace)
}

fn labs_do_not_know_each_other() {
    let nets = [Net::up(RING), Net::up(RING)];
    let [one, other] = nets.each_ref().map(|net| net.socket("r", false));
    pass(&nets[0].socket("s", false), &one, b"here");
    pass(&nets[1].socket("s", false), &other, b"there");
}

fn ten_nodes_come_up() {
    let net = Net::up(&chain(10));
    pass(&net.socket("n1", true), &net.socket("n10", true), b"all the way");
}

/// So many nodes in a row.
fn chain(nodes: u32) -> String {
    let node = |n: u32| {
        format!(
            "[[node]]\nname = \"n{n}\"\nloopbacks = [\"192.0.2.{n}\", \"2001:db8::{n}\"]\nindex = {n}\n\
             sids = {{ end = \"fc00:bb:{n}:1::\", dt6 = \"fc00:bb:{n}:d6::\" }}\n"
        )
    };
    let link = |n: u32| format!("[[link]]\nends = [\"n{n}\", \"n{}\"]\n", n + 1);
    (1..=nodes).map(node).chain((1..nodes).map(link)).collect()
}

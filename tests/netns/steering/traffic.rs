//! The whole way from a measurement to a packet of somebody else: a path is too slow, another is chosen, a
//! route is written, and traffic takes it.

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use stamp_tests::netns::{self, Need, Signal, Trial, trials};

use super::network::{Net, OPEN, TOPOLOGY};
use super::service::{DELAYS, SLOW, Service, head, told_for_the};

pub(super) fn trials() -> Vec<Trial> {
    trials![traffic_leaves_a_path_that_became_too_slow: [Need::IPV6]]
}

/// The last SID takes the outer header off: traffic goes on to the address it was sent to.
const POLICY: &str = "\
srv6 = \"encap\"

[class.gaming]
require = { forward-p99 = \"500ms\" }
hold = \"1s\"
changes-per-hour = 100

[[policy]]
name = \"gaming-to-r\"
from = \"s\"
color = 100
endpoint = \"2001:db8::2\"
class = \"gaming\"
[[policy.candidate]]
name = \"past-b\"
preference = 200
dataplane = \"srv6\"
segments = [\"b\", \"fcbb:bb00:2:d6::\"]
[[policy.candidate]]
name = \"past-c\"
dataplane = \"srv6\"
segments = [\"c\", \"fcbb:bb00:2:d6::\"]

[[writer]]
kind = \"linux\"
dry-run = false
on-exit = \"undo\"
";

/// The nodes in the middle of both ways.
const PAST_B: &str = "fc00:bb:12:1::";
const PAST_C: &str = "fc00:bb:13:1::";

/// Somebody at s who talks with somebody at r.
struct Talk {
    near: UdpSocket,
}

impl Talk {
    fn between(net: &Net) -> Self {
        let at =
            |address: &str| SocketAddr::new(address.parse::<Ipv6Addr>().expect("one").into(), 0);
        let far = net.host("r").udp_socket(at("2001:db8::2"));
        let near = net.host("s").udp_socket(at("2001:db8::1"));
        near.connect(far.local_addr().expect("it is bound")).expect("there is a way");
        // It ends with the process.
        std::thread::spawn(move || {
            let mut octets = [0; 64];
            while let Ok((length, from)) = far.recv_from(&mut octets) {
                let _ = far.send_to(&octets[..length], from);
            }
        });
        Self { near }
    }

    /// How long a word takes there and back.
    fn word(&self) -> Duration {
        let start = Instant::now();
        self.near.send(b"word").expect("it leaves");
        self.near.recv(&mut [0; 64]).expect("it comes back");
        start.elapsed()
    }
}

fn traffic_leaves_a_path_that_became_too_slow() {
    let mut net = Net::up();
    let _far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
    let service = Service::start(&net, TOPOLOGY, &format!("{}{POLICY}", head(DELAYS)));
    let mut writer = netns::binary("stamp-sender");
    writer.arg("write").arg(service.file("run.toml"));
    let writer = net.host("s").spawn(&mut writer);
    let written = |sid: &str, times: usize| {
        let words = format!("encap segs {sid},fcbb:bb00:2:d6::");
        let is_it = |line: &str| line.contains("msg=written") && line.contains(&words);
        told_for_the(times, &writer, is_it);
    };
    // Whichever is measured first may carry for a moment.
    let before = usize::from(service.moved("to=past-b", 1).contains("from=past-c"));
    written(PAST_B, 1);
    let talk = Talk::between(&net);
    assert!(talk.word() < SLOW);
    net.delay("s>b", SLOW);
    assert!(talk.word() >= SLOW, "it is on the way that is slow");
    service.moved("from=past-b to=past-c reason=violation", 1);
    written(PAST_C, before + 1);
    assert!(talk.word() < SLOW, "it has left it");
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    service.stop("path");
}

//! How long a lab takes to come up and to go, and what its wires and switches add to a packet.
//!
//! `cargo bench -p stamp-lab` prints times of this machine; under `cargo test --benches` everything
//! is done once, for its own checks.

use std::env;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use stamp_lab::{Lab, Options, rights};
use stamp_path::Topology;

fn main() -> ExitCode {
    if let Err(error) = rights::obtain() {
        eprintln!("skipped: {error}");
        return ExitCode::SUCCESS;
    }
    let rounds = if env::args().any(|argument| argument == "--bench") { 20 } else { 1 };
    for nodes in [2, 10, 30] {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let start = Instant::now();
            let lab = raise(nodes, Options::default());
            up.push(start.elapsed());
            let start = Instant::now();
            drop(lab);
            down.push(start.elapsed());
        }
        println!("{nodes:>2} nodes: up {:?}, down {:?}", median(up), median(down));
    }
    let bare = round_trip(Options::default(), rounds);
    let wired = round_trip(Options { wire_all: true }, rounds);
    let ratio = wired.as_secs_f64() / bare.as_secs_f64();
    println!("round trip over one link: bare {bare:?}, wired {wired:?}, ratio {ratio:.1}");
    ExitCode::SUCCESS
}

fn raise(nodes: u32, options: Options) -> Lab {
    let node = |n: u32| {
        format!(
            "[[node]]\nname = \"{n}\"\nloopbacks = [\"192.0.2.{n}\", \"2001:db8::{n}\"]\nindex = {n}\n\
             sids = {{ end = \"fc00:bb:{n}:1::\", dt6 = \"fc00:bb:{n}:d6::\", un = \"fcbb:bb00:{n}::/48\" }}\n"
        )
    };
    let link = |n: u32| format!("[[link]]\nends = [\"{n}\", \"{}\"]\n", n + 1);
    let text: String = (1..=nodes).map(node).chain((1..nodes).map(link)).collect();
    let topology = Topology::read("bench", &text).expect("a good topology");
    Lab::up(topology, options).expect("the rights are there")
}

/// The median of many round trips of a small datagram between two nodes.
fn round_trip(options: Options, rounds: u32) -> Duration {
    let lab = raise(2, options);
    let bind = |number: usize| {
        let address: SocketAddr = format!("192.0.2.{}:0", number + 1).parse().expect("an address");
        let node = lab.topology().ids().nth(number).expect("two nodes");
        let bound = lab.namespace(node).run(|| UdpSocket::bind(address));
        bound.expect("the namespace is there").expect("an address of this node")
    };
    let (near, far) = (bind(0), bind(1));
    near.connect(far.local_addr().expect("bound")).expect("there is a route");
    far.connect(near.local_addr().expect("bound")).expect("there is a route");
    let mut octets = [0; 64];
    let trips = (0..rounds * 50).map(|_| {
        let start = Instant::now();
        near.send(&octets).expect("it leaves");
        far.recv(&mut octets).expect("it arrives");
        far.send(&octets).expect("it leaves");
        near.recv(&mut octets).expect("it arrives");
        start.elapsed()
    });
    median(trips.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

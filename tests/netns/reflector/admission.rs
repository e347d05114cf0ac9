//! Who is answered, and how much.

use std::net::SocketAddr;

use stamp_proto::auth::{Key, KeyId};
use stamp_proto::packet::{AUTHENTICATED_BASE_OCTETS, AuthenticationMode, ReflectorPacket};
use stamp_tests::netns::{self, Families, Signal, Trial, TwoHosts, trials};

use super::{Folder, Prober, command, counted, reflector, stopped};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        only_provisioned_sessions_are_answered,
        an_allow_list_denies_everybody_else,
        a_rate_limited_source_is_logged_once_with_the_way_out,
        many_limited_sources_write_ten_lines_a_second,
        a_limit_holds_over_all_workers,
        a_limit_of_a_prefix_wins_over_the_general_one,
        authenticated_mode_answers_whoever_has_the_key,
        a_full_session_table_is_told_and_known_sessions_go_on,
    ]
}

fn target(net: &TwoHosts) -> SocketAddr {
    SocketAddr::new(net.far.ipv4().into(), 862)
}

fn only_provisioned_sessions_are_answered() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let text = "listen = \"0.0.0.0:862\"\nworkers = 1\nstateful = true\nadmission = \"provisioned\"\n\
                [[session]]\naddress = \"192.0.2.1\"\nssid = 7\n[[session]]\nssid = 9\nport = 50009\n";
    let file = folder.write("r.toml", text);
    let program = reflector(&net.far, 1, command("").arg(file));
    Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 8).send();
    Prober::new(&net.near, (net.near.ipv4(), 50_008), target(&net), 9).send();
    // One worker takes them in order: when these are answered, those were not.
    Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7).exchange();
    Prober::new(&net.near, (net.near.ipv4(), 50_009), target(&net), 9).exchange();
    let finished = stopped(&program);
    assert_eq!((counted(&finished, "no_session"), counted(&finished, "answered")), (2, 2));
    assert!(finished.stderr.contains("not a [[session]] of the file"), "{finished}");
}

fn an_allow_list_denies_everybody_else() {
    let net = netns::two_hosts(Families::V4);
    net.near.add_address("eth0", "192.0.2.100/24");
    let folder = Folder::new();
    let text = "listen = [\"0.0.0.0:862\"]\nworkers = 1\n[[allow]]\nprefix = \"192.0.2.100\"\n";
    let file = folder.write("r.toml", text);
    let program = reflector(&net.far, 1, command("--config.file").arg(file));
    Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7).send();
    Prober::new(&net.near, ([192, 0, 2, 100], 0), target(&net), 7).exchange();
    let finished = stopped(&program);
    assert_eq!((counted(&finished, "denied"), counted(&finished, "answered")), (1, 1));
    assert!(finished.stderr.contains("only one prefix is answered"), "{finished}");
}

fn a_rate_limited_source_is_logged_once_with_the_way_out() {
    let net = netns::two_hosts(Families::V4);
    net.near.add_address("eth0", "192.0.2.100/24");
    let arguments = "--listen 0.0.0.0:862 --workers 1 --rate-limit 1";
    let program = reflector(&net.far, 1, &mut command(arguments));
    for address in [net.near.ipv4(), [192, 0, 2, 100].into()] {
        let mut prober = Prober::new(&net.near, (address, 0), target(&net), 7);
        for _ in 0..60 {
            prober.send();
        }
        let source = format!("source={address} ");
        let line = program.wait_for_error_line(|line| line.contains(&source));
        assert!(line.contains("level=warn") && line.contains("--rate-limit PPS"), "{line}");
        assert!(line.ends_with("limit_pps=1"), "{line}");
    }
    // One worker takes them in order: when this is answered, all of them were looked at.
    net.near.add_address("eth0", "192.0.2.101/24");
    Prober::new(&net.near, ([192, 0, 2, 101], 0), target(&net), 7).exchange();
    let finished = stopped(&program);
    let lines = finished.stderr.lines().filter(|line| line.contains("rate limit: "));
    assert_eq!(lines.count(), 2, "one line for each source: {finished}");
    assert_eq!(counted(&finished, "received"), 121);
    assert!(counted(&finished, "rate_limited") > 90, "{finished}");
}

fn many_limited_sources_write_ten_lines_a_second() {
    let net = netns::two_hosts(Families::V4);
    let program =
        reflector(&net.far, 1, &mut command("--listen 0.0.0.0:862 --workers 1 --rate-limit 1"));
    for last in 100..150 {
        net.near.add_address("eth0", &format!("192.0.2.{last}/24"));
        let mut prober = Prober::new(&net.near, ([192, 0, 2, last], 0), target(&net), 7);
        for _ in 0..5 {
            prober.send();
        }
    }
    // One worker takes them in order.
    Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7).exchange();
    let finished = stopped(&program);
    let lines = finished.stderr.lines().filter(|line| line.contains("rate limit: ")).count();
    let seconds = usize::try_from(finished.lasted.as_secs()).expect("a short test");
    assert!((10..=10 * (seconds + 2)).contains(&lines), "{lines} lines: {finished}");
}

fn a_limit_holds_over_all_workers() {
    let net = netns::two_hosts(Families::V4);
    net.near.add_address("eth0", "192.0.2.100/24");
    let folder = Folder::new();
    let text = "unknown-sources = \"answer\"\n[[allow]]\nprefix = \"192.0.2.100\"\n";
    let file = folder.write("r.toml", text);
    let arguments = "--listen 0.0.0.0:862 --workers 4 --rate-limit 10";
    let program = reflector(&net.far, 1, command(arguments).arg(file));
    // So many flows that each worker has some.
    for _ in 0..64 {
        let mut prober = Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7);
        for _ in 0..10 {
            prober.send();
        }
    }
    // Each worker takes its probes in order: when these are answered, those were looked at.
    for _ in 0..64 {
        Prober::new(&net.near, ([192, 0, 2, 100], 0), target(&net), 7).exchange();
    }
    let finished = stopped(&program);
    let beyond =
        finished.stderr.lines().find(|line| line.contains("answered beyond the rate limit"));
    let leaked: u64 = beyond
        .and_then(|line| line.split_whitespace().nth(1))
        .map_or(0, |count| count.parse().expect("a count"));
    let within = counted(&finished, "answered") - leaked - 64;
    // A burst of 20, and 10 for every second that the sending took.
    let refilled = 10 * (finished.lasted.as_secs() + 1);
    assert!(within <= 20 + refilled, "{within} were within the limit: {finished}");
    assert!(within >= 20, "{finished}");
}

fn a_limit_of_a_prefix_wins_over_the_general_one() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let text = "listen = \"0.0.0.0:862\"\nrate-limit = 1\n[[allow]]\nprefix = \"192.0.2.0/24\"\n";
    let file = folder.write("r.toml", text);
    let program = reflector(&net.far, 1, command("").arg(file));
    let mut prober = Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7);
    for _ in 0..300 {
        prober.exchange();
    }
    let finished = stopped(&program);
    assert_eq!((counted(&finished, "answered"), counted(&finished, "rate_limited")), (300, 0));
}

fn authenticated_mode_answers_whoever_has_the_key() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let secret = [0x5a; 32];
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let keys = folder.write("keys", &format!("3 {hex}\n"));
    let arguments = "--listen 0.0.0.0:862 --workers 1 --auth --key-file";
    let program = reflector(&net.far, 1, command(arguments).arg(keys));
    let mut prober = Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 7);
    prober.send();
    let mode = AuthenticationMode::Authenticated;
    let [right, wrong] = [&secret[..], &[1; 32]].map(|secret| Key::new(KeyId(3), secret));
    for key in [wrong, right] {
        let open = stamp_proto::packet::SenderPacket::parse(
            AuthenticationMode::Unauthenticated,
            &prober.probe(),
        );
        let mut probe = vec![0; AUTHENTICATED_BASE_OCTETS];
        open.expect("a probe").emit(mode, &mut probe).expect("it fits");
        key.as_ref().expect("a key").sign(&mut probe).expect("it fits");
        prober.socket.send(&probe).expect("the probe leaves");
    }
    let mut reply = [0; 2048];
    let count = prober.socket.recv(&mut reply).expect("a reply to the right key");
    let parsed = ReflectorPacket::parse(mode, &reply[..count]).expect("an authenticated reply");
    assert_eq!(parsed.sender_sequence, 2, "the probe with the wrong key has no reply");
    let finished = stopped(&program);
    let counts = ["mode", "hmac", "answered"].map(|name| counted(&finished, name));
    assert_eq!(counts, [1, 1, 1], "{finished}");
    assert!(!finished.stderr.contains(&hex), "no secret in any message");
}

fn a_full_session_table_is_told_and_known_sessions_go_on() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let text = "listen = \"0.0.0.0:862\"\nworkers = 1\nstateful = true\nsession-cap = 2\n\
                [[allow]]\nprefix = \"192.0.2.0/24\"\n";
    let file = folder.write("r.toml", text);
    let program = reflector(&net.far, 1, command("").arg(file));
    let mut sessions: Vec<Prober> = (1..=2)
        .map(|ssid| Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), ssid))
        .collect();
    for session in &mut sessions {
        // A session of one probe would make room.
        session.exchange();
        session.exchange();
    }
    Prober::new(&net.near, (net.near.ipv4(), 0), target(&net), 3).send();
    program.wait_for_error_line(|line| line.contains("session table full"));
    for session in &mut sessions {
        assert_eq!(session.exchange().sequence, 2, "its number goes on");
    }
    program.signal(Signal::SIGUSR1);
    program.wait_for_error_line(|line| line.contains("of at most 2"));
    assert_eq!(counted(&stopped(&program), "capacity"), 1);
}

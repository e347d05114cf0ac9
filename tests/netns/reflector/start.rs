//! Starting, and every reason not to.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};
use stamp_tests::netns::{self, Families, Host, Need, Signal, Trial, trials};

use super::{Folder, Prober, command, reflector, stopped};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_taken_port_is_refused_and_its_holder_named,
        a_port_shared_by_a_stranger_is_refused,
        port_862_without_the_right_to_it_comes_with_three_ways_out,
        an_address_of_another_host_is_refused,
        an_unknown_interface_is_refused,
        a_link_local_address_without_its_interface_is_refused: [Need::IPV6],
        an_ipv4_only_host_starts_with_a_note: [Need::IPV6],
        an_ipv6_only_host_starts_with_a_note: [Need::IPV6],
        a_key_file_for_all_to_read_is_refused,
        every_mistake_of_a_file_is_told_before_anything_is_bound,
        the_environment_stands_for_flags_and_flags_win,
        an_interrupt_ends_it_with_statistics,
    ]
}

fn a_taken_port_is_refused_and_its_holder_named() {
    let host = Host::new("host", Families::V4);
    for workers in [1, 2] {
        let arguments = format!("--listen 127.0.0.1:8620 --workers {workers}");
        let first = reflector(&host, 1, &mut command(&arguments));
        let second = host.spawn(&mut command(&arguments)).wait();
        second.assert_code(4);
        let expected = format!(
            "stamp-reflector: cannot listen on 127.0.0.1:8620: taken by stamp-reflector (process {}); \
             stop it or choose another port with --listen ADDR:PORT\n",
            first.id()
        );
        assert_eq!(second.stderr, expected);
        stopped(&first);
    }
}

fn a_port_shared_by_a_stranger_is_refused() {
    let host = Host::new("host", Families::V4);
    let address: SocketAddr = "0.0.0.0:8620".parse().expect("an address");
    let _stranger = host.run(|| {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("a socket");
        socket.set_reuse_port(true).expect("the kernel has SO_REUSEPORT");
        socket.bind(&address.into()).expect("the port is free");
        socket
    });
    for workers in [1, 2] {
        let arguments = format!("--listen 127.0.0.1:8620 --workers {workers}");
        let refused = host.spawn(&mut command(&arguments)).wait();
        refused.assert_code(4);
        assert!(refused.stderr.contains("127.0.0.1:8620: taken by "), "{refused}");
    }
}

fn port_862_without_the_right_to_it_comes_with_three_ways_out() {
    let host = Host::new("host", Families::Both);
    let refused = host.spawn_without_rights(&mut command("")).wait();
    refused.assert_code(4);
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert!(lines[0].starts_with("stamp-reflector: cannot listen on "), "{refused}");
    assert!(lines[0].contains(":862: no right to a port this low"), "{refused}");
    assert!(lines[1].trim_start().starts_with("sudo setcap cap_net_bind_service=+ep /"));
    assert!(lines[2].contains("--listen :PORT"), "{refused}");
    assert!(lines[3].contains("sudo sysctl net.ipv4.ip_unprivileged_port_start=862"), "{refused}");
    assert_eq!(lines.len(), 4, "nothing claims to listen: {refused}");
    // The second and the third way, tried.
    let other_port = host.spawn_without_rights(&mut command("--listen 127.0.0.1:8620"));
    other_port.wait_for_error_line(|line| line.contains("listening on 127.0.0.1:8620"));
    host.set_sysctl("net.ipv4.ip_unprivileged_port_start", "862");
    let low_port = host.spawn_without_rights(&mut command("--listen 127.0.0.1:862"));
    low_port.wait_for_error_line(|line| line.contains("listening on 127.0.0.1:862"));
}

fn an_address_of_another_host_is_refused() {
    let host = Host::new("host", Families::V4);
    let refused = host.spawn(&mut command("--listen 192.0.2.77:862")).wait();
    refused.assert_code(4);
    assert!(
        refused.stderr.contains("192.0.2.77:862: no interface of this host has the address"),
        "{refused}"
    );
}

fn an_unknown_interface_is_refused() {
    let host = Host::new("host", Families::V4);
    let refused = host.spawn(&mut command("--listen 0.0.0.0:862 --interface eth77")).wait();
    refused.assert_code(3);
    assert!(refused.stderr.contains("there is no interface \"eth77\""), "{refused}");
    let refused = host.spawn(&mut command("--listen 0.0.0.0:862 --vrf lo")).wait();
    refused.assert_code(3);
    assert!(refused.stderr.contains("interface \"lo\" is not a VRF"), "{refused}");
}

fn a_link_local_address_without_its_interface_is_refused() {
    let net = netns::two_hosts(Families::Both);
    let address = net.far.link_local("eth0");
    let refused = net.far.spawn(&mut command(&format!("--listen [{address}]:862"))).wait();
    refused.assert_code(3);
    assert!(
        refused.stderr.contains("is a link-local address and needs its interface"),
        "{refused}"
    );
}

fn an_ipv4_only_host_starts_with_a_note() {
    let net = netns::two_hosts(Families::V4);
    let program = net.far.spawn(&mut command(""));
    program.wait_for_error_line(|line| line.contains("listening on 0.0.0.0:862"));
    let target = SocketAddr::new(net.far.ipv4().into(), 862);
    Prober::new(&net.near, (net.near.ipv4(), 0), target, 1).exchange();
    let finished = stopped(&program);
    assert!(finished.stderr.contains("IPv6"), "the note names what is missing: {finished}");
}

fn an_ipv6_only_host_starts_with_a_note() {
    let net = netns::two_hosts(Families::V6);
    let program = net.far.spawn(&mut command(""));
    program.wait_for_error_line(|line| line.contains("listening on [::]:862"));
    let target = SocketAddr::new(net.far.ipv6().into(), 862);
    Prober::new(&net.near, (net.near.ipv6(), 0), target, 1).exchange();
    let finished = stopped(&program);
    assert!(
        finished.stderr.contains("this host has no IPv4 address but loopback"),
        "the note names what is missing: {finished}"
    );
}

fn a_key_file_for_all_to_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let keys = folder.write("keys", "1 000102030405060708090a0b0c0d0e0f\n");
    let for_all = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&keys, for_all).expect("the file is ours");
    let host = Host::new("host", Families::V4);
    let arguments = format!("--listen 127.0.0.1:862 --auth --key-file {}", keys.display());
    let refused = host.spawn(&mut command(&arguments)).wait();
    refused.assert_code(3);
    assert!(refused.stderr.contains("mode 0644 lets every user read the keys"), "{refused}");
    assert!(!refused.stderr.contains("listening"), "{refused}");
}

fn every_mistake_of_a_file_is_told_before_anything_is_bound() {
    let folder = Folder::new();
    let file = folder.write("r.toml", "stateful = \"yes\"\nrate-limit = 0\nstatefull = true\n");
    let host = Host::new("host", Families::V4);
    let refused = host.spawn(command("--workers 0").arg(&file)).wait();
    refused.assert_code(3);
    let file = file.display();
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert_eq!(lines.len(), 5, "{refused}");
    assert_eq!(lines[0], "--workers 0: expected a number of threads from 1 to 256");
    assert_eq!(lines[1], format!("{file}:1:12: stateful = \"yes\": expected true or false"));
    assert!(lines[2].starts_with(&format!("{file}:2:14: rate-limit = 0: expected packets per")));
    assert_eq!(lines[3], format!("{file}:3:1: statefull: unknown key; did you mean \"stateful\"?"));
    assert_eq!(lines[4], "stamp-reflector: 4 mistakes in the configuration");
}

fn the_environment_stands_for_flags_and_flags_win() {
    let host = Host::new("host", Families::V4);
    let folder = Folder::new();
    let file = folder.write("r.toml", "listen = \"127.0.0.1:8621\"\nstateful = true\n");
    let mut command = command("--rate-limit off");
    command.env("STAMP_REFLECTOR_CONFIG_FILE", &file);
    command.env("STAMP_REFLECTOR_LISTEN", "127.0.0.1:8622,127.0.0.1:8623");
    command.env("STAMP_REFLECTOR_RATE_LIMIT", "1");
    let program = reflector(&host, 2, &mut command);
    let target = SocketAddr::from(([127, 0, 0, 1], 8623));
    let mut prober = Prober::new(&host, ([127, 0, 0, 1], 0), target, 1);
    for _ in 0..100 {
        prober.exchange();
    }
    let finished = stopped(&program);
    assert!(finished.stderr.contains("listening on 127.0.0.1:8622"), "{finished}");
    assert!(!finished.stderr.contains(":8621"), "{finished}");
    assert!(finished.stderr.contains("of at most"), "the file made it stateful: {finished}");
}

fn an_interrupt_ends_it_with_statistics() {
    let host = Host::new("host", Families::V4);
    let program = reflector(&host, 1, &mut command("--listen 127.0.0.1:8620"));
    program.signal(Signal::SIGINT);
    let finished = program.wait();
    finished.assert_code(0);
    assert!(finished.stderr.contains("statistics of stamp-reflector after"), "{finished}");
    assert_eq!(finished.stdout, "", "messages go to standard error");
}

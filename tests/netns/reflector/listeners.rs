//! What is answered where, and from which address.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use stamp_tests::netns::{self, Families, Family, Need, Trial, trials};

use super::{Prober, command, counted, reflector, stopped};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        both_families_are_answered_by_default: [Need::IPV6],
        a_bare_port_is_both_families: [Need::IPV6],
        a_reply_leaves_from_the_address_that_was_probed: [Need::IPV6],
        a_link_local_address_is_answered: [Need::IPV6],
        an_interface_keeps_probes_of_others_out,
        port_zero_is_a_free_port_that_is_told,
        what_the_kernel_told_about_a_probe_is_in_its_reply: [Need::IPV6],
    ]
}

fn both_families_are_answered_by_default() {
    let net = netns::two_hosts(Families::Both);
    let program = reflector(&net.far, 2, &mut command(""));
    for family in Families::Both.each() {
        let target = SocketAddr::new(net.far.address(*family), 862);
        Prober::new(&net.near, (net.near.address(*family), 0), target, 7).exchange();
    }
    let finished = stopped(&program);
    assert_eq!((counted(&finished, "received"), counted(&finished, "answered")), (2, 2));
}

fn a_bare_port_is_both_families() {
    let net = netns::two_hosts(Families::Both);
    let _program = reflector(&net.far, 2, &mut command("--listen :8620"));
    for family in Families::Both.each() {
        let target = SocketAddr::new(net.far.address(*family), 8620);
        Prober::new(&net.near, (net.near.address(*family), 0), target, 7).exchange();
    }
}

fn a_reply_leaves_from_the_address_that_was_probed() {
    let net = netns::two_hosts(Families::Both);
    net.far.add_address("eth0", "192.0.2.9/24");
    net.far.add_address("eth0", "2001:db8::9/64");
    let second = |family: Family| -> IpAddr {
        match family {
            Family::V4 => IpAddr::from([192, 0, 2, 9]),
            Family::V6 => "2001:db8::9".parse().expect("an address"),
        }
    };
    let _program = reflector(&net.far, 2, &mut command(""));
    for family in Families::Both.each() {
        for address in [net.far.address(*family), second(*family)] {
            // A connected socket takes nothing from another address.
            let target = SocketAddr::new(address, 862);
            Prober::new(&net.near, (net.near.address(*family), 0), target, 7).exchange();
        }
    }
}

fn a_link_local_address_is_answered() {
    let net = netns::two_hosts(Families::Both);
    let address = net.far.link_local("eth0");
    let scope = net.near.index("eth0");
    let target = SocketAddrV6::new(address, 862, 0, scope).into();
    let local = SocketAddrV6::new(net.near.link_local("eth0"), 0, 0, scope);
    for listen in ["[::]:862".to_owned(), format!("[{address}%eth0]:862")] {
        let arguments = format!("--listen {listen}");
        let program = reflector(&net.far, 1, &mut command(&arguments));
        assert!(program.stderr().contains(&format!("listening on {listen}\"")));
        Prober::new(&net.near, local, target, 7).exchange();
        stopped(&program);
    }
}

fn an_interface_keeps_probes_of_others_out() {
    let net = netns::two_hosts(Families::V4);
    let program = reflector(&net.far, 1, &mut command("--listen 0.0.0.0:862 --interface eth0"));
    let target = SocketAddr::new(net.far.ipv4().into(), 862);
    Prober::new(&net.near, (net.near.ipv4(), 0), target, 7).exchange();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 862));
    Prober::new(&net.far, ([127, 0, 0, 1], 0), loopback, 7).assert_refused();
    let finished = stopped(&program);
    assert!(finished.stderr.contains("listening on 0.0.0.0:862 on eth0"), "{finished}");
    assert_eq!(counted(&finished, "received"), 1);
}

fn port_zero_is_a_free_port_that_is_told() {
    let net = netns::two_hosts(Families::V4);
    let listen = format!("--listen {}:0", net.far.ipv4());
    let program = reflector(&net.far, 1, &mut command(&listen));
    let line = program.wait_for_error_line(|line| line.contains("listening on "));
    let address = line.split("listening on ").nth(1).and_then(|rest| rest.split('"').next());
    let target: SocketAddr = address.and_then(|text| text.parse().ok()).expect("an address");
    assert_ne!(target.port(), 0);
    Prober::new(&net.near, (net.near.ipv4(), 0), target, 7).exchange();
}

fn what_the_kernel_told_about_a_probe_is_in_its_reply() {
    let net = netns::two_hosts(Families::Both);
    let _program = reflector(
        &net.far,
        2,
        &mut command("--clock synchronized,error=1us --timestamp-format ntp"),
    );
    for family in Families::Both.each() {
        let target = SocketAddr::new(net.far.address(*family), 862);
        let mut prober = Prober::new(&net.near, (net.near.address(*family), 0), target, 513);
        let socket = socket2::SockRef::from(&prober.socket);
        let set = match family {
            Family::V4 => socket.set_ttl_v4(77),
            Family::V6 => socket.set_unicast_hops_v6(77),
        };
        set.expect("a TTL of 77");
        let reply = prober.exchange();
        assert_eq!(reply.sender_ttl.0, 77);
        assert_eq!(reply.ssid.0, 513);
        assert!(reply.error_estimate.synchronized(), "the clock was declared so");
        let residence = reply.timestamp.since(reply.receive_timestamp).expect("one format");
        assert!(residence.ns() > 0, "T3 is after T2, which the kernel took: {residence:?}");
    }
}

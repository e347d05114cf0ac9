//! Which address a datagram came to, and which one the answer leaves from.

use std::net::{IpAddr, SocketAddr};

use libtest_mimic::Trial;
use stamp_net::{NetError, SendFailure, SendOutcome, SocketOptions, UdpSocket};

use crate::network::{Cable, Host};
use crate::traffic::{SENT, open, open_with, receive, send, send_with};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        an_answer_leaves_from_the_address_that_was_asked,
        a_link_local_probe_is_answered_on_its_link,
        a_link_local_address_needs_its_interface,
        a_probe_to_a_broadcast_address_is_no_unicast,
        a_probe_to_a_group_is_no_unicast,
        an_address_that_has_gone_is_no_source,
        an_address_of_a_disabled_family_is_not_available,
        a_listener_of_one_interface_hears_no_other,
        an_interface_that_has_no_address_is_still_bound,
    ]
}

/// Answers what arrives at `far` the way a reflector does, and tells where it came to.
fn reflect(far: &UdpSocket) -> SocketAddr {
    receive(far, |probe| {
        let outcome = send_with(far, b"reply", probe.from, |outgoing| {
            outgoing.from = probe.reply_from;
            outgoing.interface = probe.interface;
        });
        assert_eq!(outcome, SENT, "{probe:?}");
        probe.to
    })
}

fn an_answer_leaves_from_the_address_that_was_asked() {
    let cable = Cable::new();
    // Never the kernel's own choice: the first address of the interface is.
    cable.far.add_address("eth0", "192.0.2.99/24");
    cable.far.add_address("eth0", "2001:db8::99/64");
    for (near, far, asked) in [
        ("0.0.0.0:0", "0.0.0.0:8620", "192.0.2.99:8620"),
        ("0.0.0.0:0", "0.0.0.0:8621", "192.0.2.2:8621"),
        ("[::]:0", "[::]:8620", "[2001:db8::99]:8620"),
        ("[::]:0", "[::]:8621", "[2001:db8::2]:8621"),
    ] {
        let (near, far) = (open(&cable.near, near), open(&cable.far, far));
        let asked = asked.parse().unwrap();
        send(&near, b"probe", asked);
        assert_eq!(reflect(&far), asked);
        assert_eq!(receive(&near, |reply| reply.from), asked);
    }
}

fn a_link_local_probe_is_answered_on_its_link() {
    let cable = Cable::new();
    let scope = cable.near.index("eth0");
    let far = open(&cable.far, "[::]:8620");
    let asked: SocketAddr = format!("[fe80::2%{scope}]:8620").parse().unwrap();
    let near = open(&cable.near, "[::]:0");
    assert_eq!(send(&near, b"probe", asked), SENT);
    let far_scope = cable.far.index("eth0");
    assert_eq!(reflect(&far), format!("[fe80::2%{far_scope}]:8620").parse().unwrap());
    assert_eq!(receive(&near, |reply| reply.from), asked);
    // The interface of the datagram serves where the address says nothing.
    let bare = "[fe80::2]:8620".parse().unwrap();
    assert_eq!(send_with(&near, b"probe", bare, |outgoing| outgoing.interface = scope), SENT);
    reflect(&far);
}

fn a_link_local_address_needs_its_interface() {
    let cable = Cable::new();
    let options = SocketOptions::new("[fe80::1]:0".parse().unwrap());
    let refused = cable.near.run(|| UdpSocket::open(&options));
    assert!(matches!(refused, Err(NetError::MissingScope { .. })), "{refused:?}");
    let mut near = open(&cable.near, "[::]:0");
    let refused = near.connect("[fe80::2]:8620".parse().unwrap());
    assert!(matches!(refused, Err(NetError::MissingScope { .. })), "{refused:?}");
    let scope = cable.near.index("eth0");
    open(&cable.near, &format!("[fe80::1%{scope}]:0"));
    near.connect(format!("[fe80::2%{scope}]:8620").parse().unwrap()).unwrap();
}

fn a_probe_to_a_broadcast_address_is_no_unicast() {
    let cable = Cable::new();
    let far = open(&cable.far, "0.0.0.0:8620");
    let shouting = cable.near.run(|| std::net::UdpSocket::bind("192.0.2.1:0")).unwrap();
    shouting.set_broadcast(true).unwrap();
    shouting.send_to(b"probe", "192.0.2.255:8620").unwrap();
    receive(&far, |probe| {
        assert_eq!(probe.to, "192.0.2.255:8620".parse().unwrap());
        assert!(!probe.unicast);
        assert_eq!(probe.reply_from, Some(IpAddr::from([192, 0, 2, 2])));
    });
}

fn a_probe_to_a_group_is_no_unicast() {
    let cable = Cable::new();
    let far = open(&cable.far, "[::]:8620");
    let near = open(&cable.near, "[::]:0");
    let scope = cable.near.index("eth0");
    // Every host is in the group of all nodes (RFC 4291 §2.7.1).
    send(&near, b"probe", format!("[ff02::1%{scope}]:8620").parse().unwrap());
    receive(&far, |probe| {
        assert_eq!(probe.to.ip(), "ff02::1".parse::<IpAddr>().unwrap());
        assert!(!probe.unicast);
        assert_eq!(probe.reply_from, None);
    });
}

fn an_address_that_has_gone_is_no_source() {
    let cable = Cable::new();
    cable.near.add_address("eth0", "192.0.2.99/24");
    cable.near.add_address("eth0", "2001:db8::99/64");
    for (local, source, to) in [
        ("0.0.0.0:0", "192.0.2.99", "192.0.2.2:8620"),
        ("[::]:0", "2001:db8::99", "[2001:db8::2]:8620"),
    ] {
        let near = open(&cable.near, local);
        let from = Some(source.parse().unwrap());
        let to = to.parse().unwrap();
        let send = || cable.near.run(|| send_with(&near, b"probe", to, |out| out.from = from));
        assert_eq!(send(), SENT);
        let bits = if to.is_ipv4() { 24 } else { 64 };
        cable.near.remove_address("eth0", &format!("{source}/{bits}"));
        assert_eq!(send(), SendOutcome::Failed(SendFailure::BadSource), "{source}");
    }
}

fn an_address_of_a_disabled_family_is_not_available() {
    let host = Host::new();
    host.set_sysctl("net/ipv6/conf/all/disable_ipv6", "1");
    let options = SocketOptions::new("[::1]:0".parse().unwrap());
    let refused = host.run(|| UdpSocket::open(&options));
    assert!(matches!(refused, Err(NetError::AddressNotAvailable { .. })), "{refused:?}");
}

fn a_listener_of_one_interface_hears_no_other() {
    let cable = Cable::new();
    let tied = SocketOptions {
        interface: Some("eth0".to_owned()),
        ..SocketOptions::new("0.0.0.0:8620".parse().unwrap())
    };
    let tied = open_with(&cable.far, &tied);
    let inside = open(&cable.far, "127.0.0.1:0");
    let outside = open(&cable.near, "0.0.0.0:0");
    send(&inside, b"inside", "127.0.0.1:8620".parse().unwrap());
    send(&outside, b"outside", "192.0.2.2:8620".parse().unwrap());
    receive(&tied, |probe| assert_eq!(probe.octets, b"outside"));
}

fn an_interface_that_has_no_address_is_still_bound() {
    let (near, far) = (Host::new(), Host::new());
    near.join("eth0", &far, "eth0");
    let options = SocketOptions {
        interface: Some("eth0".to_owned()),
        ..SocketOptions::new("0.0.0.0:0".parse().unwrap())
    };
    open_with(&near, &options);
}

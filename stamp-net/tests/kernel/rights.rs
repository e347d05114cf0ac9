//! What takes a right, and what is said without it.

use caps::CapSet;
use libtest_mimic::Trial;
use netlink_packet_route::route::{RouteProtocol, RouteType};
use stamp_net::capability::{self, Capability};
use stamp_net::route::Blackhole;
use stamp_net::tc::Stamper;
use stamp_net::{NetError, SocketOptions, UdpSocket};

use crate::network::Host;
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_low_port_needs_a_right_or_a_setting,
        a_mark_needs_a_right,
        a_program_at_the_ingress_needs_two_rights_of_the_host,
        binding_to_an_interface_needs_no_right,
        a_blackhole_needs_a_right_unless_it_is_there,
        a_blackhole_that_was_left_behind_is_taken_away,
        rights_are_those_of_the_thread,
    ]
}

/// Runs `job` inside `host`, on a thread that has given up every right.
fn without_rights<T: Send>(host: &Host, job: impl FnOnce() -> T + Send) -> T {
    host.run(|| {
        caps::clear(None, CapSet::Effective).unwrap();
        job()
    })
}

fn a_low_port_needs_a_right_or_a_setting() {
    let host = Host::new();
    for local in ["0.0.0.0:862", "[::]:862"] {
        let options = SocketOptions::new(local.parse().unwrap());
        host.run(|| UdpSocket::open(&options)).unwrap();
        host.set_sysctl("net/ipv4/ip_unprivileged_port_start", "1024");
        let refused = without_rights(&host, || UdpSocket::open(&options));
        let Err(error @ NetError::PrivilegedPort { first_unprivileged: 1024, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(error.remedies().len(), 3);
        host.set_sysctl("net/ipv4/ip_unprivileged_port_start", "862");
        without_rights(&host, || UdpSocket::open(&options)).unwrap();
    }
}

fn a_mark_needs_a_right() {
    let host = Host::new();
    let options =
        SocketOptions { fwmark: Some(7), ..SocketOptions::new("127.0.0.1:0".parse().unwrap()) };
    host.run(|| UdpSocket::open(&options)).unwrap();
    let refused = without_rights(&host, || UdpSocket::open(&options));
    let Err(NetError::PermissionDenied { capability, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(capability, Capability::NetAdmin);
}

fn a_blackhole_needs_a_right_unless_it_is_there() {
    let host = Host::new();
    let ensure = || Blackhole::ensure("fc00:bb::".parse().unwrap(), 48);
    let needs_right = || {
        let refused = without_rights(&host, ensure);
        let Err(NetError::PermissionDenied { capability, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(capability, Capability::NetAdmin);
    };
    needs_right();
    let blackhole = host.run(ensure).unwrap();
    without_rights(&host, || drop(ensure().unwrap()));
    host.run(|| drop(blackhole));
    needs_right();
}

/// What a killed program leaves has its number and nobody's mark.
fn a_blackhole_that_was_left_behind_is_taken_away() {
    let host = Host::new();
    let prefix = |text: &str| (text.parse().unwrap(), 48);
    let ensure = |text: &str| Blackhole::ensure(prefix(text).0, 48).unwrap();
    let used = host.run(|| ensure("fc00:bb::"));
    for left in ["fc00:cc::/48", "fc00:dd::/48"] {
        host.forbid_as(RouteProtocol::Other(83), left, RouteType::BlackHole);
    }
    host.forbid("fc00:ee::/48", RouteType::BlackHole);
    // Whoever wants one of them takes it over, and away in the end.
    host.run(|| drop(ensure("fc00:cc::")));
    let left = without_rights(&host, Blackhole::remove_left_behind).unwrap();
    assert_eq!(left, [], "not without the right");
    let left = host.run(Blackhole::remove_left_behind).unwrap();
    assert_eq!(left, [prefix("fc00:dd::")]);
    host.run(|| drop(ensure("fc00:ee::")));
    let needs_right = |text: &str| without_rights(&host, || Blackhole::ensure(prefix(text).0, 48));
    for stays in ["fc00:bb::", "fc00:ee::"] {
        needs_right(stays).unwrap();
    }
    for gone in ["fc00:cc::", "fc00:dd::"] {
        needs_right(gone).unwrap_err();
    }
    host.run(|| drop(used));
    needs_right("fc00:bb::").unwrap_err();
}

fn a_program_at_the_ingress_needs_two_rights_of_the_host() {
    let host = Host::new();
    let denied = |keep: &[caps::Capability]| {
        let refused = host.run(|| {
            caps::set(None, CapSet::Effective, &keep.iter().copied().collect()).unwrap();
            Stamper::load(&[])
        });
        let Err(NetError::TcDenied { missing }) = refused else { panic!("{refused:?}") };
        missing
    };
    assert_eq!(denied(&[]), [Capability::Bpf, Capability::NetAdmin]);
    assert_eq!(denied(&[caps::Capability::CAP_NET_ADMIN]), [Capability::Bpf]);
}

fn binding_to_an_interface_needs_no_right() {
    let host = Host::new();
    let options = SocketOptions {
        interface: Some("lo".to_owned()),
        ..SocketOptions::new("127.0.0.1:0".parse().unwrap())
    };
    without_rights(&host, || UdpSocket::open(&options)).unwrap();
}

fn rights_are_those_of_the_thread() {
    let host = Host::new();
    let (with, without) = (
        host.run(capability::effective).unwrap(),
        without_rights(&host, capability::effective).unwrap(),
    );
    assert!(with.has(Capability::NetAdmin) && with.has(Capability::NetBindService));
    assert!(Capability::ALL.iter().all(|capability| !without.has(*capability)));
}

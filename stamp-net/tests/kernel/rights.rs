//! What takes a right, and what is said without it.

use caps::CapSet;
use libtest_mimic::Trial;
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

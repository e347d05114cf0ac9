//! Sending and waiting, in the words that the tests share; and what a datagram tells.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use libtest_mimic::Trial;
use stamp_net::{
    Datagram, ErrorBatch, Outgoing, Poller, ReceiveBatch, SendBatch, SendOutcome, SocketEvent,
    SocketOptions, UdpSocket, clock,
};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::StampSource;

use crate::network::{Cable, Host, Routed};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        everything_about_a_datagram_is_told_in_either_family,
        hops_are_counted_through_a_router,
        each_datagram_has_its_own_traffic_class_in_ipv6,
        stamps_of_sent_datagrams_cross_a_real_link,
        listeners_of_both_families_share_a_port,
        ipv6_workers_share_a_port_and_refuse_a_second_instance,
    ]
}

/// Longer than any test takes; not how long one takes.
pub(crate) const PATIENCE_NS: u64 = 10_000_000_000;

/// The wildcard of the family of `address`.
pub(crate) fn wildcard(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

pub(crate) fn open(host: &Host, local: &str) -> UdpSocket {
    open_with(host, &SocketOptions::new(local.parse().unwrap()))
}

pub(crate) fn open_with(host: &Host, options: &SocketOptions) -> UdpSocket {
    host.run(|| UdpSocket::open(options)).unwrap()
}

/// Sends one datagram, changed by `change`.
pub(crate) fn send_with(
    socket: &UdpSocket,
    payload: &[u8],
    to: SocketAddr,
    change: impl FnOnce(&mut Outgoing),
) -> SendOutcome {
    let mut batch = SendBatch::new(1, payload.len());
    batch.slot().unwrap().copy_from_slice(payload);
    let mut outgoing = Outgoing::new(payload.len(), to);
    change(&mut outgoing);
    batch.push(outgoing);
    socket.send(&mut batch);
    batch.outcome(0)
}

pub(crate) fn send(socket: &UdpSocket, payload: &[u8], to: SocketAddr) -> SendOutcome {
    send_with(socket, payload, to, |_| {})
}

pub(crate) const SENT: SendOutcome = SendOutcome::Sent { transmit_id: None };

/// Waits for a datagram and hands it to `look`.
#[track_caller]
pub(crate) fn receive<T>(socket: &UdpSocket, look: impl FnOnce(Datagram<'_>) -> T) -> T {
    let mut poller = Poller::new().unwrap();
    poller.add(socket, 0).unwrap();
    let deadline = clock::monotonic_ns() + PATIENCE_NS;
    let mut batch = ReceiveBatch::new(1, 2048);
    while socket.receive(&mut batch).unwrap() == 0 {
        assert!(!poller.wait(Some(deadline)).unwrap().timer(), "nothing came");
    }
    look(batch.iter().next().unwrap())
}

/// Waits for an entry of the error queue and hands it to `look`.
#[track_caller]
pub(crate) fn event<T>(socket: &UdpSocket, look: impl FnOnce(SocketEvent<'_>) -> T) -> T {
    let mut poller = Poller::new().unwrap();
    poller.add(socket, 0).unwrap();
    let deadline = clock::monotonic_ns() + PATIENCE_NS;
    let mut batch = ErrorBatch::new(1);
    while socket.errors(&mut batch).unwrap() == 0 {
        assert!(!poller.wait(Some(deadline)).unwrap().timer(), "no event came");
    }
    look(batch.iter().next().unwrap())
}

fn everything_about_a_datagram_is_told_in_either_family() {
    let cable = Cable::new();
    for (from, to) in [("192.0.2.1:0", "192.0.2.2:8620"), ("[2001:db8::1]:0", "[2001:db8::2]:8620")]
    {
        let class = (Dscp::from_name("AF41").unwrap(), Ecn::Ect0);
        let options =
            SocketOptions { traffic_class: class, ..SocketOptions::new(from.parse().unwrap()) };
        let near = open_with(&cable.near, &options);
        let far = open(&cable.far, &format!("{}:8620", to.rsplit_once(':').unwrap().0));
        let to = to.parse().unwrap();
        let before = clock::wall_now();
        assert_eq!(send(&near, b"probe", to), SENT);
        receive(&far, |datagram| {
            let after = clock::wall_now();
            assert_eq!(datagram.octets, b"probe");
            assert_eq!((datagram.from, datagram.to), (near.local_addr(), to));
            assert_eq!(datagram.reply_from, Some(to.ip()));
            assert!(datagram.unicast && !datagram.truncated);
            assert_eq!(datagram.interface, cable.far.index("eth0"));
            assert_eq!(datagram.hop_limit, Some(HopLimit::MAX));
            assert_eq!(datagram.traffic_class, Some(class));
            let stamp = datagram.stamp.unwrap();
            assert_eq!(stamp.source, StampSource::Kernel);
            assert!((before..=after).contains(&stamp.time));
        });
    }
}

fn hops_are_counted_through_a_router() {
    let routed = Routed::new();
    for far in Routed::FAR {
        let to = SocketAddr::new(far, 8620);
        let near = open_with(&routed.near, &SocketOptions::new(wildcard(to)));
        let far = open_with(&routed.far, &SocketOptions::new(to));
        send(&near, b"probe", to);
        let hops = receive(&far, |datagram| datagram.hop_limit.unwrap().hops());
        assert_eq!(hops, 1, "{to}");
    }
}

fn each_datagram_has_its_own_traffic_class_in_ipv6() {
    let host = Host::new();
    let (near, far) = (open(&host, "[::1]:0"), open(&host, "[::1]:0"));
    let expedited = (Dscp::from_name("EF").unwrap(), Ecn::Ce);
    for class in [expedited, (Dscp::DEFAULT, Ecn::NotEct)] {
        send_with(&near, b"probe", far.local_addr(), |outgoing| {
            outgoing.traffic_class = Some(class);
        });
        assert_eq!(receive(&far, |datagram| datagram.traffic_class), Some(class));
    }
}

fn stamps_of_sent_datagrams_cross_a_real_link() {
    let cable = Cable::new();
    for (from, to) in [("0.0.0.0:0", "192.0.2.2:8620"), ("[::]:0", "[2001:db8::2]:8620")] {
        let to: SocketAddr = to.parse().unwrap();
        let options =
            SocketOptions { transmit_stamps: true, ..SocketOptions::new(from.parse().unwrap()) };
        let near = open_with(&cable.near, &options);
        let far = open_with(&cable.far, &SocketOptions::new(to));
        for expected in 0..3 {
            let outcome = send(&near, b"probe", to);
            assert_eq!(outcome, SendOutcome::Sent { transmit_id: Some(expected) });
            let arrived = receive(&far, |datagram| datagram.stamp.unwrap());
            event(&near, |event| {
                let SocketEvent::TransmitStamp { id, stamp } = event else { panic!("{event:?}") };
                assert_eq!((id, stamp.source), (expected, StampSource::Kernel));
                // One machine, one clock: nothing arrives before it leaves.
                assert!(stamp.time <= arrived.time);
            });
        }
    }
}

fn listeners_of_both_families_share_a_port() {
    let host = Host::new();
    let v6 = open(&host, "[::]:8620");
    let v4 = open(&host, "0.0.0.0:8620");
    for (listener, to) in [(&v6, "[::1]:8620"), (&v4, "127.0.0.1:8620")] {
        let to: SocketAddr = to.parse().unwrap();
        let near = open_with(&host, &SocketOptions::new(wildcard(to)));
        send(&near, b"probe", to);
        assert_eq!(receive(listener, |datagram| datagram.to), to);
    }
}

fn ipv6_workers_share_a_port_and_refuse_a_second_instance() {
    let host = Host::new();
    let options = SocketOptions::new("[::]:8620".parse().unwrap());
    let workers = host.run(|| UdpSocket::open_group(&options, 2)).unwrap();
    assert_eq!(workers.len(), 2);
    for local in ["[::]:8620", "[::1]:8620"] {
        let again = SocketOptions::new(local.parse().unwrap());
        let refused = host.run(|| UdpSocket::open_group(&again, 2));
        let Err(stamp_net::NetError::AddressInUse { holder, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(holder.unwrap().pid, std::process::id());
    }
}

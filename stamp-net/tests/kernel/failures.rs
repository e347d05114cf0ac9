//! Datagrams that never leave, and what is said about them.

use std::net::SocketAddr;

use libtest_mimic::Trial;
use netlink_packet_route::route::RouteType;
use stamp_net::{
    ErrorBatch, NetError, Outgoing, SendBatch, SendFailure, SendOutcome, SocketEvent,
    SocketOptions, UdpSocket, interface,
};

use crate::network::{Cable, Host};
use crate::traffic::{SENT, open, open_with, receive, send};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        without_a_route_nothing_leaves,
        a_route_that_forbids_is_a_refusal_or_no_route,
        a_broadcast_address_is_refused,
        an_interface_that_is_down_is_named,
        a_full_queue_is_no_buffer_space,
        a_dropping_queue_keeps_stamps_in_step,
        a_size_beyond_the_link_names_what_fits,
        fragments_leave_only_when_asked_for,
    ]
}

const UNROUTED: [(&str, &str); 2] =
    [("0.0.0.0:0", "203.0.113.1:862"), ("[::]:0", "[2001:db8:ff::1]:862")];

fn send_inside(host: &Host, socket: &UdpSocket, octets: usize, to: SocketAddr) -> SendOutcome {
    // Questions that a failure raises are asked in the namespace of the calling thread.
    host.run(|| send(socket, &vec![0; octets], to))
}

fn without_a_route_nothing_leaves() {
    let cable = Cable::new();
    for (local, to) in UNROUTED {
        let mut near = open(&cable.near, local);
        let to = to.parse().unwrap();
        let outcome = send_inside(&cable.near, &near, 44, to);
        assert_eq!(outcome, SendOutcome::Failed(SendFailure::NoRoute), "{to}");
        let refused = near.connect(to);
        assert!(matches!(refused, Err(NetError::NoRoute { to: named }) if named == to.ip()));
        let refused = cable.near.run(|| near.path_mtu(to));
        assert!(matches!(refused, Err(NetError::NoRoute { .. })), "{refused:?}");
    }
}

fn a_route_that_forbids_is_a_refusal_or_no_route() {
    let (refused, no_route) = (
        SendOutcome::Failed(SendFailure::Refused { errno: libc::EACCES }),
        SendOutcome::Failed(SendFailure::NoRoute),
    );
    for (kind, expected) in [(RouteType::Prohibit, refused), (RouteType::Unreachable, no_route)] {
        for (prefix, (local, to)) in ["203.0.113.0/24", "2001:db8:ff::/48"].iter().zip(UNROUTED) {
            let host = Host::new();
            host.forbid(prefix, kind);
            let socket = open(&host, local);
            let to = to.parse().unwrap();
            assert_eq!(send_inside(&host, &socket, 44, to), expected, "{kind:?} {to}");
        }
    }
}

fn a_broadcast_address_is_refused() {
    let cable = Cable::new();
    let near = open(&cable.near, "0.0.0.0:0");
    let outcome = send_inside(&cable.near, &near, 44, "192.0.2.255:862".parse().unwrap());
    let refused = SendFailure::Refused { errno: libc::EACCES };
    assert_eq!(outcome, SendOutcome::Failed(refused));
}

fn an_interface_that_is_down_is_named() {
    let cable = Cable::new();
    for (local, to) in [("0.0.0.0:0", "192.0.2.2:862"), ("[::]:0", "[2001:db8::2]:862")] {
        let to = to.parse().unwrap();
        let options = SocketOptions {
            interface: Some("eth0".to_owned()),
            ..SocketOptions::new(local.parse().unwrap())
        };
        let tied = open_with(&cable.near, &options);
        assert_eq!(send_inside(&cable.near, &tied, 44, to), SENT);
        cable.near.set_up("eth0", false);
        let down = SendOutcome::Failed(SendFailure::InterfaceDown);
        assert_eq!(send_inside(&cable.near, &tied, 44, to), down, "{to}");
        let free = open(&cable.near, local);
        let no_route = SendOutcome::Failed(SendFailure::NoRoute);
        assert_eq!(send_inside(&cable.near, &free, 44, to), no_route, "{to}");
        cable.near.set_up("eth0", true);
        // Taking it down took the address away.
        cable.near.add_address("eth0", "2001:db8::1/64");
    }
}

fn a_full_queue_is_no_buffer_space() {
    for (local, to) in [("0.0.0.0:0", "192.0.2.2:862"), ("[::]:0", "[2001:db8::2]:862")] {
        let cable = Cable::new();
        let (near, far) = (open(&cable.near, local), open(&cable.far, to));
        let to = to.parse().unwrap();
        // Until the neighbour is known a datagram waits for it, not in the queue.
        assert_eq!(send_inside(&cable.near, &near, 44, to), SENT);
        receive(&far, |probe| assert_eq!(probe.octets.len(), 44));
        cable.near.close_queue("eth0");
        let no_buffers = SendOutcome::Failed(SendFailure::NoBuffers);
        assert_eq!(send_inside(&cable.near, &near, 44, to), no_buffers, "{to}");
    }
}

fn a_dropping_queue_keeps_stamps_in_step() {
    let cable = Cable::new();
    let dropped: SocketAddr = "192.0.2.2:862".parse().unwrap();
    let options =
        SocketOptions { transmit_stamps: true, ..SocketOptions::new("0.0.0.0:0".parse().unwrap()) };
    let near = open_with(&cable.near, &options);
    let inside = open(&cable.near, "127.0.0.1:0");
    let far = open(&cable.far, "0.0.0.0:862");
    send(&open(&cable.near, "0.0.0.0:0"), b"neighbour?", dropped);
    receive(&far, |_| ());
    cable.near.close_queue("eth0");
    let mut batch = SendBatch::new(64, 44);
    for index in 0..64 {
        let to = if index % 3 == 0 { dropped } else { inside.local_addr() };
        batch.push(Outgoing::new(44, to));
    }
    cable.near.run(|| near.send(&mut batch));
    let stamped = |index: &usize| batch.outgoing(*index).unwrap().to != dropped;
    let expected: Vec<_> = (0..64).filter(stamped).map(|index| batch.outcome(index)).collect();
    let mut errors = ErrorBatch::new(64);
    near.errors(&mut errors).unwrap();
    let stamps: Vec<_> = errors
        .iter()
        .filter_map(|event| match event {
            SocketEvent::TransmitStamp { id, .. } => {
                Some(SendOutcome::Sent { transmit_id: Some(id) })
            }
            _ => None,
        })
        .collect();
    assert_eq!(stamps, expected);
}

fn a_size_beyond_the_link_names_what_fits() {
    let cable = Cable::new();
    cable.near.set_mtu("eth0", 1300);
    for (local, to, fits) in
        [("0.0.0.0:0", "192.0.2.2:862", 1272), ("[::]:0", "[2001:db8::2]:862", 1252)]
    {
        let near = open(&cable.near, local);
        let _far = open(&cable.far, to);
        let to: SocketAddr = to.parse().unwrap();
        assert_eq!(send_inside(&cable.near, &near, fits, to), SENT);
        let too_big = SendFailure::TooBig { mtu: Some(1300), largest_payload: Some(fits) };
        let outcome = send_inside(&cable.near, &near, fits + 1, to);
        assert_eq!(outcome, SendOutcome::Failed(too_big));
        let mut errors = ErrorBatch::new(4);
        assert!(near.errors(&mut errors).unwrap() > 0);
        for event in errors.iter() {
            let SocketEvent::TooBig { to: named, mtu, largest_payload } = event else {
                panic!("{event:?}")
            };
            assert_eq!((named.ip(), mtu, largest_payload), (to.ip(), 1300, fits));
        }
    }
}

fn fragments_leave_only_when_asked_for() {
    let cable = Cable::new();
    let mtu = cable.near.run(|| interface::by_name("eth0")).unwrap().mtu as usize;
    for (local, to) in [("0.0.0.0:0", "192.0.2.2:862"), ("[::]:0", "[2001:db8::2]:862")] {
        let options =
            SocketOptions { dont_fragment: false, ..SocketOptions::new(local.parse().unwrap()) };
        let near = open_with(&cable.near, &options);
        assert_eq!(send_inside(&cable.near, &near, 2 * mtu, to.parse().unwrap()), SENT);
    }
}

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use super::*;

#[test]
fn the_kernel_chooses_a_port_for_zero() {
    let socket = open();
    assert_eq!(socket.local_addr().ip(), localhost(0).ip());
    assert_ne!(socket.local_addr().port(), 0);
}

#[test]
fn a_taken_port_is_refused_and_its_holder_named() {
    let first = open();
    let again = UdpSocket::open(&SocketOptions::new(first.local_addr()));
    let Err(NetError::AddressInUse { address, holder }) = again else { panic!("{again:?}") };
    assert_eq!(address, first.local_addr());
    assert_eq!(holder.unwrap().pid, std::process::id());
}

#[test]
fn a_second_instance_is_refused_although_workers_share_the_port() {
    let workers = UdpSocket::open_group(&SocketOptions::new(localhost(0)), 2).unwrap();
    let taken = SocketOptions::new(workers[0].local_addr());
    assert!(matches!(UdpSocket::open(&taken), Err(NetError::AddressInUse { .. })));
    assert!(matches!(UdpSocket::open_group(&taken, 2), Err(NetError::AddressInUse { .. })));
}

#[test]
fn a_wildcard_and_an_address_on_one_port_exclude_each_other() {
    for (first, second) in [([0, 0, 0, 0], [127, 0, 0, 1]), ([127, 0, 0, 1], [0, 0, 0, 0])] {
        let options = SocketOptions::new((first, 0).into());
        let workers = UdpSocket::open_group(&options, 2).unwrap();
        let port = workers[0].local_addr().port();
        let again = UdpSocket::open(&SocketOptions::new((second, port).into()));
        assert!(matches!(again, Err(NetError::AddressInUse { .. })), "{again:?}");
    }
}

#[test]
fn a_port_is_free_again_when_its_workers_are_gone() {
    let workers = UdpSocket::open_group(&SocketOptions::new(localhost(0)), 3).unwrap();
    let taken = SocketOptions::new(workers[0].local_addr());
    drop(workers);
    UdpSocket::open(&taken).unwrap();
}

#[test]
fn a_flow_stays_with_one_worker_and_none_is_lost() {
    let workers = UdpSocket::open_group(&SocketOptions::new(localhost(0)), 2).unwrap();
    assert_eq!(workers[0].local_addr(), workers[1].local_addr());
    let flows: Vec<_> = (0..16).map(|_| open()).collect();
    for _ in 0..3 {
        for flow in &flows {
            send_one(flow, b"probe", workers[0].local_addr());
        }
    }
    let mut seen = 0;
    for worker in &workers {
        let batch = received(worker, 8);
        let sources: Vec<_> = batch.iter().map(|datagram| datagram.from).collect();
        for source in &sources {
            assert_eq!(sources.iter().filter(|other| *other == source).count(), 3);
        }
        seen += sources.len();
    }
    assert_eq!(seen, 3 * flows.len());
}

#[test]
fn an_address_of_somebody_else_is_not_available() {
    // TEST-NET-1 (RFC 5737 §3) is on no interface.
    let options = SocketOptions::new(([192, 0, 2, 77], 0).into());
    let refused = UdpSocket::open(&options);
    assert!(matches!(refused, Err(NetError::AddressNotAvailable { .. })), "{refused:?}");
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    for name in ["no-such-one", "a-name-that-is-far-too-long"] {
        let options =
            SocketOptions { interface: Some(name.to_owned()), ..SocketOptions::new(localhost(0)) };
        let refused = UdpSocket::open(&options);
        let Err(NetError::NoSuchInterface { name: named }) = refused else { panic!("{refused:?}") };
        assert_eq!(&*named, name);
    }
}

#[test]
fn a_socket_can_be_tied_to_an_interface() {
    let options =
        SocketOptions { interface: Some("lo".to_owned()), ..SocketOptions::new(localhost(0)) };
    let (near, far) = (open(), UdpSocket::open(&options).unwrap());
    send_one(&near, b"probe", far.local_addr());
    assert_eq!(payloads(&received(&far, 8)), [b"probe"]);
}

#[test]
fn a_receive_buffer_is_granted_as_far_as_the_limit_goes() {
    let options =
        SocketOptions { receive_buffer: Some(64 << 10), ..SocketOptions::new(localhost(0)) };
    let socket = UdpSocket::open(&options).unwrap();
    // The kernel doubles what it grants.
    assert_eq!(socket.receive_buffer().unwrap(), 128 << 10);
    assert!(socket.send_buffer().unwrap() > 0);
}

#[test]
fn a_socket_that_was_bound_by_somebody_else_is_taken_over() {
    let bound = std::net::UdpSocket::bind(localhost(0)).unwrap();
    let address = bound.local_addr().unwrap();
    let options = SocketOptions::new(localhost(0));
    let socket = UdpSocket::adopt(OwnedFd::from(bound), &options).unwrap();
    assert_eq!(socket.local_addr(), address);
    send_one(&open(), b"probe", address);
    let batch = received(&socket, 8);
    let datagram = batch.iter().next().unwrap();
    assert!(datagram.hop_limit.is_some() && datagram.traffic_class.is_some());
    assert_eq!(received(&socket, 8).len(), 0, "it must not block");
}

#[test]
fn a_socket_of_another_kind_is_not_taken_over() {
    let listener = TcpListener::bind(localhost(0)).unwrap();
    let adopted = UdpSocket::adopt(listener.into(), &SocketOptions::new(localhost(0)));
    assert!(matches!(adopted, Err(NetError::Call { .. })), "{adopted:?}");
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    let (mut near, far, stranger) = (open(), open(), open());
    near.connect(far.local_addr()).unwrap();
    send_one(&stranger, b"stranger", near.local_addr());
    send_one(&far, b"peer", near.local_addr());
    assert_eq!(payloads(&received(&near, 8)), [b"peer"]);
    send_one(&near, b"probe", far.local_addr());
    assert_eq!(payloads(&received(&far, 8)), [b"probe"]);
}

#[test]
fn connecting_fixes_the_source_address() {
    let far = open();
    let mut near = UdpSocket::open(&SocketOptions::new(([0, 0, 0, 0], 0).into())).unwrap();
    near.connect(far.local_addr()).unwrap();
    assert_eq!(near.local_addr().ip(), localhost(0).ip());
}

#[test]
fn a_group_is_taken_over_with_more_or_fewer_sockets() {
    let options = SocketOptions::new(localhost(0));
    let passed_on = |sockets: Vec<UdpSocket>| -> Vec<OwnedFd> {
        sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned().unwrap()).collect()
    };
    let one = UdpSocket::open_group(&options, 1).unwrap();
    let local = one[0].local_addr();
    let three = UdpSocket::adopt_group(passed_on(one), &options, 3).unwrap();
    assert_eq!(three.len(), 3);
    assert!(three.iter().all(|socket| socket.local_addr() == local));
    let two = UdpSocket::adopt_group(passed_on(three), &options, 2).unwrap();
    send_one(&open(), b"probe", local);
    let heard: usize = two.iter().map(|socket| received(socket, 8).len()).sum();
    assert_eq!(heard, 1, "the third is closed");
}

#[test]
fn stamps_of_whoever_had_the_socket_before_are_forgotten() {
    let options = SocketOptions { transmit_stamps: true, ..SocketOptions::new(localhost(0)) };
    let (before, far) = (UdpSocket::open(&options).unwrap(), open());
    send_one(&before, b"of another life", far.local_addr());
    let passed = before.as_fd().try_clone_to_owned().unwrap();
    drop(before);
    let after = UdpSocket::adopt(passed, &options).unwrap();
    let mut errors = ErrorBatch::new(8);
    assert_eq!(after.errors(&mut errors).unwrap(), 0);
    send_one(&after, b"of this", far.local_addr());
    assert_eq!(after.errors(&mut errors).unwrap(), 1);
    let stamp = errors.iter().next().unwrap();
    assert!(matches!(stamp, SocketEvent::TransmitStamp { id: 0, .. }), "{stamp:?}");
}

#[test]
fn a_socket_that_takes_both_families_is_not_taken_over() {
    let bound = std::net::UdpSocket::bind("[::]:0").unwrap();
    let adopted = UdpSocket::adopt(bound.into(), &SocketOptions::new("[::1]:0".parse().unwrap()));
    let error = adopted.unwrap_err();
    assert!(error.to_string().contains("BindIPv6Only=ipv6-only"), "{error}");
}

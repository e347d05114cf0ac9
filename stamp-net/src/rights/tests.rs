use std::net::{Ipv4Addr, UdpSocket};

use proptest::prelude::*;

use super::*;

/// Two ends of a line, the second served by a thread as a helper would.
fn line() -> OwnedFd {
    let (near, far) = super::line().unwrap();
    let held = crate::capability::own().unwrap();
    std::thread::spawn(move || serve(far.as_fd(), held).unwrap());
    near
}

#[test]
fn a_helper_tells_its_rights() {
    let near = line();
    let answer = ask(near.as_fd(), &Request::Rights, None).unwrap();
    assert_eq!(answer.done, Done::Rights(crate::capability::own().unwrap()));
    assert!(answer.descriptor.is_none());
}

#[test]
fn it_binds_the_socket_that_it_is_shown() {
    let near = line();
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    ask(near.as_fd(), &Request::Bind(address), Some(socket.as_fd())).unwrap();
    let socket = UdpSocket::from(OwnedFd::from(socket));
    assert_ne!(socket.local_addr().unwrap().port(), 0);
    assert!(
        ask(near.as_fd(), &Request::Bind(address), None).is_err(),
        "nothing was there to be bound"
    );
}

#[test]
fn what_the_kernel_refuses_the_helper_is_passed_on() {
    let near = line();
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    let request = Request::Bind(taken.local_addr().unwrap());
    let Err(error) = ask(near.as_fd(), &request, Some(socket.as_fd())) else {
        panic!("the address is another's");
    };
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn what_it_does_not_know_it_does_not_do() {
    let near = line();
    for text in ["", "exec /bin/sh", "bind", "bind 1.2.3.4", "frames 1", "blackhole :: 129"] {
        assert_eq!(Request::read(text.as_bytes()), None, "{text}");
    }
    passing::send(near.as_fd(), b"exec /bin/sh", None).unwrap();
    let mut room = [0; request::OCTETS];
    let (octets, made) = passing::receive(near.as_fd(), &mut room).unwrap();
    assert!(Done::read(&room[..octets]).is_err());
    assert!(made.is_none());
}

fn requests() -> impl Strategy<Value = Request> {
    let buffer = prop_oneof![Just(Buffer::Receive), Just(Buffer::Send)];
    prop_oneof![
        Just(Request::Rights),
        Just(Request::Frames),
        any::<i32>().prop_map(Request::Ipv4),
        any::<i32>().prop_map(Request::Ipv6),
        any::<SocketAddr>().prop_map(|address| Request::Bind(match address {
            // Flow labels are no part of an address in text.
            SocketAddr::V6(mut v6) => {
                v6.set_flowinfo(0);
                v6.into()
            }
            v4 => v4,
        })),
        any::<u32>().prop_map(Request::Mark),
        (buffer, any::<usize>()).prop_map(|(buffer, octets)| Request::Buffer(buffer, octets)),
        (any::<Ipv6Addr>(), 0..=128_u8).prop_map(|(to, bits)| Request::Blackhole(to, bits)),
        (any::<Ipv6Addr>(), 0..=128_u8).prop_map(|(to, bits)| Request::NoBlackhole(to, bits)),
    ]
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in requests()) {
        let line = request.to_string();
        prop_assert!(line.len() <= request::OCTETS);
        prop_assert_eq!(Request::read(line.as_bytes()), Some(request));
    }

    #[test]
    fn whatever_arrives_is_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..140)) {
        if let Some(request) = Request::read(&octets) {
            prop_assert!(Request::read(request.to_string().as_bytes()).is_some());
        }
        let _ = Done::read(&octets);
    }
}

//! Namespaces, links, addresses and routers.

use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, getsockopt, recvmsg, setsockopt, sockopt,
};
use stamp_tests::netns::{self, Families, Family, Host, Need, PATIENCE, Trial, TwoHosts, trials};

use super::{Sockets, receive, receive_from};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        two_hosts_answer_each_other: [Need::IPV6],
        a_link_local_address_is_reached_with_its_scope: [Need::IPV6],
        an_ipv4_only_host_has_no_ipv6_at_all,
        an_ipv6_only_host_reaches_no_ipv4_address: [Need::IPV6],
        a_router_tells_the_mtu_of_its_far_link: [Need::IPV6],
        an_address_can_be_removed_and_added_again,
        a_host_without_route_reports_it_and_with_one_sends,
        a_frame_for_a_neighbour_without_the_address_is_dropped,
        an_interface_that_was_down_carries_again: [Need::IPV6],
        a_sysctl_belongs_to_one_host,
        the_mtu_of_an_interface_is_that_of_its_routes,
        many_networks_live_side_by_side,
    ]
}

fn two_hosts_answer_each_other() {
    let net = netns::two_hosts(Families::Both);
    for family in Families::Both.each() {
        let far = net.far.udp_socket((net.far.address(*family), 862));
        let near = net.near.udp_socket((net.near.address(*family), 0));
        near.send_to(b"probe", (net.far.address(*family), 862)).expect("it leaves");
        let (octets, from) = receive_from(&far);
        assert_eq!((&octets[..], from.ip()), (&b"probe"[..], net.near.address(*family)));
        far.send_to(b"reply", from).expect("it leaves");
        assert_eq!(receive(&near), b"reply");
    }
}

fn a_link_local_address_is_reached_with_its_scope() {
    let TwoHosts { near, far } = netns::two_hosts(Families::V6);
    let at = |host: &Host, port| {
        SocketAddr::from(SocketAddrV6::new(host.link_local("eth0"), port, 0, host.index("eth0")))
    };
    let listening = far.udp_socket(at(&far, 862));
    let target = SocketAddrV6::new(far.link_local("eth0"), 862, 0, near.index("eth0"));
    near.udp_socket(at(&near, 0)).send_to(b"probe", target).expect("it leaves");
    assert_eq!(receive_from(&listening).1.ip(), IpAddr::V6(near.link_local("eth0")));
}

fn an_ipv4_only_host_has_no_ipv6_at_all() {
    let net = netns::two_hosts(Families::V4);
    let loopback = net.near.run(|| UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)));
    assert_eq!(errno(loopback), Some(Errno::EADDRNOTAVAIL));
    assert_carries(&net, Family::V4);
}

fn an_ipv6_only_host_reaches_no_ipv4_address() {
    let net = netns::two_hosts(Families::V6);
    let socket = net.near.udp_socket((Ipv4Addr::UNSPECIFIED, 0));
    assert_eq!(errno(socket.send_to(b"x", "192.0.2.2:862")), Some(Errno::ENETUNREACH));
    assert_carries(&net, Family::V6);
}

fn a_router_tells_the_mtu_of_its_far_link() {
    let net = netns::with_router(Families::Both, 1300);
    for family in Families::Both.each() {
        let far = (net.far.address(*family), 862);
        let listening = net.far.udp_socket(far);
        let socket = net.near.udp_socket((net.near.address(*family), 0));
        match family {
            Family::V4 => setsockopt(&socket, sockopt::Ipv4RecvErr, &true),
            Family::V6 => setsockopt(&socket, sockopt::Ipv6RecvErr, &true),
        }
        .expect("Linux has an error queue");
        socket.send_to(&[0; 1400], far).expect("the near link takes it");
        assert_eq!(reported_mtu(&socket), 1300);
        socket.send_to(&[7; 1200], far).expect("it leaves");
        assert_eq!(receive(&listening), [7; 1200], "the first one is lost, the next arrives");
    }
}

fn an_address_can_be_removed_and_added_again() {
    let net = netns::two_hosts(Families::V4);
    net.near.remove_address("eth0", "192.0.2.1/24");
    let bound = net.near.run(|| UdpSocket::bind("192.0.2.1:0"));
    assert_eq!(errno(bound), Some(Errno::EADDRNOTAVAIL));
    net.near.add_address("eth0", "192.0.2.1/24");
    assert_carries(&net, Family::V4);
}

fn a_host_without_route_reports_it_and_with_one_sends() {
    let net = netns::two_hosts(Families::V4);
    net.far.add_address("lo", "203.0.113.1/32");
    let listening = net.far.udp_socket("203.0.113.1:862".parse::<SocketAddr>().expect("valid"));
    let socket = net.near.udp_socket((net.near.ipv4(), 0));
    let send = || socket.send_to(b"x", "203.0.113.1:862");
    assert_eq!(errno(send()), Some(Errno::ENETUNREACH));
    let via = Some(net.far.address(Family::V4));
    net.near.add_route("203.0.113.0/24", via, "eth0");
    assert_eq!(errno(send()), None);
    assert_eq!(receive(&listening), b"x");
    net.near.remove_route("203.0.113.0/24", via, "eth0");
    assert_eq!(errno(send()), Some(Errno::ENETUNREACH));
}

fn a_frame_for_a_neighbour_without_the_address_is_dropped() {
    let net = netns::two_hosts(Families::V4);
    let silent = IpAddr::from([192, 0, 2, 77]);
    let listening = net.far.udp_socket((Ipv4Addr::UNSPECIFIED, 862));
    net.near.set_neighbour("eth0", silent, net.far.mac("eth0"));
    let socket = net.near.udp_socket((net.near.ipv4(), 0));
    // The far host gets the frame, and drops it as the address is not its own.
    socket.send_to(b"to nobody", (silent, 862)).expect("the neighbour is known");
    socket.send_to(b"to far", (net.far.ipv4(), 862)).expect("it leaves");
    assert_eq!(receive(&listening), b"to far");
    net.near.remove_neighbour("eth0", silent);
}

fn an_interface_that_was_down_carries_again() {
    let net = netns::two_hosts(Families::Both);
    net.near.set_down("eth0");
    let socket = net.near.udp_socket((Ipv6Addr::UNSPECIFIED, 0));
    let target = (net.far.address(Family::V6), 862);
    assert_eq!(errno(socket.send_to(b"x", target)), Some(Errno::ENETUNREACH));
    net.near.set_up("eth0");
    for family in Families::Both.each() {
        assert_carries(&net, *family);
    }
}

fn a_sysctl_belongs_to_one_host() {
    let net = netns::two_hosts(Families::V4);
    net.near.set_sysctl("net.ipv4.ip_default_ttl", "77");
    assert_eq!(net.near.sysctl("net.ipv4.ip_default_ttl"), "77");
    assert_eq!(net.far.sysctl("net.ipv4.ip_default_ttl"), "64");
}

fn the_mtu_of_an_interface_is_that_of_its_routes() {
    let net = netns::two_hosts(Families::V4);
    net.near.set_mtu("eth0", 1000);
    let socket = net.near.udp_socket((net.near.ipv4(), 0));
    socket.connect((net.far.ipv4(), 862)).expect("far is reachable");
    assert_eq!(getsockopt(&socket, sockopt::IpMtu), Ok(1000));
}

fn many_networks_live_side_by_side() {
    let nets: Vec<_> = (0..8).map(|_| netns::two_hosts(Families::V4)).collect();
    for net in &nets {
        assert_carries(net, Family::V4);
    }
}

/// A datagram each way.
fn assert_carries(net: &TwoHosts, family: Family) {
    let at = |host: &Host| SocketAddr::new(host.address(family), 0);
    let sockets = Sockets::open((&net.near, at(&net.near)), (&net.far, at(&net.far)));
    sockets.near.send(b"there").expect("it leaves");
    assert_eq!(receive(&sockets.far), b"there");
    sockets.far.send(b"back").expect("it leaves");
    assert_eq!(receive(&sockets.near), b"back");
}

fn errno<T>(result: std::io::Result<T>) -> Option<Errno> {
    result.err().and_then(|error| error.raw_os_error()).map(Errno::from_raw)
}

/// The MTU that an ICMP error in the error queue of the socket reports.
fn reported_mtu(socket: &UdpSocket) -> u32 {
    let mut ready = [PollFd::new(socket.as_fd(), PollFlags::empty())];
    let patience = PollTimeout::try_from(PATIENCE).expect("it fits");
    assert_eq!(poll(&mut ready, patience), Ok(1), "an error comes");
    let mut control = cmsg_space!([u8; 128]);
    let mut buffer = [0; 2048];
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let flags = MsgFlags::MSG_ERRQUEUE;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags)
            .expect("the error queue holds it");
    let mut controls = message.cmsgs().expect("the control space suffices");
    let error = controls.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, _) => Some(error),
        ControlMessageOwned::Ipv6RecvErr(error, _) => Some(error),
        _ => None,
    });
    let error = error.expect("the message is an error");
    assert_eq!(error.ee_errno, Errno::EMSGSIZE as u32);
    error.ee_info
}

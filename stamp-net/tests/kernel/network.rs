//! Networks small enough to need no more than this file: namespaces, veth pairs, routes.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;
use std::thread;

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressScope};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, State,
};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteLwEnCapType, RouteLwTunnelEncap, RouteMessage, RouteProtocol,
    RouteScope, RouteSeg6LocalTunnel, RouteType, Seg6LocalAction,
};
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::sched::{CloneFlags, setns, unshare};
use socket2::{Domain, Protocol, Socket, Type};
use stamp_net::interface::{self, MacAddress};
use stamp_net::route::{self, RouteQuery};

/// A network namespace, gone when this is.
pub(crate) struct Host(File);

impl Host {
    /// With `lo` up and nothing else.
    pub(crate) fn new() -> Self {
        let namespace = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            // Duplicate address detection would keep addresses unusable for a second.
            fs::write("/proc/sys/net/ipv6/conf/default/accept_dad", "0").unwrap();
            fs::write("/proc/sys/net/ipv4/icmp_ratelimit", "0").unwrap();
            fs::write("/proc/sys/net/ipv6/icmp/ratelimit", "0").unwrap();
            set_link("lo", true, None);
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        Self(namespace.join().unwrap())
    }

    /// Runs `job` inside, on a thread of its own.
    pub(crate) fn run<T: Send>(&self, job: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
                job()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Joins this host's interface `here` and the other's `there` by a cable.
    pub(crate) fn join(&self, here: &str, other: &Self, there: &str) {
        let mut peer = LinkMessage::default();
        peer.attributes = vec![
            LinkAttribute::IfName(there.to_owned()),
            LinkAttribute::NetNsFd(other.0.as_raw_fd()),
        ];
        let mut link = LinkMessage::default();
        link.attributes = vec![
            LinkAttribute::IfName(here.to_owned()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ];
        self.run(|| request(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL));
        for (host, name) in [(self, here), (other, there)] {
            host.run(|| set_link(name, true, None));
        }
        for (host, name) in [(self, here), (other, there)] {
            host.run(|| wait_until_plugged(name));
        }
    }

    pub(crate) fn set_up(&self, name: &str, up: bool) {
        self.run(|| set_link(name, up, None));
    }

    pub(crate) fn set_mtu(&self, name: &str, mtu: u32) {
        self.run(|| set_link(name, true, Some(mtu)));
    }

    pub(crate) fn set_mac(&self, name: &str, address: MacAddress) {
        self.run(|| {
            let mut link = LinkMessage::default();
            link.header.index = interface::index_of(name).unwrap();
            link.attributes.push(LinkAttribute::Address(address.0.to_vec()));
            request(RouteNetlinkMessage::SetLink(link), 0);
        });
    }

    /// Adds an address such as `192.0.2.1/24`.
    pub(crate) fn add_address(&self, name: &str, address: &str) {
        self.run(|| {
            let message = RouteNetlinkMessage::NewAddress(own_address(name, address));
            request(message, NLM_F_CREATE | NLM_F_EXCL);
            wait_until_own(name, prefix(address).0);
        });
    }

    pub(crate) fn remove_address(&self, name: &str, address: &str) {
        self.run(|| request(RouteNetlinkMessage::DelAddress(own_address(name, address)), 0));
    }

    pub(crate) fn add_route(&self, prefix: &str, via: &str) {
        let mut route = route(prefix, RouteType::Unicast);
        let via: IpAddr = via.parse().unwrap();
        route.attributes.push(RouteAttribute::Gateway(via.into()));
        self.run(|| request(RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE));
    }

    /// Makes `prefix` a SID that passes packets on to their next segment (End).
    pub(crate) fn add_segment(&self, prefix: &str, interface: &str) {
        let mut route = route(prefix, RouteType::Unicast);
        let end = RouteSeg6LocalTunnel::Action(Seg6LocalAction::End);
        self.run(|| {
            route.attributes.extend([
                RouteAttribute::EncapType(RouteLwEnCapType::Seg6Local),
                RouteAttribute::Encap(vec![RouteLwTunnelEncap::Seg6Local(end)]),
                RouteAttribute::Oif(interface::index_of(interface).unwrap()),
            ]);
            request(RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE);
        });
    }

    /// Adds a route that leads nowhere.
    pub(crate) fn forbid(&self, prefix: &str, kind: RouteType) {
        self.forbid_as(RouteProtocol::Static, prefix, kind);
    }

    /// The same, made by another.
    pub(crate) fn forbid_as(&self, maker: RouteProtocol, prefix: &str, kind: RouteType) {
        let mut route = route(prefix, kind);
        route.header.protocol = maker;
        self.run(|| request(RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE));
    }

    /// Lets the interface's queue hold nothing, so that every packet is dropped there.
    pub(crate) fn close_queue(&self, name: &str) {
        self.limit_queue(name, 0);
    }

    /// Undoes [`Self::close_queue`].
    pub(crate) fn open_queue(&self, name: &str) {
        self.limit_queue(name, 1000);
    }

    fn limit_queue(&self, name: &str, packets: u32) {
        /// `TCA_OPTIONS`.
        const OPTIONS: u16 = 2;
        let limit = packets.to_ne_bytes().to_vec();
        self.run(|| {
            let mut queue = TcMessage::default();
            queue.header.index = interface::index_of(name).unwrap().try_into().unwrap();
            queue.header.parent = TcHandle::ROOT;
            queue.attributes = vec![
                TcAttribute::Kind("pfifo".to_owned()),
                TcAttribute::Other(DefaultNla::new(OPTIONS, limit)),
            ];
            let message = RouteNetlinkMessage::NewQueueDiscipline(queue);
            request(message, NLM_F_CREATE | NLM_F_REPLACE);
        });
    }

    pub(crate) fn set_sysctl(&self, path: &str, value: &str) {
        self.run(|| fs::write(format!("/proc/sys/{path}"), value).unwrap());
    }

    pub(crate) fn index(&self, name: &str) -> u32 {
        self.run(|| interface::index_of(name).unwrap())
    }
}

/// Two hosts on one cable: 192.0.2.1 and .2, 2001:db8::1 and ::2, fe80::1 and ::2.
pub(crate) struct Cable {
    pub(crate) near: Host,
    pub(crate) far: Host,
}

impl Cable {
    pub(crate) fn new() -> Self {
        let (near, far) = (Host::new(), Host::new());
        near.join("eth0", &far, "eth0");
        for (host, number) in [(&near, 1), (&far, 2)] {
            host.add_address("eth0", &format!("192.0.2.{number}/24"));
            host.add_address("eth0", &format!("2001:db8::{number}/64"));
            host.add_address("eth0", &format!("fe80::{number}/64"));
        }
        Self { near, far }
    }
}

/// Two hosts with a router between them, whose second link carries 1400 octets.
///
/// near 192.0.2.1, 2001:db8::1; router .254, ::fe on either side; far 198.51.100.2, 2001:db8:1::2.
pub(crate) struct Routed {
    pub(crate) near: Host,
    pub(crate) router: Host,
    pub(crate) far: Host,
}

impl Routed {
    pub(crate) const FAR: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2)),
    ];
    pub(crate) const ROUTER: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xfe)),
    ];
    pub(crate) const MTU: u32 = 1400;

    pub(crate) fn new() -> Self {
        let (near, router, far) = (Host::new(), Host::new(), Host::new());
        router.set_sysctl("net/ipv4/ip_forward", "1");
        router.set_sysctl("net/ipv6/conf/all/forwarding", "1");
        near.join("eth0", &router, "eth0");
        router.join("eth1", &far, "eth0");
        router.set_mtu("eth1", Self::MTU);
        for (host, name, addresses) in [
            (&near, "eth0", ["192.0.2.1/24", "2001:db8::1/64"]),
            (&router, "eth0", ["192.0.2.254/24", "2001:db8::fe/64"]),
            (&router, "eth1", ["198.51.100.254/24", "2001:db8:1::fe/64"]),
            (&far, "eth0", ["198.51.100.2/24", "2001:db8:1::2/64"]),
        ] {
            for address in addresses {
                host.add_address(name, address);
            }
        }
        near.add_route("0.0.0.0/0", "192.0.2.254");
        near.add_route("::/0", "2001:db8::fe");
        far.add_route("0.0.0.0/0", "198.51.100.254");
        far.add_route("::/0", "2001:db8:1::fe");
        Self { near, router, far }
    }
}

fn set_link(name: &str, up: bool, mtu: Option<u32>) {
    let mut link = LinkMessage::default();
    link.header.index = interface::index_of(name).unwrap();
    link.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
    link.header.change_mask = LinkFlags::Up;
    link.attributes.extend(mtu.map(LinkAttribute::Mtu));
    request(RouteNetlinkMessage::SetLink(link), 0);
}

/// Until the kernel has noticed that the cable is plugged in, it drops what is sent.
fn wait_until_plugged(name: &str) {
    let is_plugged = || {
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let answer = exchange(RouteNetlinkMessage::GetLink(question), 0);
        let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) = answer else {
            panic!("{answer:?}")
        };
        link.attributes.contains(&LinkAttribute::OperState(State::Up))
    };
    while !is_plugged() {
        thread::yield_now();
    }
    finish_changes(name);
}

/// The kernel accepts an IPv6 address at once and makes it its own a little later.
fn wait_until_own(name: &str, address: IpAddr) {
    let interface = Some(interface::index_of(name).unwrap());
    let interface = interface.filter(|_| prefix_is_link_local(address));
    let query = RouteQuery { interface, ..RouteQuery::to(address) };
    while !route::lookup(&query).is_ok_and(|route| route.local) {
        thread::yield_now();
    }
    finish_changes(name);
}

fn prefix_is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The kernel tells of changes a little before they are complete, but lets no other begin before.
fn finish_changes(name: &str) {
    set_link(name, true, None);
}

fn own_address(name: &str, text: &str) -> AddressMessage {
    let (address, bits) = prefix(text);
    let mut message = AddressMessage::default();
    message.header.family = family(address);
    message.header.prefix_len = bits;
    message.header.index = interface::index_of(name).unwrap();
    message.header.scope = AddressScope::Universe;
    message.attributes = vec![AddressAttribute::Address(address), AddressAttribute::Local(address)];
    if let IpAddr::V4(v4) = address {
        let broadcast =
            Ipv4Addr::from_bits(v4.to_bits() | u32::MAX.checked_shr(bits.into()).unwrap_or(0));
        message.attributes.push(AddressAttribute::Broadcast(broadcast));
    } else {
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    message
}

fn route(text: &str, kind: RouteType) -> RouteMessage {
    let (address, bits) = prefix(text);
    let mut message = RouteMessage::default();
    message.header.address_family = family(address);
    message.header.destination_prefix_length = bits;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Universe;
    message.header.kind = kind;
    message.attributes = vec![RouteAttribute::Destination(address.into())];
    message
}

fn prefix(text: &str) -> (IpAddr, u8) {
    let (address, bits) = text.split_once('/').unwrap();
    (address.parse().unwrap(), bits.parse().unwrap())
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet }
}

/// Changes something in this thread's namespace; panics with the kernel's reason if it refuses.
#[track_caller]
fn request(message: RouteNetlinkMessage, flags: u16) {
    let what = format!("{message:?}");
    let answer = exchange(message, NLM_F_ACK | flags);
    let NetlinkPayload::Error(error) = answer else { panic!("{answer:?}") };
    assert!(error.code.is_none(), "{}: {what}", error.to_io());
}

fn exchange(message: RouteNetlinkMessage, flags: u16) -> NetlinkPayload<RouteNetlinkMessage> {
    let socket = Socket::new(
        Domain::from(libc::AF_NETLINK),
        Type::RAW.cloexec(),
        Some(Protocol::from(libc::NETLINK_ROUTE)),
    )
    .unwrap();
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    (&socket).write_all(&octets).unwrap();
    let mut answer = vec![0; 8192];
    let length = (&socket).read(&mut answer).unwrap();
    NetlinkMessage::deserialize(&answer[..length]).unwrap().payload
}

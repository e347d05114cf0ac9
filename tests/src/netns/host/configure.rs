//! Addresses, routes, neighbours, settings and the state of interfaces.

use std::fmt;
use std::io;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use rtnetlink::packet_route::route::RouteMessage;
use rtnetlink::{LinkUnspec, RouteMessageBuilder, RouteNextHopBuilder};

use super::{Host, Interface, settings};
use crate::netns::netlink::Netlink;

impl Host {
    /// Adds an address such as `192.0.2.9/24`. It is in use on return, if the interface is.
    #[track_caller]
    pub fn add_address(&self, interface: &str, address: &str) {
        let address = parse(address);
        self.assign(&self.interface(interface), address);
        self.configured().addresses.push((interface.to_owned(), address));
    }

    /// Removes an address that was added.
    #[track_caller]
    pub fn remove_address(&self, interface: &str, address: &str) {
        let address = parse(address);
        let index = self.index(interface);
        self.request(format_args!("remove {address} from {interface}"), |netlink| {
            netlink.remove_address(index, address.addr(), address.prefix_len())
        });
        self.configured().addresses.retain(|(_, known)| *known != address);
    }

    /// Adds a route; without a next hop the prefix is on the link itself.
    #[track_caller]
    pub fn add_route(&self, prefix: &str, via: Option<IpAddr>, interface: &str) {
        let route = self.route(prefix, via, interface);
        self.request(format_args!("add a route to {prefix}"), |netlink| netlink.add_route(route));
    }

    /// Adds a route over several next hops of the same cost. Which of them a datagram takes is told by addresses
    /// and ports of its flow.
    #[track_caller]
    pub fn add_equal_routes(&self, prefix: &str, next_hops: &[(IpAddr, &str)]) {
        for family in ["ipv4", "ipv6"] {
            self.set_sysctl(&format!("net.{family}.fib_multipath_hash_policy"), "1");
        }
        let prefix = parse(prefix).trunc();
        let next_hop = |(via, interface): &(IpAddr, &str)| {
            let next_hop = match via {
                IpAddr::V4(_) => RouteNextHopBuilder::new_ipv4(),
                IpAddr::V6(_) => RouteNextHopBuilder::new_ipv6(),
            };
            let via = next_hop.interface(self.index(interface)).via(*via);
            via.expect("of the family of its own").build()
        };
        let route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(prefix.addr(), prefix.prefix_len())
            .expect("a parsed prefix is valid")
            .multipath(next_hops.iter().map(next_hop).collect())
            .build();
        self.request(format_args!("add routes to {prefix}"), |netlink| netlink.add_route(route));
    }

    /// Removes a route that was added with the same arguments.
    #[track_caller]
    pub fn remove_route(&self, prefix: &str, via: Option<IpAddr>, interface: &str) {
        let route = self.route(prefix, via, interface);
        let what = format_args!("remove the route to {prefix}");
        self.request(what, |netlink| netlink.remove_route(route));
    }

    /// Adds or replaces a permanent neighbour.
    #[track_caller]
    pub fn set_neighbour(&self, interface: &str, address: IpAddr, mac: [u8; 6]) {
        let index = self.index(interface);
        let what = format_args!("set the neighbour {address}");
        self.request(what, |netlink| netlink.set_neighbour(index, address, mac));
    }

    /// Forgets a neighbour.
    #[track_caller]
    pub fn remove_neighbour(&self, interface: &str, address: IpAddr) {
        let index = self.index(interface);
        let what = format_args!("remove the neighbour {address}");
        self.request(what, |netlink| netlink.remove_neighbour(index, address));
    }

    /// Takes an interface up and waits until it and its addresses are in use, which needs the
    /// other end up.
    #[track_caller]
    pub fn set_up(&self, interface: &str) {
        let Interface { index, link_local, .. } = self.interface(interface);
        let known = self.configured().addresses.clone();
        let known = known.iter().filter(|(on, _)| on == interface).map(|(_, known)| known.addr());
        let addresses: Vec<IpAddr> = known.chain(link_local.map(IpAddr::V6)).collect();
        let done = self.run(|| {
            let netlink = Netlink::open_listening()?;
            netlink.set_link(LinkUnspec::new_with_index(index).up().build())?;
            netlink.wait_until_operational(index)?;
            addresses.iter().try_for_each(|address| in_use(&netlink, index, *address))
        });
        self.check(done, format_args!("take {interface} up"));
        self.mark(interface, true);
    }

    /// Takes an interface down. Its addresses stay; its routes and neighbours are gone for good.
    #[track_caller]
    pub fn set_down(&self, interface: &str) {
        self.mark(interface, false);
        let down = self.interface(interface);
        let link = LinkUnspec::new_with_index(down.index).down().build();
        self.request(format_args!("take {interface} down"), |netlink| netlink.set_link(link));
        // The one kind of address that `keep_addr_on_down` does not keep.
        self.assign_link_local(&down);
    }

    /// Sets the MTU of an interface, in octets.
    #[track_caller]
    pub fn set_mtu(&self, interface: &str, mtu: u32) {
        let link = LinkUnspec::new_with_index(self.index(interface)).mtu(mtu).build();
        let what = format_args!("set the MTU of {interface} to {mtu}");
        self.request(what, |netlink| netlink.set_link(link));
    }

    /// Writes a sysctl such as `net.ipv4.ip_forward`.
    #[track_caller]
    pub fn set_sysctl(&self, name: &str, value: &str) {
        let done = self.run(|| settings::write(name, value));
        self.check(done, format_args!("set {name} to {value}"));
    }

    /// Reads a sysctl.
    #[must_use]
    #[track_caller]
    pub fn sysctl(&self, name: &str) -> String {
        let read = self.run(|| settings::read(name));
        read.unwrap_or_else(|error| panic!("{}: cannot read {name}: {error}", self.name()))
    }

    /// Gives an interface its link-local address, if it is to have one.
    #[track_caller]
    pub(super) fn assign_link_local(&self, interface: &Interface) {
        if let Some(address) = interface.link_local {
            let prefix = Ipv6Net::new(address, 64).expect("64 is a prefix length");
            self.assign(interface, prefix.into());
        }
    }

    /// Gives an interface an address and waits until it is in use.
    #[track_caller]
    pub(super) fn assign(&self, interface: &Interface, address: IpNet) {
        let Interface { name, index, is_up, .. } = interface;
        let done = self.run(|| {
            let netlink = Netlink::open_listening()?;
            netlink.add_address(*index, address.addr(), address.prefix_len())?;
            if *is_up { in_use(&netlink, *index, address.addr()) } else { Ok(()) }
        });
        self.check(done, format_args!("add {address} to {name}"));
    }

    /// Asks the kernel for something that must not fail.
    #[track_caller]
    pub(super) fn request(
        &self,
        what: fmt::Arguments<'_>,
        ask: impl FnOnce(&Netlink) -> io::Result<()>,
    ) {
        let done = ask(&self.netlink());
        self.check(done, what);
    }

    pub(super) fn route(&self, prefix: &str, via: Option<IpAddr>, interface: &str) -> RouteMessage {
        let prefix = parse(prefix).trunc();
        let mut route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(prefix.addr(), prefix.prefix_len())
            .expect("a parsed prefix is valid")
            .output_interface(self.index(interface));
        if let Some(via) = via {
            route = route.gateway(via).expect("a route and its next hop are of one family");
        }
        route.build()
    }

    fn mark(&self, interface: &str, is_up: bool) {
        let mut configured = self.configured();
        let interfaces = configured.interfaces.iter_mut();
        interfaces.filter(|known| known.name == interface).for_each(|known| known.is_up = is_up);
    }

    #[track_caller]
    fn check(&self, done: io::Result<()>, what: fmt::Arguments<'_>) {
        if let Err(error) = done {
            panic!("{}: cannot {what}: {error}", self.name());
        }
    }
}

/// IPv4 addresses are in use as soon as the kernel has accepted them.
fn in_use(netlink: &Netlink, index: u32, address: IpAddr) -> io::Result<()> {
    match address {
        IpAddr::V4(_) => Ok(()),
        IpAddr::V6(address) => netlink.wait_until_local(index, address),
    }
}

#[track_caller]
fn parse(prefix: &str) -> IpNet {
    prefix.parse().unwrap_or_else(|error| panic!("{prefix} is no address with a prefix: {error}"))
}

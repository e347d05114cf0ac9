//! Links between hosts.

use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};

use rtnetlink::LinkUnspec;

use super::{Host, Interface};
use crate::netns::netlink::VethEnd;

/// MTU of a link for which no test asked for another.
pub(crate) const USUAL_MTU: u32 = 1500;

/// Interface numbers, unique over all namespaces of the process (see [`VethEnd::index`]).
static NEXT_INDEX: AtomicU32 = AtomicU32::new(2);

/// One end of a link to be: where, under which name, and which link-local address it gets.
pub(crate) struct End<'a> {
    pub(crate) host: &'a Host,
    pub(crate) interface: &'a str,
    pub(crate) link_local: Option<Ipv6Addr>,
    pub(crate) mtu: u32,
}

impl Host {
    /// Links two hosts by a veth pair; both ends are up and operational on return.
    ///
    /// Where IPv6 is spoken this end is `fe80::1` and the other one `fe80::2`.
    #[track_caller]
    pub fn join(&self, interface: &str, other: &Self, other_interface: &str) {
        let end = |host, interface, last| End {
            host,
            interface,
            link_local: Some(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last)),
            mtu: USUAL_MTU,
        };
        link(&end(self, interface, 1), &end(other, other_interface, 2));
    }

    /// Makes an interface the port of a new bridge, which takes over its hardware address: what
    /// arrives there for this host appears on both.
    #[track_caller]
    pub fn bridge(&self, name: &str, port: &str) {
        let index = NEXT_INDEX.fetch_add(1, Ordering::Relaxed);
        let mac = self.mac(port);
        let what = format_args!("put {port} into the bridge {name}");
        self.request(what, |netlink| {
            netlink.add_bridge(name, index, mac)?;
            let port = LinkUnspec::new_with_index(self.index(port));
            netlink.set_link(port.controller(index).build())
        });
        let name = name.to_owned();
        let bridge = Interface { name, index, mac, link_local: None, is_up: true };
        self.configured().interfaces.push(bridge);
    }

    /// Puts interfaces into a new VRF, before they have addresses and neighbours of their own.
    #[track_caller]
    pub fn vrf(&self, name: &str, table: u32, ports: &[&str]) {
        let index = NEXT_INDEX.fetch_add(1, Ordering::Relaxed);
        let what = format_args!("put {ports:?} into the VRF {name}");
        self.request(what, |netlink| {
            netlink.add_vrf(name, index, table)?;
            ports.iter().try_for_each(|port| {
                let port = LinkUnspec::new_with_index(self.index(port));
                netlink.set_link(port.controller(index).build())
            })
        });
        let name = name.to_owned();
        let vrf = Interface { name, index, mac: [0; 6], link_local: None, is_up: true };
        self.configured().interfaces.push(vrf);
    }
}

/// Creates a veth pair and brings it into operation.
#[track_caller]
pub(crate) fn link(near: &End<'_>, far: &End<'_>) {
    let describe = |end: &End<'_>| {
        let index = NEXT_INDEX.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = index.to_be_bytes();
        let mac = [0x02, 0, 0, 0, high, low];
        let link_local = end.link_local.filter(|_| end.host.families().has_v6());
        Interface { name: end.interface.to_owned(), index, mac, link_local, is_up: false }
    };
    let ends = [(near, describe(near)), (far, describe(far))];
    let [near_end, far_end] = ends.each_ref().map(|(end, interface)| VethEnd {
        name: end.interface,
        index: interface.index,
        mac: interface.mac,
        mtu: end.mtu,
    });
    let far_namespace = far.host.inner.namespace.as_fd();
    let what = format_args!("link {} to {}", near.interface, far.host.name());
    near.host.request(what, |netlink| netlink.add_veth(&near_end, &far_end, far_namespace));
    for (end, interface) in &ends {
        end.host.configured().interfaces.push(interface.clone());
        end.host.assign_link_local(interface);
        let up = LinkUnspec::new_with_index(interface.index).up().build();
        let what = format_args!("take {} up", end.interface);
        end.host.request(what, |netlink| netlink.set_link(up));
    }
    // Each waits for the other one.
    for (end, _) in &ends {
        end.host.set_up(end.interface);
    }
}

//! The networks most tests want, each one call.
//!
//! ```text
//! two_hosts     near eth0 ──────────────── eth0 far        near 192.0.2.1  2001:db8::1
//! wired         near eth0 ──── Wire ────── eth0 far        far  192.0.2.2  2001:db8::2
//! with_router   near eth0 ── eth0 router eth1 ── eth0 far  far  198.51.100.2  2001:db8:1::2
//! ```
//!
//! Neighbours are static, so that the first packet of a test is like every other.

use std::net::IpAddr;

use super::{Families, Family, Host};
use crate::wire::Wire;

const NEAR: [&str; 2] = ["192.0.2.1/24", "2001:db8::1/64"];
const FAR: [&str; 2] = ["192.0.2.2/24", "2001:db8::2/64"];
const ROUTER: [[&str; 2]; 2] =
    [["192.0.2.254/24", "2001:db8::fe/64"], ["198.51.100.254/24", "2001:db8:1::fe/64"]];
const BEHIND: [&str; 2] = ["198.51.100.2/24", "2001:db8:1::2/64"];

/// Two hosts on one link.
#[derive(Debug)]
pub struct TwoHosts {
    /// Where senders usually are.
    pub near: Host,
    /// Where reflectors usually are.
    pub far: Host,
}

/// Two hosts joined by the test's own link.
#[derive(Debug)]
pub struct Wired {
    /// Where senders usually are.
    pub near: Host,
    /// Where reflectors usually are.
    pub far: Host,
    /// The link between the two `eth0`.
    pub wire: Wire,
}

/// Two hosts with a router between them.
#[derive(Debug)]
pub struct Routed {
    /// Where senders usually are.
    pub near: Host,
    /// Forwards between its `eth0` (near) and `eth1` (far).
    pub router: Host,
    /// Where reflectors usually are.
    pub far: Host,
}

/// Two hosts on one link, `eth0` to `eth0`.
#[must_use]
#[track_caller]
pub fn two_hosts(families: Families) -> TwoHosts {
    let [near, far] = ["near", "far"].map(|name| Host::new(name, families));
    near.join("eth0", &far, "eth0");
    address_both(&near, &far, families);
    TwoHosts { near, far }
}

/// Two hosts joined by a [`Wire`], `eth0` to `eth0`.
#[must_use]
#[track_caller]
pub fn wired(families: Families) -> Wired {
    let [near, far] = ["near", "far"].map(|name| Host::new(name, families));
    let wire = Wire::join(&near, "eth0", &far, "eth0");
    address_both(&near, &far, families);
    Wired { near, far, wire }
}

/// Three namespaces: the router's link to `far` has the given MTU in octets at both its ends, so
/// that the router answers what does not fit with Fragmentation Needed or Packet Too Big.
#[must_use]
#[track_caller]
pub fn with_router(families: Families, mtu: u32) -> Routed {
    let [near, router, far] = ["near", "router", "far"].map(|name| Host::new(name, families));
    near.join("eth0", &router, "eth0");
    router.join("eth1", &far, "eth0");
    router.set_mtu("eth1", mtu);
    far.set_mtu("eth0", mtu);
    for family in families.each() {
        let which = *family as usize;
        near.add_address("eth0", NEAR[which]);
        router.add_address("eth0", ROUTER[0][which]);
        router.add_address("eth1", ROUTER[1][which]);
        far.add_address("eth0", BEHIND[which]);
        let default = ["0.0.0.0/0", "::/0"][which];
        let [near_side, far_side] = ROUTER.map(|addresses| bare(addresses[which]));
        near.add_route(default, Some(near_side), "eth0");
        far.add_route(default, Some(far_side), "eth0");
        near.set_neighbour("eth0", near_side, router.mac("eth0"));
        far.set_neighbour("eth0", far_side, router.mac("eth1"));
        router.set_neighbour("eth0", near.address(*family), near.mac("eth0"));
        router.set_neighbour("eth1", far.address(*family), far.mac("eth0"));
        router.set_sysctl(["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"][which], "1");
    }
    Routed { near, router, far }
}

fn address_both(near: &Host, far: &Host, families: Families) {
    for family in families.each() {
        near.add_address("eth0", NEAR[*family as usize]);
        far.add_address("eth0", FAR[*family as usize]);
        near.set_neighbour("eth0", far.address(*family), far.mac("eth0"));
        far.set_neighbour("eth0", near.address(*family), near.mac("eth0"));
        if *family == Family::V6 {
            near.set_neighbour("eth0", far.link_local("eth0").into(), far.mac("eth0"));
            far.set_neighbour("eth0", near.link_local("eth0").into(), near.mac("eth0"));
        }
    }
}

/// The address without its prefix length.
fn bare(prefix: &str) -> IpAddr {
    let address = prefix.split('/').next().and_then(|address| address.parse().ok());
    address.expect("the plan above holds addresses")
}

//! Settings that make the kernel drop what looped probes and segment lists bring, without a word.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    ACCEPT_LOCAL_ALL, Hindrance, IPV6_FORWARDING_ALL, ROUTE_LOCALNET_ALL, ReversePathFilter,
    SEG6_ENABLED_ALL, Sysctl, reverse_path_filter,
};
use crate::error::NetError;
use crate::interface;

/// What is to arrive on an interface, and to get past the kernel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Arrival {
    /// IPv4 packets from an address of this host: probes that come back to their sender.
    ///
    /// For IPv6 there is no such check.
    OwnSource(Ipv4Addr),
    /// IPv4 packets to 127/8: probes that vary their destination. `::1` is dropped whatever is set.
    LoopbackDestination,
    /// IPv6 packets to an address of this host that still carry a Segment Routing Header.
    RoutingHeader,
    /// IPv6 packets to a SID of this host, which sends them on.
    Segment,
}

/// The settings of this network namespace under which the kernel would drop what is to arrive on
/// `interface`; empty when none does. Needs no right.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or [`NetError::File`] when a setting cannot be read.
pub fn arrival_hindrances(interface: &str, arrival: Arrival) -> Result<Vec<Hindrance>, NetError> {
    let link = interface::by_name(interface)?;
    let ipv4 = |key| Sysctl::ipv4_interface(interface, key);
    let ipv6 = |key| Sysctl::ipv6_interface(interface, key);
    let mut hindrances = Vec::new();
    match arrival {
        Arrival::OwnSource(address) => {
            hindrances.extend(off_everywhere(ACCEPT_LOCAL_ALL, ipv4("accept_local"))?);
            let on_interface = link.addresses.iter().any(|own| own.address == IpAddr::V4(address));
            if !on_interface && reverse_path_filter(interface)? == ReversePathFilter::Strict {
                // The larger number wins, and 2 is the milder filter.
                let setting = ipv4("rp_filter");
                let value = setting.read()?.unwrap_or(0);
                hindrances.push(Hindrance { setting, value, wanted: 2 });
            }
        }
        Arrival::LoopbackDestination => {
            hindrances.extend(off_everywhere(ROUTE_LOCALNET_ALL, ipv4("route_localnet"))?);
        }
        Arrival::RoutingHeader => {
            for setting in [SEG6_ENABLED_ALL, ipv6("seg6_enabled")] {
                hindrances.extend(off(setting)?);
            }
        }
        Arrival::Segment => hindrances.extend(off(IPV6_FORWARDING_ALL)?),
    }
    Ok(hindrances)
}

/// A setting that has to be on, if it is not. A kernel without it cannot do what it is for.
fn off(setting: Sysctl) -> Result<Option<Hindrance>, NetError> {
    let value = setting.read()?.unwrap_or(0);
    Ok((value == 0).then_some(Hindrance { setting, value, wanted: 1 }))
}

/// A setting that has to be on for all interfaces or for one, if it is on for neither.
fn off_everywhere(all: Sysctl, own: Sysctl) -> Result<Option<Hindrance>, NetError> {
    if off(all)?.is_none() { Ok(None) } else { off(own) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_does_not_exist_is_named() {
        let refused = arrival_hindrances("no-such-one", Arrival::RoutingHeader);
        assert!(matches!(refused, Err(NetError::NoSuchInterface { .. })));
    }

    #[test]
    fn what_hinders_has_a_value_that_is_not_wanted() {
        for arrival in [
            Arrival::OwnSource(Ipv4Addr::new(192, 0, 2, 77)),
            Arrival::LoopbackDestination,
            Arrival::RoutingHeader,
            Arrival::Segment,
        ] {
            for hindrance in arrival_hindrances("lo", arrival).unwrap() {
                assert_ne!(hindrance.value, hindrance.wanted);
                assert!(hindrance.mending_line().starts_with("sudo sysctl -w net.ipv"));
            }
        }
    }
}

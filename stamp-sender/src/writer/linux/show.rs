//! A change as the line of `ip` that does the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use stamp_net::steered::{Maker, Onto, Selector, SteeredHop, SteeredRoute, SteeringRule};

use super::plan::Step;

/// Names of interfaces by their number.
pub(super) type Links = BTreeMap<u32, String>;

/// The line.
pub(super) fn line(step: &Step, maker: Maker, links: &Links) -> String {
    match step {
        Step::PutRule(it) => rule("add", it, maker),
        Step::TakeRule(it) => rule("del", it, maker),
        Step::PutRoute(it) => route("replace", it, maker) + &hops(it, links),
        Step::TakeRoute(it) => route("del", it, maker),
    }
}

const fn family(ipv6: bool) -> &'static str {
    if ipv6 { "-6" } else { "-4" }
}

fn rule(action: &str, rule: &SteeringRule, maker: Maker) -> String {
    let family = family(rule.ipv6);
    let selector = match rule.selector {
        Selector::All | Selector::Other => String::new(),
        Selector::Mark(mark) => format!(" fwmark {mark:#x}"),
        Selector::Dscp(dscp) if rule.is_of_old_kernels() => {
            format!(" dsfield {:#04x}", dscp.value() << 2)
        }
        // Of iproute2 since 6.13, as the selector itself is of Linux.
        Selector::Dscp(dscp) => format!(" dscp {}", dscp.value()),
    };
    let SteeringRule { priority, table, .. } = rule;
    let Maker(maker) = maker;
    format!(
        "ip {family} rule {action} priority {priority}{selector} table {table} protocol {maker}"
    )
}

fn route(action: &str, route: &SteeredRoute, maker: Maker) -> String {
    let SteeredRoute { prefix, table, .. } = route;
    let family = family(prefix.addr().is_ipv6());
    format!("ip {family} route {action} {prefix} table {table} proto {}", maker.0)
}

fn hops(route: &SteeredRoute, links: &Links) -> String {
    let of_ipv6 = route.prefix.addr().is_ipv6();
    let mut text = String::new();
    for hop in &route.hops {
        let alone = route.hops.len() == 1;
        let (before, after) = match alone {
            true => ("", String::new()),
            false => (" nexthop", format!(" weight {}", hop.weight)),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{before} {}{after}", self::hop(hop, of_ipv6, links));
    }
    text
}

fn hop(hop: &SteeredHop, of_ipv6: bool, links: &Links) -> String {
    let joined = |words: Vec<String>, between| words.join(between);
    let onto = match &hop.onto {
        Onto::Sids { reduced, sids } => {
            let mode = if *reduced { "encap.red" } else { "encap" };
            let sids = joined(sids.iter().map(ToString::to_string).collect(), ",");
            format!("encap seg6 mode {mode} segs {sids}")
        }
        Onto::Labels(labels) => {
            let labels = labels.iter().map(|label| label.value().to_string());
            format!("encap mpls {}", joined(labels.collect(), "/"))
        }
    };
    let other_family = match hop.gateway {
        IpAddr::V6(_) if !of_ipv6 => "inet6 ",
        _ => "",
    };
    let link =
        links.get(&hop.interface).map_or_else(|| format!("if{}", hop.interface), Clone::clone);
    format!("{onto} via {other_family}{} dev {link}", hop.gateway)
}

#[cfg(test)]
mod tests {
    use stamp_proto::ip::Dscp;
    use stamp_proto::sr::mpls::Label;

    use super::*;

    fn shown(step: &Step) -> String {
        line(step, Maker(84), &[(7, "eth0".to_owned())].into())
    }

    fn hop(onto: Onto, gateway: &str, weight: u16) -> SteeredHop {
        SteeredHop { onto, gateway: gateway.parse().unwrap(), interface: 7, weight }
    }

    fn sids(reduced: bool) -> Onto {
        let sids = ["fc00:a::1", "fc00:b::1"].map(|sid| sid.parse().unwrap());
        Onto::Sids { reduced, sids: sids.into() }
    }

    #[test]
    fn routes_are_what_ip_takes() {
        let route = |prefix: &str, hops| SteeredRoute {
            table: 8335,
            prefix: prefix.parse().unwrap(),
            hops,
        };
        let one = route("2001:db8:9::/48", vec![hop(sids(false), "fe80::1", 1)]);
        let several = vec![hop(sids(true), "fd00::2", 3), hop(sids(false), "fd00::3", 1)];
        let several = route("198.51.100.0/24", several);
        let labels = Onto::Labels([16_005, 16_011].map(|it| Label::new(it).unwrap()).into());
        let labels = route("198.51.100.0/24", vec![hop(labels, "192.0.2.2", 1)]);
        for (step, expected) in [
            (
                Step::PutRoute(one.clone()),
                "ip -6 route replace 2001:db8:9::/48 table 8335 proto 84 encap seg6 mode encap segs \
                 fc00:a::1,fc00:b::1 via fe80::1 dev eth0",
            ),
            (Step::TakeRoute(one), "ip -6 route del 2001:db8:9::/48 table 8335 proto 84"),
            (
                Step::PutRoute(several),
                "ip -4 route replace 198.51.100.0/24 table 8335 proto 84 nexthop encap seg6 mode \
                 encap.red segs fc00:a::1,fc00:b::1 via inet6 fd00::2 dev eth0 weight 3 nexthop encap \
                 seg6 mode encap segs fc00:a::1,fc00:b::1 via inet6 fd00::3 dev eth0 weight 1",
            ),
            (
                Step::PutRoute(labels),
                "ip -4 route replace 198.51.100.0/24 table 8335 proto 84 encap mpls 16005/16011 via \
                 192.0.2.2 dev eth0",
            ),
        ] {
            assert_eq!(shown(&step), expected);
        }
    }

    #[test]
    fn rules_are_what_ip_takes() {
        let af41 = Selector::Dscp(Dscp::from_name("AF41").unwrap());
        for (selector, ipv6, expected) in [
            (af41, true, "ip -6 rule add priority 8301 dsfield 0x88 table 8335 protocol 84"),
            (af41, false, "ip -4 rule add priority 8301 dscp 34 table 8335 protocol 84"),
            (Selector::All, true, "ip -6 rule add priority 8301 table 8335 protocol 84"),
            (
                Selector::Mark(0x5354_4d50),
                false,
                "ip -4 rule add priority 8301 fwmark 0x53544d50 table 8335 protocol 84",
            ),
        ] {
            let rule = SteeringRule { priority: 8301, ipv6, selector, table: 8335 };
            assert_eq!(shown(&Step::PutRule(rule)), expected);
            assert_eq!(shown(&Step::TakeRule(rule)), expected.replace(" add ", " del "));
        }
    }
}

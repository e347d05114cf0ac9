//! Which routes and rules the chosen paths are.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use stamp_net::steered::{Onto, Selector, SteeredHop, SteeredRoute, SteeringRule};
use stamp_proto::ip::Dscp;

use super::plan::{State, Step};
use super::{OWN_QUESTIONS, Policies};
use crate::writer::config::Linux;
use crate::writer::table::{ChosenPath, List, Said};

/// What is to be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wanted {
    pub(super) state: State,
    /// Whose each route is.
    pub(super) policies: Policies,
    /// Policies of which something cannot be there, with the reason.
    pub(super) refused: Vec<(String, String)>,
}

impl Wanted {
    /// The policy that a step is of.
    pub(super) fn whose(&self, step: &Step) -> Option<String> {
        let (Step::PutRoute(route) | Step::TakeRoute(route)) = step else { return None };
        self.policies.get(&(route.table, route.prefix)).cloned()
    }

    fn refuse(&mut self, policy: &str, reason: impl Into<String>) {
        let refused = (policy.to_owned(), reason.into());
        // What is so for both families is told once.
        if !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
    }
}

/// What the kernel is asked.
pub(super) trait Answers {
    /// How packets of a list leave: the neighbour that takes them, and the number of the interface. Where
    /// there are several, one of the family of the packets.
    fn way_out(&self, list: &List, of_ipv6: bool) -> Result<(IpAddr, u32), String>;
    /// Rules may be about any DSCP of either family.
    fn compares_dscp(&self) -> bool;
}

/// A route at most; the kernel has an octet for the weight less one.
const HEAVIEST: u32 = 256;

/// What these paths are on this host.
pub(super) fn of(paths: &[ChosenPath], config: &Linux, answers: &impl Answers) -> Wanted {
    let mut wanted = Wanted::default();
    let outer = outer_destinations(paths);
    for path in paths.iter().filter(|path| !path.said.lists.is_empty()) {
        let mut hops_of = [None, None];
        for prefix in prefixes(&path.said) {
            let is_ipv6 = prefix.addr().is_ipv6();
            let hops = hops_of[usize::from(is_ipv6)]
                .get_or_insert_with(|| hops(&mut wanted, path, config, (answers, is_ipv6)));
            if hops.is_empty() {
                continue;
            }
            if let Some(sid) = outer.iter().find(|sid| prefix.contains(&IpAddr::V6(**sid))) {
                let reason = format!("packets to the segment {sid} would be of {prefix} again");
                wanted.refuse(&path.policy, reason);
                continue;
            }
            if is_ipv6 && hops.iter().any(|hop| hop.gateway.is_ipv4()) {
                let reason = format!("{prefix} is of IPv6, and a next hop of IPv4");
                wanted.refuse(&path.policy, reason);
                continue;
            }
            for dscp in marks(&path.said) {
                add(&mut wanted, (path, config, answers), (prefix, dscp), hops);
            }
        }
    }
    for ipv6 in [false, true] {
        let priority = config.priority;
        if wanted.state.rules.iter().any(|rule| rule.ipv6 == ipv6) {
            let selector = Selector::Mark(OWN_QUESTIONS);
            let rule = SteeringRule { priority, ipv6, selector, table: MAIN };
            wanted.state.rules.insert(rule);
        }
    }
    wanted
}

/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;

/// Puts the route of one kind of packets there, and the rule that leads to it.
fn add(
    wanted: &mut Wanted,
    (path, config, answers): (&ChosenPath, &Linux, &impl Answers),
    (prefix, dscp): (IpNet, Option<Dscp>),
    hops: &[SteeredHop],
) {
    let (table, selector, priority) = match dscp {
        None => (config.table, Selector::All, config.priority + 2),
        Some(dscp) => {
            let table = config.table + 1 + u32::from(dscp.value());
            (table, Selector::Dscp(dscp), config.priority + 1)
        }
    };
    let ipv6 = prefix.addr().is_ipv6();
    let rule = SteeringRule { priority, ipv6, selector, table };
    if !rule.is_of_old_kernels() && !answers.compares_dscp() {
        let reason = "this kernel has no rule for such a DSCP: Linux 6.13 has";
        return wanted.refuse(&path.policy, reason);
    }
    let key = (table, prefix);
    if let Some(other) = wanted.policies.get(&key) {
        let reason = format!("{prefix} is of policy {other} already");
        return wanted.refuse(&path.policy, reason);
    }
    wanted.policies.insert(key, path.policy.clone());
    wanted.state.rules.insert(rule);
    let route = SteeredRoute { table, prefix, hops: hops.to_vec() };
    wanted.state.routes.insert(route);
}

/// Where the headers that are put on packets lead.
fn outer_destinations(paths: &[ChosenPath]) -> Vec<Ipv6Addr> {
    let lists = paths.iter().flat_map(|path| &path.said.lists);
    lists.filter_map(|list| list.sids.as_ref()?.first().copied()).collect()
}

fn prefixes(said: &Said) -> Vec<IpNet> {
    match said.traffic.prefixes.as_slice() {
        [] => vec![said.endpoint.into()],
        prefixes => prefixes.iter().map(IpNet::trunc).collect(),
    }
}

fn marks(said: &Said) -> Vec<Option<Dscp>> {
    match said.traffic.dscp.as_slice() {
        [] => vec![None],
        marks => marks.iter().copied().map(Some).collect(),
    }
}

/// One for each list that can be used; the others carry the traffic of one that cannot.
fn hops(
    wanted: &mut Wanted,
    path: &ChosenPath,
    config: &Linux,
    (answers, of_ipv6): (&impl Answers, bool),
) -> Vec<SteeredHop> {
    let mut hops = Vec::new();
    for list in &path.said.lists {
        let onto = match (&list.labels, &list.sids) {
            (Some(labels), None) if !labels.is_empty() => Onto::Labels(labels.clone()),
            (None, Some(sids)) if !sids.is_empty() => {
                Onto::Sids { reduced: config.reduced, sids: sids.clone() }
            }
            _ => {
                wanted.refuse(&path.policy, format!("{} has neither labels nor SIDs", list.name));
                continue;
            }
        };
        match answers.way_out(list, of_ipv6) {
            Ok((gateway, interface)) => {
                hops.push((SteeredHop { onto, gateway, interface, weight: 1 }, list.weight));
            }
            Err(reason) => wanted.refuse(&path.policy, format!("{}: {reason}", list.name)),
        }
    }
    weighted(hops)
}

/// With weights that the kernel has room for, and in an order of their own.
fn weighted(hops: Vec<(SteeredHop, u32)>) -> Vec<SteeredHop> {
    let most = hops.iter().map(|(_, weight)| *weight).max().unwrap_or(1).max(1);
    let alone = hops.len() == 1;
    let share = |weight: u32| {
        let scaled = u64::from(weight) * u64::from(HEAVIEST) / u64::from(most);
        let share = if most > HEAVIEST { scaled } else { weight.into() };
        u16::try_from(share.max(1)).unwrap_or(u16::MAX)
    };
    let weight = |weight| if alone { 1 } else { share(weight) };
    let mut hops: Vec<_> =
        hops.into_iter().map(|(hop, w)| SteeredHop { weight: weight(w), ..hop }).collect();
    hops.sort();
    hops
}

#[cfg(test)]
mod tests;

//! The host itself.

use std::net::IpAddr;

use stamp_net::route::{self, RouteQuery};
use stamp_net::steered::{SteeredRoute, SteeringRule};
use stamp_net::{NetError, interface};
use stamp_path::{Topology, segments};

use super::plan::{State, Step};
use super::show::Links;
use super::wanted::Answers;
use super::{OWN_QUESTIONS, Policies};
use crate::exit::Failure;
use crate::names;
use crate::writer::config::Linux;
use crate::writer::table::List;

/// What is asked and told.
pub(super) struct Kernel {
    config: Linux,
    topology: Option<Topology>,
    links: Links,
    /// Whether it compares all bits of a DSCP; not known before it may be asked.
    compares_dscp: Option<bool>,
    guessed_dscp: bool,
    policies: Policies,
}

impl Kernel {
    pub(super) fn new(config: &Linux) -> Result<Self, Failure> {
        let topology = config.topology.as_deref().map(names::read).transpose()?;
        Ok(Self {
            config: config.clone(),
            topology,
            links: Links::new(),
            compares_dscp: None,
            guessed_dscp: false,
            policies: Policies::new(),
        })
    }

    /// Answers the questions of `ask`, as things are now.
    pub(super) fn answering<T>(&mut self, ask: impl FnOnce(&Self) -> T) -> T {
        let links = interface::list().unwrap_or_default().into_iter();
        self.links = links.map(|link| (link.index, link.name)).collect();
        if self.compares_dscp.is_none() {
            self.compares_dscp = SteeringRule::kernel_compares_dscp().ok();
            // Whoever has no right to ask goes by the number.
            self.guessed_dscp = is_since_6_13();
        }
        ask(self)
    }

    /// What is there of this writer.
    pub(super) fn state(&self) -> Result<State, NetError> {
        let maker = self.config.protocol;
        let routes = SteeredRoute::all(maker)?.into_iter().map(|mut route| {
            route.hops.sort();
            route
        });
        Ok(State {
            routes: routes.collect(),
            rules: SteeringRule::all(maker)?.into_iter().collect(),
        })
    }

    pub(super) fn take(&self, step: &Step) -> Result<(), NetError> {
        let maker = self.config.protocol;
        match step {
            Step::PutRule(rule) => rule.put(maker),
            Step::PutRoute(route) => route.put(maker),
            Step::TakeRule(rule) => rule.take(maker),
            Step::TakeRoute(route) => route.take(maker),
        }
    }

    pub(super) const fn links(&self) -> &Links {
        &self.links
    }

    /// Whose routes there are from now on.
    pub(super) fn remember(&mut self, policies: Policies) {
        self.policies = policies;
    }

    /// The policy that a step was of.
    pub(super) fn was_of(&self, step: &Step) -> Option<String> {
        let (Step::PutRoute(route) | Step::TakeRoute(route)) = step else { return None };
        self.policies.get(&(route.table, route.prefix)).cloned()
    }

    /// Where the first segment of a list is, which the routing table knows the way to.
    fn first(&self, list: &List, of_ipv6: bool) -> Result<IpAddr, String> {
        if let Some(sid) = list.sids.as_ref().and_then(|sids| sids.first()) {
            return Ok((*sid).into());
        }
        let segment = list.segments.first().map_or("", String::as_str);
        if let Ok(address) = segment.parse() {
            return Ok(address);
        }
        let Some(topology) = &self.topology else {
            return Err(
                "no next_hop is told, and no topology says where its first segment is".into()
            );
        };
        let node = segments::node(topology, segment).map_err(|error| error.to_string())?;
        let addresses = &topology[node].loopbacks;
        let of_family = addresses.iter().find(|address| address.is_ipv6() == of_ipv6);
        of_family
            .or(addresses.first())
            .copied()
            .ok_or_else(|| format!("node {segment} has no loopback address"))
    }
}

impl Answers for Kernel {
    fn way_out(&self, list: &List, of_ipv6: bool) -> Result<(IpAddr, u32), String> {
        let number = |name: &String| interface::index_of(name).map_err(|error| error.to_string());
        let interface = list.interface.as_ref().map(number).transpose()?;
        if let (Some(gateway), Some(interface)) = (list.next_hop, interface) {
            return Ok((gateway, interface));
        }
        let to = list.next_hop.map_or_else(|| self.first(list, of_ipv6), Ok)?;
        let query = RouteQuery { to, from: None, interface, fwmark: Some(OWN_QUESTIONS) };
        let route = route::lookup(&query).map_err(|error| error.to_string())?;
        if route.local {
            return Err(format!("{to} is an address of this host"));
        }
        Ok((list.next_hop.or(route.gateway).unwrap_or(to), route.interface))
    }

    fn compares_dscp(&self) -> bool {
        self.compares_dscp.unwrap_or(self.guessed_dscp)
    }
}

fn is_since_6_13() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(13))
}

//! Labels that this kernel itself switches, where it can.

use std::net::IpAddr;

use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::{MplsLabel, RouteAttribute};

use super::Host;

/// Labels below this number can have a route: more than any test names, and the kernel keeps a table
/// of so many.
const LABELS: &str = "100000";

impl Host {
    /// Switches labels that arrive on these interfaces by the routes of [`Self::add_label_route`].
    #[track_caller]
    pub fn switch_labels(&self, interfaces: &[&str]) {
        self.set_sysctl("net.mpls.platform_labels", LABELS);
        for interface in interfaces {
            self.set_sysctl(&format!("net.mpls.conf.{interface}.input"), "1");
        }
    }

    /// Puts other labels, top first, in the place of `label`, or none, and hands the packet to a
    /// neighbour; without one the interface itself takes what is left.
    #[track_caller]
    pub fn add_label_route(
        &self,
        label: u32,
        replaced_by: &[u32],
        via: Option<IpAddr>,
        interface: &str,
    ) {
        let mut route = RouteMessageBuilder::<MplsLabel>::new()
            .label(entry(label, true))
            .output_interface(self.index(interface));
        if let Some(via) = via {
            route = route.via(via);
        }
        if let Some((bottom, above)) = replaced_by.split_last() {
            let above = above.iter().map(|label| entry(*label, false));
            let labels = above.chain([entry(*bottom, true)]).collect();
            route.get_mut().attributes.push(RouteAttribute::NewDestination(labels));
        }
        let route = route.build();
        let what = format_args!("add a route for label {label}");
        self.request(what, |netlink| netlink.add_route(route));
    }
}

fn entry(label: u32, bottom_of_stack: bool) -> MplsLabel {
    MplsLabel { label, traffic_class: 0, bottom_of_stack, ttl: 0 }
}

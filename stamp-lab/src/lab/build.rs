//! Raising the network: from the plan to the kernel.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use ipnet::IpNet;
use stamp_net::packet::{EVERY_PROTOCOL, Offload, PacketSocket};
use stamp_path::Topology;
use stamp_path::topology::NodeId;

use super::{Node, Options};
use crate::LabError;
use crate::engine::Wire;
use crate::netlink::{MAIN_TABLE, Netlink, SID_TABLE, VethEnd};
use crate::plan::{EndPlan, LOOPBACK_INDEX, LinkPlan, Plan};
use crate::switch::{INLET, INLET_PEER, LabelTable, Switch};
use crate::sysctl;

/// MTU of the links between nodes, in octets.
const LINK_MTU: u32 = 1500;
/// MTU where the lab itself is one end: it takes whatever a node may send.
const LARGEST_MTU: u32 = 65_535;

/// What is being built, and where.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) topology: &'a Topology,
    pub(super) plan: &'a Plan,
    pub(super) nodes: &'a [Node],
    pub(super) middle: &'a Node,
}

impl Site<'_> {
    /// Builds everything; the wires and switches are to be set to work.
    pub(super) fn raise(&self, options: Options) -> Result<(Vec<Wire>, Vec<Switch>), LabError> {
        let switches = self.raise_switches()?;
        let mut wires = Vec::new();
        for link in &self.plan.links {
            if options.wire_all || link.is_impaired() {
                wires.push(self.raise_wired(link)?);
            } else {
                self.raise_bare(link)?;
            }
        }
        self.middle.settle(wires.iter().flat_map(Wire::interfaces))?;
        for (node, id) in self.nodes.iter().zip(self.topology.ids()) {
            self.address(node, id)?;
        }
        for (node, id) in self.nodes.iter().zip(self.topology.ids()) {
            self.route(node, id)?;
        }
        Ok((wires, switches))
    }

    /// Builds a bare link once more, with a wire in it.
    pub(super) fn rebuild_wired(&self, link: &LinkPlan) -> Result<Wire, LabError> {
        let [first, second] = &link.ends;
        let near = &self.nodes[first.node.position()];
        near.step(format_args!("remove {}", link.interface), |netlink| {
            netlink.remove_link(first.index)
        })?;
        let wire = self.raise_wired(link)?;
        self.middle.settle(wire.interfaces())?;
        for id in [first.node, second.node] {
            // What led over the old interface went away with it.
            let node = &self.nodes[id.position()];
            self.address(node, id)?;
            self.route(node, id)?;
        }
        Ok(wire)
    }

    fn raise_bare(&self, link: &LinkPlan) -> Result<(), LabError> {
        let [first, second] = &link.ends;
        let [near, far] = [first, second].map(|end| &self.nodes[end.node.position()]);
        let [near_end, far_end] = [first, second].map(|end| outer(link, end));
        near.join(&near_end, far, &far_end)?;
        near.set_up(first.index)?;
        far.set_up(second.index)
    }

    fn raise_wired(&self, link: &LinkPlan) -> Result<Wire, LabError> {
        for (end, middle) in link.ends.iter().zip(link.middle) {
            let node = &self.nodes[end.node.position()];
            let inner_name = format!("w{middle}");
            let [.., high, low, last] = end.mac;
            let inner = VethEnd {
                name: &inner_name,
                index: middle,
                mac: [0x02, 0, 0xfe, high, low, last],
                mtu: LARGEST_MTU,
            };
            node.join(&outer(link, end), self.middle, &inner)?;
            self.middle.set_up(middle)?;
            node.set_up(end.index)?;
        }
        let open =
            || link.middle.map(|index| PacketSocket::open(index, EVERY_PROTOCOL, Offload::Carried));
        let [first, second] = self.middle.inside(open)?;
        Ok(Wire::new(link.link, [first?, second?], link.middle, link.impairments.clone()))
    }

    /// Where labels mean something, the node has an inlet for packets that have lost theirs.
    fn raise_switches(&self) -> Result<Vec<Switch>, LabError> {
        let mut switches = Vec::new();
        for (node, id) in self.nodes.iter().zip(self.topology.ids()) {
            let table = LabelTable::of(self.topology, self.plan, id);
            if table.is_empty() {
                continue;
            }
            let [inlet, peer] = [INLET, INLET_PEER].map(|(name, index, mac)| VethEnd {
                name,
                index,
                mac,
                mtu: LARGEST_MTU,
            });
            node.join(&inlet, node, &peer)?;
            for index in [inlet.index, peer.index] {
                node.set_up(index)?;
            }
            node.settle([inlet.index, peer.index])?;
            switches.push(node.inside(|| Switch::open(id, table))??);
        }
        Ok(switches)
    }

    /// Addresses and neighbours; all are in use on return.
    fn address(&self, node: &Node, id: NodeId) -> Result<(), LabError> {
        let plan = &self.plan.nodes[id.position()];
        let own = plan.loopbacks.iter().map(|address| (LOOPBACK_INDEX, IpNet::from(*address)));
        let on_links = self.plan.ends_of(id).flat_map(|(near, _)| {
            [(near.index, IpNet::from(near.ipv4)), (near.index, IpNet::from(near.ipv6))]
        });
        let addresses: Vec<(u32, IpNet)> = own.chain(on_links).collect();
        let listening = node.listening()?;
        for (index, address) in &addresses {
            node.step(format_args!("add {address}"), |netlink| {
                netlink.add_address(*index, *address)
            })?;
        }
        for (near, far) in self.plan.ends_of(id) {
            for of in [IpAddr::from(far.ipv4.addr()), far.ipv6.addr().into()] {
                node.step(format_args!("set the neighbour {of}"), |netlink| {
                    netlink.set_neighbour(near.index, of, far.mac)
                })?;
            }
        }
        node.settle(self.plan.ends_of(id).map(|(near, _)| near.index))?;
        for (_, address) in addresses {
            if let IpAddr::V6(address) = address.addr() {
                listening
                    .wait_until_local(address)
                    .map_err(|error| node.failed(format_args!("use {address}"), error))?;
            }
        }
        Ok(())
    }

    /// Routes and SIDs. What comes out of an End.DT6 is looked up in a table of its own, which holds
    /// the node's addresses beside its routes: without VRF devices the kernel looks into one table.
    fn route(&self, node: &Node, id: NodeId) -> Result<(), LabError> {
        let plan = &self.plan.nodes[id.position()];
        for route in &plan.routes {
            let tables: &[u32] = match route.prefix {
                IpNet::V4(_) => &[MAIN_TABLE],
                IpNet::V6(_) => &[MAIN_TABLE, SID_TABLE],
            };
            for table in tables {
                node.step(format_args!("add a route to {}", route.prefix), |netlink| {
                    netlink.add_route(route, *table)
                })?;
            }
        }
        let links: Vec<&EndPlan> = self.plan.ends_of(id).map(|(near, _)| near).collect();
        for near in &links {
            let (prefix, index) = (near.ipv6.trunc(), near.index);
            node.step(format_args!("add {prefix} behind End.DT6"), |netlink| {
                netlink.add_on_link(prefix, index, SID_TABLE)
            })?;
        }
        let on_links = links.iter().map(|near| IpAddr::from(near.ipv6.addr()));
        for address in plan.loopbacks.iter().copied().chain(on_links) {
            if let IpAddr::V6(address) = address {
                node.step(format_args!("add {address} behind End.DT6"), |netlink| {
                    netlink.add_local(address, SID_TABLE)
                })?;
            }
        }
        for segment in &plan.segments {
            node.step(format_args!("add the SID {}", segment.prefix), |netlink| {
                netlink.add_segment(segment)
            })?;
        }
        Ok(())
    }
}

fn outer<'a>(link: &'a LinkPlan, end: &EndPlan) -> VethEnd<'a> {
    VethEnd { name: &link.interface, index: end.index, mac: end.mac, mtu: LINK_MTU }
}

impl Node {
    /// Makes the namespace of the calling thread that of a router.
    pub(super) fn router() -> io::Result<Netlink> {
        sysctl::make_router()?;
        let netlink = Netlink::open()?;
        netlink.set_up(LOOPBACK_INDEX)?;
        Ok(netlink)
    }

    /// Makes the namespace of the calling thread one that only passes frames on.
    pub(super) fn silent() -> io::Result<Netlink> {
        sysctl::make_silent()?;
        Netlink::open()
    }

    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        let node = || self.name.clone();
        self.namespace.run(work).map_err(|source| LabError::Namespace { node: node(), source })
    }

    fn join(&self, end: &VethEnd<'_>, far: &Self, peer: &VethEnd<'_>) -> Result<(), LabError> {
        self.step(format_args!("link {} to {}", end.name, far.name), |netlink| {
            netlink.add_veth(end, peer, far.namespace.as_fd())
        })
    }

    fn set_up(&self, index: u32) -> Result<(), LabError> {
        self.step(format_args!("take interface {index} up"), |netlink| netlink.set_up(index))
    }

    /// Waits until interfaces carry traffic: before that, what is sent over one is dropped.
    fn settle(&self, indexes: impl IntoIterator<Item = u32>) -> Result<(), LabError> {
        let listening = self.listening()?;
        for index in indexes {
            listening
                .wait_until_operational(index)
                .map_err(|error| self.failed(format_args!("use interface {index}"), error))?;
        }
        Ok(())
    }

    fn listening(&self) -> Result<Netlink, LabError> {
        let opened = self.inside(Netlink::open_listening)?;
        opened.map_err(|error| self.failed(format_args!("listen to the kernel"), error))
    }

    fn step(
        &self,
        what: fmt::Arguments<'_>,
        ask: impl FnOnce(&Netlink) -> io::Result<()>,
    ) -> Result<(), LabError> {
        ask(&self.netlink).map_err(|source| self.failed(what, source))
    }

    fn failed(&self, what: fmt::Arguments<'_>, source: io::Error) -> LabError {
        LabError::Configure { node: self.name.clone(), step: what.to_string(), source }
    }
}

//! A running lab.

mod build;

use std::io;

use stamp_path::Topology;
use stamp_path::topology::{LinkId, NodeId, Side};

use crate::LabError;
use crate::engine::Engine;
use crate::impairment::Impairment;
use crate::lane::{Counts, Held};
use crate::namespace::Namespace;
use crate::netlink::Netlink;
use crate::plan::Plan;
use crate::switch::SwitchCounts;

/// How a lab is built.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Options {
    /// Every link passes through the lab's own hands from the start. Otherwise only those do that
    /// delay or lose something, and another is taken out of service for a moment when it shall.
    pub wire_all: bool,
}

/// A network of namespaces. It is gone when this is dropped or its process ends, however that
/// happens; only programs that run in a namespace keep that one.
#[derive(Debug)]
pub struct Lab {
    topology: Topology,
    plan: Plan,
    nodes: Vec<Node>,
    /// Where the halves of wires meet.
    middle: Node,
    engine: Engine,
}

/// A namespace and a routing socket in it.
#[derive(Debug)]
struct Node {
    name: String,
    namespace: Namespace,
    netlink: Netlink,
}

impl Lab {
    /// Builds the network. The process must have the rights; see [`crate::rights::obtain`].
    ///
    /// # Errors
    ///
    /// What does not fit into a lab, and what the kernel refuses.
    pub fn up(topology: Topology, options: Options) -> Result<Self, LabError> {
        let plan = Plan::of(&topology)?;
        let names = topology.nodes.iter().map(|node| node.name.clone());
        let nodes: Vec<Node> =
            names.map(|name| Node::new(name, Node::router)).collect::<Result<_, _>>()?;
        let middle = Node::new("the wires".to_owned(), Node::silent)?;
        let (wires, switches) =
            build::Site { topology: &topology, plan: &plan, nodes: &nodes, middle: &middle }
                .raise(options)?;
        let engine = Engine::start(wires, switches)?;
        Ok(Self { topology, plan, nodes, middle, engine })
    }

    /// The network as it was described.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What it was made of.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The namespace of a node.
    #[must_use]
    pub fn namespace(&self, node: NodeId) -> &Namespace {
        &self.nodes[node.position()].namespace
    }

    /// Changes what happens to packets that the node at `side` sends over a link.
    ///
    /// A link that had been left to the kernel is built again with a wire in it: its interfaces keep
    /// names, numbers and addresses, what is under way at that moment is lost.
    ///
    /// # Errors
    ///
    /// [`LabError::NotPhysical`], and what the kernel refuses while the link is built again.
    pub fn impair(
        &mut self,
        link: LinkId,
        side: Side,
        impairment: Impairment,
    ) -> Result<(), LabError> {
        let Some(number) = self.plan.links.iter().position(|plan| plan.link == link) else {
            return Err(LabError::NotPhysical { link: self.topology[link].name.clone() });
        };
        let [first, second] = &mut self.plan.links[number].impairments;
        side.choose(first, second).clone_from(&impairment);
        if self.engine.lane(link, side, |lane| lane.impair(impairment)).is_none() {
            let Self { topology, plan, nodes, middle, engine } = self;
            let site = build::Site { topology, plan, nodes, middle };
            engine.add(site.rebuild_wired(&plan.links[number])?);
        }
        Ok(())
    }

    /// What happens to packets that the node at `side` sends over a link.
    #[must_use]
    pub fn impairment(&self, link: LinkId, side: Side) -> Impairment {
        let wired = self.engine.lane(link, side, |lane| lane.impairment().clone());
        wired.unwrap_or_default()
    }

    /// What has passed from a side of a link; none for a link left to the kernel.
    #[must_use]
    pub fn counts(&self, link: LinkId, side: Side) -> Option<Counts> {
        self.engine.counts(link, side)
    }

    /// How long each packet from a side of a link was really held, in the order they went out. The
    /// latest 65536.
    #[must_use]
    pub fn held(&self, link: LinkId, side: Side) -> Option<Vec<Held>> {
        self.engine.held(link, side)
    }

    /// What became of labelled packets at a node; none where no label means anything.
    #[must_use]
    pub fn switched(&self, node: NodeId) -> Option<SwitchCounts> {
        self.engine.switched(node)
    }

    /// Whether wires and switches still work.
    ///
    /// # Errors
    ///
    /// Once, what ended their thread.
    pub fn check(&self) -> Result<(), LabError> {
        self.engine.take_failure().map_or(Ok(()), |failure| Err(failure.into()))
    }
}

impl Node {
    fn new(name: String, prepare: fn() -> io::Result<Netlink>) -> Result<Self, LabError> {
        match Namespace::new(prepare) {
            Ok((namespace, netlink)) => Ok(Self { name, namespace, netlink }),
            Err(source) => Err(LabError::Namespace { node: name, source }),
        }
    }
}

//! The sockets and frames that a plan needs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use stamp_net::interface::{self, Interface, LinkLayer};
use stamp_net::route::{self, RouteQuery};
use stamp_net::sysctl::{Arrival, Hindrance, arrival_hindrances};
use stamp_net::{NetError, SocketOptions, UdpSocket};
use stamp_proto::sr::encapsulation::{FirstHop, Template};
use stamp_session::sender::{Looped, MeasurementMode, Requests, ReturnWish};
use stamp_worker::sender::{FramePort, FrameWay, Homecoming, LoopPort, PlainSegments, Port, Rings};

use super::{Endpoints, Plan, Way, usage};
use crate::command_line::{ModeName, Probe, SteeringFlags};
use crate::descriptors::Sockets;
use crate::exit::Failure;
use crate::setup;
use crate::target::unspecified;

/// A session's ways out and in, and what its engine has to know of them.
pub struct Opened {
    /// Where probes leave and come back.
    pub port: Port,
    /// Where probes leave from.
    pub source: SocketAddr,
    /// Where they end: the reflector, or ourselves.
    pub destination: SocketAddr,
    /// Who turns them round.
    pub measurement: MeasurementMode,
    /// What probes ask of their reflector.
    pub requests: Requests,
    /// The largest IP packet that leaves in one piece, if that is known.
    pub mtu: Option<u32>,
    /// The largest UDP payload that fits into it, behind everything that steers.
    pub largest_payload: Option<usize>,
}

/// What is asked for: a plan, towards a host.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How probes are put on their way.
    pub plan: &'a Plan,
    /// The flags it came from.
    pub steering: &'a SteeringFlags,
    /// All else about probes.
    pub probe: &'a Probe,
    /// The far end.
    pub host: SocketAddr,
    /// Interface or VRF that sockets are bound to.
    pub device: Option<&'a str>,
    /// Member link of a bond that probes and replies pass.
    pub bonded: Option<&'a str>,
}

impl Request<'_> {
    /// Opens all of it.
    ///
    /// # Errors
    ///
    /// What the kernel refuses, and headers that cannot be.
    pub fn open(&self) -> Result<Opened, Failure> {
        let requests = self.plan.requests(self.steering, self.host)?;
        if let Some(member) = self.bonded {
            return Ok(Opened { requests, ..self.open_member(member)? });
        }
        if self.plan.way == Way::Plain {
            let elsewhere = self.replies_elsewhere(&requests)
                || requests.destination_node.is_some_and(|node| node != self.host.ip());
            let open = if elsewhere { setup::open_for_all } else { setup::open };
            let socket = open(self.probe, self.host, self.device)?;
            let (source, mtu) = (socket.local_addr(), socket.path_mtu(self.host).ok());
            let largest_payload = socket.largest_payload(self.host).ok();
            let measurement = self.measurement(source);
            let destination = self.host;
            let port = socket.into();
            return Ok(Opened {
                port,
                source,
                destination,
                measurement,
                requests,
                mtu,
                largest_payload,
            });
        }
        let own = self.own_address()?;
        let mut opened =
            if self.plan.needs_frames() { self.open_frames(own) } else { self.open_sockets(own) }?;
        opened.requests = requests;
        Ok(opened)
    }

    /// Replies go to another address than probes leave from; it may be one of ours all the same.
    fn replies_elsewhere(&self, requests: &Requests) -> bool {
        matches!(requests.return_path, Some(ReturnWish::Address(_))) && self.probe.source.is_none()
    }

    /// The addresses alone, for a packet that is shown and not sent.
    pub fn ends(&self) -> Result<Endpoints, Failure> {
        Ok(self.ends_from(self.own_address()?))
    }

    /// The same from this address of ours.
    pub fn ends_from(&self, own: IpAddr) -> Endpoints {
        let source = SocketAddr::new(own, self.probe.source_port.unwrap_or(SHOWN_PORT));
        let destination = if self.plan.mode.is_looped() {
            SocketAddr::new(own, SHOWN_PORT + 1)
        } else {
            self.host
        };
        self.between(source, destination)
    }

    /// A socket whose kernel writes the header; needs no right.
    fn open_sockets(&self, own: IpAddr) -> Result<Opened, Failure> {
        let mut out = UdpSocket::open(&self.options(own, self.probe.source_port.unwrap_or(0)))?;
        let source = out.local_addr();
        let (destination, back) = if self.plan.mode.is_looped() {
            let mut back = UdpSocket::open(&self.options(own, 0))?;
            let destination = back.local_addr();
            back.connect(source)?;
            let rings = self.rings_where_needed(destination)?;
            (destination, Some((back, rings)))
        } else {
            (self.host, None)
        };
        let segments: Vec<Ipv6Addr> =
            self.plan.socket_segments(destination)?.iter().map(|sid| sid.0).collect();
        // Refuses what the kernel would only cut short.
        self.plan.compose(&self.between(source, destination))?;
        out.set_segments(&segments)?;
        let plain = self.plain_segments(&segments, source, destination)?;
        let mtu = out.path_mtu(destination).ok();
        let largest_payload = out.largest_payload(destination).ok();
        let port = match back {
            Some((back, rings)) => Port::Loop(Box::new(LoopPort { out, back, rings, plain })),
            None => out.into(),
        };
        let measurement = self.measurement(source);
        let requests = Requests::default();
        Ok(Opened { port, source, destination, measurement, requests, mtu, largest_payload })
    }

    /// What probes pass that ask for no timestamp; refused here rather than while it runs.
    fn plain_segments(
        &self,
        asking: &[Ipv6Addr],
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Result<Option<PlainSegments>, Failure> {
        let Some(plan) = &self.plan.plain else { return Ok(None) };
        plan.compose(&self.between(source, destination))?;
        let plain = plan.socket_segments(destination)?.iter().map(|sid| sid.0).collect();
        Ok(Some(PlainSegments::new(asking.to_vec(), plain)))
    }

    /// A kernel that was not told to accept Segment Routing Headers drops what comes back without a
    /// word: with the right to it, probes are taken off the wire instead; without, it is said.
    fn rings_where_needed(&self, destination: SocketAddr) -> Result<Option<Rings>, Failure> {
        let interfaces = self.listened_interfaces()?;
        let mut lines = Vec::new();
        // In a VRF its own setting counts beside that of all.
        let judged = self.device.map_or_else(|| interfaces.clone(), |name| vec![name.to_owned()]);
        for interface in &judged {
            let hindrances = arrival_hindrances(interface, Arrival::RoutingHeader)?;
            if hindrances.is_empty() {
                return Ok(None);
            }
            lines.extend(hindrances.iter().map(Hindrance::mending_line));
        }
        match Rings::open(&interfaces, self.plan.homecoming(destination)) {
            Ok(rings) => Ok(Some(rings)),
            Err(NetError::PermissionDenied { .. }) => {
                lines.sort();
                lines.dedup();
                tracing::warn!(
                    "this host drops what comes back with a Segment Routing Header, without a word, \
                     unless the last node takes it off: {}; or give this program CAP_NET_RAW",
                    lines.join("; ")
                );
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Frames that are built here, whatever is in front of the probe.
    fn open_frames(&self, own: IpAddr) -> Result<Opened, Failure> {
        let from = UdpSocket::open(&self.options(own, self.probe.source_port.unwrap_or(0)))?;
        let source = from.local_addr();
        let (destination, back) = if self.plan.mode.is_looped() {
            let back = UdpSocket::open(&self.options(own, 0))?;
            (back.local_addr(), Some(back))
        } else {
            (self.host, None)
        };
        let template = self.plan.compose(&self.between(source, destination))?;
        let plain = self.plan.plain.as_ref();
        let plain = plain.map(|plan| plan.compose(&self.between(source, destination)));
        let plain = plain.transpose()?;
        let way = self.frame_way(&template);
        let is_tunnel = template.is_tunnel();
        let port = match back {
            Some(back) => {
                let home = self.plan.homecoming(destination);
                let rings = Rings::open(&self.listened_interfaces()?, home)?;
                FramePort::open(way, template, back)?.with_rings(rings, from)
            }
            // Replies come to the port that probes leave from.
            None => FramePort::open(way, template, from)?,
        };
        let port = if is_tunnel { port.with_tunnel_errors(source) } else { port };
        let mtu = port.egress().map(|egress| egress.mtu);
        let fits = |template: &Template| template.largest_payload(usize::try_from(mtu?).ok()?);
        let largest_payload = [Some(port.template()), plain.as_ref()].into_iter().flatten();
        let largest_payload = largest_payload.filter_map(fits).min();
        let port = match plain {
            Some(plain) => port.with_plain(plain),
            None => port,
        };
        let measurement = self.measurement(source);
        let port = Port::Frames(Box::new(port));
        let requests = Requests::default();
        Ok(Opened { port, source, destination, measurement, requests, mtu, largest_payload })
    }

    /// Frames on a member of a bond, and a ring there for what comes back.
    fn open_member(&self, member: &str) -> Result<Opened, Failure> {
        let own = self.own_address()?;
        let socket = UdpSocket::open(&self.options(own, self.probe.source_port.unwrap_or(0)))?;
        let (source, destination) = (socket.local_addr(), self.host);
        let template = self.plan.compose(&self.between(source, destination))?;
        let way = FrameWay { member: Some(member.to_owned()), ..self.frame_way(&template) };
        let home = Homecoming { to: source, last_label: None, last_sid: None };
        let rings = Rings::open(&[member.to_owned()], home)?;
        let port = FramePort::open(way, template, socket)?.with_member_ring(rings);
        let mtu = port.egress().map(|egress| egress.mtu);
        let largest_payload =
            mtu.and_then(|mtu| port.template().largest_payload(usize::try_from(mtu).ok()?));
        let measurement = self.measurement(source);
        let port = Port::Frames(Box::new(port));
        let requests = Requests::default();
        Ok(Opened { port, source, destination, measurement, requests, mtu, largest_payload })
    }

    /// As `--via` says; else the way to the first SID, or below labels the way to the host.
    ///
    /// In a VRF it is asked there. An outer header is none of the VRF: it belongs to the network
    /// below, where the kernel looks for the way of its own tunnels too.
    fn frame_way(&self, template: &Template) -> FrameWay {
        let to = match template.first_hop() {
            FirstHop::Address(address) => address,
            FirstHop::Label(_) => self.first_node().unwrap_or(self.host.ip()),
        };
        let device = match &self.plan.way {
            Way::Tunnel(..) => self.probe.interface.as_deref(),
            _ => self.device,
        };
        let via = self.steering.via.as_ref();
        FrameWay {
            to,
            interface: via.map(|via| via.interface.as_str()).or(device).map(str::to_owned),
            next_hop: via.and_then(|via| via.next_hop),
            fwmark: self.probe.fwmark,
            member: None,
        }
    }

    /// Probes may come back on any interface that is up, but not on one of another VRF: its addresses
    /// may be the same and are others.
    fn listened_interfaces(&self) -> Result<Vec<String>, Failure> {
        let links = interface::list()?;
        let own = self.probe.vrf.as_deref().map(interface::index_of).transpose()?;
        let is_elsewhere = |link: &Interface| {
            let vrf = interface::vrf_of(link, &links).map(|vrf| vrf.index);
            own.is_some() && vrf.is_some() && vrf != own
        };
        let is_read = |link: &&Interface| {
            let is_read = link.up && !link.loopback && !is_elsewhere(link);
            is_read && !matches!(link.link_layer, LinkLayer::Other { .. })
        };
        Ok(links.iter().filter(is_read).map(|link| link.name.clone()).collect())
    }

    /// Where the list begins, when names say it: the first label was made for the way there.
    fn first_node(&self) -> Option<IpAddr> {
        let first = &self.steering.named.first;
        let alike = first.iter().find(|address| address.is_ipv4() == self.host.is_ipv4());
        alike.or(first.first()).copied()
    }

    fn measurement(&self, source: SocketAddr) -> MeasurementMode {
        let looped = Looped { source };
        match (self.plan.mode, self.plan.place) {
            (ModeName::OneWay, _) => MeasurementMode::OneWay,
            (ModeName::TwoWay, _) => MeasurementMode::TwoWay,
            (ModeName::Loopback, _) | (ModeName::EnhancedLoopback, None) => {
                MeasurementMode::Loopback(looped)
            }
            (ModeName::EnhancedLoopback, Some(place)) => {
                MeasurementMode::EnhancedLoopback(looped, place)
            }
        }
    }

    fn between(&self, source: SocketAddr, destination: SocketAddr) -> Endpoints {
        let traffic_class = (self.probe.dscp, self.probe.ecn.into());
        Endpoints { source, destination, traffic_class, hop_limit: self.probe.ttl }
    }

    fn options(&self, own: IpAddr, port: u16) -> SocketOptions {
        let mut options = SocketOptions::new(SocketAddr::new(own, port));
        options.far_port = Some(self.host.port());
        options.interface = self.device.map(str::to_owned);
        options.transmit_stamps = true;
        options.hardware_stamps = self.probe.hardware_stamps;
        options.hop_limit = self.probe.ttl;
        options.traffic_class = (self.probe.dscp, self.probe.ecn.into());
        options.fwmark = self.probe.fwmark;
        options
    }

    /// The address that probes leave from and, in the loopback modes, return to.
    fn own_address(&self) -> Result<IpAddr, Failure> {
        if let Some(source) = self.probe.source {
            return Ok(source);
        }
        let interface = self.device.map(interface::index_of).transpose()?;
        let fwmark = self.probe.fwmark;
        let query = RouteQuery { interface, fwmark, ..RouteQuery::to(self.host.ip()) };
        let own = route::lookup(&query)?.source.filter(|own| *own != unspecified(self.host));
        let own = own.ok_or_else(|| {
            let problem = "the route to the host has no source address; name one of this host";
            usage("--source", problem)
        })?;
        if own.is_loopback() && matches!(self.plan.way, Way::Mpls(_) | Way::Tunnel(..)) {
            let problem = format!(
                "{} means the node at the end of the segments, to which this host is not {own}; name \
                 one of its addresses",
                self.host.ip()
            );
            return Err(usage("--source", &problem));
        }
        Ok(own)
    }
}

impl Plan {
    /// Most sockets that a session of this plan has open at once.
    ///
    /// # Errors
    ///
    /// When the interfaces cannot be listed that probes may come back on.
    pub fn sockets(&self) -> Result<Sockets, Failure> {
        let (frames, looped) = (self.needs_frames(), self.mode.is_looped());
        // Changes of routes until the worker watches for all, and the ports at both ends; or a port, and
        // another: the look at the far end before it begins has one too.
        let own = if frames { 3 } else { 2 };
        // Each with its gate.
        let rings = if looped { 2 * interface::list()?.len() } else { 0 };
        // Frames, changes of routes, and errors about tunnels.
        Ok(Sockets { own, shared: rings + if frames { 3 } else { 0 } })
    }
}

/// A port of the dynamic range for a packet that nobody sends.
const SHOWN_PORT: u16 = 49_152;

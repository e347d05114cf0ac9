//! The headers of a session's probes, once its addresses and ports are known.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, SrhExtras, Srv6Path, Template};
use stamp_proto::sr::segment::Sid;

use super::{Plan, Way, usage};
use crate::exit::Failure;

/// Between whom a session's probes pass, and with what in their headers.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints {
    /// Where probes leave from.
    pub source: SocketAddr,
    /// Where they end: the reflector, or ourselves.
    pub destination: SocketAddr,
    /// DSCP and ECN.
    pub traffic_class: (Dscp, Ecn),
    /// TTL or Hop Limit.
    pub hop_limit: HopLimit,
}

impl Plan {
    /// The headers in front of a payload between these.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] that says which header cannot be.
    pub fn compose(&self, ends: &Endpoints) -> Result<Template, Failure> {
        let addresses = addresses(ends)?;
        let mut flow = Flow::new(addresses, ends.source.port(), ends.destination.port());
        (flow.dscp, flow.ecn) = ends.traffic_class;
        flow.hop_limit = ends.hop_limit;
        flow.flow_label = self.flow_label;
        let extras = SrhExtras::default();
        let composed = match &self.way {
            Way::Plain => Encapsulation::Plain.compose(&flow, self.limits),
            Way::Mpls(stack) => Encapsulation::Mpls(stack).compose(&flow, self.limits),
            Way::Host(path, form) => {
                let path = &ending_at(path, ends.destination)?;
                let form = *form;
                Encapsulation::HostSrh { path, form, extras }.compose(&flow, self.limits)
            }
            Way::Tunnel(path, form) => {
                let IpAddr::V6(source) = ends.source.ip() else {
                    return Err(usage("--segments", "SIDs need an IPv6 source address: -S"));
                };
                let form = *form;
                Encapsulation::Srv6Tunnel { source, path, form, extras }.compose(&flow, self.limits)
            }
        };
        composed.map_err(|error| usage("--segments", &error.to_string()))
    }

    /// Where the SIDs in a probe's own packet end.
    pub fn last_sid(&self) -> Option<Ipv6Addr> {
        match &self.way {
            Way::Host(path, _) => Some(path.ultimate()),
            _ => None,
        }
    }

    /// The SIDs before the destination, for a socket whose kernel writes the header.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] when the list cannot go on to the destination.
    pub fn socket_segments(&self, destination: SocketAddr) -> Result<Vec<Sid>, Failure> {
        let Way::Host(path, _) = &self.way else { return Ok(Vec::new()) };
        let path = ending_at(path, destination)?;
        let segments = path.entries().segments();
        Ok(segments.split_last().map_or_else(Vec::new, |(_, before)| before.to_vec()))
    }
}

/// The same path with its destination at the end, where it is not there already.
fn ending_at(path: &Srv6Path, destination: SocketAddr) -> Result<Srv6Path, Failure> {
    match destination.ip() {
        IpAddr::V6(address) if path.ultimate() != address => {
            path.clone().then(address).map_err(|error| usage("--segments", &error.to_string()))
        }
        _ => Ok(path.clone()),
    }
}

fn addresses(ends: &Endpoints) -> Result<AddressPair, Failure> {
    match (ends.source.ip(), ends.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            Ok(AddressPair::V4 { source, destination })
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            Ok(AddressPair::V6 { source, destination })
        }
        (source, destination) => {
            Err(usage("--source", &format!("{source} is of another family than {destination}")))
        }
    }
}

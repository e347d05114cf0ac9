//! What probes ask of their reflector: the way of replies, and who is to reply (RFC 9503).

use std::net::{IpAddr, SocketAddr};

use stamp_config::steering::{ReturnPath, Segments};
use stamp_proto::sr::mpls::LabelStack;
use stamp_proto::sr::segment::SegmentList;
use stamp_session::sender::{Requests, ReturnWish};

use super::{Plan, Way, usage};
use crate::command_line::{ModeName, SteeringFlags};
use crate::exit::Failure;

/// The segments of the way back, whichever flag names them.
pub(super) fn asked_segments(flags: &SteeringFlags) -> Option<&Segments> {
    match &flags.return_path {
        Some(ReturnPath::Segments(segments)) => Some(segments),
        _ => flags.return_segments.as_ref().or(flags.return_binding_sid.as_ref().map(|sid| &sid.0)),
    }
}

/// The way that replies are asked to take; in the loopback modes there is none.
pub(super) fn return_wish(flags: &SteeringFlags) -> Result<Option<ReturnWish>, Failure> {
    if flags.mode.is_looped() {
        let problem = "a reflector is asked; in the loopback modes there is none, and \
                       --return-segments bring probes back";
        return match (&flags.return_path, flags.destination_node_address) {
            (Some(_), _) => Err(usage("--return-path", problem)),
            (None, Some(_)) => Err(usage("--destination-node-address", problem)),
            (None, None) => Ok(None),
        };
    }
    Ok(match &flags.return_path {
        Some(ReturnPath::None) if flags.mode != ModeName::OneWay => {
            let problem = "without replies one way alone is measured: --mode one-way";
            return Err(usage("--return-path", problem));
        }
        Some(ReturnPath::None) => Some(ReturnWish::NoReply),
        Some(ReturnPath::SameLink) => Some(ReturnWish::SameLink),
        Some(ReturnPath::Address(address)) => Some(ReturnWish::Address(*address)),
        Some(ReturnPath::Segments(_)) | None => {
            asked_segments(flags).map(over_segments).transpose()?
        }
    })
}

fn over_segments(segments: &Segments) -> Result<ReturnWish, Failure> {
    match segments {
        Segments::Labels(labels) => LabelStack::from_labels(labels.iter().copied())
            .map(ReturnWish::Mpls)
            .map_err(|error| usage("--return-segments", &error.to_string())),
        Segments::Sids(sids) => SegmentList::new(sids.clone())
            .map(ReturnWish::Srv6)
            .ok_or_else(|| usage("--return-segments", "none are named")),
    }
}

impl Plan {
    /// What probes to `host` ask for.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] where nothing says which node is to answer, or in another address family
    /// than that of the probes.
    pub fn requests(&self, flags: &SteeringFlags, host: SocketAddr) -> Result<Requests, Failure> {
        let only_in_tunnel = host.ip().is_loopback() && self.way != Way::Plain;
        let named = flags.destination_node_address;
        let destination_node = named.map(|named| named.unwrap_or(host.ip()));
        if only_in_tunnel && destination_node.is_none_or(|node| node.is_loopback()) {
            let problem = "HOST is an address that every node has: name the one that is to answer";
            return Err(usage("--destination-node-address", problem));
        }
        let other_family = |address: IpAddr| address.is_ipv4() != host.is_ipv4();
        if destination_node.is_some_and(other_family) {
            let problem = "of another family than HOST; no reply could come from it";
            return Err(usage("--destination-node-address", problem));
        }
        if let Some(ReturnWish::Address(address)) = self.return_path
            && other_family(address)
        {
            return Err(usage("--return-path", "of another family than HOST"));
        }
        if matches!(self.return_path, Some(ReturnWish::Srv6(_))) && host.is_ipv4() {
            return Err(usage("--return-path", "SIDs lead to IPv6 addresses; HOST has IPv4"));
        }
        Ok(Requests {
            destination_node,
            return_path: self.return_path.clone(),
            ..Requests::default()
        })
    }
}

/// The way of replies, as it was asked for.
#[must_use]
pub fn words(wish: &ReturnWish) -> String {
    match wish {
        ReturnWish::NoReply => ReturnPath::None.to_string(),
        ReturnWish::SameLink => ReturnPath::SameLink.to_string(),
        ReturnWish::Address(address) => address.to_string(),
        ReturnWish::Mpls(stack) => {
            let labels = stack.entries().iter().map(|entry| entry.label).collect();
            ReturnPath::Segments(Segments::Labels(labels)).to_string()
        }
        ReturnWish::Srv6(list) => {
            ReturnPath::Segments(Segments::Sids(list.segments().to_vec())).to_string()
        }
    }
}

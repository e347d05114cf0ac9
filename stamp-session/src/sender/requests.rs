//! What a probe asks of its Session-Reflector beside a reply (RFC 9503).

use core::net::IpAddr;

use stamp_proto::error::ParseError;
use stamp_proto::sr::mpls::LabelStack;
use stamp_proto::sr::segment::SegmentList;
use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::return_path::{ControlCode, ReturnPathRequest};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvType};
use stamp_proto::writer::Writer;

/// What every probe of a session asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Requests {
    /// The node that is to answer, where the destination of the probe does not say it; another one
    /// says that it is not meant.
    pub destination_node: Option<IpAddr>,
    /// The way of the reply.
    pub return_path: Option<ReturnWish>,
}

/// The way that a reply is to take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReturnWish {
    /// There is to be no reply.
    NoReply,
    /// Out of the link on which the probe came in.
    SameLink,
    /// To another address.
    Address(IpAddr),
    /// Behind these labels.
    Mpls(LabelStack),
    /// Over these SIDs.
    Srv6(SegmentList),
}

/// Whether a Session-Reflector did what one TLV asked for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Granted {
    /// The probe did not ask.
    #[default]
    NotAsked,
    /// It says that it did.
    Granted,
    /// It says that it did not, or nothing that can be believed.
    Refused,
}

impl Requests {
    /// Nobody answers, and nothing is lost for that.
    #[must_use]
    pub fn wants_no_reply(&self) -> bool {
        self.return_path == Some(ReturnWish::NoReply)
    }

    /// Type and size of each TLV, header included, in their order.
    pub(super) fn sizes(&self) -> [(TlvType, u16); 2] {
        let node = self.destination_node.map_or(0, |address| {
            TLV_HEADER_OCTETS.saturating_add(if address.is_ipv4() { 4 } else { 16 })
        });
        let path = self.return_path.as_ref().map_or(0, |wish| wish.request().encoded_octets());
        // More than that fits into no packet, and is refused as such.
        let size = |octets| u16::try_from(octets).unwrap_or(u16::MAX);
        [(TlvType::DESTINATION_NODE_ADDRESS, size(node)), (TlvType::RETURN_PATH, size(path))]
    }

    /// Writes them; there is never a second Return Path TLV (RFC 9503 §4).
    pub(super) fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        if let Some(address) = self.destination_node {
            DestinationNodeAddress(address).emit_request(writer)?;
        }
        self.return_path.as_ref().map_or(Ok(()), |wish| wish.request().emit_request(writer))
    }
}

impl ReturnWish {
    const fn request(&self) -> ReturnPathRequest<'_> {
        match self {
            Self::NoReply => ReturnPathRequest::Control(ControlCode::NO_REPLY),
            Self::SameLink => ReturnPathRequest::Control(ControlCode::SAME_LINK),
            Self::Address(address) => ReturnPathRequest::Address(*address),
            Self::Mpls(stack) => ReturnPathRequest::Mpls { stack, address: None },
            Self::Srv6(segments) => ReturnPathRequest::Srv6 { segments, address: None },
        }
    }
}

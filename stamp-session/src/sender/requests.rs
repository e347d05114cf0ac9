//! What a probe asks of its Session-Reflector beside a reply.

use core::net::IpAddr;

use stamp_proto::sr::mpls::LabelStack;
use stamp_proto::sr::segment::SegmentList;
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;
use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;
use stamp_proto::tlv::return_path::{ControlCode, ReturnPathRequest};

use super::access_report::AccessReporting;
use super::malformed::Malformation;

use super::headers::HeaderQuestion;
use super::micro_session::MicroSession;
use crate::experimental::ExperimentalTypes;

/// What every probe of a session asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Requests {
    /// The node that is to answer, where the destination of the probe does not say it; another one
    /// says that it is not meant.
    pub destination_node: Option<IpAddr>,
    /// The way of the reply.
    pub return_path: Option<ReturnWish>,
    /// What probes look like when they arrive (RFC 8972 §4.2).
    pub location: bool,
    /// What the far timestamps are worth (RFC 8972 §4.3).
    pub timestamp_information: bool,
    /// DSCP and ECN that replies are to have, and those that probes arrive with (RFC 8972 §4.4).
    pub class_of_service: Option<ClassOfServiceRequest>,
    /// When replies really left, each told by the next (RFC 8972 §4.7).
    pub follow_up: bool,
    /// Counters of real traffic (RFC 8972 §4.5); the shell hands in our own.
    pub direct_measurement: bool,
    /// What is reported of an access network (RFC 8972 §4.6).
    pub access_report: Option<AccessReporting>,
    /// TLVs that are wrong on purpose, in place of all others.
    pub malformed: Option<Malformation>,
    /// The replies that each probe is to have (RFC 10052 §3).
    pub packets: Option<ReflectedPackets>,
    /// The member link of a LAG that the session keeps to (RFC 9534 §3).
    pub micro_session: Option<MicroSession>,
    /// The headers that probes arrive with (draft-ietf-ippm-stamp-ext-hdr).
    pub headers: Option<HeaderQuestion>,
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

impl Requests {
    /// Nobody answers, and nothing is lost for that.
    #[must_use]
    pub fn wants_no_reply(&self) -> bool {
        self.return_path == Some(ReturnWish::NoReply)
    }

    /// Types that were agreed on, where one is needed.
    pub(crate) fn types(&self) -> ExperimentalTypes {
        self.headers.as_ref().map_or(ExperimentalTypes::USUAL, |asked| asked.types)
    }

    /// Anything is asked for.
    pub(super) fn asks(&self) -> bool {
        *self != Self::default()
    }
}

impl ReturnWish {
    pub(crate) const fn request(&self) -> ReturnPathRequest<'_> {
        match self {
            Self::NoReply => ReturnPathRequest::Control(ControlCode::NO_REPLY),
            Self::SameLink => ReturnPathRequest::Control(ControlCode::SAME_LINK),
            Self::Address(address) => ReturnPathRequest::Address(*address),
            Self::Mpls(stack) => ReturnPathRequest::Mpls { stack, address: None },
            Self::Srv6(segments) => ReturnPathRequest::Srv6 { segments, address: None },
        }
    }
}

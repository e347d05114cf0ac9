//! What probes ask for that the reply cannot have written into it: where it goes, and how many there are.

use core::net::IpAddr;
use core::ops::Range;

use stamp_proto::auth::KeyId;
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::HeadersTold;
use stamp_proto::tlv::access_report::AccessReport;

use super::GrantedPackets;
use crate::reflector::{DataPlane, DropReason};

/// What TLVs ask for beside what is written into them; every wish was allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The address the reply is to leave from.
    pub(crate) source: Option<IpAddr>,
    /// The address it is to go to.
    pub(crate) destination: Option<IpAddr>,
    /// The way it is to take.
    pub(crate) way: Wish,
    /// The DSCP and ECN it is to have.
    pub(crate) traffic_class: Option<(Dscp, Ecn)>,
    /// The next reply is to tell when this one left.
    pub(crate) follow_up: bool,
    /// What is said of an access network.
    pub(crate) access_report: Option<AccessReport>,
    /// The reply is to leave by the member link on which the probe came in.
    pub(crate) keeps_member: bool,
    /// The probe is for another member link.
    pub(crate) wrong_member: bool,
    /// The replies that it is to have, more than one or longer than usual.
    pub(crate) packets: Option<GrantedPackets>,
    /// It wants none of them.
    pub(crate) no_packets: bool,
    /// It is for others.
    pub(crate) not_addressed: bool,
    /// The key that signed the TLVs.
    pub(crate) tlv_key: Option<KeyId>,
    pub(super) contradiction: bool,
    pub(super) packet_control_seen: bool,
    pub(super) sub_tlvs_seen: usize,
    pub(super) return_path_seen: bool,
    pub(super) micro_session_seen: bool,
    pub(super) fixed_told: HeadersTold,
    pub(super) extensions_told: HeadersTold,
    pub(super) extension_header_seen: bool,
}

impl Wishes {
    /// Why there is no reply at all, and nothing to learn from the probe either.
    pub(crate) fn discarded(&self) -> Option<DropReason> {
        if self.not_addressed {
            Some(DropReason::NotAddressed)
        } else if self.wrong_member {
            Some(DropReason::WrongMember)
        } else {
            self.no_packets.then_some(DropReason::NoReply)
        }
    }

    /// The way of the reply; who names a member link and no way wants the reply to keep to the link.
    pub(crate) fn resolved_way(&self) -> Wish {
        match (&self.way, self.keeps_member) {
            (Wish::None, true) => Wish::SameLink,
            (way, _) => way.clone(),
        }
    }
}

/// The way that a reply is to take.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Wish {
    /// Nobody asked.
    #[default]
    None,
    /// As the routing table says, whatever else is configured.
    Routed,
    /// None: there is to be no reply.
    NoReply,
    /// Out of the link on which the probe came in.
    SameLink,
    /// Over the segments that lie there in the TLV area.
    Segments(DataPlane, Range<usize>),
}

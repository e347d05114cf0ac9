//! The question for the headers that probes arrive with.

use std::net::{IpAddr, SocketAddr};

use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::tlv::reflected_fixed_header_data::FixedHeader;
use stamp_session::sender::{HeaderQuestion, SentRoutingHeader};

use crate::command_line::AskingFlags;
use crate::exit::Failure;
use crate::steering::Plan;

/// The question to a host: for its IP header, and for the Segment Routing Header where probes have one
/// in their own packet. What is around them is off again before the host sees them.
pub(super) fn question(
    flags: &AskingFlags,
    plan: &Plan,
    destination: SocketAddr,
) -> Result<HeaderQuestion, Failure> {
    let (fixed, routing_header) = match destination.ip() {
        IpAddr::V4(_) => (FixedHeader::Ipv4, None),
        IpAddr::V6(address) => {
            let mut segments = plan.socket_segments(destination)?;
            let is_routed = !segments.is_empty();
            segments.push(Sid(address));
            let list = SegmentList::new(segments).filter(|_| is_routed);
            (FixedHeader::Ipv6, list.map(sent).transpose()?)
        }
    };
    Ok(HeaderQuestion { types: flags.header_types.0, fixed, routing_header })
}

fn sent(list: SegmentList) -> Result<SentRoutingHeader, Failure> {
    let count = list.len();
    SentRoutingHeader::new(list).ok_or_else(|| {
        let most = SentRoutingHeader::MOST_SEGMENTS;
        let problem = format!("{count} segments are more than the {most} a reply can tell");
        Failure::Usage { flag: "--ask-headers", problem }
    })
}

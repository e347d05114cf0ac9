//! What this host can put before a reply, found out before any probe asks for it.

use std::net::{Ipv6Addr, SocketAddr};

use stamp_net::capability::{self, Capability};
use stamp_net::{SocketOptions, UdpSocket};
use stamp_session::reflector::ReplyMeans;

/// More segments than any path needs, and few enough that a reply stays within the MTU.
const MOST_SEGMENTS: usize = 16;

/// SIDs where the kernel takes a Segment Routing Header, labels where raw frames are allowed.
#[must_use]
pub fn reply_means() -> ReplyMeans {
    let means = |is_able| if is_able { MOST_SEGMENTS } else { 0 };
    let raw = capability::effective().is_ok_and(|held| held.has(Capability::NetRaw));
    ReplyMeans { most_sids: means(takes_segments()), most_labels: means(raw) }
}

fn takes_segments() -> bool {
    let options = SocketOptions::new(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    UdpSocket::open(&options)
        .is_ok_and(|mut socket| socket.set_segments(&[Ipv6Addr::LOCALHOST]).is_ok())
}

//! A reply on its way out.

use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use stamp_proto::auth::{KeyId, KeyRing};
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::packet::{AuthenticationMode, ReflectorPacket};
use stamp_proto::time::{PtpUtcOffset, Timestamp, TimestampFormat, WallTime};

use super::DropReason;
use super::one_way::OneWayArrival;
use super::way::{ReplyWay, UnsealedWay};

/// Exactly one per probe.
#[must_use]
#[derive(Debug)]
pub enum Verdict<'b> {
    /// Seal it, then send it.
    Reply(UnsealedReply<'b>),
    /// No reply, as the probe asked for none; already counted as [`DropReason::NoReply`].
    Observe(OneWayArrival),
    /// No reply; already counted under this reason.
    Drop(DropReason),
}

/// A reply whose `reply_sent` time (T3) and HMAC are still blank.
#[must_use = "an unsealed reply is never sent"]
#[derive(Debug)]
pub struct UnsealedReply<'b> {
    pub(super) octets: &'b mut [u8],
    pub(super) mode: AuthenticationMode,
    pub(super) stamping: Stamping,
    pub(super) signer: Option<Signer>,
    pub(super) envelope: Envelope,
    pub(super) way: UnsealedWay,
    pub(super) token: ReplyToken,
    pub(super) wants_stamp: bool,
}

/// One more reply to a probe that wanted several (RFC 10052 §3).
#[derive(Debug)]
pub struct FurtherReply<'b> {
    /// Seal it, then send it.
    pub reply: UnsealedReply<'b>,
    /// Where the probe came to, which tells the listener.
    pub listener: SocketAddr,
}

/// What becomes of a probe that passed every check.
pub(super) enum Answer<'b> {
    Reply(UnsealedReply<'b>),
    Observe(OneWayArrival),
}

/// How instants of this host are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamping {
    pub(super) format: TimestampFormat,
    pub(super) ptp_utc_offset: PtpUtcOffset,
}

/// The keys as one engine holds them.
///
/// All engines of a host share the ring; each counts the users of its own `EngineKeys`, so that a
/// reply makes no core wait for another.
#[derive(Debug)]
pub(super) struct EngineKeys {
    pub(super) ring: Arc<KeyRing>,
}

/// The key that verified the probe and signs the reply: the Session-Sender certainly has it, whatever
/// other keys a rotation has brought to one end already.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub(super) keys: Arc<EngineKeys>,
    pub(super) id: KeyId,
}

/// What goes into the headers around a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    pub(super) from: Option<IpAddr>,
    pub(super) to: SocketAddr,
    pub(super) interface: u32,
    pub(super) traffic_class: (Dscp, Ecn),
}

impl<'b> UnsealedReply<'b> {
    /// Writes T3, then the HMAC over the finished packet (RFC 8762 §4.4).
    ///
    /// Taking `self` makes an unstamped or twice-stamped reply unrepresentable. The time the HMAC
    /// takes is between T3 and the wire, the same for every reply.
    pub fn seal(self, reply_sent: WallTime) -> Reply<'b> {
        let Self { octets, mode, stamping, signer, envelope, way, token, wants_stamp } = self;
        let at = stamping.timestamp(reply_sent);
        // Neither can fail: the packet was emitted whole, in this format, and the key found once.
        let _ = ReflectorPacket::write_reply_sent(mode, octets, at);
        if let Some(key) = signer.as_ref().and_then(|signer| signer.keys.ring.get(signer.id)) {
            let _ = key.sign(octets);
        }
        let Envelope { from, to, interface, traffic_class } = envelope;
        let octets: &[u8] = octets;
        let way = way.of(octets);
        Reply { octets, from, to, interface, traffic_class, way, token, wants_stamp }
    }

    /// Gives the reply up; the token goes to
    /// [`Reflector::handle_unsent`](super::Reflector::handle_unsent).
    #[must_use]
    pub fn discard(self) -> ReplyToken {
        self.token
    }

    /// Where it goes.
    #[must_use]
    pub const fn destination(&self) -> SocketAddr {
        self.envelope.to
    }

    /// The address it leaves from; see [`Reply::from`].
    #[must_use]
    pub const fn source(&self) -> Option<IpAddr> {
        self.envelope.from
    }

    /// The interface it leaves through; see [`Reply::interface`].
    #[must_use]
    pub const fn interface(&self) -> u32 {
        self.envelope.interface
    }

    /// DSCP and ECN of its IP header.
    #[must_use]
    pub const fn traffic_class(&self) -> (Dscp, Ecn) {
        self.envelope.traffic_class
    }

    /// Octets of UDP payload.
    #[must_use]
    pub const fn len_octets(&self) -> usize {
        self.octets.len()
    }
}

/// A finished reply.
#[must_use = "a sealed reply has to be sent, or its token given to `handle_unsent`"]
#[derive(Debug)]
pub struct Reply<'b> {
    /// UDP payload.
    pub octets: &'b [u8],
    /// The address it must leave from: that to which the probe was sent. `None` when that is none a
    /// packet may come from, such as a multicast group; then the route decides.
    pub from: Option<IpAddr>,
    /// Where it goes.
    pub to: SocketAddr,
    /// Index of the interface it must leave through; 0, and then the route decides, unless the
    /// destination means something on its own link only or the way is that link.
    pub interface: u32,
    /// DSCP and ECN of its IP header. The TTL or Hop Limit is always 255.
    pub traffic_class: (Dscp, Ecn),
    /// The way it has to take; all but [`ReplyWay::Routed`] is what this host said it can do.
    pub way: ReplyWay<'b>,
    /// Goes to [`Reflector::handle_unsent`](super::Reflector::handle_unsent) when it cannot be sent.
    pub token: ReplyToken,
    /// The time at which it leaves is wanted: then the token goes, with that time, to
    /// [`Reflector::handle_reply_stamp`](super::Reflector::handle_reply_stamp).
    pub wants_stamp: bool,
}

/// Proof that a reply was made.
///
/// It cannot be copied: what was not sent is taken back once.
#[derive(Debug)]
pub struct ReplyToken {
    pub(super) slot: u32,
    pub(super) generation: u32,
    pub(super) number: u32,
}

impl ReplyToken {
    /// Of a reply that no session counts.
    pub(super) const STATELESS: Self = Self { slot: u32::MAX, generation: 0, number: 0 };
}

impl Stamping {
    pub(super) const fn timestamp(self, at: WallTime) -> Timestamp {
        self.ptp_utc_offset.timestamp(at, self.format)
    }
}

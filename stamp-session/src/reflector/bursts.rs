//! Replies of which a probe wants several (RFC 10052 §3).
//!
//! One probe that brings about many replies, or longer ones, is what an attacker asks for who forges
//! the address of a victim. So nobody may ask until an operator says who, every wish is held against
//! limits before anything is sent, a source has one burst at a time, and all bursts together have a
//! rate that they cannot exceed.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use stamp_proto::auth::KeyId;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::tlv::hmac::{self, HmacTlvPlace};
use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvFlags, extra_padding};
use stamp_proto::writer::{Writer, patch_array};

use super::prefix::address_bits;
use super::reply::{Envelope, FurtherReply, ReplyToken, Signer, Stamping, UnsealedReply};
use super::way::UnsealedWay;
use super::{Reflector, count};
use crate::clock::MonotonicTime;
use crate::datagram::Received;
use crate::tlv::GrantedPackets;

/// Bursts at once, of all sources.
const MOST_BURSTS: usize = 64;

/// What a source may ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PacketControlRules {
    /// Replies to one probe.
    pub most_packets: u16,
    /// Octets of payload of each.
    pub most_octets: u16,
    /// Octets of all replies to one probe.
    pub most_volume_octets: u64,
    /// Octets a second while they are sent.
    pub most_octets_per_second: u64,
}

impl PacketControlRules {
    /// Ten replies, none larger than fits into any Ethernet frame, at 1 Mbit/s.
    pub const MODEST: Self = Self {
        most_packets: 10,
        most_octets: 1_400,
        most_volume_octets: 14_000,
        most_octets_per_second: 125_000,
    };

    /// Octets a second of what is asked for, if each reply has `octets`, where it may be had.
    fn rate(&self, wanted: &ReflectedPackets, octets: u32) -> Option<u64> {
        let rate = match (wanted.count, wanted.octets_per_second(octets)) {
            (1, _) => 0,
            // All at once is no rate.
            (_, rate) => rate?,
        };
        let allowed = wanted.count <= self.most_packets
            && octets <= self.most_octets.into()
            && wanted.volume_octets(octets) <= self.most_volume_octets
            && rate <= self.most_octets_per_second;
        allowed.then_some(rate)
    }
}

/// Replies that are still to be sent.
#[derive(Debug, Default)]
pub(crate) struct Bursts {
    running: Vec<Burst>,
}

/// The replies to one probe.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    /// The first of them.
    pub(super) octets: Box<[u8]>,
    pub(super) mode: AuthenticationMode,
    pub(super) signer: Option<Signer>,
    /// The key of the HMAC TLV.
    pub(super) tlv_key: Option<KeyId>,
    pub(super) envelope: Envelope,
    /// Where the probe came to.
    pub(super) listener: SocketAddr,
    /// Where their numbers come from.
    pub(super) session: (u32, u32),
    /// The number of them all, where no session counts them.
    pub(super) number: u32,
    pub(super) source: IpAddr,
    pub(super) left: u16,
    pub(super) interval: Duration,
    pub(super) octets_per_second: u64,
    pub(super) next: MonotonicTime,
}

impl Bursts {
    /// Octets a second of what a source asks for, if it may have them now; `total` is what all bursts
    /// may have together.
    pub(crate) fn allow(
        &self,
        source: IpAddr,
        (rules, total): (&PacketControlRules, u64),
        wanted: &ReflectedPackets,
        octets: u32,
    ) -> Option<u64> {
        let rate = rules.rate(wanted, octets)?;
        let same = |burst: &Burst| address_bits(burst.source) == address_bits(source);
        let sum = self
            .running
            .iter()
            .fold(rate, |sum, burst| sum.saturating_add(burst.octets_per_second));
        let is_free = self.running.len() < MOST_BURSTS && !self.running.iter().any(same);
        (is_free && sum <= total).then_some(rate)
    }

    /// The first reply is made; those behind it follow.
    pub(super) fn start(&mut self, now: MonotonicTime, probe: &Received<'_>, first: &First<'_>) {
        let GrantedPackets { wanted, octets_per_second, .. } = *first.packets;
        let interval = Duration::from_nanos(wanted.interval_ns.into());
        let left = wanted.count.saturating_sub(1);
        if left == 0 {
            return;
        }
        self.running.push(Burst {
            octets: first.octets.into(),
            mode: first.mode,
            signer: first.signer.clone(),
            tlv_key: first.tlv_key,
            envelope: first.envelope,
            listener: probe.to,
            session: (first.token.slot, first.token.generation),
            number: first.token.number,
            source: probe.from.ip(),
            left,
            interval,
            octets_per_second,
            next: now.saturating_add(interval),
        });
    }

    /// When the next reply is due.
    pub(super) fn next(&self) -> Option<MonotonicTime> {
        self.running.iter().map(|burst| burst.next).min()
    }

    /// The burst whose next reply is due, which is then one further.
    pub(super) fn due(&mut self, now: MonotonicTime) -> Option<Burst> {
        let (place, _) = self
            .running
            .iter()
            .enumerate()
            .filter(|(_, burst)| burst.next <= now)
            .min_by_key(|(_, burst)| burst.next)?;
        let burst = self.running.get_mut(place)?;
        burst.left = burst.left.saturating_sub(1);
        burst.next = burst.next.saturating_add(burst.interval);
        if burst.left > 0 {
            return Some(burst.clone());
        }
        Some(self.running.swap_remove(place))
    }

    /// Sends no more of them.
    pub(super) fn clear(&mut self) {
        self.running.clear();
    }
}

/// The first of several replies.
pub(super) struct First<'b> {
    pub(super) octets: &'b [u8],
    pub(super) mode: AuthenticationMode,
    pub(super) signer: &'b Option<Signer>,
    pub(super) envelope: Envelope,
    pub(super) token: &'b ReplyToken,
    /// The key of its HMAC TLV.
    pub(super) tlv_key: Option<KeyId>,
    /// What was granted.
    pub(super) packets: &'b GrantedPackets,
}

/// Makes a reply of `octets` octets as long as it is to be, by Extra Padding behind it; what fits
/// nowhere is left out. Gives its octets.
pub(super) fn grow(out: &mut [u8], octets: usize, packets: &GrantedPackets) -> usize {
    let wanted = usize::try_from(packets.octets).unwrap_or(usize::MAX);
    let missing = wanted.saturating_sub(octets);
    if missing < TLV_HEADER_OCTETS {
        return octets;
    }
    let Some(room) = out.get_mut(octets..wanted) else { return octets };
    let mut writer = Writer::new(room);
    let padded = extra_padding::reserve(&mut writer, missing).map(|padding| padding.fill(0));
    // A Session-Reflector asks for nothing.
    let padded = padded.and_then(|()| patch_array(room, 0, "TLV flags", [TlvFlags::NONE.0]));
    if padded.is_ok() { wanted } else { octets }
}

impl Reflector {
    /// One more reply to a probe that wanted several, when its time has come.
    ///
    /// `out` must have room for what a probe may ask for; what does not fit ends its burst.
    pub fn poll_reply<'b>(
        &mut self,
        now: MonotonicTime,
        out: &'b mut [u8],
    ) -> Option<FurtherReply<'b>> {
        let burst = self.bursts.due(now)?;
        let (slot, generation) = burst.session;
        let number = match &mut self.sessions {
            Some(sessions) => sessions.further(slot, generation)?,
            None => burst.number,
        };
        let octets = out.get_mut(..burst.octets.len())?;
        octets.copy_from_slice(&burst.octets);
        self.renumber(&burst, number, octets)?;
        count(&mut self.counts.further);
        Some(FurtherReply {
            listener: burst.listener,
            reply: UnsealedReply {
                octets,
                mode: burst.mode,
                stamping: Stamping::from(&self.config),
                signer: burst.signer,
                envelope: burst.envelope,
                way: UnsealedWay::Routed,
                token: ReplyToken { slot, generation, number },
                wants_stamp: false,
            },
        })
    }

    /// Each reply has a number of its own, and so an HMAC TLV of its own.
    fn renumber(&self, burst: &Burst, number: u32, octets: &mut [u8]) -> Option<()> {
        patch_array(octets, 0, "Sequence Number", number.to_be_bytes()).ok()?;
        let Some(id) = burst.tlv_key else { return Some(()) };
        let area = octets.get_mut(burst.mode.base_octets()..)?;
        let HmacTlvPlace::At(offset) = hmac::locate(area) else { return Some(()) };
        let key = self.keys.as_ref()?.ring.get(id)?;
        hmac::sign(key, number, area, offset).ok()
    }
}

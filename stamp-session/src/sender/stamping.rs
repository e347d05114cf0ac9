//! What a timestamp-and-forward node did to a probe that came back.

use core::ops::Range;

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::reader::peek_up_to;
use stamp_proto::time::{Timestamp, WallTime};

use super::config::SenderConfig;
use super::mode::{TIMESTAMP_OCTETS, TimestampPlace};
use super::reason::RejectReason;
use super::timing::{Away, Timing, is_before_by_more_than};

/// What became of T2 in a probe that was forwarded back.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Stamping {
    /// Nobody was asked to write it.
    #[default]
    NotAsked,
    /// It is there, and it can be true.
    Stamped,
    /// Nobody wrote anything: the far end forwards without stamping.
    Missing,
    /// What is there is no instant.
    Unreadable,
    /// It is before T1 or after T4 by more than both clocks are said to be wrong.
    Implausible,
    /// Something was written where a probe has zeros, but not where T2 belongs.
    Elsewhere {
        /// First octet of the UDP payload that was overwritten.
        offset: u16,
    },
}

impl Stamping {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Stamped => "stamped",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Implausible => "implausible",
            Self::Elsewhere { .. } => "elsewhere",
        }
    }
}

/// Where a base packet must be zero: behind its fields, and in authenticated mode before them.
pub(super) const fn must_be_zero(mode: AuthenticationMode) -> [Range<usize>; 2] {
    match mode {
        AuthenticationMode::Unauthenticated => [0..0, 16..44],
        AuthenticationMode::Authenticated => [4..16, 28..96],
    }
}

/// The first octet of what somebody wrote where a probe has zeros and T2 does not belong.
pub(super) fn stray_offset(
    mode: AuthenticationMode,
    place: Option<TimestampPlace>,
    octets: &[u8],
) -> Option<u16> {
    let place = place.map(TimestampPlace::range).unwrap_or_default();
    let is_written = |at: &usize| octets.get(*at).is_some_and(|octet| *octet != 0);
    let written = || must_be_zero(mode).into_iter().flatten().filter(is_written);
    let outside = written().find(|at| !place.contains(at))?;
    // What began within the place and ran out of it began there. Its octets may be zero themselves.
    let first = written().find(|at| place.contains(at) && *at != place.start);
    let is_one =
        |first: &usize| (*first..first.saturating_add(TIMESTAMP_OCTETS)).contains(&outside);
    let began_within = |first: &usize| is_one(first) && !is_written(&place.start);
    let offset = first.filter(began_within).unwrap_or(outside);
    u16::try_from(offset).ok()
}

/// The base packet as it was sent: what forwarding nodes may have written is zero again.
///
/// They have no key, so the HMAC is that of the probe as it left.
pub(super) fn as_sent<const N: usize>(
    mode: AuthenticationMode,
    place: Option<TimestampPlace>,
    octets: &[u8],
) -> [u8; N] {
    let mut sent = [0; N];
    for (to, from) in sent.iter_mut().zip(octets) {
        *to = *from;
    }
    let place = place.map(TimestampPlace::range).unwrap_or_default();
    for range in must_be_zero(mode) {
        sent.get_mut(range).into_iter().for_each(|octets| octets.fill(0));
    }
    let digest = mode.base_octets().saturating_sub(16);
    let covered = place.start.min(digest)..place.end.min(digest);
    sent.get_mut(covered).into_iter().for_each(|octets| octets.fill(0));
    sent
}

impl Timing {
    /// Of a probe that came back itself, with T2 if it asked for one at `place`, and it is there and
    /// can be true.
    pub(super) fn of_looped(
        away: &Away,
        config: &SenderConfig,
        place: Option<TimestampPlace>,
        octets: &[u8],
    ) -> Result<Self, RejectReason> {
        let timing = Self::of_round_trip(away, away.duration()?);
        if let Some(offset) = stray_offset(config.mode(), place, octets) {
            return Ok(Self { stamping: Stamping::Elsewhere { offset }, ..timing });
        }
        let Some(place) = place else { return Ok(timing) };
        let written = read(place, octets).filter(|written| !written.is_zero());
        let Some(written) = written else {
            return Ok(Self { stamping: Stamping::Missing, ..timing });
        };
        let near = away.reply_received.time;
        Ok(match config.ptp_utc_offset.wall_time(written, near) {
            Ok(probe_received) => timing.stamped(away, probe_received),
            Err(_) => Self { stamping: Stamping::Unreadable, ..timing },
        })
    }

    /// A value that both clocks contradict is not shown as a delay: nothing else in the probe
    /// vouches for it.
    fn stamped(self, away: &Away, probe_received: WallTime) -> Self {
        let forward = probe_received.since(away.probe_sent.time);
        let backward = away.reply_received.time.since(probe_received);
        let contradicted = away.tolerance_ns().is_some_and(|tolerance| {
            [forward, backward].into_iter().any(|delay| is_before_by_more_than(delay, tolerance))
        });
        let probe_received = Some(probe_received);
        if contradicted {
            return Self { probe_received, stamping: Stamping::Implausible, ..self };
        }
        Self {
            probe_received,
            forward_delay: Some(forward),
            backward_delay: Some(backward),
            stamping: Stamping::Stamped,
            ..self
        }
    }
}

fn read(place: TimestampPlace, octets: &[u8]) -> Option<Timestamp> {
    let octets = peek_up_to(octets, place.range()).first_chunk()?;
    Some(Timestamp::from_octets(*octets, place.format))
}

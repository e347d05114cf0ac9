//! Telling a reply from a probe, although no bit says which it is.
//!
//! Two Session-Reflectors that take each other's replies for probes answer each other for ever, and
//! one forged datagram is enough to start them. These checks end such a loop.

use super::AuthenticationMode;
use crate::error::ParseError;
use crate::reader::{peek_array, peek_up_to};
use crate::time::{ErrorEstimate, TimeDelta, Timestamp};

/// Largest distance of T2 and T3 in what is taken for a reply.
const LONGEST_RESIDENCE: TimeDelta = TimeDelta::from_ns(1_000_000_000);

/// The octets look like a Session-Reflector's (RFC 8762 §4.3), so nobody should answer them.
///
/// That is: the Receive Timestamp is within a second of the packet's own Timestamp, both read by
/// its own Z bit, and the echoed Session-Sender Timestamp is not zero. No clock and no port is
/// needed for it. A probe has zeros there, a probe stamped on its way has T2 alone, and random
/// padding does not come so close.
#[must_use]
pub fn reads_as_reply(mode: AuthenticationMode, octets: &[u8]) -> bool {
    residence(mode, octets).is_ok_and(|residence| {
        residence.is_some_and(|residence| residence.abs() <= LONGEST_RESIDENCE)
    })
}

/// T3 - T2 as the octets state them; `None` when they echo no Session-Sender Timestamp.
fn residence(mode: AuthenticationMode, octets: &[u8]) -> Result<Option<TimeDelta>, ParseError> {
    let echoed = peek_array(octets, mode.sender_timestamp_offset(), "session-sender timestamp")?;
    if echoed == [0; 8] {
        return Ok(None);
    }
    let estimate = peek_array(octets, mode.error_estimate_offset(), "error estimate")?;
    let format = ErrorEstimate::from_bits(u16::from_be_bytes(estimate)).format();
    let own = peek_array(octets, mode.timestamp_offset(), "timestamp")?;
    let received = peek_array(octets, mode.receive_timestamp_offset(), "receive timestamp")?;
    let own = Timestamp::from_octets(own, format);
    own.since(Timestamp::from_octets(received, format)).map(Some)
}

/// Every octet that a Session-Sender must leave zero is zero, as far as the octets reach.
///
/// RFC 8762 §4.2 forbids to refuse a probe for this alone; it only adds to other suspicion.
#[must_use]
pub fn sender_mbz_is_zero(mode: AuthenticationMode, octets: &[u8]) -> bool {
    let is_zero = |range| peek_up_to(octets, range).iter().all(|octet| *octet == 0);
    match mode {
        AuthenticationMode::Unauthenticated => is_zero(16..44),
        AuthenticationMode::Authenticated => is_zero(4..16) && is_zero(28..96),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ip::HopLimit;
    use crate::packet::{ReflectorPacket, SenderPacket, Ssid};
    use crate::strategies::{formats, modes, sender_packets, wall_times};
    use crate::time::{TimestampFormat, WallTime};

    const MODES: [AuthenticationMode; 2] =
        [AuthenticationMode::Unauthenticated, AuthenticationMode::Authenticated];
    const PROBE_RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_790_246_912);

    fn reply(probe_sent: Timestamp, residence_ns: i64, format: TimestampFormat) -> ReflectorPacket {
        let reply_sent = PROBE_RECEIVED.saturating_add(TimeDelta::from_ns(residence_ns));
        ReflectorPacket {
            sequence: 1,
            timestamp: Timestamp::from_wall(reply_sent, format),
            error_estimate: ErrorEstimate::unsynchronized(format),
            ssid: Ssid::NONE,
            receive_timestamp: Timestamp::from_wall(PROBE_RECEIVED, format),
            sender_sequence: 1,
            sender_timestamp: probe_sent,
            sender_error_estimate: ErrorEstimate::unsynchronized(probe_sent.format()),
            sender_ttl: HopLimit::MAX,
        }
    }

    fn octets(mode: AuthenticationMode, packet: &ReflectorPacket) -> [u8; 112] {
        let mut octets = [0; 112];
        packet.emit(mode, &mut octets).unwrap();
        octets
    }

    #[test]
    fn a_reply_reads_as_one_in_either_format() {
        let probe_sent = Timestamp::from_wall(PROBE_RECEIVED, TimestampFormat::Ntp);
        for mode in MODES {
            for format in [TimestampFormat::Ntp, TimestampFormat::Ptp] {
                for residence in [0, 50_000, -50_000, 1_000_000_000, -1_000_000_000] {
                    let octets = octets(mode, &reply(probe_sent, residence, format));
                    assert!(reads_as_reply(mode, &octets), "{mode} {format} {residence}");
                    assert!(!sender_mbz_is_zero(mode, &octets));
                }
            }
        }
    }

    #[test]
    fn instants_more_than_a_second_apart_are_no_reply() {
        let probe_sent = Timestamp::from_wall(PROBE_RECEIVED, TimestampFormat::Ntp);
        for mode in MODES {
            for residence in [1_000_000_001, -1_000_000_001] {
                let packet = reply(probe_sent, residence, TimestampFormat::Ptp);
                assert!(!reads_as_reply(mode, &octets(mode, &packet)));
            }
        }
    }

    #[test]
    fn a_probe_stamped_on_its_way_is_no_reply() {
        let nothing_echoed = Timestamp::from_octets([0; 8], TimestampFormat::Ntp);
        for mode in MODES {
            let packet = reply(nothing_echoed, 50_000, TimestampFormat::Ptp);
            assert!(!reads_as_reply(mode, &octets(mode, &packet)));
        }
    }

    #[test]
    fn a_nanosecond_field_out_of_range_is_no_reply() {
        let mut packet = reply(
            Timestamp::from_wall(PROBE_RECEIVED, TimestampFormat::Ntp),
            0,
            TimestampFormat::Ptp,
        );
        packet.receive_timestamp = Timestamp::from_octets([0xff; 8], TimestampFormat::Ptp);
        for mode in MODES {
            assert!(!reads_as_reply(mode, &octets(mode, &packet)));
        }
    }

    #[test]
    fn octets_that_end_before_the_echo_are_no_reply() {
        let probe_sent = Timestamp::from_wall(PROBE_RECEIVED, TimestampFormat::Ntp);
        for mode in MODES {
            let octets = octets(mode, &reply(probe_sent, 0, TimestampFormat::Ntp));
            let end = mode.sender_timestamp_offset() + 8;
            assert!(!reads_as_reply(mode, &octets[..end - 1]));
            assert!(reads_as_reply(mode, &octets[..end]));
        }
    }

    #[test]
    fn every_mbz_octet_of_a_probe_counts_and_no_other() {
        for (mode, mbz) in [(MODES[0], [16..44, 0..0]), (MODES[1], [4..16, 28..96])] {
            for place in 0..112 {
                let mut octets = [0; 112];
                octets[place] = 1;
                let is_mbz = mbz.iter().any(|range| range.contains(&place));
                assert_eq!(sender_mbz_is_zero(mode, &octets), !is_mbz, "{mode} {place}");
                // A short packet is judged by what is there.
                assert!(sender_mbz_is_zero(mode, &octets[..place]));
            }
        }
    }

    proptest! {
        #[test]
        fn a_probe_never_reads_as_a_reply(packet in sender_packets(), mode in modes()) {
            let mut octets = [0; 112];
            packet.emit(mode, &mut octets).unwrap();
            prop_assert!(!reads_as_reply(mode, &octets));
            prop_assert!(sender_mbz_is_zero(mode, &octets));
        }

        #[test]
        fn an_answered_reply_never_asks_for_another(
            at in wall_times(), format in formats(), probe_format in formats(), mode in modes(),
            residence in -999_000_000_i64..999_000_000,
        ) {
            // A naive reflector answers at `at`; what it sends must not be answered again.
            let probe_sent = Timestamp::from_wall(at, probe_format);
            prop_assume!(!probe_sent.is_zero());
            let probe = SenderPacket {
                sequence: 1,
                timestamp: probe_sent,
                error_estimate: ErrorEstimate::unsynchronized(probe_format),
                ssid: Ssid::NONE,
            };
            let mut answer = reply(probe.timestamp, 0, format);
            answer.receive_timestamp = Timestamp::from_wall(at, format);
            let reply_sent = at.saturating_add(TimeDelta::from_ns(residence));
            answer.timestamp = Timestamp::from_wall(reply_sent, format);
            prop_assert!(reads_as_reply(mode, &octets(mode, &answer)));
        }
    }
}

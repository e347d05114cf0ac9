//! Random packets and their parts for the property tests of every module.

use std::vec::Vec;

use proptest::prelude::*;

use crate::ip::HopLimit;
use crate::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
use crate::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};

/// 1970-01-01 plus and minus 200 years, with whole seconds and wraps made likely.
pub(crate) fn wall_times() -> impl Strategy<Value = WallTime> {
    const NTP_WRAP: i64 = 2_085_978_496_000_000_000;
    const PTP_WRAP: i64 = 4_294_967_296_000_000_000;
    let near = -3_000_000_000_i64..3_000_000_000;
    prop_oneof![
        4 => -6_300_000_000_000_000_000_i64..6_300_000_000_000_000_000,
        1 => (-6_300_000_000_i64..6_300_000_000).prop_map(|seconds| seconds * 1_000_000_000),
        1 => near.clone().prop_map(|ns| NTP_WRAP + ns),
        1 => near.clone().prop_map(|ns| PTP_WRAP + ns),
        1 => near,
    ]
    .prop_map(WallTime::from_unix_ns)
}

pub(crate) fn formats() -> impl Strategy<Value = TimestampFormat> {
    prop_oneof![Just(TimestampFormat::Ntp), Just(TimestampFormat::Ptp)]
}

pub(crate) fn modes() -> impl Strategy<Value = AuthenticationMode> {
    prop_oneof![Just(AuthenticationMode::Unauthenticated), Just(AuthenticationMode::Authenticated)]
}

pub(crate) fn octets(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..=longest)
}

/// An Error Estimate and as many timestamps as asked for, all read by its Z bit.
fn clock<const N: usize>() -> impl Strategy<Value = (ErrorEstimate, [Timestamp; N])> {
    (any::<u16>(), any::<[[u8; 8]; N]>()).prop_map(|(bits, octets)| {
        let estimate = ErrorEstimate::from_bits(bits);
        (estimate, octets.map(|octets| Timestamp::from_octets(octets, estimate.format())))
    })
}

pub(crate) fn sender_packets() -> impl Strategy<Value = SenderPacket> {
    (any::<u32>(), clock(), any::<u16>()).prop_map(
        |(sequence, (error_estimate, [timestamp]), ssid)| SenderPacket {
            sequence,
            timestamp,
            error_estimate,
            ssid: Ssid(ssid),
        },
    )
}

pub(crate) fn reflector_packets() -> impl Strategy<Value = ReflectorPacket> {
    (any::<(u32, u32, u16, u8)>(), clock(), clock()).prop_map(|(numbers, own, sender)| {
        let (sequence, sender_sequence, ssid, sender_ttl) = numbers;
        let (error_estimate, [timestamp, receive_timestamp]) = own;
        let (sender_error_estimate, [sender_timestamp]) = sender;
        ReflectorPacket {
            sequence,
            timestamp,
            error_estimate,
            ssid: Ssid(ssid),
            receive_timestamp,
            sender_sequence,
            sender_timestamp,
            sender_error_estimate,
            sender_ttl: HopLimit(sender_ttl),
        }
    })
}

/// TLVs of every type and small length, then anything: mostly a malformed end.
pub(crate) fn areas() -> impl Strategy<Value = Vec<u8>> {
    let tlvs = proptest::collection::vec((any::<[u8; 2]>(), octets(20)), 0..8);
    (tlvs, octets(8)).prop_map(|(tlvs, end)| {
        let mut area = Vec::new();
        for ([flags, kind], value) in tlvs {
            let length = u16::try_from(value.len()).unwrap().to_be_bytes();
            area.extend_from_slice(&[flags, kind]);
            area.extend_from_slice(&length);
            area.extend_from_slice(&value);
        }
        area.extend_from_slice(&end);
        area
    })
}

//! What samples and summaries say.

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::{
    ErrorEstimate, PtpUtcOffset, Stamp, StampSource, Timestamp, TimestampFormat,
};

use super::rig::*;
use crate::clock::ClockState;
use crate::sender::{SenderConfig, TlvOutcome};
use crate::snapshot::{HopRange, StampCounts};

#[test]
fn the_four_instants_give_the_four_delays() {
    // T2 = T1 + 1.234567 ms, T3 = T2 + 50 us, T4 = T3 + 1.345679 ms.
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.packet.receive_timestamp = ntp(1_234_567);
    reply.packet.timestamp = ntp(1_284_567);
    reply.arrives = 2_630_246;
    let sample = sample(rig.receive(&reply));
    assert_eq!(sample.forward_delay, Some(ns(1_234_567)));
    assert_eq!(sample.backward_delay, Some(ns(1_345_679)));
    assert_eq!(sample.residence, Some(ns(50_000)));
    assert_eq!(sample.round_trip, ns(2_580_246));
    let delay = rig.sender.snapshot().delay;
    assert_eq!(delay.forward.mean, Some(ns(1_234_567)));
    assert_eq!(delay.backward.p50, Some(ns(1_345_679)));
    assert_eq!(delay.residence.max, Some(ns(50_000)));
    assert_eq!(delay.round_trip.min, Some(ns(2_580_246)));
}

#[test]
fn a_kernel_stamp_corrects_t1_and_the_echo_is_still_of_what_was_written() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let stamp = Stamp { time: wall(30_000), source: StampSource::Kernel };
    rig.sender.handle_transmit_stamp(0, stamp);
    let first = sample(rig.receive(&Reply::to(&probe, 0)));
    assert_eq!(first.probe_sent, stamp);
    assert_eq!(first.forward_delay, Some(ns(8 * MS as i64 - 30_000)));
    assert_eq!(first.round_trip, ns(19 * MS as i64 - 30_000));
    // Too late for the sample: changes nothing any more.
    rig.sender.handle_transmit_stamp(0, Stamp { time: wall(50_000), ..stamp });
    let _ = rig.answered(100 * MS);
    let stamps = rig.sender.snapshot().stamps;
    assert_eq!(stamps.probe_sent, StampCounts { user: 1, kernel: 1, hardware: 0 });
    assert_eq!(stamps.probe_sent.only(), None);
    assert_eq!(stamps.reply_received.only(), Some(StampSource::Kernel));
}

#[test]
fn each_timestamp_is_read_by_its_own_z_bit() {
    let config = SenderConfig { format: TimestampFormat::Ptp, ..config() };
    let mut rig = Rig::new(config);
    let probe = rig.send(0);
    let sample = sample(rig.receive(&Reply::to(&probe, 0)));
    assert_eq!(sample.forward_delay, Some(ns(8 * MS as i64)));
    assert_eq!(rig.sender.snapshot().reflector.format, Some(TimestampFormat::Ntp));
}

#[test]
fn a_far_end_that_counts_tai_is_read_with_the_configured_offset() {
    let config = SenderConfig { ptp_utc_offset: PtpUtcOffset::TAI, ..config() };
    let mut rig = Rig::new(config);
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    let tai = |ns| PtpUtcOffset::TAI.timestamp(wall(ns), TimestampFormat::Ptp);
    reply.packet.error_estimate = ErrorEstimate::new(1_000, true, TimestampFormat::Ptp);
    reply.packet.receive_timestamp = tai(8 * MS);
    reply.packet.timestamp = tai(9 * MS);
    assert_eq!(sample(rig.receive(&reply)).forward_delay, Some(ns(8 * MS as i64)));
}

#[test]
fn an_era_that_ends_in_between_is_no_matter() {
    // 2036-02-07 06:28:16 UTC: NTP seconds start again 5 ms into the way out.
    let start = 2_085_978_496_000_000_000 - 5 * MS as i64;
    let now = |ns: u64| crate::clock::Now {
        monotonic: crate::clock::MonotonicTime::from_ns(ns),
        wall: stamp_proto::time::WallTime::from_unix_ns(start + ns as i64),
    };
    let mut rig = Rig::new(config());
    let mut out = [0; 44];
    let transmit = rig.sender.poll_transmit(now(0), &mut out).unwrap();
    let probe = transmit.octets.to_vec();
    rig.sender.handle_sent(transmit.token, None);
    let mut reply = Reply::to(&probe, 0);
    let far = |ns| Timestamp::from_wall(now(ns).wall, TimestampFormat::Ntp);
    reply.packet.receive_timestamp = far(8 * MS);
    reply.packet.timestamp = far(9 * MS);
    let mut octets = [0; 44];
    reply
        .packet
        .emit(stamp_proto::packet::AuthenticationMode::Unauthenticated, &mut octets)
        .unwrap();
    let received = crate::datagram::Received {
        octets: &octets,
        from: TARGET.parse().unwrap(),
        to: TARGET.parse().unwrap(),
        interface: 0,
        stamp: Stamp { time: now(20 * MS).wall, source: StampSource::Kernel },
        hop_limit: None,
        traffic_class: None,
        headers: crate::datagram::Headers::UNKNOWN,
    };
    let sample = sample(rig.sender.handle_reply(now(20 * MS), received));
    assert_eq!(sample.forward_delay, Some(ns(8 * MS as i64)));
    assert_eq!(sample.backward_delay, Some(ns(11 * MS as i64)));
}

#[test]
fn one_way_values_are_trusted_only_when_both_clocks_are() {
    for (near, far, trusted) in [(true, true, true), (true, false, false), (false, true, false)] {
        let clock = if near { synchronized(500) } else { ClockState::UNKNOWN };
        let mut rig = Rig::new(SenderConfig { clock, ..config() });
        let probe = rig.send(0);
        let mut reply = Reply::to(&probe, 0);
        if !far {
            reply = reply.unsynchronized();
        }
        assert_eq!(sample(rig.receive(&reply)).clock_synchronized, trusted);
        assert_eq!(rig.sender.snapshot().clock.synchronized, trusted);
    }
}

#[test]
fn what_the_operator_declares_of_the_far_clock_goes_before_what_it_says() {
    let far_clock = Some(synchronized(2_000));
    let config = SenderConfig { clock: synchronized(500), far_clock, ..config() };
    let mut rig = Rig::new(config);
    assert_eq!(rig.sender.snapshot().clock.far, far_clock);
    let probe = rig.send(0);
    let sample = sample(rig.receive(&Reply::to(&probe, 0).unsynchronized()));
    assert!(sample.clock_synchronized);
    assert_eq!(sample.error_bound_ns, Some(2_500));
    assert_eq!(rig.sender.snapshot().clock.error_bound_ns, Some(2_500));
}

#[test]
fn variation_is_between_consecutive_probes_whatever_the_order_of_replies() {
    let mut rig = Rig::new(config());
    let probes: Vec<_> = (0..4).map(|slot| rig.send(slot * 100 * MS)).collect();
    // Round trips of 19, 24, 21 and 19 ms; 2 comes before 1, 0 last of all.
    let reply = |slot: usize, extra: u64| {
        let sent = slot as u64 * 100 * MS;
        let mut reply = Reply::to(&probes[slot], sent);
        reply.arrives = sent + 20 * MS + extra * MS;
        reply
    };
    let mut receive = |slot, extra| sample(rig.receive_at(at(301 * MS), &reply(slot, extra)));
    assert_eq!(receive(2, 2).variation.round_trip, None);
    // The neighbour behind is known: counted, though this sample cannot show it.
    assert_eq!(receive(1, 5).variation.round_trip, None);
    assert_eq!(receive(0, 0).variation.round_trip, None);
    let ipdv = rig.sender.snapshot().ipdv;
    assert_eq!(ipdv.round_trip.count, 2);
    assert_eq!(ipdv.round_trip.max, Some(ns(5 * MS as i64)));
    assert_eq!(ipdv.round_trip.min, Some(ns(-3 * MS as i64)));
    assert_eq!(ipdv.forward.max, Some(ns(0)));
    assert_eq!(ipdv.backward.max, Some(ns(5 * MS as i64)));
    let last = sample(rig.receive_at(at(321 * MS), &reply(3, 0)));
    assert_eq!(last.variation.round_trip, Some(ns(-2 * MS as i64)));
}

#[test]
fn variation_across_a_lost_probe_is_undefined() {
    let mut rig = Rig::new(config());
    let _ = rig.answered(0);
    let _ = rig.send(100 * MS);
    let second = rig.answered(200 * MS);
    assert_eq!(second.variation.forward, None);
    assert_eq!(rig.answered(300 * MS).variation.forward, Some(ns(0)));
    assert_eq!(rig.sender.snapshot().ipdv.forward.count, 1);
}

#[test]
fn replies_that_overtake_others_are_counted() {
    let mut rig = Rig::new(config());
    let probes: Vec<_> = (0..3).map(|slot| rig.send(slot * 100 * MS)).collect();
    for (slot, reordered) in [(0, false), (2, false), (1, true)] {
        let reply = Reply { arrives: 210 * MS, ..Reply::to(&probes[slot], slot as u64 * 100 * MS) };
        assert_eq!(sample(rig.receive(&reply)).reordered, reordered);
    }
    assert_eq!(rig.sender.snapshot().packets.reordered.round_trip, 1);
}

#[test]
fn hops_and_marks_of_both_ways_are_seen() {
    let mut rig =
        Rig::new(SenderConfig { traffic_class: (Dscp::new(46).unwrap(), Ecn::Ect0), ..config() });
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.traffic_class = Some((Dscp::DEFAULT, Ecn::Ce));
    let first = sample(rig.receive(&reply));
    assert_eq!((first.forward_hops, first.backward_hops), (Some(5), Some(6)));
    assert!(first.remarked);
    // Congestion was met: the next is due after twice the time.
    let probe = rig.send(200 * MS);
    let mut reply = Reply::to(&probe, 200 * MS);
    reply.traffic_class = Some((Dscp::new(46).unwrap(), Ecn::Ect0));
    reply.packet.sender_ttl = HopLimit(248);
    assert!(!sample(rig.receive(&reply)).remarked);
    let path = rig.sender.snapshot().path;
    assert_eq!(path.forward_hops, Some(HopRange { min: 5, max: 7, last: 7 }));
    assert_eq!((path.remarked, path.congestion_experienced), (1, 1));
    assert_eq!(path.reply_traffic_class, reply.traffic_class);
}

#[test]
fn a_ttl_of_zero_is_a_far_end_that_cannot_tell() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.packet.sender_ttl = HopLimit(0);
    assert_eq!(sample(rig.receive(&reply)).forward_hops, None);
}

#[test]
fn a_reply_that_was_not_sent_with_255_tells_no_hops() {
    for (ttl, hops) in [(192, Some(63)), (191, None), (127, None), (64, None)] {
        let mut rig = Rig::new(config());
        let probe = rig.send(0);
        let mut reply = Reply::to(&probe, 0);
        reply.hop_limit = Some(HopLimit(ttl));
        assert_eq!(sample(rig.receive(&reply)).backward_hops, hops, "{ttl}");
    }
}

#[test]
fn tlvs_are_told_with_every_sample() {
    let mut rig = Rig::new(SenderConfig { payload_octets: 60, ..config() });
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.area[0] = 0;
    assert_eq!(sample(rig.receive(&reply)).tlvs, TlvOutcome::Supported);
    assert_eq!(rig.answered(100 * MS).tlvs, TlvOutcome::Unsupported);
    let snapshot = rig.sender.snapshot();
    assert_eq!(snapshot.tlvs, TlvOutcome::Unsupported);
    assert_eq!((snapshot.tlv_counts.supported, snapshot.tlv_counts.unsupported), (1, 1));
}

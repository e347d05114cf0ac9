//! Slowing down on congestion (draft-ietf-ippm-stamp-cos-ecn), in virtual time.

use std::sync::Arc;

use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;

use super::rig::*;
use crate::sender::*;

/// What a probe and its reply met on their ways.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    forward: bool,
    backward: bool,
}

const NOTHING: Met = Met { forward: false, backward: false };

/// A probe every 100 ms; probes and replies have ECT(0).
fn rig() -> Rig {
    let wanted = ClassOfServiceRequest { dscp: Dscp::DEFAULT, ecn: Ecn::Ect0 };
    let requests = Requests { class_of_service: Some(wanted), ..Requests::default() };
    let mut config = SenderConfig {
        requests: Arc::new(requests),
        traffic_class: (Dscp::DEFAULT, Ecn::Ect0),
        ..config()
    };
    config.payload_octets = config.smallest_payload();
    Rig::new(config)
}

/// Sends so many probes, each when it is due and answered before the next; the gaps between them in
/// milliseconds. `way` says what each meets, given its gap.
fn gaps(rig: &mut Rig, probes: usize, mut way: impl FnMut(u64) -> Met) -> Vec<u64> {
    let mut gaps = Vec::new();
    let mut before = None;
    for _ in 0..probes {
        let at_ns = rig.sender.next_timeout().expect("a slot").ns();
        let probe = rig.send(at_ns);
        let gap = before.map_or(u64::MAX, |before| (at_ns - before) / MS);
        before = Some(at_ns);
        gaps.push(gap);
        let met = way(gap);
        let ecn = |marked| if marked { Ecn::Ce } else { Ecn::Ect0 };
        let mut reply = Reply::to(&probe, at_ns);
        reply.area[0] = 0;
        // DSCPs of zero, the ECN on arrival, and that the reply has the ECN that was asked for.
        reply.area[4..8].copy_from_slice(&[0, ecn(met.forward).bits() << 2, 0xb0, 0]);
        reply.traffic_class = Some((Dscp::DEFAULT, ecn(met.backward)));
        let sample = sample(rig.receive(&reply));
        assert!(matches!(sample.answers.class_of_service, Told::Told(_)));
    }
    gaps.split_off(1)
}

fn changes(rig: &mut Rig) -> Vec<(Option<Marked>, u64)> {
    let change = |event| match event {
        SenderEvent::Pace(change) => {
            Some((change.marked, u64::try_from(change.interval.as_millis()).unwrap()))
        }
        _ => None,
    };
    rig.events().into_iter().filter_map(change).collect()
}

#[test]
fn a_mark_on_either_way_doubles_the_interval() {
    for (met, marked) in [
        (Met { forward: true, ..NOTHING }, Marked::Forward),
        (Met { backward: true, ..NOTHING }, Marked::Backward),
        (Met { forward: true, backward: true }, Marked::Forward),
    ] {
        let mut rig = rig();
        let mut first = true;
        let gaps = gaps(&mut rig, 4, |_| if core::mem::take(&mut first) { met } else { NOTHING });
        assert_eq!(gaps, [200, 200, 200], "from the very next probe on");
        assert_eq!(changes(&mut rig), [(Some(marked), 200)]);
        let pace = rig.sender.snapshot().answers.unwrap().pace;
        let interval = Duration::from_millis(200);
        assert_eq!(pace, PaceReport { slowdowns: 1, interval });
    }
}

#[test]
fn a_bottleneck_that_marks_is_left_alone_and_its_end_is_noticed() {
    let mut rig = rig();
    // It marks what comes within 350 ms of the packet before.
    let gaps_then = gaps(&mut rig, 12, |gap| Met { forward: gap < 350, ..NOTHING });
    assert_eq!(gaps_then[..3], [100, 200, 400]);
    assert!(gaps_then[3..].iter().all(|gap| *gap == 400), "{gaps_then:?}");
    let gaps_later = gaps(&mut rig, 40, |_| NOTHING);
    assert_eq!(gaps_later.last(), Some(&100), "{gaps_later:?}");
    let told: Vec<u64> = changes(&mut rig).into_iter().map(|(_, interval)| interval).collect();
    assert_eq!(told, [200, 400, 200, 100]);
    assert_eq!(gaps(&mut rig, 40, |_| NOTHING).iter().max(), Some(&100), "never faster than asked");
}

#[test]
fn the_interval_grows_to_64_times_and_no_further() {
    let mut rig = rig();
    let gaps = gaps(&mut rig, 12, |_| Met { backward: true, ..NOTHING });
    assert_eq!(gaps[..7], [200, 400, 800, 1_600, 3_200, 6_400, 6_400]);
    assert_eq!(rig.sender.snapshot().answers.unwrap().pace.slowdowns, 6);
}

#[test]
fn what_left_at_the_pace_before_does_not_count_again() {
    let mut rig = rig();
    let probes: Vec<Vec<u8>> = (0..3).map(|slot| rig.send(slot * 100 * MS)).collect();
    for (slot, probe) in (0..).zip(&probes) {
        let mut reply = Reply::to(probe, slot * 100 * MS);
        reply.arrives = 250 * MS + slot * MS;
        reply.traffic_class = Some((Dscp::DEFAULT, Ecn::Ce));
        let _ = rig.receive(&reply);
    }
    assert_eq!(changes(&mut rig), [(Some(Marked::Backward), 200)], "all three left before it");
}

#[test]
fn one_that_uses_no_ect_promised_nothing() {
    let mut rig = Rig::new(config());
    let probe = rig.send(0);
    let reply = Reply { traffic_class: Some((Dscp::DEFAULT, Ecn::Ce)), ..Reply::to(&probe, 0) };
    let _ = rig.receive(&reply);
    assert!(rig.try_send(100 * MS).is_some());
    assert!(changes(&mut rig).is_empty());
}

#[test]
fn missed_slots_are_those_of_the_pace() {
    let mut rig = rig();
    let mut first = true;
    let _ = gaps(&mut rig, 1, |_| Met { forward: core::mem::take(&mut first), ..NOTHING });
    // The next is due at 200 ms: 150 ms later it is late, and not missed.
    assert!(rig.try_send(350 * MS).is_some());
    assert_eq!(rig.sender.snapshot().packets.unsent.total(), 0);
    assert!(rig.try_send(399 * MS).is_none());
    assert!(rig.try_send(400 * MS).is_some());
}

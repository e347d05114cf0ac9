//! Sessions for tests: a good one, to be made worse.

use stamp_proto::time::WallTime;

use super::*;

/// 600 probes in ten minutes; two lost, one each way; both clocks synchronised.
#[must_use]
pub fn good() -> SessionRecord {
    SessionRecord {
        name: "r1".to_owned(),
        target: "r1".to_owned(),
        address: "192.0.2.11".to_owned(),
        port: 862,
        mode: "two-way".to_owned(),
        state: State::Up,
        liveness: "active".to_owned(),
        finished: true,
        answered: true,
        started: Instant(WallTime::from_unix_ns(1_795_402_681_000_000_000)),
        config: config(),
        path: path(),
        packets: packets(),
        loss: LossRecord {
            ratio: RatiosRecord {
                round_trip: Some(2.0 / 600.0),
                forward: Some(1.0 / 600.0),
                backward: Some(1.0 / 600.0),
            },
            decided: 600,
            bursts: 2,
            character: None,
            policed: false,
            plateau_per_second: None,
        },
        delay_ns: DelaysRecord {
            forward: delay(58_200),
            backward: delay(61_000),
            round_trip: delay(119_200),
            residence: delay(12_100),
        },
        ipdv_ns: Directions {
            forward: variation(3_100),
            backward: variation(2_870),
            round_trip: variation(4_420),
        },
        pdv_ns: Directions { forward: pdv(), backward: pdv(), round_trip: pdv() },
        clock: clock(),
        reflector: ReflectorRecord {
            mode: ReflectorMode::Stateful,
            restarts: 0,
            timestamp_format: Some("ntp".to_owned()),
            zero_ssid: false,
        },
        tlvs: TlvsRecord { last: "not_asked".to_owned(), ..TlvsRecord::default() },
        requests: RequestsRecord::default(),
        answers: AnswersRecord::default(),
        stamping: StampingRecord::default(),
        lateness_ns: delay(4_000),
        troubles: Vec::new(),
        findings: Vec::new(),
        histogram_ns: None,
        series: None,
    }
}

/// Nothing came back.
#[must_use]
pub fn silent() -> SessionRecord {
    let mut session = good();
    session.state = State::Init;
    session.liveness = "idle".to_owned();
    session.answered = false;
    session.packets.received = 0;
    session.packets.lost =
        LostRecord { round_trip: 600, longest_run: 600, ..LostRecord::default() };
    session.loss = LossRecord {
        ratio: RatiosRecord { round_trip: Some(1.0), ..RatiosRecord::default() },
        decided: 600,
        bursts: 1,
        ..LossRecord::default()
    };
    session.delay_ns = DelaysRecord::default();
    session.ipdv_ns = Directions::default();
    session.pdv_ns = Directions::default();
    session.clock.far = FarClockRecord::default();
    session.clock.one_way = OneWayRecord::default();
    session.clock.stamps = StampsRecord::default();
    session.reflector.mode = ReflectorMode::Unknown;
    session.reflector.timestamp_format = None;
    session.path.forward_hops = None;
    session.path.backward_hops = None;
    session.path.reply_dscp = None;
    session.path.reply_ecn = None;
    session
}

fn config() -> ConfigRecord {
    ConfigRecord {
        authentication: Authentication::Unauthenticated,
        payload_octets: 44,
        schedule: Departure::Fixed,
        burst: None,
        interval_ns: 1_000_000_000,
        timeout_ns: 3_000_000_000,
        count: Some(600),
        timestamp_format: "ntp".to_owned(),
        hop_limit: 255,
    }
}

fn path() -> PathRecord {
    let hops = HopRangeRecord { min: 3, max: 3, last: 3 };
    PathRecord {
        segments: Vec::new(),
        return_segments: Vec::new(),
        toward: None,
        encapsulation: "plain".to_owned(),
        entropy: None,
        source: "192.0.2.1".to_owned(),
        source_port: 41_234,
        ssid: 48_213,
        mtu_octets: Some(1_500),
        forward_hops: Some(hops),
        backward_hops: Some(hops),
        dscp: 0,
        ecn: 0,
        reply_dscp: Some(0),
        reply_ecn: Some(0),
        remarked: 0,
        congestion_experienced: 0,
    }
}

fn packets() -> PacketsRecord {
    let zero = |labels: &[&str]| labels.iter().map(|label| ((*label).to_owned(), 0)).collect();
    PacketsRecord {
        sent: 600,
        received: 598,
        lost: LostRecord {
            round_trip: 2,
            forward: Some(1),
            backward: Some(1),
            local: 0,
            longest_run: 1,
        },
        reordered_by_direction: ReorderedRecord { forward: Some(0), backward: Some(0) },
        unsent_by_reason: zero(&["missed_slot", "no_route", "too_big"]),
        rejected_by_reason: zero(&["source", "authentication"]),
        ..PacketsRecord::default()
    }
}

fn clock() -> ClockRecord {
    let kernel = SourceCounts { user: 0, kernel: 598, hardware: 0 };
    ClockRecord {
        synchronized: true,
        error_bound_ns: Some(1_000),
        declared: true,
        far: FarClockRecord {
            synchronized: Some(true),
            error_bound_ns: Some(15_300_000),
            declared: false,
            ..FarClockRecord::default()
        },
        one_way: OneWayRecord { synchronized: true, error_bound_ns: Some(15_301_000) },
        excluded: 0,
        suspicions: Vec::new(),
        stamps: StampsRecord {
            probe_sent: Some(Source::Kernel),
            probe_received: None,
            reply_sent: None,
            reply_received: Some(Source::Kernel),
            probe_sent_counts: kernel,
            reply_received_counts: kernel,
        },
    }
}

fn delay(middle: i64) -> DelayRecord {
    DelayRecord {
        count: 598,
        min: Some(middle * 9 / 10),
        mean: Some(middle + 700),
        p50: Some(middle),
        p95: Some(middle * 12 / 10),
        p99: Some(middle * 15 / 10),
        p99_9: Some(middle * 2),
        max: Some(middle * 21 / 10),
        stddev: Some(middle / 12),
        negative: 0,
        including_lost: QuantilesRecord {
            p50: Some(middle),
            p95: Some(middle * 12 / 10),
            p99: Some(middle * 16 / 10),
            p99_9: None,
        },
    }
}

fn variation(magnitude: i64) -> VariationRecord {
    VariationRecord {
        count: 595,
        min: Some(-11 * magnitude),
        mean: Some(3),
        max: Some(12 * magnitude),
        mean_magnitude: Some(magnitude),
        stddev: Some(2 * magnitude),
    }
}

fn pdv() -> PdvRecord {
    PdvRecord {
        count: 598,
        mean: Some(6_500),
        p50: Some(5_800),
        p95: Some(17_500),
        p99: Some(35_000),
        p99_9: Some(64_000),
        max: Some(70_000),
    }
}

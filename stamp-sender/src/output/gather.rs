//! From what the engine knows to the record of a session.

mod answers;
mod headers;

use std::net::SocketAddr;

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::{StampSource, TimeDelta, TimestampFormat};
use stamp_session::clock::ClockState;
use stamp_session::sender::Schedule;
use stamp_session::snapshot::{
    ClockFinding, ClockReport, DelaySummary, FallbackReport, HopRange, PacketCounts, PdvSummary,
    Quantiles, Reflector, SessionSnapshot, SessionState, StampCounts, StampReport, Stamping,
    VariationSummary,
};
use stamp_session::statistics::{LossCharacter, Reason};

use super::heard::Heard;
use super::instant::Instant;
use super::record::{
    Authentication, BurstRecord, Character, ClockFindingRecord, ClockRecord, ConfigRecord,
    DelayRecord, DelaysRecord, Departure, Directions, FallbackRecord, FarClockRecord,
    HopRangeRecord, LossRecord, LostRecord, OneWayRecord, PacketsRecord, PathRecord, PdvRecord,
    QuantilesRecord, RatiosRecord, ReflectorMode, ReflectorRecord, ReorderedRecord, RequestsRecord,
    SessionRecord, Source, SourceCounts, StampingRecord, StampsRecord, State, TlvsRecord,
    VariationRecord,
};
use crate::explain::{Finding, explain};
use crate::happening::SessionInfo;
use crate::steering;

/// Everything about a session, explained; without delay over time.
#[must_use]
pub fn session(info: &SessionInfo, snapshot: &SessionSnapshot, heard: &Heard) -> SessionRecord {
    let mut record = SessionRecord {
        name: info.name.clone(),
        target: info.target_text.clone(),
        address: address(info.target),
        port: info.target.port(),
        mode: info.measurement.label().to_owned(),
        state: state(snapshot.state),
        liveness: snapshot.liveness.label().to_owned(),
        finished: snapshot.finished,
        answered: snapshot.packets.received > 0,
        started: Instant(info.started),
        config: config(info),
        path: path(info, snapshot),
        packets: packets(&snapshot.packets),
        loss: loss(snapshot),
        delay_ns: DelaysRecord {
            forward: delay(&snapshot.delay.forward),
            backward: delay(&snapshot.delay.backward),
            round_trip: delay(&snapshot.delay.round_trip),
            residence: delay(&snapshot.delay.residence),
        },
        ipdv_ns: Directions {
            forward: variation(&snapshot.ipdv.forward),
            backward: variation(&snapshot.ipdv.backward),
            round_trip: variation(&snapshot.ipdv.round_trip),
        },
        pdv_ns: Directions {
            forward: pdv(&snapshot.pdv.forward),
            backward: pdv(&snapshot.pdv.backward),
            round_trip: pdv(&snapshot.pdv.round_trip),
        },
        clock: clock(info, &snapshot.clock, &snapshot.stamps),
        reflector: reflector(snapshot),
        tlvs: tlvs(snapshot),
        requests: requests(info, snapshot),
        answers: answers::answers(info, snapshot),
        stamping: stamping(info, snapshot),
        lateness_ns: delay(&snapshot.lateness),
        troubles: heard.troubles().to_vec(),
        findings: Vec::new(),
        histogram_ns: None,
        series: None,
    };
    record.findings = explain(&record).iter().map(Finding::record).collect();
    record
}

/// The address without port, with its scope when it has one.
#[must_use]
pub fn address(socket: SocketAddr) -> String {
    match socket {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => socket.ip().to_string(),
    }
}

/// How probes are made.
#[must_use]
pub fn config(info: &SessionInfo) -> ConfigRecord {
    let (schedule, interval, burst) = match info.schedule {
        Schedule::Fixed { interval } => (Departure::Fixed, interval, None),
        Schedule::Poisson { mean } => (Departure::Poisson, mean, None),
        Schedule::Burst { interval, count, every } => {
            let burst = BurstRecord { count, every_ns: ns(every) };
            (Departure::Burst, interval, Some(burst))
        }
    };
    ConfigRecord {
        authentication: match info.authentication {
            AuthenticationMode::Unauthenticated => Authentication::Unauthenticated,
            AuthenticationMode::Authenticated => Authentication::Authenticated,
        },
        payload_octets: info.payload_octets as u64,
        schedule,
        interval_ns: ns(interval),
        burst,
        timeout_ns: ns(info.timeout),
        count: info.count,
        timestamp_format: format_label(info.format).to_owned(),
        hop_limit: info.hop_limit.0,
    }
}

fn path(info: &SessionInfo, snapshot: &SessionSnapshot) -> PathRecord {
    let report = &snapshot.path;
    PathRecord {
        segments: info.steering.segments.clone(),
        return_segments: info.steering.return_segments.clone(),
        toward: info.steering.toward.clone(),
        encapsulation: info.steering.encapsulation.to_owned(),
        entropy: info.steering.entropy.clone(),
        source: address(info.source),
        source_port: info.source.port(),
        ssid: info.ssid.0,
        mtu_octets: info.path_mtu,
        forward_hops: report.forward_hops.map(hops),
        backward_hops: report.backward_hops.map(hops),
        dscp: info.traffic_class.0.value(),
        ecn: info.traffic_class.1.bits(),
        reply_dscp: report.reply_traffic_class.map(|(dscp, _)| dscp.value()),
        reply_ecn: report.reply_traffic_class.map(|(_, ecn)| ecn.bits()),
        remarked: report.remarked,
        congestion_experienced: report.congestion_experienced,
    }
}

const fn hops(range: HopRange) -> HopRangeRecord {
    HopRangeRecord { min: range.min, max: range.max, last: range.last }
}

fn packets(packets: &PacketCounts) -> PacketsRecord {
    let label = |(label, count): (&'static str, u64)| (label.to_owned(), count);
    PacketsRecord {
        sent: packets.sent,
        unsent: packets.unsent.total(),
        received: packets.received,
        duplicate: packets.duplicate,
        reordered: packets.reordered.round_trip,
        late: packets.late,
        rejected: packets.rejected.total(),
        lost: LostRecord {
            round_trip: packets.lost.round_trip,
            forward: packets.lost.forward,
            backward: packets.lost.backward,
            local: packets.lost.local,
            longest_run: packets.lost.longest_run,
        },
        outstanding: packets.outstanding,
        reordered_by_direction: ReorderedRecord {
            forward: packets.reordered.forward,
            backward: packets.reordered.backward,
        },
        unsent_by_reason: packets
            .unsent
            .iter()
            .map(|(reason, count)| label((reason.label(), count)))
            .collect(),
        rejected_by_reason: packets
            .rejected
            .iter()
            .map(|(reason, count)| label((reason.label(), count)))
            .collect(),
    }
}

fn loss(snapshot: &SessionSnapshot) -> LossRecord {
    let (packets, pattern) = (&snapshot.packets, &snapshot.loss_pattern);
    LossRecord {
        ratio: RatiosRecord {
            round_trip: packets.loss_ratio(),
            forward: packets.direction_ratio(packets.lost.forward),
            backward: packets.direction_ratio(packets.lost.backward),
        },
        decided: pattern.decided,
        bursts: pattern.bursts,
        character: pattern.character().map(|character| match character {
            LossCharacter::Even => Character::Even,
            LossCharacter::Bursty => Character::Bursty,
        }),
        policed: pattern.looks_policed(),
        plateau_per_second: pattern.plateau_rate(),
    }
}

fn delay(summary: &DelaySummary) -> DelayRecord {
    DelayRecord {
        count: summary.count,
        min: signed(summary.min),
        mean: signed(summary.mean),
        p50: signed(summary.p50),
        p95: signed(summary.p95),
        p99: signed(summary.p99),
        p99_9: signed(summary.p99_9),
        max: signed(summary.max),
        stddev: signed(summary.stddev),
        negative: summary.negative,
        including_lost: quantiles(&summary.including_lost),
    }
}

fn quantiles(quantiles: &Quantiles) -> QuantilesRecord {
    QuantilesRecord {
        p50: signed(quantiles.p50),
        p95: signed(quantiles.p95),
        p99: signed(quantiles.p99),
        p99_9: signed(quantiles.p99_9),
    }
}

fn variation(summary: &VariationSummary) -> VariationRecord {
    VariationRecord {
        count: summary.count,
        min: signed(summary.min),
        mean: signed(summary.mean),
        max: signed(summary.max),
        mean_magnitude: signed(summary.mean_magnitude),
        stddev: signed(summary.stddev),
    }
}

fn pdv(summary: &PdvSummary) -> PdvRecord {
    PdvRecord {
        count: summary.count,
        mean: signed(summary.mean),
        p50: signed(summary.p50),
        p95: signed(summary.p95),
        p99: signed(summary.p99),
        p99_9: signed(summary.p99_9),
        max: signed(summary.max),
    }
}

fn clock(info: &SessionInfo, report: &ClockReport, stamps: &StampReport) -> ClockRecord {
    let far = FarClockRecord {
        learned: report.far_learned,
        learned_from: info.far_clock_from.map(|from| from.to_string()),
        ..report.far.map_or_else(FarClockRecord::default, far_clock)
    };
    ClockRecord {
        synchronized: report.near.synchronized,
        error_bound_ns: report.near.error_bound_ns,
        declared: report.near.declared,
        far,
        one_way: OneWayRecord {
            synchronized: report.synchronized,
            error_bound_ns: report.error_bound_ns,
        },
        excluded: report.excluded,
        suspicions: report.findings.iter().map(suspicion).collect(),
        stamps: StampsRecord {
            probe_sent: counts(stamps.probe_sent).most_frequent(),
            probe_received: stamps.probe_received.map(source),
            reply_sent: stamps.reply_sent.map(source),
            reply_received: counts(stamps.reply_received).most_frequent(),
            probe_sent_counts: counts(stamps.probe_sent),
            reply_received_counts: counts(stamps.reply_received),
        },
    }
}

fn far_clock(state: ClockState) -> FarClockRecord {
    FarClockRecord {
        synchronized: Some(state.synchronized),
        error_bound_ns: state.error_bound_ns,
        declared: state.declared,
        ..FarClockRecord::default()
    }
}

fn suspicion(finding: &ClockFinding) -> ClockFindingRecord {
    match *finding {
        ClockFinding::NearUnsynchronized => ClockFindingRecord::NearUnsynchronized,
        ClockFinding::FarUnsynchronized => ClockFindingRecord::FarUnsynchronized,
        ClockFinding::NegativeForward { count, lowest } => {
            ClockFindingRecord::NegativeForward { count, lowest_ns: lowest.ns() }
        }
        ClockFinding::NegativeBackward { count, lowest } => {
            ClockFindingRecord::NegativeBackward { count, lowest_ns: lowest.ns() }
        }
        ClockFinding::NearStep { count, last } => {
            ClockFindingRecord::NearStep { count, last_ns: last.ns() }
        }
        ClockFinding::FarStep { count, last } => {
            ClockFindingRecord::FarStep { count, last_ns: last.ns() }
        }
        ClockFinding::TaiOffset { offset, formats_differ } => {
            ClockFindingRecord::TaiOffset { offset_ns: offset.ns(), formats_differ }
        }
        ClockFinding::MixedFormats => ClockFindingRecord::MixedFormats,
        ClockFinding::ClaimsContradicted { count } => {
            ClockFindingRecord::ClaimsContradicted { count }
        }
        ClockFinding::FarImplausible { count } => ClockFindingRecord::FarImplausible { count },
        ClockFinding::StampsApart { count } => ClockFindingRecord::StampsApart { count },
    }
}

fn reflector(snapshot: &SessionSnapshot) -> ReflectorRecord {
    let report = &snapshot.reflector;
    ReflectorRecord {
        mode: match report.mode {
            Reflector::Unknown => ReflectorMode::Unknown,
            Reflector::Stateless => ReflectorMode::Stateless,
            Reflector::Stateful => ReflectorMode::Stateful,
            Reflector::Absent => ReflectorMode::Absent,
        },
        restarts: report.restarts,
        timestamp_format: report.format.map(|format| format_label(format).to_owned()),
        zero_ssid: report.zero_ssid,
    }
}

fn stamping(info: &SessionInfo, snapshot: &SessionSnapshot) -> StampingRecord {
    let counts = &snapshot.stamping_counts;
    StampingRecord {
        last: snapshot.stamping.label().to_owned(),
        last_offset: match snapshot.stamping {
            Stamping::Elsewhere { offset } => Some(offset),
            _ => None,
        },
        stamped: counts.stamped,
        missing: counts.missing,
        unreadable: counts.unreadable,
        implausible: counts.implausible,
        elsewhere: counts.elsewhere,
        fallback: snapshot.fallback.as_ref().map(|report| fallback(info, report)),
    }
}

fn fallback(info: &SessionInfo, report: &FallbackReport) -> FallbackRecord {
    FallbackRecord {
        active: report.active,
        encapsulation: info.steering.fallback.unwrap_or_default().to_owned(),
        since: report.latest.map(|change| Instant(change.at.wall)),
        reason: report.latest.map(|change| change.reason.label().to_owned()),
        count: report.count,
        plain: report.plain,
        trials: report.trials,
        trials_lost: report.trials_lost,
        last_trial: report.last_trial.map(|at| Instant(at.wall)),
    }
}

fn tlvs(snapshot: &SessionSnapshot) -> TlvsRecord {
    let counts = &snapshot.tlv_counts;
    TlvsRecord {
        last: snapshot.tlvs.label().to_owned(),
        supported: counts.supported,
        unsupported: counts.unsupported,
        missing: counts.missing,
        unverified: counts.unverified,
        refused: counts.refused,
    }
}

fn requests(info: &SessionInfo, snapshot: &SessionSnapshot) -> RequestsRecord {
    let (asked, counts) = (&info.requests, &snapshot.requests);
    RequestsRecord {
        destination_node: asked.destination_node.map(|node| node.to_string()),
        return_path: asked.return_path.as_ref().map(steering::request_words),
        wrong_reflector: counts.wrong_reflector,
        return_path_not_honoured: counts.return_path_refused,
    }
}

const fn counts(counts: StampCounts) -> SourceCounts {
    SourceCounts { user: counts.user, kernel: counts.kernel, hardware: counts.hardware }
}

/// Who read the clock.
#[must_use]
pub const fn source(source: StampSource) -> Source {
    match source {
        StampSource::User => Source::User,
        StampSource::Kernel => Source::Kernel,
        StampSource::Hardware => Source::Hardware,
    }
}

const fn state(state: SessionState) -> State {
    match state {
        SessionState::Init => State::Init,
        SessionState::Up => State::Up,
        SessionState::Down => State::Down,
    }
}

const fn format_label(format: TimestampFormat) -> &'static str {
    match format {
        TimestampFormat::Ntp => "ntp",
        TimestampFormat::Ptp => "ptp",
    }
}

fn signed(delta: Option<TimeDelta>) -> Option<i64> {
    delta.map(TimeDelta::ns)
}

fn ns(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

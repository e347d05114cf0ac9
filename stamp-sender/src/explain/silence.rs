//! Nothing came back: who said why, and when nobody did, the usual causes in order.

use super::{Finding, Target};
use crate::output::record::{
    Authentication, ReflectorMode, SessionRecord, TroubleKind, TroubleRecord,
};

/// Why a reflector may be silent; the most frequent cause first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// A packet filter drops probes or replies.
    Firewall {
        /// The reflector's UDP port.
        port: u16,
    },
    /// Nobody listens, and the host sends no ICMP errors.
    WrongPort {
        /// The port that was tried.
        port: u16,
    },
    /// One end signs, the other does not.
    AuthenticationMode {
        /// This end signs.
        authenticated: bool,
    },
    /// The reflector answers known senders only.
    AllowList {
        /// Our address as the reflector sees it, unless there is a NAT.
        source: String,
    },
    /// The reflector's limit for this source is used up.
    RateLimit,
    /// A probe that should come back by itself does not.
    Looped {
        /// Its place among the causes.
        number: usize,
        /// Why.
        why: LoopedCause,
    },
    /// Probes from a port of another service look like that service's answers, so that a reflector
    /// that breaks loops is silent.
    ServicePort {
        /// The source port of the probes.
        port: u16,
    },
}

/// Why a probe may not come back by itself; the most frequent cause first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LoopedCause {
    /// The far node does not know the label or SID that asks for its timestamp, and drops.
    NotStamping,
    /// A node on the way does not know its segment.
    UnknownSegment,
    /// Routers check that a source address is behind the interface it comes from.
    SourceCheck {
        /// Our address, which comes back as a source.
        source: String,
    },
    /// This host's own filters.
    OwnFilter,
}

/// The port of the protocol, and the first that belongs to no other service.
const STAMP_PORT: u16 = 862;
const FIRST_USER_PORT: u16 = 1_024;

/// Reasons why nothing came back; nothing when something did.
pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    rejected(session, findings);
    icmp(session, findings);
    let packets = &session.packets;
    if session.answered || packets.sent == 0 || !findings.is_empty() {
        return;
    }
    if session.requests.return_path.as_deref() == Some("none") {
        findings.push(Finding::NoReplyAsked { sent: packets.sent });
        return;
    }
    if packets.lost.round_trip == 0 {
        findings.push(Finding::TooEarly { timeout_ns: session.config.timeout_ns });
        return;
    }
    let target = session.endpoint();
    findings.push(Finding::Silent { lost: packets.lost.round_trip, target });
    if session.reflector.mode == ReflectorMode::Absent {
        looped(session, findings);
        return;
    }
    let authenticated = session.config.authentication == Authentication::Authenticated;
    let causes = [
        Cause::Firewall { port: session.port },
        Cause::WrongPort { port: session.port },
        Cause::AuthenticationMode { authenticated },
        Cause::AllowList { source: session.path.source.clone() },
        Cause::RateLimit,
    ];
    findings.extend(causes.map(Finding::SilentCause));
    let port = session.path.source_port;
    if port < FIRST_USER_PORT && port != STAMP_PORT {
        findings.push(Finding::SilentCause(Cause::ServicePort { port }));
    }
}

fn looped(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let stamping = session.mode == "enhanced-loopback";
    let source = session.path.source.clone();
    let causes = [
        stamping.then_some(LoopedCause::NotStamping),
        Some(LoopedCause::UnknownSegment),
        Some(LoopedCause::SourceCheck { source }),
        Some(LoopedCause::OwnFilter),
    ];
    let causes = causes.into_iter().flatten().zip(1..);
    findings
        .extend(causes.map(|(why, number)| Finding::SilentCause(Cause::Looped { number, why })));
}

/// What arrived and was no reply, the most frequent reason first.
fn rejected(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let authenticated = session.config.authentication == Authentication::Authenticated;
    let mut reasons: Vec<(&String, u64)> = session
        .packets
        .rejected_by_reason
        .iter()
        .map(|(reason, count)| (reason, *count))
        .filter(|(_, count)| *count > 0)
        .collect();
    reasons.sort_by_key(|(_, count)| u64::MAX - count);
    findings.extend(reasons.into_iter().map(|(reason, count)| Finding::Rejected {
        reason: reason.clone(),
        count,
        authenticated,
        answered: session.answered,
    }));
}

/// ICMP errors, the most frequent first; a packet too big has a finding of its own.
fn icmp(session: &SessionRecord, findings: &mut Vec<Finding>) {
    // What our own stack says about its neighbour is counted among the unsent.
    let own = |trouble: &TroubleRecord| {
        trouble.what == "host_unreachable"
            && trouble.offender.as_ref() == Some(&session.path.source)
    };
    let mut errors: Vec<&TroubleRecord> = session
        .troubles
        .iter()
        .filter(|trouble| trouble.kind == TroubleKind::Icmp && trouble.what != "packet_too_big")
        .filter(|trouble| !own(trouble))
        .collect();
    errors.sort_by_key(|trouble| u64::MAX - trouble.count);
    findings.extend(errors.into_iter().map(|trouble| Finding::Icmp {
        what: trouble.what.clone(),
        offender: trouble.offender.clone(),
        count: trouble.count,
        target: Target::of(session),
        answered: session.answered,
    }));
}

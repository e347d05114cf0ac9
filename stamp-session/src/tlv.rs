//! What TLVs mean to both ends (RFC 8972 §4).
//!
//! Each type has a file: its `Handler` says what a Session-Reflector does with it, and its `Ask` what
//! makes a Session-Sender put it into probes and what the answer tells.
//!
//! `reflect` answers the TLV area of a reply in place: it starts as a copy of the probe's, and each
//! TLV that is understood is processed by the `Handler` of its type, one file each. A new type is
//! its file and its line in `REGISTRY`; nothing else here knows types.
//!
//! | what is found | what becomes of it |
//! |---|---|
//! | a type of the registry, its Length valid | processed, U, M, I and C cleared |
//! | the same, and understood but not done as asked | C |
//! | a type of the registry, its Length or what is in it invalid | M; what follows is copied unread |
//! | another type, or one that its source is refused | copied, U |
//! | a type that is ignored for its source | copied, U and C |
//! | no header, or a value beyond the end | M; what follows is copied unread |
//! | the HMAC TLV fails | I on all, none processed |
//! | more than 18 TLVs | none processed: U on the first 18, M on the next |
//! | more than 8 sub-TLVs in all | the TLV with one too many is copied, U |

mod access_report;
mod class_of_service;
mod destination_node_address;
mod direct_measurement;
pub(crate) mod extra_padding;
mod follow_up_telemetry;
pub(crate) mod hmac;
mod location;
mod micro_session_id;
mod reflected_fixed_header_data;
mod reflected_header;
mod reflected_ipv6_extension_header_data;
mod reflected_test_packet_control;
mod return_path;
mod timestamp_information;
mod wishes;

use stamp_proto::auth::{KeyId, KeyRing};
use stamp_proto::error::ParseError;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_proto::tlv::timestamp_information::TimestampInformation;
use stamp_proto::tlv::{TlvFlags, TlvMut, TlvType, Tlvs, TlvsMut, are_more_than};
use stamp_proto::writer::Writer;

use self::hmac::Integrity;
pub(crate) use self::reflected_test_packet_control::GrantedPackets;
pub(crate) use self::wishes::{Wish, Wishes};
use crate::datagram::Received;
use crate::experimental::ExperimentalTypes;
use crate::reflector::{Bursts, Ends, ReturnRules, TlvAction, TlvRules};
use crate::sender::{Answers, Granted, Requests};
use crate::traffic::TrafficCounters;

/// TLVs of one packet that are processed; RFC 8972 knows no limit, but work must have one. There is
/// room for one of each type, and for some more.
const MOST_TLVS: usize = 18;
/// Sub-TLVs of one packet that are processed. No type asks for more than three things by them.
const MOST_SUB_TLVS: usize = 8;

/// Every type that is understood, those that are asked for in the order in which they are written.
static REGISTRY: [Handler; 14] = [
    extra_padding::HANDLER,
    hmac::HANDLER,
    destination_node_address::HANDLER,
    return_path::HANDLER,
    micro_session_id::HANDLER,
    location::HANDLER,
    timestamp_information::HANDLER,
    class_of_service::HANDLER,
    follow_up_telemetry::HANDLER,
    direct_measurement::HANDLER,
    access_report::HANDLER,
    reflected_test_packet_control::HANDLER,
    reflected_fixed_header_data::HANDLER,
    reflected_ipv6_extension_header_data::HANDLER,
];

/// What a Session-Reflector does with the TLVs of one type.
#[derive(Clone, Copy)]
pub(crate) struct Handler {
    /// The type.
    kind: Kind,
    /// Whether an operator may say that it is not acted upon.
    governed: bool,
    /// Whether a value can have so many octets.
    is_valid_length: fn(usize) -> bool,
    /// Octets before its sub-TLVs; `None` where it has none.
    sub_tlvs_from: Option<usize>,
    /// Turns the value of the request into that of the reply, and notes what it asks for beside.
    reflect: fn(&Exchange<'_>, &mut TlvMut<'_>, &mut Wishes) -> Outcome,
    /// What a Session-Sender does with it; `None` where that is no matter of a wish.
    ask: Option<Ask>,
}

impl Handler {
    /// What the operator says of it.
    fn action(&self, exchange: &Exchange<'_>) -> TlvAction {
        exchange.rules.actions.of(self.kind.usual())
    }

    /// Its sub-TLVs do not bring those of the packet above what anyone needs.
    fn is_worth_reading(&self, value: &[u8], wishes: &mut Wishes) -> bool {
        let Some(subs) = self.sub_tlvs_from.and_then(|from| value.get(from..)) else { return true };
        let left = MOST_SUB_TLVS.saturating_sub(wishes.sub_tlvs_seen);
        let count = Tlvs::new(subs).take(left.saturating_add(1)).count();
        wishes.sub_tlvs_seen = wishes.sub_tlvs_seen.saturating_add(count);
        count <= left
    }
}

/// The type octet of a TLV.
#[derive(Clone, Copy)]
enum Kind {
    /// As IANA has it.
    Assigned(TlvType),
    /// As both ends agreed.
    Experimental(fn(&ExperimentalTypes) -> TlvType),
}

impl Kind {
    fn octet(self, types: &ExperimentalTypes) -> TlvType {
        match self {
            Self::Assigned(kind) => kind,
            Self::Experimental(agreed) => agreed(types),
        }
    }

    /// What an operator means by its name, whatever was agreed on.
    fn usual(self) -> TlvType {
        self.octet(&ExperimentalTypes::USUAL)
    }
}

/// What a Session-Sender does with the TLVs of one type.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    /// Octets of each TLV, header included; 0 when it is not asked for.
    octets: fn(&Requests) -> usize,
    /// How many there are, when it is asked for.
    times: u8,
    /// Writes them, when it is asked for.
    emit: fn(&Asked<'_>, &mut Writer<'_>) -> Result<(), ParseError>,
    /// Takes note of an answer: whether it can be used, its value, and to which of them it is.
    take: fn(Granted, &[u8], u8, &mut Answers),
}

/// What a probe asks for, and what it tells for that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// What is asked for.
    pub(crate) requests: &'a Requests,
    /// Packets of real traffic that were sent before it.
    pub(crate) transmitted: u32,
    /// It reports an access network; one that does not has padding instead.
    pub(crate) reports: bool,
    /// What the far end calls its end of our member link.
    pub(crate) far_member: Option<MemberLinkId>,
}

/// The types of which an operator may say that they are not acted upon; those that were agreed on as
/// they usually are.
pub(crate) fn governed() -> impl Iterator<Item = TlvType> {
    REGISTRY.iter().filter(|entry| entry.governed).map(|entry| entry.kind.usual())
}

/// Type and octets of each TLV that is asked for, headers included, in their order.
pub(crate) fn sizes(requests: &Requests) -> impl Iterator<Item = (TlvType, u16)> {
    let types = requests.types();
    REGISTRY.iter().flat_map(move |entry| {
        let asked = entry.ask.map(|ask| ((ask.octets)(requests), ask.times));
        let (octets, times) = asked.filter(|(octets, _)| *octets > 0).unwrap_or_default();
        // More than that fits into no packet, and is refused as such.
        let tlv = (entry.kind.octet(&types), u16::try_from(octets).unwrap_or(u16::MAX));
        core::iter::repeat_n(tlv, times.into())
    })
}

/// Writes the TLVs that are asked for.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for them.
pub(crate) fn emit(asked: &Asked<'_>, writer: &mut Writer<'_>) -> Result<(), ParseError> {
    let asks = REGISTRY.iter().filter_map(|entry| entry.ask);
    let mut wanted = asks.filter(|ask| (ask.octets)(asked.requests) > 0);
    wanted.try_for_each(|ask| (ask.emit)(asked, writer))
}

/// Takes note of the answer to a TLV that was asked for; `nth` of those of its type.
pub(crate) fn take(
    requests: &Requests,
    (kind, nth): (TlvType, u8),
    (granted, value): (Granted, &[u8]),
    answers: &mut Answers,
) {
    let known = (&REGISTRY[..], &requests.types());
    if let Some(ask) = find(known, kind).and_then(|entry| entry.ask) {
        (ask.take)(granted, value, nth, answers);
    }
}

/// How a TLV with a valid Length was answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// As its type demands.
    Processed,
    /// Understood, but not for this peer or in this configuration: to the Session-Sender it is as if
    /// the type were unknown.
    Unrecognized,
    /// Known, and by the rules of its source not acted upon.
    Ignored,
    /// Understood, and not done as it asks.
    Nonconformant,
    /// Its Length is valid, and what is in it is not.
    Malformed,
}

/// The probe and the reply around a TLV.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    /// The mode of the session.
    pub(crate) mode: AuthenticationMode,
    /// The keys of this Session-Reflector.
    pub(crate) keys: Option<&'a KeyRing>,
    /// Those the source may use; `None`: all.
    pub(crate) key_ids: Option<&'a [KeyId]>,
    /// Sequence Number of the probe.
    pub(crate) probe_sequence: u32,
    /// Sequence Number of the reply.
    pub(crate) reply_sequence: u32,
    /// A later probe of its session came before.
    pub(crate) overtaken: bool,
    /// The probe as it arrived.
    pub(crate) probe: &'a Received<'a>,
    /// What its source may have.
    pub(crate) rules: &'a TlvRules,
    /// What the timestamps of the reply are worth.
    pub(crate) timestamps: TimestampInformation,
    /// When the reply before left, if that is known.
    pub(crate) follow_up: Option<FollowUpTelemetry>,
    /// Counters of real traffic, where they are known.
    pub(crate) traffic: Option<TrafficCounters>,
    /// Where the probe came from and where to.
    pub(crate) ends: Ends,
    /// Where replies may go.
    pub(crate) returns: &'a ReturnRules,
    /// Types that were agreed on.
    pub(crate) types: ExperimentalTypes,
    /// The member link on which the probe came in.
    pub(crate) member: Option<MemberLinkId>,
    /// Octets of the reply, if nothing asks for more.
    pub(crate) reply_octets: u32,
    /// Replies of others that are still to be sent.
    pub(crate) bursts: &'a Bursts,
    /// Octets a second of all of them together.
    pub(crate) packet_control_total: u64,
    /// Link-layer addresses of this host.
    pub(crate) own_links: &'a [[u8; 6]],
}

/// TLVs answered, by what became of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TlvCounts {
    /// Processed.
    pub processed: u64,
    /// Copied with the flag U.
    pub unrecognized: u64,
    /// Copied with the flag M.
    pub malformed: u64,
    /// Copied with the flag I.
    pub integrity: u64,
    /// Understood and not done as asked, with the flag C.
    pub nonconformant: u64,
}

impl TlvCounts {
    /// Adds those of one more packet.
    pub(crate) const fn add(&mut self, other: Self) {
        self.processed = self.processed.saturating_add(other.processed);
        self.unrecognized = self.unrecognized.saturating_add(other.unrecognized);
        self.malformed = self.malformed.saturating_add(other.malformed);
        self.integrity = self.integrity.saturating_add(other.integrity);
        self.nonconformant = self.nonconformant.saturating_add(other.nonconformant);
    }
}

/// Answers a TLV area in place (RFC 8972 §4).
pub(crate) fn reflect(exchange: &Exchange<'_>, area: &mut [u8]) -> (TlvCounts, Wishes) {
    reflect_by(&REGISTRY, exchange, area)
}

fn reflect_by(
    registry: &[Handler],
    exchange: &Exchange<'_>,
    area: &mut [u8],
) -> (TlvCounts, Wishes) {
    if are_more_than(MOST_TLVS, area) {
        return (refuse(area), Wishes::default());
    }
    match hmac::check(exchange, area) {
        Integrity::Failed => (mark_failed(registry, exchange, area), Wishes::default()),
        Integrity::Unchecked => process(registry, exchange, area),
        Integrity::Verified(seal) => {
            let ends = Ends { verified: true, ..exchange.ends };
            let (counts, mut wishes) = process(registry, &Exchange { ends, ..*exchange }, area);
            seal.renew(exchange.reply_sequence, area);
            wishes.tlv_key = Some(seal.key_id());
            (counts, wishes)
        }
    }
}

fn process(registry: &[Handler], exchange: &Exchange<'_>, area: &mut [u8]) -> (TlvCounts, Wishes) {
    let mut counts = TlvCounts::default();
    let mut wishes = Wishes::default();
    for tlv in TlvsMut::new(area) {
        match tlv {
            Ok(mut tlv) => match answer(registry, exchange, &mut tlv, &mut wishes) {
                Outcome::Processed => {
                    tlv.set_flags(TlvFlags::NONE);
                    counts.processed = counts.processed.saturating_add(1);
                }
                Outcome::Unrecognized => {
                    tlv.set_flags(TlvFlags::UNRECOGNIZED);
                    counts.unrecognized = counts.unrecognized.saturating_add(1);
                }
                Outcome::Ignored => {
                    tlv.set_flags(TlvFlags::UNRECOGNIZED.with(TlvFlags::CONFORMANCE));
                    counts.unrecognized = counts.unrecognized.saturating_add(1);
                }
                Outcome::Nonconformant => {
                    tlv.set_flags(TlvFlags::CONFORMANCE);
                    counts.nonconformant = counts.nonconformant.saturating_add(1);
                }
                Outcome::Malformed => {
                    tlv.set_flags(TlvFlags::MALFORMED);
                    counts.malformed = counts.malformed.saturating_add(1);
                    break;
                }
            },
            Err(mut malformed) => {
                let flags = unknown(registry, exchange, malformed.kind());
                let flags = flags.with(TlvFlags::MALFORMED);
                malformed.set_flags(flags);
                counts.malformed = counts.malformed.saturating_add(1);
            }
        }
    }
    reflected_test_packet_control::settle(area, &mut counts, &mut wishes);
    (counts, wishes)
}

fn answer(
    registry: &[Handler],
    exchange: &Exchange<'_>,
    tlv: &mut TlvMut<'_>,
    wishes: &mut Wishes,
) -> Outcome {
    match known(registry, exchange, tlv.kind) {
        None => Outcome::Unrecognized,
        Some((_, TlvAction::Ignore)) => Outcome::Ignored,
        Some((handler, _)) if !(handler.is_valid_length)(tlv.value.len()) => Outcome::Malformed,
        Some((handler, _)) if !handler.is_worth_reading(tlv.value, wishes) => Outcome::Unrecognized,
        Some((handler, _)) => (handler.reflect)(exchange, tlv, wishes),
    }
}

/// Sets I in every TLV, and changes nothing else but that known types lose their U (RFC 8972 §4.8).
fn mark_failed(registry: &[Handler], exchange: &Exchange<'_>, area: &mut [u8]) -> TlvCounts {
    let unknown = |kind| unknown(registry, exchange, kind);
    let mut counts = TlvCounts::default();
    for tlv in TlvsMut::new(area) {
        counts.integrity = counts.integrity.saturating_add(1);
        match tlv {
            Ok(mut tlv) => {
                tlv.set_flags(unknown(Some(tlv.kind)).with(TlvFlags::INTEGRITY));
            }
            Err(mut malformed) => {
                counts.malformed = counts.malformed.saturating_add(1);
                let flags = unknown(malformed.kind()).with(TlvFlags::INTEGRITY);
                malformed.set_flags(flags.with(TlvFlags::MALFORMED));
            }
        }
    }
    counts
}

/// Too many TLVs: not even the HMAC TLV is looked for, so none may have an effect.
fn refuse(area: &mut [u8]) -> TlvCounts {
    let mut counts = TlvCounts::default();
    for (place, tlv) in TlvsMut::new(area).take(MOST_TLVS.saturating_add(1)).enumerate() {
        let last = place == MOST_TLVS;
        let flags = TlvFlags::UNRECOGNIZED;
        let flags = if last { flags.with(TlvFlags::MALFORMED) } else { flags };
        let count = if last { &mut counts.malformed } else { &mut counts.unrecognized };
        *count = count.saturating_add(1);
        match tlv {
            Ok(mut tlv) => tlv.set_flags(flags),
            Err(mut malformed) => malformed.set_flags(flags),
        }
    }
    counts
}

/// U, unless the type is known.
fn unknown(registry: &[Handler], exchange: &Exchange<'_>, kind: Option<TlvType>) -> TlvFlags {
    match kind.and_then(|kind| known(registry, exchange, kind)) {
        Some(_) => TlvFlags::NONE,
        None => TlvFlags::UNRECOGNIZED,
    }
}

/// The handler of a type, unless it is to be unknown to this source.
fn known<'r>(
    registry: &'r [Handler],
    exchange: &Exchange<'_>,
    kind: TlvType,
) -> Option<(&'r Handler, TlvAction)> {
    let handler = find((registry, &exchange.types), kind)?;
    let action = handler.action(exchange);
    (action != TlvAction::Refuse).then_some((handler, action))
}

fn find<'r>(
    (registry, types): (&'r [Handler], &ExperimentalTypes),
    kind: TlvType,
) -> Option<&'r Handler> {
    registry.iter().find(|handler| match handler.kind {
        Kind::Assigned(assigned) => assigned == kind,
        Kind::Experimental(agreed) => kind.is_experimental() && agreed(types) == kind,
    })
}

#[cfg(test)]
mod tests;

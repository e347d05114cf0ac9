//! Micro-session ID TLV (RFC 9534 §3): which member link of a LAG a probe and its reply pass.

use stamp_proto::tlv::micro_session_id::{self, MicroSessionId};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::Told;

const VALUE_OCTETS: usize = 4;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::MICRO_SESSION_ID),
    governed: true,
    is_valid_length: |octets| octets == VALUE_OCTETS,
    sub_tlvs_from: None,
    reflect,
    ask: Some(Ask {
        octets: |requests| match requests.micro_session {
            Some(_) => TLV_HEADER_OCTETS.saturating_add(VALUE_OCTETS),
            None => 0,
        },
        times: 1,
        emit: |asked, writer| {
            let Some(member) = asked.requests.micro_session else { return Ok(()) };
            let (sender, reflector) = (Some(member.id), asked.far_member);
            MicroSessionId { sender, reflector }.emit_request(writer)
        },
        take: |granted, value, _, answers| {
            answers.micro_session = Told::of(granted, || MicroSessionId::parse(value).ok());
        },
    }),
};

/// A link that has no identifier is no member: there, the TLV is as good as unknown.
fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    let Some(member) = exchange.member else { return Outcome::Unrecognized };
    // A packet belongs to one micro session: a second one does not count, whatever it says.
    if core::mem::replace(&mut wishes.micro_session_seen, true) {
        return Outcome::Unrecognized;
    }
    let Ok(asked) = MicroSessionId::parse(tlv.value) else { return Outcome::Malformed };
    if !asked.allows_arrival(member) {
        wishes.wrong_member = true;
        return Outcome::Processed;
    }
    if micro_session_id::reflect(tlv.value, member).is_err() {
        return Outcome::Malformed;
    }
    wishes.keeps_member = true;
    Outcome::Processed
}

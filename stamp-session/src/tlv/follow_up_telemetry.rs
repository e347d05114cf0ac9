//! Follow-Up Telemetry TLV (RFC 8972 §4.7): when the reply before really left.

use stamp_proto::tlv::follow_up_telemetry::{self, FollowUpTelemetry, VALUE_OCTETS};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::Told;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::FOLLOW_UP_TELEMETRY),
    governed: true,
    // One of another length is malformed and not left as it is (erratum 8339).
    is_valid_length: |_| true,
    sub_tlvs_from: None,
    reflect,
    ask: Some(Ask {
        octets: |requests| match requests.follow_up {
            true => TLV_HEADER_OCTETS.saturating_add(VALUE_OCTETS),
            false => 0,
        },
        times: 1,
        emit: |_, writer| follow_up_telemetry::emit_request(writer),
        take: |granted, value, _, answers| {
            let format = answers.reply_format;
            answers.follow_up = Told::of(granted, || FollowUpTelemetry::parse(value, format).ok());
        },
    }),
};

fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    match follow_up_telemetry::reflect(tlv.value, exchange.follow_up) {
        Ok(()) => {
            wishes.follow_up = true;
            Outcome::Processed
        }
        Err(_) => Outcome::Malformed,
    }
}

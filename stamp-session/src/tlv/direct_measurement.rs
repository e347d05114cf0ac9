//! Direct Measurement TLV (RFC 8972 §4.5): counters of real traffic, from which its loss follows.

use stamp_proto::tlv::direct_measurement::{self, DirectMeasurement, VALUE_OCTETS};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::{Told, TrafficReading};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::DIRECT_MEASUREMENT),
    governed: true,
    is_valid_length: |octets| octets == VALUE_OCTETS,
    sub_tlvs_from: None,
    reflect,
    ask: Some(Ask {
        octets: |requests| match requests.direct_measurement {
            true => TLV_HEADER_OCTETS.saturating_add(VALUE_OCTETS),
            false => 0,
        },
        times: 1,
        emit: |asked, writer| direct_measurement::emit_request(writer, asked.transmitted),
        take: |granted, value, _, answers| {
            let read = || DirectMeasurement::parse(value).ok().map(TrafficReading::of);
            answers.direct_measurement = Told::of(granted, read);
        },
    }),
};

/// Without counters, and for sources that may not see them, it is as good as unknown.
fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, _wishes: &mut Wishes) -> Outcome {
    let Some(counters) = exchange.traffic.filter(|_| exchange.rules.traffic) else {
        return Outcome::Unrecognized;
    };
    match direct_measurement::reflect(tlv.value, counters.received, counters.transmitted) {
        Ok(()) => Outcome::Processed,
        Err(_) => Outcome::Malformed,
    }
}

//! Reflected Fixed Header Data TLV (draft-ietf-ippm-stamp-ext-hdr): the IP header of a probe as it
//! arrived.

use stamp_proto::tlv::TLV_HEADER_OCTETS;
use stamp_proto::tlv::reflected_fixed_header_data::{
    FixedHeader, ReflectedFixedHeaderData, emit_request, reflect as reflect_value,
};

use super::reflected_header::tell;
use super::{Ask, Handler, Kind, Outcome};
use crate::sender::Told;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Experimental(|types| types.fixed_header),
    governed: true,
    is_valid_length: |octets| {
        octets == FixedHeader::Ipv4.octets() || octets == FixedHeader::Ipv6.octets()
    },
    sub_tlvs_from: None,
    reflect: |exchange, tlv, wishes| {
        // They all stand in front of those for extension headers.
        if exchange.rules.headers && wishes.extension_header_seen {
            return Outcome::Nonconformant;
        }
        tell(exchange, tlv, (exchange.probe.headers.fixed, &mut wishes.fixed_told), reflect_value)
    },
    ask: Some(Ask {
        octets: |requests| {
            let asked = requests.headers.as_ref();
            asked.map_or(0, |asked| asked.fixed.octets().saturating_add(TLV_HEADER_OCTETS))
        },
        times: 1,
        emit: |asked, writer| {
            let Some(headers) = &asked.requests.headers else { return Ok(()) };
            // The next one there is, whatever is in it.
            emit_request(writer, headers.types.fixed_header, [0; 4], headers.fixed)
        },
        take: |granted, value, _, answers| {
            let read = || ReflectedFixedHeaderData::parse(value).ok()?.fields().ok();
            answers.fixed_header = Told::of(granted, read);
        },
    }),
};

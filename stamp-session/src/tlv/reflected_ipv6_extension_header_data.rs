//! Reflected IPv6 Extension Header Data TLV (draft-ietf-ippm-stamp-ext-hdr): the Segment Routing Header
//! of a probe as it arrived.
//!
//! A reply tells of a header what lies behind its first eight octets; these it only confirms, where
//! the question has them. So there are two questions: the first for a header whose segments are all
//! passed and that is otherwise as it was sent, the second for any of its size. The one header there
//! is answers one of them.

use stamp_proto::tlv::TLV_HEADER_OCTETS;
use stamp_proto::tlv::reflected_ipv6_extension_header_data::{
    REQUESTED_OCTETS, ReflectedIpv6ExtensionHeaderData, emit_request, reflect as reflect_value,
};

use super::reflected_header::tell;
use super::{Ask, Handler, Kind};
use crate::sender::{Granted, SeenSegments, Told};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Experimental(|types| types.extension_header),
    governed: true,
    is_valid_length: |octets| octets >= REQUESTED_OCTETS,
    sub_tlvs_from: None,
    reflect: |exchange, tlv, wishes| {
        wishes.extension_header_seen = true;
        let headers = exchange.probe.headers.extensions;
        tell(exchange, tlv, (headers, &mut wishes.extensions_told), reflect_value)
    },
    ask: Some(Ask {
        octets: |requests| {
            let sent = requests.headers.as_ref().and_then(|asked| asked.routing_header.as_ref());
            sent.map_or(0, |sent| sent.octets().saturating_add(TLV_HEADER_OCTETS))
        },
        times: 2,
        emit: |asked, writer| {
            let Some(headers) = &asked.requests.headers else { return Ok(()) };
            let Some(sent) = &headers.routing_header else { return Ok(()) };
            let kind = headers.types.extension_header;
            emit_request(writer, kind, sent.as_it_should_arrive(), sent.octets())?;
            emit_request(writer, kind, [0; REQUESTED_OCTETS], sent.octets())
        },
        take: |granted, value, nth, answers| {
            let as_expected = nth == 0;
            let told = Told::of(granted, || {
                let read = ReflectedIpv6ExtensionHeaderData::parse(value).ok()?;
                SeenSegments::read(as_expected, read.reflected)
            });
            // The second question is for what the first did not find.
            if as_expected || granted == Granted::Granted {
                answers.segments = told;
            }
        },
    }),
};

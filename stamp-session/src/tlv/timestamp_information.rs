//! Timestamp Information TLV (RFC 8972 §4.3): what the far clock is set by, and who took its stamps.

use stamp_proto::tlv::timestamp_information::{self, FIELD_OCTETS, TimestampInformation};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvType};

use super::{Ask, Handler, Kind, Outcome};
use crate::sender::Told;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::TIMESTAMP_INFORMATION),
    governed: true,
    is_valid_length: |octets| octets >= FIELD_OCTETS,
    sub_tlvs_from: Some(FIELD_OCTETS),
    reflect: |exchange, tlv, _| match timestamp_information::reflect(tlv.value, exchange.timestamps)
    {
        Ok(()) => Outcome::Processed,
        Err(_) => Outcome::Malformed,
    },
    ask: Some(Ask {
        octets: |requests| match requests.timestamp_information {
            true => TLV_HEADER_OCTETS.saturating_add(FIELD_OCTETS),
            false => 0,
        },
        times: 1,
        emit: |_, writer| timestamp_information::emit_request(writer),
        take: |granted, value, _, answers| {
            answers.timestamp_information =
                Told::of(granted, || TimestampInformation::parse(value).ok());
        },
    }),
};

//! Access Report TLV (RFC 8972 §4.6): an access network is there, or not any more.

use stamp_proto::tlv::access_report::{self, AccessReport};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType, extra_padding};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::Told;

const VALUE_OCTETS: usize = 4;
const TLV_OCTETS: usize = TLV_HEADER_OCTETS + VALUE_OCTETS;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::ACCESS_REPORT),
    governed: true,
    is_valid_length: |octets| octets == VALUE_OCTETS,
    sub_tlvs_from: None,
    reflect,
    ask: Some(Ask {
        octets: |requests| requests.access_report.map_or(0, |_| TLV_OCTETS),
        times: 1,
        emit: |asked, writer| match asked.requests.access_report {
            Some(wish) if asked.reports => wish.report.emit_request(writer),
            _ => extra_padding::reserve(writer, TLV_OCTETS).map(|_| ()),
        },
        take: |granted, value, _, answers| {
            answers.access_report = Told::of(granted, || AccessReport::parse(value).ok());
        },
    }),
};

/// The echo acknowledges it. One about no access network that is known is discarded: it comes back
/// as it was and is not heard of.
fn reflect(_exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    match access_report::reflect(tlv.value) {
        Ok(report) => {
            wishes.access_report.get_or_insert(report);
            Outcome::Processed
        }
        Err(_) => Outcome::Unrecognized,
    }
}

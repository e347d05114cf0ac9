//! Class of Service TLV (RFC 8972 §4.4): the DSCP and ECN a probe arrived with, and those the reply is
//! to have.

use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::class_of_service::{
    self, ClassOfService, ClassOfServiceAnswer, ClassOfServiceRequest, ReverseDscp, ReverseEcn,
};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::Told;

const VALUE_OCTETS: usize = 4;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::CLASS_OF_SERVICE),
    governed: true,
    is_valid_length: |octets| octets == VALUE_OCTETS,
    sub_tlvs_from: None,
    reflect,
    ask: Some(Ask {
        octets: |requests| {
            requests.class_of_service.map_or(0, |_| TLV_HEADER_OCTETS.saturating_add(VALUE_OCTETS))
        },
        times: 1,
        emit: |asked, writer| {
            asked.requests.class_of_service.map_or(Ok(()), |wish| wish.emit_request(writer))
        },
        take: |granted, value, _, answers| {
            answers.class_of_service = Told::of(granted, || ClassOfService::parse(value).ok());
        },
    }),
};

/// The reply has what was asked for as far as the rules of the source allow it; else the DSCP that the
/// probe arrived with, and Not-ECT.
fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    // Without them the answer would be made up.
    let Some((dscp, ecn)) = exchange.probe.traffic_class else { return Outcome::Unrecognized };
    let Ok(wanted) = ClassOfServiceRequest::parse(tlv.value) else { return Outcome::Malformed };
    let allowed = exchange.rules.classes.allows(wanted.dscp) || wanted.dscp == dscp;
    let reply_dscp = if allowed { wanted.dscp } else { dscp };
    let is_marked = wanted.ecn != Ecn::NotEct && exchange.rules.classes.allow_ecn();
    let reply_ecn = if is_marked { wanted.ecn } else { Ecn::NotEct };
    let answer = ClassOfServiceAnswer {
        dscp,
        ecn,
        reverse_dscp: if allowed { ReverseDscp::AsAsked } else { ReverseDscp::Refused },
        reverse_ecn: match reply_ecn == wanted.ecn {
            true => ReverseEcn::AsAsked,
            false => ReverseEcn::Refused,
        },
    };
    if class_of_service::reflect(tlv.value, answer).is_err() {
        return Outcome::Malformed;
    }
    let class: (Dscp, Ecn) = (reply_dscp, reply_ecn);
    wishes.traffic_class.get_or_insert(class);
    Outcome::Processed
}

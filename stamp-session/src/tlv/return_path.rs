//! Return Path TLV (RFC 9503 §4): the way the reply is to take, as far as that is allowed.

use core::net::IpAddr;
use core::ops::Range;

use stamp_proto::sr::srh::SEGMENT_OCTETS;
use stamp_proto::tlv::return_path::{self, ReturnPath, ReturnSegments, sub_type};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvMut, TlvType, TlvsMut};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wish, Wishes};
use crate::reflector::DataPlane;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::RETURN_PATH),
    governed: true,
    is_valid_length: |octets| octets >= TLV_HEADER_OCTETS,
    sub_tlvs_from: Some(0),
    reflect,
    // There is never a second one (RFC 9503 §4).
    ask: Some(Ask {
        octets: |requests| {
            requests.return_path.as_ref().map_or(0, |wish| wish.request().encoded_octets())
        },
        times: 1,
        emit: |asked, writer| {
            let wish = asked.requests.return_path.as_ref();
            wish.map_or(Ok(()), |wish| wish.request().emit_request(writer))
        },
        take: |granted, _, _, answers| answers.return_path = granted,
    }),
};

fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    // The first one counts, whatever becomes of it.
    if core::mem::replace(&mut wishes.return_path_seen, true) {
        return Outcome::Unrecognized;
    }
    let granted = match ReturnPath::parse(tlv.value) {
        Err(_) => None,
        Ok(path) if !exchange.returns.allow(&path, &exchange.ends) => return Outcome::Unrecognized,
        Ok(path) => Some(Granted::of(&path, exchange.ends.from.ip())),
    };
    if return_path::reflect(tlv.value).is_err() {
        return Outcome::Malformed;
    }
    let Some(granted) = granted else { return Outcome::Malformed };
    wishes.destination = granted.destination;
    wishes.way = match granted.way {
        GrantedWay::Simple(wish) => wish,
        GrantedWay::Segments(plane, surplus) => match segments(tlv) {
            Some(range) => Wish::Segments(plane, range.start..range.end.saturating_sub(surplus)),
            None => Wish::None,
        },
    };
    Outcome::Processed
}

/// What was allowed, without the borrow of the TLV.
struct Granted {
    destination: Option<IpAddr>,
    way: GrantedWay,
}

enum GrantedWay {
    Simple(Wish),
    /// What they are, and octets at their end that say what the destination says already.
    Segments(DataPlane, usize),
}

impl Granted {
    fn of(path: &ReturnPath<'_>, source: IpAddr) -> Self {
        let (destination, way) = match path {
            ReturnPath::Control(code) if code.wants_reply() => {
                (None, GrantedWay::Simple(Wish::SameLink))
            }
            ReturnPath::Control(_) => (None, GrantedWay::Simple(Wish::NoReply)),
            ReturnPath::Route { address, segments } => {
                let end = address.unwrap_or(source);
                let way = match segments {
                    None => GrantedWay::Simple(Wish::Routed),
                    Some(ReturnSegments::Mpls(_)) => GrantedWay::Segments(DataPlane::Mpls, 0),
                    Some(ReturnSegments::Srv6(sids)) => {
                        let last = sids.travel().next_back().map(|sid| IpAddr::V6(sid.0));
                        let surplus = if last == Some(end) { SEGMENT_OCTETS } else { 0 };
                        GrantedWay::Segments(DataPlane::Srv6, surplus)
                    }
                };
                (*address, way)
            }
            ReturnPath::Unknown => (None, GrantedWay::Simple(Wish::None)),
        };
        Self { destination, way }
    }
}

/// Where in the area the first segment list lies.
fn segments(tlv: &mut TlvMut<'_>) -> Option<Range<usize>> {
    let before = tlv.offset.saturating_add(TLV_HEADER_OCTETS);
    TlvsMut::new(tlv.value).map_while(Result::ok).find_map(|sub| {
        let start = before.saturating_add(sub.offset).saturating_add(TLV_HEADER_OCTETS);
        matches!(sub.kind, sub_type::MPLS_LABEL_STACK | sub_type::SRV6_SEGMENT_LIST)
            .then(|| start..start.saturating_add(sub.value.len()))
    })
}

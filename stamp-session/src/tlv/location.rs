//! Location TLV (RFC 8972 §4.2): what a probe looked like when it arrived; a NAT shows.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stamp_proto::tlv::location::{self, Arrival, LocationRequest, PORT_OCTETS};
use stamp_proto::tlv::{TlvMut, TlvType};

use super::{Ask, Exchange, Handler, Kind, Outcome, Wishes};
use crate::sender::Told;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::LOCATION),
    governed: true,
    is_valid_length: |octets| octets >= PORT_OCTETS,
    sub_tlvs_from: Some(PORT_OCTETS),
    reflect,
    ask: Some(Ask {
        octets: |requests| {
            if requests.location { LocationRequest::ALL.encoded_octets() } else { 0 }
        },
        times: 1,
        emit: |_, writer| LocationRequest::ALL.emit_request(writer),
        take: |granted, value, _, answers| {
            answers.location = Told::of(granted, || location::Location::parse(value).ok());
        },
    }),
};

/// What the source may not know is told as if it were not known here.
fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, _wishes: &mut Wishes) -> Outcome {
    let fields = exchange.rules.location;
    if fields.is_none() {
        return Outcome::Unrecognized;
    }
    let (from, to) = (exchange.probe.from, exchange.probe.to);
    let unless = |told: bool, address: IpAddr| match (told, address.to_canonical()) {
        (true, address) => address,
        (false, IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
        (false, IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let arrival = Arrival {
        destination_port: if fields.ports { to.port() } else { 0 },
        source_port: if fields.ports { from.port() } else { 0 },
        // A datagram comes without the header of its link.
        source_mac: None,
        destination: unless(fields.destination, to.ip()),
        source: unless(fields.source, from.ip()),
    };
    match location::reflect(tlv.value, &arrival) {
        Ok(()) => Outcome::Processed,
        Err(_) => Outcome::Malformed,
    }
}

//! Destination Node Address TLV (RFC 9503 §3): whether the probe reached the node it was meant for.

use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvType};

use super::{Ask, Handler, Kind, Outcome};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::DESTINATION_NODE_ADDRESS),
    governed: true,
    is_valid_length: |octets| matches!(octets, 4 | 16),
    reflect: |exchange, tlv, wishes| {
        let Ok(DestinationNodeAddress(address)) = DestinationNodeAddress::parse(tlv.value) else {
            return Outcome::Malformed;
        };
        if !exchange.returns.can_reply_from(address, &exchange.ends) {
            return Outcome::Unrecognized;
        }
        wishes.source.get_or_insert(address);
        Outcome::Processed
    },
    ask: Some(Ask {
        octets: |requests| {
            requests.destination_node.map_or(0, |address| {
                TLV_HEADER_OCTETS.saturating_add(if address.is_ipv4() { 4 } else { 16 })
            })
        },
        times: 1,
        emit: |asked, writer| {
            let node = asked.requests.destination_node.map(DestinationNodeAddress);
            node.map_or(Ok(()), |node| node.emit_request(writer))
        },
        take: |granted, _, _, answers| answers.destination_node = granted,
    }),
};

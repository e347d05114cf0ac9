//! Destination Node Address TLV (RFC 9503 §3): whether the probe reached the node it was meant for.

use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::{TLV_HEADER_OCTETS, TlvType};

use super::{Ask, Handler, Kind, Outcome};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::DESTINATION_NODE_ADDRESS),
    governed: true,
    is_valid_length: |octets| matches!(octets, 4 | 16),
    sub_tlvs_from: None,
    reflect: |exchange, tlv, wishes| {
        let Ok(DestinationNodeAddress(address)) = DestinationNodeAddress::parse(tlv.value) else {
            return Outcome::Malformed;
        };
        // A reply leaves from one address: another that is named behind it is not the one.
        let meant = match wishes.source {
            Some(source) => source == address,
            None => exchange.returns.can_reply_from(address, &exchange.ends),
        };
        if !meant {
            return Outcome::Unrecognized;
        }
        wishes.source = Some(address);
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

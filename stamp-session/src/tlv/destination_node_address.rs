//! Destination Node Address TLV (RFC 9503 §3): whether the probe reached the node it was meant for.

use stamp_proto::tlv::TlvType;
use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;

use super::{Handler, Outcome};

pub(super) const HANDLER: Handler = Handler {
    kind: TlvType::DESTINATION_NODE_ADDRESS,
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
};

//! Extra Padding TLV (RFC 8972 §4.1): copied, whatever is in it.

use stamp_proto::tlv::TlvType;

use super::{Handler, Kind, Outcome};

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::EXTRA_PADDING),
    governed: false,
    is_valid_length: |_| true,
    sub_tlvs_from: None,
    reflect: |_, _, _| Outcome::Processed,
    ask: None,
};

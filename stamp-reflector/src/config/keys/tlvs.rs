//! Keys that say which TLVs are acted upon.

use super::super::key::Key;
use super::super::words::TlvPolicyWord;

const VALUE: &str = "TLV=allow|refuse|ignore";

/// For everybody.
pub(crate) const TLV_POLICY: Key<TlvPolicyWord> = Key::new(
    "tlv-policy",
    super::ADMISSION_,
    "What becomes of the TLVs of a probe, by their type: allow acts upon them, as far as location, \
     reply-classes, return-path, lag-members, direct-measurement, reflect-headers and \
     packet-control let it; refuse answers as if the type were unknown (U); ignore gives them back \
     as they came, known and not acted upon (U and C). A prefix refines it with [[allow]].",
)
.value(VALUE)
.default("[]")
.many();

/// For the sources of an `[[allow]]`.
pub(crate) const OF_PREFIX: Key<TlvPolicyWord> = Key::file_only(
    "tlv-policy",
    "[[allow]]",
    "What becomes of the TLVs of these sources, by their type; for a type that is not named here, \
     the tlv-policy of the top level holds.",
)
.otherwise("what the top level says", "[\"location=refuse\", \"direct-measurement=ignore\"]")
.many();

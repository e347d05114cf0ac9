//! Keys for the headers that probes arrive with.

use stamp_config::asking::HeaderTypes;

use super::super::key::Key;

/// Whether they are told.
pub(crate) const REFLECT_HEADERS: Key<bool> = Key::new(
    "reflect-headers",
    super::ADMISSION_,
    "Tell probes that ask the IP header and the IPv6 extension headers they arrived with \
     (draft-ietf-ippm-stamp-ext-hdr): how packets are treated inside of the network shows. Headers \
     of IPv4 need CAP_NET_RAW.",
)
.default("false");

/// The types that ask for them.
pub(crate) const HEADER_TYPES: Key<HeaderTypes> = Key::new(
    "header-types",
    super::ADMISSION_,
    "Types of the TLVs that ask for headers, which nobody has assigned yet: that for the IP header, \
     and that for extension headers.",
)
.value("FIXED,EXTENSION")
.default("\"247,246\"");

/// Whether the sources of an `[[allow]]` are told.
pub(crate) const TOLD: Key<bool> = Key::file_only(
    "reflect-headers",
    "[[allow]]",
    "Whether these sources are told the headers of their probes, if they ask.",
)
.default("true");

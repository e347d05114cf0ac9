//! Keys for probes that want several replies.

use stamp_config::asking::AllowedPackets;

use super::super::key::Key;
use super::super::words::OctetRate;

/// What strangers may ask for.
pub(crate) const PACKET_CONTROL: Key<AllowedPackets> = Key::new(
    "packet-control",
    super::ADMISSION_,
    "Answer probes that want several replies, or longer ones (RFC 10052), up to so many replies, octets of \
     each and octets a second: who forges an address can have that much sent to it. A source has one \
     such burst at a time.",
)
.value("PACKETS,OCTETS,RATE")
.otherwise("off: there is one reply", "\"10,1400,125000\"");

/// What all of them together may have.
pub(crate) const PACKET_CONTROL_TOTAL: Key<OctetRate> = Key::new(
    "packet-control-total",
    super::ADMISSION_,
    "Octets a second of all replies of packet-control together.",
)
.value("RATE")
.default("1250000");

/// What the sources of an `[[allow]]` may ask for.
pub(crate) const ALLOWED: Key<AllowedPackets> = Key::file_only(
    "packet-control",
    "[[allow]]",
    "The same as packet-control outside of tables, for these sources.",
)
.otherwise("off", "\"10,1400,125000\"");

//! Keys of one `[[timestamp]]`, and of the labels that are taken for them.

use stamp_config::quantity::RateLimit;
use stamp_proto::time::TimestampFormat;

use super::super::key::{Definition, Key};
use super::super::words::{
    CsidWidths, ExtendedWord, FilePath, InterfaceName, LabelRange, PayloadOffset, Port, ShellWord,
    SidWord, TimestampLabelWord,
};

const WRITING: &str = "Timestamps in packets that are forwarded";
const TAKING: &str = "Labels of our own";
const HEADING: &str = "[[timestamp]]";

/// How packets of a [[timestamp]] are reached.
pub(crate) const TIMESTAMP_SHELL: Key<ShellWord> = Key::file_only(
    "timestamp-shell",
    WRITING,
    "packet reads frames from sockets and can do everything. tc has a program at the ingress do it \
     inside the kernel (CAP_BPF and CAP_NET_ADMIN, Linux 6.1): SIDs, and labels that the kernel's own \
     MPLS takes off. auto takes tc where it can do all that is configured here, else packet, and says \
     why.",
)
.default("\"auto\"")
.words(ShellWord::WORDS);

/// Labels that `label = "auto"` takes.
pub(crate) const LABEL_RANGE: Key<LabelRange> = Key::file_only(
    "label-range",
    TAKING,
    "Labels that a [[timestamp]] with label = \"auto\" gets its own from.",
)
.otherwise("no label is taken", "\"15000-15999\"");

/// Where they are kept.
pub(crate) const LABEL_FILE: Key<FilePath> = Key::file_only(
    "label-file",
    TAKING,
    "File that keeps the labels that were taken, so that they are the same after a restart. A \
     relative path counts from the folder of this file.",
)
.otherwise("needed where a label is taken", "\"stamp-reflector.labels\"");

pub(crate) const EXTENDED: Key<ExtendedWord> = Key::file_only(
    "extended",
    HEADING,
    "Timestamp label below the Extension Label (15). One of extended, label and sid has to be there.",
)
.otherwise("none", "240");

pub(crate) const LABEL: Key<TimestampLabelWord> = Key::file_only(
    "label",
    HEADING,
    "Timestamp label of a controller, or \"auto\" for one of label-range.",
)
.otherwise("none", "15001");

pub(crate) const SID: Key<SidWord> = Key::file_only(
    "sid",
    HEADING,
    "SID with the behaviour End.TSF. Where timestamp-shell is packet, a blackhole route keeps the \
     kernel from it (CAP_NET_ADMIN, or one that is there already).",
)
.otherwise("none", "\"fc00:bb:2:f::/64\"");

pub(crate) const NEXT_CSID: Key<CsidWidths> = Key::file_only(
    "next-csid",
    HEADING,
    "The SID has the NEXT-CSID flavour (uSID): bits of its block and of a compressed SID.",
)
.otherwise("whole SIDs only", "\"32/16\"");

pub(crate) const INTERFACES: Key<InterfaceName> = Key::file_only(
    "interfaces",
    HEADING,
    "Interfaces on which it is accepted; anywhere else it is dropped and counted.",
)
.otherwise("has to be there", "[\"eth1\"]")
.many();

pub(crate) const AUTHENTICATED: Key<bool> = Key::file_only(
    "authenticated",
    HEADING,
    "Its probes are authenticated, so that T2 belongs to octet 32 instead of 16.",
)
.default("false");

pub(crate) const OFFSET: Key<PayloadOffset> =
    Key::file_only("offset", HEADING, "Where T2 is written, in octets of the UDP payload.")
        .otherwise("16, or 32 with authenticated", "16");

pub(crate) const FORMAT: Key<TimestampFormat> =
    Key::file_only("format", HEADING, "Format of T2; ptp follows ptp-utc-offset.")
        .default("\"ptp\"")
        .words(&["ntp", "ptp"]);

pub(crate) const PORTS: Key<Port> = Key::file_only(
    "ports",
    HEADING,
    "UDP destination ports of test packets; what is for another port goes on without T2.",
)
.otherwise("every port", "[49300]")
.many();

pub(crate) const RATE_LIMIT: Key<RateLimit> = Key::file_only(
    "rate-limit",
    HEADING,
    "Packets per second of all senders together that are forwarded for it, or off.",
)
.default("\"off\"");

/// In the order of the template.
pub(crate) const ALL: &[Definition] = &[
    EXTENDED.definition,
    LABEL.definition,
    SID.definition,
    NEXT_CSID.definition,
    INTERFACES.definition,
    AUTHENTICATED.definition,
    OFFSET.definition,
    FORMAT.definition,
    PORTS.definition,
    RATE_LIMIT.definition,
];

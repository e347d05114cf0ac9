//! Keys of one `[[forward]]`.

use std::net::IpAddr;

use super::super::key::{Definition, Key};
use super::super::words::{ActionWord, ImposedWord, InterfaceName, LabelWord};

const HEADING: &str = "[[forward]]";

pub(crate) const LABEL: Key<LabelWord> =
    Key::file_only("label", HEADING, "The label that is acted on.")
        .otherwise("has to be there", "16004");

pub(crate) const ACTION: Key<ActionWord> = Key::file_only(
    "action",
    HEADING,
    "pop takes the label off; without a next-hop it is this node's own, and what is below is acted \
     on here. swap puts the one of labels in its place, push all of them.",
)
.otherwise("has to be there", "\"swap\"")
.words(ActionWord::WORDS);

pub(crate) const LABELS: Key<ImposedWord> = Key::file_only(
    "labels",
    HEADING,
    "Labels that take its place, top first: one for swap, one or more for push.",
)
.otherwise("none", "[16001]")
.many();

pub(crate) const INTERFACE: Key<InterfaceName> =
    Key::file_only("interface", HEADING, "Interface that leads to the next hop.")
        .otherwise("the routing table knows, that of the VRF the packet is in", "\"eth1\"");

pub(crate) const NEXT_HOP: Key<IpAddr> =
    Key::file_only("next-hop", HEADING, "Router that gets the packet.")
        .otherwise("the packet is acted on here", "\"192.0.2.1\"");

pub(crate) const ACCEPT_ON: Key<InterfaceName> =
    Key::file_only("accept-on", HEADING, "Interfaces on which the label is accepted.")
        .otherwise("those of every [[timestamp]]", "[\"eth1\"]")
        .many();

/// In the order of the template.
pub(crate) const ALL: &[Definition] = &[
    LABEL.definition,
    ACTION.definition,
    LABELS.definition,
    INTERFACE.definition,
    NEXT_HOP.definition,
    ACCEPT_ON.definition,
];

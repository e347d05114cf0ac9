//! Timestamp labels, SIDs and other labels: `[[timestamp]]` and `[[forward]]`.

use core::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use stamp_config::document::{Problem, Section};
use stamp_config::quantity::RateLimit;
use stamp_proto::sr::mpls::Label;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::{Place, SidForm, Trigger};
use stamp_worker::forwarder::{LabelSetup, NextHopSetup, Shell, ShellWish};

use super::keys::{forward, timestamp};
use super::reading::Reading;
use super::words::{ActionWord, InterfaceName, ShellWord, TimestampLabelWord};

const TIMESTAMP: &str = "timestamp";
const FORWARD: &str = "forward";

/// What the node does besides reflecting; nothing by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Forwarding {
    /// How packets are reached.
    pub(crate) shell: ShellWish,
    /// Where timestamps are written.
    pub(crate) timestamps: Vec<TimestampEntry>,
    /// Other labels.
    pub(crate) labels: Vec<LabelSetup>,
    /// Where labels of our own come from and are kept; there when one is needed.
    pub(crate) own: Option<OwnLabels>,
}

/// Where labels of our own come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OwnLabels {
    /// Labels that may be taken.
    pub(crate) range: RangeInclusive<u32>,
    /// Where those are kept that were.
    pub(crate) file: PathBuf,
}

/// One `[[timestamp]]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TimestampEntry {
    /// What a packet carries; none for a label that is still to be taken.
    pub(crate) trigger: Option<Trigger>,
    /// Interfaces it is accepted on.
    pub(crate) interfaces: Vec<String>,
    /// Where and how T2 is written.
    pub(crate) place: Place,
    /// UDP ports; none for all.
    pub(crate) ports: Vec<u16>,
    /// Packets per second.
    pub(crate) rate_limit: Option<u32>,
}

/// Reads both tables; `folder` is where paths count from.
pub(super) fn read(
    reading: &Reading<'_>,
    root: &Section<'_>,
    folder: &Path,
    ptp_utc_offset: PtpUtcOffset,
) -> Forwarding {
    let shell = match reading.value(root, &timestamp::TIMESTAMP_SHELL) {
        Some(ShellWord::Packet) => Shell::Packet.into(),
        Some(ShellWord::Tc) => Shell::Tc.into(),
        Some(ShellWord::Auto) | None => ShellWish::Auto,
    };
    let range = reading.value(root, &timestamp::LABEL_RANGE);
    let file = reading.value(root, &timestamp::LABEL_FILE);
    let mut index = 0;
    let mut timestamps: Vec<TimestampEntry> = Vec::new();
    root.sections(TIMESTAMP, |section| {
        let table = Table { reading, name: TIMESTAMP, index, section };
        index += 1;
        if let Some(entry) = table.timestamp(ptp_utc_offset) {
            if timestamps.iter().any(|earlier| earlier.collides(&entry)) {
                table.unusable(entry.key(), "an earlier [[timestamp]] is the same");
            }
            if entry.trigger.is_none() && (range.is_none() || file.is_none()) {
                let other = if range.is_none() { "label-range" } else { "label-file" };
                section.problem(timestamp::LABEL.definition.key, Problem::Needs { other });
            }
            timestamps.push(entry);
        }
    });
    let accepted: Vec<String> =
        timestamps.iter().flat_map(|entry| entry.interfaces.iter().cloned()).collect();
    let mut labels: Vec<LabelSetup> = Vec::new();
    let mut index = 0;
    root.sections(FORWARD, |section| {
        let table = Table { reading, name: FORWARD, index, section };
        index += 1;
        if let Some(entry) = table.forward(&accepted) {
            let taken = Some(Trigger::Label(entry.label));
            if labels.iter().any(|earlier| earlier.label == entry.label)
                || timestamps.iter().any(|earlier| earlier.trigger == taken)
            {
                table.unusable(forward::LABEL.definition.key, "this label stands there already");
            }
            labels.push(entry);
        }
    });
    let own = range
        .zip(file)
        .map(|(range, file)| OwnLabels { range: range.0, file: folder.join(file.0) });
    Forwarding { shell, timestamps, labels, own }
}

impl TimestampEntry {
    fn collides(&self, other: &Self) -> bool {
        match (self.trigger, other.trigger) {
            (Some(one), Some(other)) => one == other,
            // Labels of our own are told apart by what they are for.
            (None, None) => self.purpose() == other.purpose(),
            _ => false,
        }
    }

    /// What a label of our own is for, by which it is found again after a restart.
    pub(crate) fn purpose(&self) -> String {
        let Place { offset, format, .. } = self.place;
        format!("{offset} {format} {}", self.interfaces.join(","))
    }

    const fn key(&self) -> &'static str {
        match self.trigger {
            Some(Trigger::Extended(_)) => timestamp::EXTENDED.definition.key,
            Some(Trigger::Sid(_)) => timestamp::SID.definition.key,
            Some(Trigger::Label(_)) | None => timestamp::LABEL.definition.key,
        }
    }
}

/// One table of the file.
struct Table<'r, 's> {
    reading: &'r Reading<'r>,
    name: &'static str,
    index: usize,
    section: &'r Section<'s>,
}

impl Table<'_, '_> {
    fn timestamp(&self, ptp_utc_offset: PtpUtcOffset) -> Option<TimestampEntry> {
        let (reading, section, table) = (self.reading, self.section, (self.name, self.index));
        let trigger = self.trigger();
        let interfaces = self.interfaces();
        let authenticated = reading.item(table, section, &timestamp::AUTHENTICATED);
        let offset = reading.item(table, section, &timestamp::OFFSET).map(|offset| offset.0);
        let format = reading.item(table, section, &timestamp::FORMAT);
        let ports = reading.items(table, section, &timestamp::PORTS).unwrap_or_default();
        let limit = reading.item(table, section, &timestamp::RATE_LIMIT);
        let usual =
            if authenticated == Some(true) { Place::AUTHENTICATED } else { Place::UNAUTHENTICATED };
        let place = Place {
            offset: offset.unwrap_or(usual),
            format: format.unwrap_or(TimestampFormat::Ptp),
            ptp_utc_offset,
        };
        let rate_limit = match limit {
            Some(RateLimit::PerSecond(limit)) => Some(limit),
            Some(RateLimit::Off) | None => None,
        };
        let ports = ports.into_iter().map(|port| port.0).collect();
        Some(TimestampEntry {
            trigger: trigger?,
            interfaces: interfaces?,
            place,
            ports,
            rate_limit,
        })
    }

    /// What a packet carries; none inside for a label that is to be taken.
    fn trigger(&self) -> Option<Option<Trigger>> {
        let (reading, section, table) = (self.reading, self.section, (self.name, self.index));
        let extended = reading.item(table, section, &timestamp::EXTENDED);
        let label = reading.item(table, section, &timestamp::LABEL);
        let sid = self.sid();
        let keys = [
            timestamp::EXTENDED.definition,
            timestamp::LABEL.definition,
            timestamp::SID.definition,
        ];
        let given: Vec<&'static str> =
            keys.map(|key| key.key).into_iter().filter(|key| section.has(key)).collect();
        match given.as_slice() {
            [] => {
                let expected = "one of extended, label and sid";
                section.problem(timestamp::EXTENDED.definition.key, Problem::Missing { expected });
                None
            }
            [_] => match (extended, label, sid) {
                (Some(label), ..) => Some(Some(Trigger::Extended(label.0))),
                (_, Some(TimestampLabelWord::Given(label)), _) => Some(Some(Trigger::Label(label))),
                (_, Some(TimestampLabelWord::Auto), _) => Some(None),
                (.., Some(sid)) => Some(Some(Trigger::Sid(sid))),
                // A mistake was reported.
                (None, None, None) => None,
            },
            [first, second, ..] => {
                section.problem(second, Problem::Conflict { with: first });
                None
            }
        }
    }

    fn sid(&self) -> Option<SidForm> {
        let (reading, section, table) = (self.reading, self.section, (self.name, self.index));
        let word = reading.item(table, section, &timestamp::SID);
        let widths = reading.item(table, section, &timestamp::NEXT_CSID);
        if widths.is_some() && !section.has(timestamp::SID.definition.key) {
            let problem = Problem::Needs { other: timestamp::SID.definition.key };
            section.problem(timestamp::NEXT_CSID.definition.key, problem);
        }
        let sid = SidForm::new(word?.prefix, word?.bits).ok()?;
        let Some(widths) = widths else { return Some(sid) };
        match sid.with_next_csid(widths.block_bits, widths.csid_bits) {
            Ok(sid) => Some(sid),
            Err(error) => {
                self.unusable(timestamp::NEXT_CSID.definition.key, &error.to_string());
                None
            }
        }
    }

    fn interfaces(&self) -> Option<Vec<String>> {
        let (section, key) = (self.section, &timestamp::INTERFACES);
        let names = self.reading.items((self.name, self.index), section, key);
        match names {
            Some(names) if !names.is_empty() => Some(plain(names)),
            _ => {
                let leaf = key.definition.key;
                if !section.has(leaf) || names.is_some() {
                    let expected = "the names of interfaces";
                    section.problem(leaf, Problem::Missing { expected });
                }
                None
            }
        }
    }

    fn forward(&self, accepted: &[String]) -> Option<LabelSetup> {
        let (reading, section, table) = (self.reading, self.section, (self.name, self.index));
        let label = reading.required_item(table, section, &forward::LABEL);
        let action = reading.required_item(table, section, &forward::ACTION);
        let labels = reading.items(table, section, &forward::LABELS);
        let interface = reading.item(table, section, &forward::INTERFACE);
        let address = reading.item(table, section, &forward::NEXT_HOP);
        let on = reading.items(table, section, &forward::ACCEPT_ON).map(plain);
        let label = label?.0;
        let replaced_by: Vec<Label> =
            labels.unwrap_or_default().into_iter().map(|label| label.0).collect();
        let next_hop_key = forward::NEXT_HOP.definition.key;
        match (action?, replaced_by.len(), address) {
            (ActionWord::Pop, 1.., _) => self.unusable(
                forward::LABELS.definition.key,
                "pop puts no label in the place of another",
            ),
            (ActionWord::Swap, 0 | 2.., _) => {
                self.unusable(forward::ACTION.definition.key, "swap needs one of labels");
            }
            (ActionWord::Push, 0, _) => {
                self.unusable(forward::ACTION.definition.key, "push needs labels");
            }
            (ActionWord::Swap | ActionWord::Push, _, None) => {
                let problem = Problem::Needs { other: next_hop_key };
                section.problem(forward::ACTION.definition.key, problem);
            }
            _ => {}
        }
        if interface.is_some() && address.is_none() {
            let problem = Problem::Needs { other: next_hop_key };
            section.problem(forward::INTERFACE.definition.key, problem);
        }
        let interfaces = on.unwrap_or_else(|| accepted.to_vec());
        if interfaces.is_empty() {
            let problem = Problem::Needs { other: "accept-on, or a [[timestamp]] with interfaces" };
            section.problem(forward::LABEL.definition.key, problem);
        }
        let interface = interface.map(|name| name.0);
        let next_hop = address.map(|address| NextHopSetup { interface, address });
        Some(LabelSetup { label, interfaces, replaced_by, next_hop })
    }

    fn unusable(&self, key: &'static str, reason: &str) {
        self.section.problem(key, Problem::Unusable { reason: reason.to_owned() });
    }
}

fn plain(names: Vec<InterfaceName>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().map(|name| name.0).collect();
    names.sort_unstable();
    names.dedup();
    names
}

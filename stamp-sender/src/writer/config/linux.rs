//! `kind = "linux"`.

use std::path::PathBuf;
use std::time::Duration;

use stamp_config::quantity::{duration_with_unit, print_duration};
use stamp_config::{Form, Setting};
use stamp_net::steered::Maker;

use super::{Reader, show_file};

/// Routes of this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Linux {
    /// Who made a route or rule.
    pub protocol: Maker,
    /// The table of traffic of any DSCP; those of the 64 DSCPs are the ones behind it.
    pub table: u32,
    /// The first of three priorities of rules.
    pub priority: u32,
    /// The first SID stands in the outer header alone.
    pub reduced: bool,
    /// How often it is looked whether all is still as it was written.
    pub check_every: Duration,
    /// Where nodes that begin a list of labels are.
    pub topology: Option<PathBuf>,
}

/// Tables that a writer uses: one for any DSCP, one for each.
const TABLES: u32 = 65;
/// Priorities that its rules have.
const PRIORITIES: u32 = 3;

impl Linux {
    /// Both would touch the same routes or rules.
    pub(super) const fn meets(&self, other: &Self) -> bool {
        self.protocol.0 == other.protocol.0
            || self.table.abs_diff(other.table) < TABLES
            || self.priority.abs_diff(other.priority) < PRIORITIES
    }

    pub(super) fn show(&self) -> String {
        format!(
            "protocol = {}\ntable = {}\npriority = {}\nsrv6 = \"{}\"\ncheck-every = {:?}\n{}",
            self.protocol.0,
            self.table,
            self.priority,
            if self.reduced { "reduced" } else { "encap" },
            print_duration(self.check_every),
            show_file("topology", self.topology.as_deref())
        )
    }
}

impl Reader<'_, '_> {
    pub(super) fn linux(&self) -> Option<Linux> {
        let section = self.section;
        Some(Linux {
            protocol: Maker(section.get("protocol").map_or(84, |it: Protocol| it.0)),
            table: section.get("table").map_or(8300, |it: Table| it.0),
            priority: section.get("priority").map_or(8300, |it: Priority| it.0),
            reduced: section.get("srv6") == Some(Srv6::Reduced),
            check_every: section
                .get("check-every")
                .map_or(Duration::from_secs(10), |it: Every| it.0),
            topology: self.topology(),
        })
    }
}

struct Protocol(u8);

impl Setting for Protocol {
    const EXPECTED: &'static str = "a number from 5 to 255 that no other program uses; 83 is taken";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number > 4 && *number != 83).map(Self)
    }
}

struct Table(u32);

impl Setting for Table {
    const EXPECTED: &'static str = "a number from 256 to 4294967000; the 64 behind it are used too";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| (256..=4_294_967_000).contains(number)).map(Self)
    }
}

struct Priority(u32);

impl Setting for Priority {
    const EXPECTED: &'static str = "a number from 1 to 32000; the 2 behind it are used too";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| (1..=32_000).contains(number)).map(Self)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Srv6 {
    Encap,
    Reduced,
}

impl Setting for Srv6 {
    const EXPECTED: &'static str = "encap or reduced";
    fn read(text: &str) -> Option<Self> {
        match text {
            "encap" => Some(Self::Encap),
            "reduced" => Some(Self::Reduced),
            _ => None,
        }
    }
}

struct Every(Duration);

impl Setting for Every {
    const EXPECTED: &'static str = "a duration from 100ms to 1h, such as 10s";
    fn read(text: &str) -> Option<Self> {
        let allowed = Duration::from_millis(100)..=Duration::from_secs(3600);
        duration_with_unit(text).filter(|every| allowed.contains(every)).map(Self)
    }
}

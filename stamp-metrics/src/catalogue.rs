//! Every metric: its name, type, unit, help and labels. A name exists here and nowhere else.
//!
//! Names follow the rules of Prometheus, which the tests below hold them to: base units, the unit in
//! the name, `_total` behind counters and nothing else, `_info` with the value 1.

mod policy;
mod program;
mod reflector;
mod select;
mod session;
mod te;
mod writer;

pub use policy::*;
pub use program::*;
pub use reflector::*;
pub use select::*;
pub use session::*;
pub use te::*;
pub use writer::*;

/// What becomes of a value over time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts of values below bounds, and their sum; all of them only grow.
    Histogram,
}

impl Kind {
    /// Its name in the text format.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a value is measured in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// It is a number of something that the name says.
    Count,
    /// 1 for yes, 0 for no.
    Truth,
    /// Seconds.
    Seconds,
    /// Seconds since 1970.
    Timestamp,
    /// A share from 0 to 1.
    Ratio,
    /// Octets.
    Bytes,
    /// Always 1: what there is to tell stands in the labels.
    Info,
}

#[cfg(test)]
impl Unit {
    /// How a name ends, before `_total`, whose value is measured in it.
    const fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Count | Self::Truth => None,
            Self::Seconds => Some("_seconds"),
            Self::Timestamp => Some("_timestamp_seconds"),
            Self::Ratio => Some("_ratio"),
            Self::Bytes => Some("_bytes"),
            Self::Info => Some("_info"),
        }
    }
}

/// A metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What becomes of its value.
    pub kind: Kind,
    /// What that is measured in.
    pub unit: Unit,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// Labels in the order in which they are written. Some may be left out where they are unknown.
    pub labels: &'static [&'static str],
}

const fn counter(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, unit, help, labels }
}

const fn gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, help, labels }
}

const fn histogram(
    name: &'static str,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram, unit, help, labels }
}

/// Whether a label of this name is taken: an operator's own would hide it.
#[must_use]
pub fn is_reserved_label(name: &str) -> bool {
    /// Those of Prometheus itself.
    const OF_PROMETHEUS: [&str; 4] = ["job", "instance", "le", "quantile"];
    OF_PROMETHEUS.contains(&name)
        || is_own_label(name)
        || ["color", "endpoint", "severity"].contains(&name)
}

/// Whether a metric of ours has a label of this name.
#[must_use]
pub fn is_own_label(name: &str) -> bool {
    all().any(|metric| metric.labels.contains(&name))
}

/// Every metric of both programs.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    let of_senders =
        OF_SESSIONS.iter().chain(OF_ANNOUNCEMENTS).chain(OF_POLICIES).chain(OF_SENDERS);
    let of_reflectors = OF_REFLECTORS.iter().chain(OF_TIMESTAMP_NODES);
    OF_PROGRAMS
        .iter()
        .chain(of_senders)
        .chain(OF_SELECTORS)
        .chain(OF_WRITERS)
        .chain(of_reflectors)
        .copied()
}

#[cfg(test)]
mod tests;

//! Classes of service, in the words of those who use the network.
//!
//! A [`Class`] says what its traffic needs ([`Requirement`]), what it may never touch ([`Avoid`]), how
//! calmly its path may change ([`Damping`]) and which packets belong to it ([`Traffic`]). Nothing here
//! looks at a measurement: [`selection`](crate::selection) does.

mod avoid;
mod constraints;
mod damping;
mod measure;
mod mistake;
mod reading;
mod touched;
pub(crate) mod words;

use ipnet::IpNet;
use stamp_proto::ip::Dscp;

pub use avoid::{Avoid, Trespass};
pub use damping::{Damping, Trust};
pub use measure::{Direction, Measure, Quantile, Requirement, Value};
pub use mistake::ClassMistake;
pub(crate) use reading::{profile, read_section};
pub use touched::{Shared, Touched};

use crate::compute::{Disjointness, Metric};
use crate::policy::{Dynamic, ListWeights};

/// A class of service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Class {
    /// Unique among the classes of a file.
    pub name: String,
    /// All of them have to be met.
    pub require: Vec<Requirement>,
    /// What none of its packets may touch.
    pub avoid: Avoid,
    /// What decides among candidate paths of equal preference that meet the requirements.
    pub prefer: Option<Measure>,
    /// Another path has to stand by that shares nothing of this kind with the one in use.
    pub standby: Option<Disjointness>,
    /// Its paths stay off those of other classes.
    pub apart: Option<Apart>,
    /// How its traffic is spread over paths that are computed.
    pub spread: Spread,
    /// Which packets belong to it.
    pub traffic: Traffic,
    /// How the lists of its policies are measured, in the words of whoever measures.
    pub profile: Option<String>,
    /// How calmly its path may change.
    pub damping: Damping,
    /// Which measurements it goes by.
    pub trust: Trust,
}

/// Large flows stay off the paths of small ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Apart {
    /// Classes whose paths are left to them.
    pub classes: Vec<String>,
    /// What is not shared with them.
    pub by: Disjointness,
}

/// Over how many computed paths traffic is spread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spread {
    /// At most so many.
    pub paths: u16,
    /// How it is divided over them.
    pub weights: ListWeights,
}

impl Default for Spread {
    fn default() -> Self {
        Self { paths: 1, weights: ListWeights::default() }
    }
}

/// Packets that belong to a class: those to one of the prefixes and with one of the DSCPs; where a
/// list is empty it makes no difference.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Where they go.
    pub prefixes: Vec<IpNet>,
    /// How they are marked.
    pub dscp: Vec<Dscp>,
}

impl Class {
    /// What is compared among paths that are equally good otherwise: what the class prefers, else what
    /// its first limit on delay is about.
    #[must_use]
    pub fn compared(&self) -> Option<Measure> {
        let limited = self.require.iter().map(|requirement| requirement.measure);
        self.prefer.or_else(|| limited.clone().find(|measure| measure.is_delay()))
    }

    /// The computation that suits it, where a policy leaves that to its class.
    #[must_use]
    pub fn dynamic(&self) -> Dynamic {
        let by_delay = self.compared().is_some_and(Measure::is_delay);
        let metric = if by_delay { Metric::Delay } else { Metric::Igp };
        let Spread { paths, weights } = self.spread;
        Dynamic { metric, paths, weights, disjoint_from: None }
    }
}

#[cfg(test)]
mod tests;

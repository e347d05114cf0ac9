//! SR policies: over which lists traffic of a colour goes to an endpoint (RFC 9256 §2).
//!
//! A [`Policy`] has candidate paths. Each is a set of segment lists, a wish from which lists are
//! computed, or a mixture of other policies. What is wrong with one is a [`CandidateFlaw`], with one
//! of its lists a [`ListFlaw`]; of those that are right, [`active`] says which carries traffic, and
//! [`shares`] how much of it goes over which list.
//!
//! ```
//! use stamp_path::Topology;
//! use stamp_path::policy::Policies;
//!
//! let net = r#"
//!     [[node]]
//!     name = "a"
//!     [[node]]
//!     name = "b"
//!     loopbacks = ["192.0.2.2"]
//!     index = 2
//!     [[link]]
//!     ends = ["a", "b"]
//! "#;
//! let topology = Topology::read("net.toml", net)?;
//! let policies = Policies::read(
//!     "run.toml",
//!     r#"
//!     [[policy]]
//!     from = "a"
//!     color = 100
//!     endpoint = "b"
//!     candidate = [{ segments = ["b"] }]
//!     "#,
//!     Some(&topology),
//! )?;
//! let policy = &policies.policies[0];
//! assert_eq!(policy.name, "100-192.0.2.2");
//! assert_eq!(policy.candidates[0].preference, 100);
//! # Ok::<(), stamp_document::document::ConfigErrors>(())
//! ```
//!
//! `reference/policies.toml` of this crate holds every key with its meaning.

mod active;
mod candidate;
mod composite;
mod dynamic;
mod encoded;
mod flaw;
mod identity;
mod reading;
mod resolution;
mod roster;
mod segment;
mod survey;
mod touching;
mod validity;

use core::net::IpAddr;

pub use active::{active, shares};
pub use candidate::{CandidateKind, CandidatePath, Constituent, Dynamic, ListWeights, SegmentList};
pub use composite::{Fraction, constituents, fractions};
pub use dynamic::{Found, Unfound, Way, ways};
pub use encoded::Encoded;
pub use flaw::{CandidateFlaw, CompositeFlaw, ListFlaw, SegmentFlaw};
pub use identity::{BindingSid, CandidateId, Color, Originator, ProtocolOrigin};
pub use reading::{Policies, PolicyMistake};
pub use resolution::{Resolution, Resolved};
pub use roster::{Entry, Roster};
pub use segment::{DataPlane, Segment, SegmentType};
pub use survey::{Surveyed, SurveyedList, survey};
pub use validity::{Content, Lists, Validity, judge};

use crate::segments::Origin;

/// An SR policy (RFC 9256 §2.1): headend, colour and endpoint tell it from others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Unique among the policies of a file; how outputs call it.
    pub name: String,
    /// Where its lists are imposed; unknown where nothing says which node of the topology this is.
    pub headend: Option<Origin>,
    /// What it is for.
    pub color: Color,
    /// Where it leads; the zero address where any end will do.
    pub endpoint: IpAddr,
    /// Which is computed first after a change, the lowest; none where its candidates say it.
    pub priority: Option<u8>,
    /// Class of service of its traffic.
    pub class: Option<String>,
    /// How its lists are measured, in the words of whoever measures; that of its class unless given.
    pub profile: Option<String>,
    /// A list that ends elsewhere than at the endpoint is invalid (RFC 9256 §5.1).
    pub verifies_endpoint: bool,
    /// Of candidate paths of equal preference and origin the one in use stays (RFC 9256 §2.9).
    pub keeps_installed: bool,
    /// In the order of the file, of which nothing follows.
    pub candidates: Vec<CandidatePath>,
}

impl Policy {
    /// Priority of a policy of which nobody says one.
    pub const USUAL_PRIORITY: u8 = 128;

    /// Which policy is computed first: the lowest of what its candidates say, unless it has one of
    /// its own (RFC 9256 §2.12).
    #[must_use]
    pub fn effective_priority(&self) -> u8 {
        let signaled = || self.candidates.iter().filter_map(|candidate| candidate.priority).min();
        self.priority.or_else(signaled).unwrap_or(Self::USUAL_PRIORITY)
    }

    /// Its Binding SID: that of the candidate path in use (RFC 9256 §6.2).
    #[must_use]
    pub fn binding_sid(&self, active: CandidateId) -> Option<BindingSid> {
        self.candidate(active).and_then(|candidate| candidate.binding_sid)
    }

    /// The candidate path of that identity.
    #[must_use]
    pub fn candidate(&self, id: CandidateId) -> Option<&CandidatePath> {
        self.candidates.iter().find(|candidate| candidate.id == id)
    }

    /// A candidate path of it is made of other policies.
    #[must_use]
    pub fn is_composite(&self) -> bool {
        let is_made_of_others =
            |candidate: &CandidatePath| matches!(candidate.kind, CandidateKind::Composite(_));
        self.candidates.iter().any(is_made_of_others)
    }
}

#[cfg(test)]
mod tests;

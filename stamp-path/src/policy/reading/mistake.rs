//! How policies can contradict themselves although each word is right.

use stamp_document::document::Problem;

use crate::policy::CandidateId;
use crate::segments::SegmentError;

/// What contradicts what.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyMistake {
    #[error(transparent)]
    Named(#[from] SegmentError),
    #[error("a name needs a topology to come from")]
    NoTopology,
    #[error("the node has no address: give it loopbacks, or write an address here")]
    NoAddress,
    #[error("an earlier [[policy]] is called \"{name}\"; give this one a name")]
    NameTaken { name: String },
    #[error("policy \"{policy}\" has the same headend, color and endpoint")]
    PolicyTaken { policy: String },
    #[error("an earlier candidate is {id} already; give this one another discriminator")]
    CandidateTaken { id: CandidateId },
    #[error("an earlier candidate is called \"{name}\"; give this one a name")]
    CandidateNameTaken { name: String },
    #[error("at least one is needed, such as {{ segments = [\"5\", \"11\"] }}")]
    NoCandidate,
    #[error("give exactly one of {choices}")]
    OneOf { choices: &'static str },
    #[error("at least one is needed")]
    Empty,
    #[error("an IPv4 address stands for no SID; dataplane is \"srv6\"")]
    Ipv4Sid,
    #[error("both are to be IPv4 addresses, or both IPv6")]
    Families,
    #[error("two sites at least are needed")]
    FewSites,
    #[error("this site is named already")]
    SiteTwice,
    #[error("no other candidate has preference {preference}")]
    NoPreference { preference: u32 },
}

impl From<PolicyMistake> for Problem {
    fn from(mistake: PolicyMistake) -> Self {
        Self::Contradiction { reason: mistake.to_string() }
    }
}

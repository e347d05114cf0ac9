//! From the sections of a document to policies, contradictions told on the way.

mod candidate;
mod mesh;
mod mistake;
mod segment;
mod words;

use core::net::IpAddr;

use stamp_document::document::{self, ConfigErrors, Problem, Section};

pub use mistake::PolicyMistake;
use words::{ColorWord, Endpoint, Name, Priority};

use super::{CandidateKind, CandidatePath, Color, Dynamic, Policy};
use crate::class::{self, Class, ClassMistake};
use crate::segments::{self, Origin};
use crate::topology::{NodeId, Topology};

/// Everything that a document says about policies.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policies {
    /// Classes of service, in the order of the document.
    pub classes: Vec<Class>,
    /// In the order of the document.
    pub policies: Vec<Policy>,
}

impl Policies {
    /// Reads the text of a file that has nothing else in it, called `file` in messages. Names are
    /// those of `topology`.
    ///
    /// # Errors
    ///
    /// Every mistake found, in the order of the file.
    pub fn read(file: &str, text: &str, topology: Option<&Topology>) -> Result<Self, ConfigErrors> {
        document::read(file, text, |root| Self::read_section(root, topology, &|_| Ok(())))
    }

    /// Reads `[class.NAME]`, `[[policy]]` and `[[mesh]]` of a document that has more in it. Mistakes are the document's;
    /// `profiles` says what is wrong with the name of a profile.
    #[must_use]
    pub fn read_section(
        root: &Section<'_>,
        topology: Option<&Topology>,
        profiles: &dyn Fn(&str) -> Result<(), Problem>,
    ) -> Self {
        let classes = class::read_section(root, topology, profiles);
        let mut reader = Reader { topology, classes: &classes, profiles, policies: Vec::new() };
        root.sections("policy", |section| {
            let policy = reader.policy(section);
            reader.policies.extend(policy);
        });
        root.sections("mesh", |section| {
            for policy in reader.mesh(section) {
                reader.check_identity(section, policy.headend, (policy.color, policy.endpoint));
                reader.policies.push(policy);
            }
        });
        let policies = reader.policies;
        Self { classes, policies }
    }

    /// The class of a policy; one that names none has no requirements.
    #[must_use]
    pub fn class_of(&self, policy: &Policy) -> Class {
        let named = policy.class.as_ref();
        let class = named.and_then(|name| self.classes.iter().find(|class| class.name == *name));
        class.cloned().unwrap_or_default()
    }

    /// How the lists of a policy are measured, where it or its class says so.
    #[must_use]
    pub fn profile_of(&self, policy: &Policy) -> Option<String> {
        policy.profile.clone().or_else(|| self.class_of(policy).profile)
    }
}

/// What has been read, and the names it may use.
struct Reader<'t> {
    topology: Option<&'t Topology>,
    classes: &'t [Class],
    profiles: &'t dyn Fn(&str) -> Result<(), Problem>,
    policies: Vec<Policy>,
}

impl Reader<'_> {
    fn policy(&self, section: &Section<'_>) -> Option<Policy> {
        let color = section.require::<ColorWord>("color");
        let endpoint = self.endpoint(section);
        let headend = self.headend(section);
        let name = section.get::<Name>("name").map(|name| name.0);
        let priority = section.get::<Priority>("priority").map(|priority| priority.0);
        let class = self.class(section);
        let profile = class::profile(section, self.profiles);
        let verifies_endpoint = section.get("verify-endpoint").unwrap_or(false);
        let keeps_installed = section.get("keep-installed").unwrap_or(false);
        let candidates = self.candidates(section);
        let (color, endpoint) = (color?.0, endpoint?);
        self.check_identity(section, headend, (color, endpoint));
        let by_identity = || self.usual_name(headend, (color, endpoint));
        let policy = Policy {
            name: name.unwrap_or_else(by_identity),
            headend,
            color,
            endpoint,
            priority,
            class,
            profile,
            verifies_endpoint,
            keeps_installed,
            candidates,
        };
        if self.policies.iter().any(|earlier| earlier.name == policy.name) {
            let key = if section.has("name") { "name" } else { "color" };
            section.problem(key, PolicyMistake::NameTaken { name: policy.name.clone() }.into());
        }
        Some(policy)
    }

    /// The name of a class that is there.
    fn class(&self, section: &Section<'_>) -> Option<String> {
        let Name(name) = section.get::<Name>("class")?;
        let is_known = self.classes.iter().any(|class| class.name == name);
        if !is_known {
            section.problem("class", ClassMistake::UnknownClass { name: name.clone() }.into());
        }
        Some(name)
    }

    /// Colour and endpoint, and the headend where there may be several.
    fn usual_name(&self, headend: Option<Origin>, (color, endpoint): (Color, IpAddr)) -> String {
        let name = |node: NodeId| self.topology.map(|topology| topology[node].name.clone());
        let from = headend.and_then(|origin| match origin {
            Origin::Node(node) | Origin::Behind(node) | Origin::At(node) => name(node),
        });
        let is_alone = !self.policies.iter().any(|it| (it.color, it.endpoint) == (color, endpoint));
        match from.filter(|_| !is_alone) {
            Some(from) => format!("{color}-{from}-{endpoint}"),
            None => format!("{color}-{endpoint}"),
        }
    }

    fn check_identity(
        &self,
        section: &Section<'_>,
        headend: Option<Origin>,
        (color, endpoint): (Color, IpAddr),
    ) {
        let earlier = self.policies.iter().find(|earlier| {
            (earlier.headend, earlier.color, earlier.endpoint) == (headend, color, endpoint)
        });
        if let Some(earlier) = earlier {
            let policy = earlier.name.clone();
            section.problem("color", PolicyMistake::PolicyTaken { policy }.into());
        }
    }

    fn endpoint(&self, section: &Section<'_>) -> Option<IpAddr> {
        match section.require::<Endpoint>("endpoint")? {
            Endpoint::Address(address) => Some(address),
            Endpoint::Node(word) => {
                let node = self.node(section, "endpoint", &word)?;
                let address = self.topology?[node].loopbacks.first();
                if address.is_none() {
                    section.problem("endpoint", PolicyMistake::NoAddress.into());
                }
                address.copied()
            }
        }
    }

    /// `from` or `behind`, the words of a session.
    fn headend(&self, section: &Section<'_>) -> Option<Origin> {
        let from = section.get::<Name>("from");
        let behind = section.get::<Name>("behind");
        if from.is_some() && behind.is_some() {
            section.problem("behind", Problem::Conflict { with: "from" });
        }
        let at = |key, name: Option<Name>| self.node(section, key, &name?.0);
        let from = at("from", from).map(Origin::Node);
        from.or_else(|| at("behind", behind).map(Origin::Behind))
    }

    fn node(&self, section: &Section<'_>, key: &'static str, word: &str) -> Option<NodeId> {
        let Some(topology) = self.topology else {
            section.problem(key, PolicyMistake::NoTopology.into());
            return None;
        };
        match segments::node(topology, word) {
            Ok(node) => Some(node),
            Err(error) => {
                section.problem(key, PolicyMistake::Named(error).into());
                None
            }
        }
    }

    fn candidates(&self, section: &Section<'_>) -> Vec<CandidatePath> {
        let mut candidates: Vec<CandidatePath> = Vec::new();
        let mut position = 0_u32;
        let read = section.sections("candidate", |table| {
            position += 1;
            self.candidate(table, position - 1)
                .map(|candidate| (candidate, table.place("discriminator")))
        });
        for (mut candidate, place) in read.into_iter().flatten() {
            candidate.name = name_among(&candidates, &candidate);
            if candidates.iter().any(|earlier| earlier.name == candidate.name) {
                let name = candidate.name.clone();
                section.report(&place, PolicyMistake::CandidateNameTaken { name }.into());
            }
            if candidates.iter().any(|earlier| earlier.id == candidate.id) {
                section.report(&place, PolicyMistake::CandidateTaken { id: candidate.id }.into());
            }
            candidates.push(candidate);
        }
        self.check_disjointness(section, &candidates);
        if position == 0 {
            section.problem("candidate", PolicyMistake::NoCandidate.into());
        }
        candidates
    }

    /// What a computed path is to share nothing with is another candidate.
    fn check_disjointness(&self, section: &Section<'_>, candidates: &[CandidatePath]) {
        for candidate in candidates {
            let CandidateKind::Dynamic(Dynamic { disjoint_from: Some(preference), .. }) =
                candidate.kind
            else {
                continue;
            };
            let is_it = |it: &&CandidatePath| it.preference == preference && it.id != candidate.id;
            if candidates.iter().find(is_it).is_none() {
                section.problem("candidate", PolicyMistake::NoPreference { preference }.into());
            }
        }
    }
}

/// The name of a candidate that may have none of its own: that of its preference, which the first of this
/// preference has.
pub(super) fn name_among(earlier: &[CandidatePath], candidate: &CandidatePath) -> String {
    let CandidatePath { name, preference, id, .. } = candidate;
    let is_first = !earlier.iter().any(|it| it.preference == *preference);
    match (name.is_empty(), is_first) {
        (false, _) => name.clone(),
        (true, true) => format!("preference-{preference}"),
        (true, false) => format!("preference-{preference}-{}", id.discriminator),
    }
}

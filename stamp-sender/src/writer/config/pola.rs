//! `kind = "pola"`.

use std::net::IpAddr;
use std::path::PathBuf;

use stamp_config::{Form, Setting};
use stamp_path::policy::{CandidateKind, Policy};

use super::{Beside, Choice, Reader, show_file};

/// Files that the PCE Pola reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pola {
    /// Where a file for each policy is written.
    pub folder: PathBuf,
    /// The head end as the PCE knows it: its end of their PCEP session.
    pub session: IpAddr,
    /// The head end as policies begin there.
    pub headend: IpAddr,
    /// The network that the PCE looks segments up in.
    pub autonomous_system: Option<u32>,
    /// What is run when a file is there, and before it goes.
    pub commands: Option<Commands>,
    /// Whose SIDs are.
    pub topology: Option<PathBuf>,
}

/// Programs and their arguments; no shell reads them, and the name of the file comes last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commands {
    /// Tells the PCE of a policy.
    pub add: Vec<String>,
    /// Tells it that there is none.
    pub delete: Vec<String>,
}

impl Pola {
    pub(super) fn show(&self) -> String {
        let number = self.autonomous_system.map(|number| format!("asn = {number}\n"));
        let commands = self.commands.as_ref().map(|Commands { add, delete }| {
            format!("add-command = {add:?}\ndelete-command = {delete:?}\n")
        });
        format!(
            "{}session = \"{}\"\nheadend = \"{}\"\n{}{}{}",
            show_file("folder", Some(&self.folder)),
            self.session,
            self.headend,
            number.unwrap_or_default(),
            commands.unwrap_or_default(),
            show_file("topology", self.topology.as_deref())
        )
    }
}

impl Reader<'_, '_> {
    pub(super) fn pola(&self) -> Option<Pola> {
        let section = self.section;
        let folder = section.require("folder").map(|folder: String| self.folder.join(folder));
        let session = section.require("session");
        let headend = section.get("headend").or(session);
        let number = section.get("asn").map(|number: AutonomousSystem| number.0);
        let (commands, topology) = (self.commands(), self.topology());
        Some(Pola {
            folder: folder?,
            session: session?,
            headend: headend?,
            autonomous_system: number,
            commands,
            topology,
        })
    }

    fn commands(&self) -> Option<Commands> {
        let read = |key| {
            let command: Option<Vec<String>> = self.section.list(key);
            if command.as_ref().is_some_and(Vec::is_empty) {
                self.wrong(key, "no program: give a list of it and its arguments".to_owned());
            }
            command.unwrap_or_default()
        };
        let (add, delete) = (read("add-command"), read("delete-command"));
        for (key, other) in [("add-command", "delete-command"), ("delete-command", "add-command")] {
            if self.section.has(key) && !self.section.has(other) {
                self.wrong(key, format!("what it does is never undone: {other} is missing"));
            }
        }
        (!add.is_empty() && !delete.is_empty()).then_some(Commands { add, delete })
    }

    /// Reports what of the file's own policies no such file can say.
    pub(super) fn refuse_what_pola_cannot_say(&self, choice: &Choice) {
        if choice.headends.len() > 1 {
            let reason = "a PCEP session is that of one head end: give each a writer of its own";
            self.wrong("headends", reason.to_owned());
        }
        // Whoever is asked elsewhere has policies of his own.
        if self.section.has("from") {
            return;
        }
        for policy in &self.beside.paths.policies.policies {
            if let Some(reason) = unsayable(policy, choice, self.beside) {
                self.wrong("policies", reason);
            }
        }
    }
}

/// Why a policy that is chosen cannot stand in such a file, where nothing has to be measured to know it.
fn unsayable(policy: &Policy, choice: &Choice, beside: &Beside<'_>) -> Option<String> {
    let topology = &beside.paths.topology;
    let headend = policy.imposed_at().map(|node| topology[node].name.as_str());
    if !choice.takes(&policy.name, headend, policy.class.as_deref()) {
        return None;
    }
    let name = &policy.name;
    if let Some(headend) = headend.filter(|_| choice.headends.is_empty()) {
        return Some(format!(
            "{name} begins at {headend}: if the session is of it, say headends = [{headend:?}]"
        ));
    }
    policy.candidates.iter().find_map(|candidate| {
        let has = match &candidate.kind {
            CandidateKind::Explicit(lists) if lists.len() > 1 => format!("{} lists", lists.len()),
            CandidateKind::Dynamic(dynamic) if dynamic.paths > 1 => {
                format!("up to {} lists", dynamic.paths)
            }
            CandidateKind::Composite(_) => "those of other policies".to_owned(),
            CandidateKind::Explicit(_) | CandidateKind::Dynamic(_) => return None,
        };
        let candidate = &candidate.name;
        Some(format!("{candidate} of {name} has {has}, and a candidate path of Pola has one list"))
    })
}

struct AutonomousSystem(u32);

impl Setting for AutonomousSystem {
    const EXPECTED: &'static str = "a number of an autonomous system from 1 to 4294967295";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number != 0).map(Self)
    }
}

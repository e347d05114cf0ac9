//! `stamp-sender doctor [HOST]`: what this machine can do and what stands in the way; what a far
//! end is, and why it may be silent.

mod far_end;
mod machine;

use std::io::{self, Write};

use serde::Serialize;

use crate::command_line::Doctor;
use crate::exit::{Failure, Status};
use crate::{Ended, log};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing; nothing is in the way.
    Note,
    /// Something will not work, or not well, until it is mended.
    Hindrance,
}

impl Level {
    const fn mark(self) -> &'static str {
        match self {
            Self::Good => "ok  ",
            Self::Note => "note",
            Self::Hindrance => "MEND",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What was looked at, in a word or two.
    pub topic: &'static str,
    /// What was found.
    pub text: String,
    /// The line that mends it, if it can be mended.
    pub mend: Option<String>,
}

impl Finding {
    fn good(topic: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Good, topic, text: text.into(), mend: None }
    }

    fn note(topic: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Note, topic, text: text.into(), mend: None }
    }

    fn hindrance(topic: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Hindrance, topic, text: text.into(), mend: None }
    }

    fn mended_by(self, line: impl Into<String>) -> Self {
        Self { mend: Some(line.into()), ..self }
    }
}

/// Everything that was found, by section.
#[derive(Debug, Serialize)]
struct Diagnosis {
    schema_version: u32,
    machine: Vec<Finding>,
    far_end: Option<Vec<Finding>>,
}

/// Runs the verb: status 1 when something stands in the way.
///
/// # Errors
///
/// When the host has no address or no socket can be opened towards it, after printing the rest.
pub fn run(doctor: &Doctor) -> Ended {
    log::init(doctor.log_level);
    let machine = machine::examine();
    let far_end = doctor.host.as_ref().map(|host| far_end::examine(host, &doctor.probe));
    // A host that cannot be reached at all does not hide what was found here.
    let (far_end, failed) = match far_end {
        Some(Err(failure)) => (None, Some(failure)),
        examined => (examined.and_then(Result::ok), None),
    };
    let diagnosis = Diagnosis { schema_version: 1, machine, far_end };
    if doctor.json {
        print_json(&diagnosis)?;
    } else {
        print_text(doctor.host.as_deref(), &diagnosis).map_err(Failure::Output)?;
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    let findings = diagnosis.machine.iter().chain(diagnosis.far_end.iter().flatten());
    let hindered = findings.map(|finding| finding.level).max() == Some(Level::Hindrance);
    Ok(if hindered { Status::Unmet } else { Status::Done })
}

fn print_json(diagnosis: &Diagnosis) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, diagnosis)
        .map_err(|error| Failure::Output(error.into()))?;
    writeln!(out).map_err(Failure::Output)
}

fn print_text(host: Option<&str>, diagnosis: &Diagnosis) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "This machine")?;
    print_findings(&mut out, &diagnosis.machine)?;
    if let (Some(host), Some(findings)) = (host, &diagnosis.far_end) {
        writeln!(out, "\n{host}")?;
        print_findings(&mut out, findings)?;
    }
    Ok(())
}

fn print_findings(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.topic.len()).max().unwrap_or(0);
    for Finding { level, topic, text, mend } in findings {
        writeln!(out, "  {}  {topic:width$}  {text}", level.mark())?;
        if let Some(line) = mend {
            writeln!(out, "        {:width$}  $ {line}", "")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_printed_with_the_line_that_mends_it() {
        let findings = [
            Finding::good("clock", "synchronised"),
            Finding::hindrance("port 862", "needs a right").mended_by("setcap …"),
        ];
        let mut out = Vec::new();
        print_findings(&mut out, &findings).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  ok    clock     synchronised\n  MEND  port 862  needs a right\n\
             \x20                 $ setcap …\n"
        );
    }

    #[test]
    fn what_must_be_mended_weighs_most() {
        assert!(Level::Hindrance > Level::Note && Level::Note > Level::Good);
    }
}

//! `path locate`: which link hurts.

mod course;
mod input;
mod probing;
mod readings;
mod record;
mod told;

use stamp_path::Topology;
use stamp_path::locate::{self, Assumptions, Located, Observation};
use stamp_path::segments;

use super::print;
use crate::Ended;
use crate::command_line::LogLevel;
use crate::command_line::path::Locate;
use crate::exit::Failure;
use crate::output::layout;
use crate::output::record::SessionRecord;
use crate::{log, names};
use course::{Begin, Courses};
use record::Document;

/// What sessions say, and what follows from it.
#[derive(Debug)]
struct Judged {
    /// Names of the sessions that count, in the order of the observations.
    names: Vec<String>,
    /// Those that do not, and why.
    left_out: Vec<(String, String)>,
    loss: Located,
    delay: Located,
}

/// Locates, and prints what was found.
///
/// # Errors
///
/// For input that cannot be had or read, and names that are not in the topology.
pub(super) fn run(flags: &Locate) -> Ended {
    log::init(LogLevel::Warn);
    let topology = names::read(&flags.topology)?;
    let begin = begin(&topology, flags)?;
    let mut sessions = input::sessions(&flags.sessions, flags)?;
    let mut unsent = Vec::new();
    if flags.probe
        && let Some(Begin::At(from)) = begin
    {
        let probed = probing::probed(&topology, from, flags)?;
        sessions.extend(probed.sessions);
        unsent = probed.left_out;
    }
    let baseline = input::sessions(&flags.baseline, flags)?;
    let mut judged = judged(&topology, begin, (&sessions, &baseline), &assumptions(flags));
    judged.left_out.extend(unsent);
    if judged.names.is_empty() {
        let reasons = judged.left_out.iter().map(|(name, reason)| format!("\n  {name}: {reason}"));
        let reasons: String = reasons.collect();
        return Err(Failure::Input(format!("no session says anything of the topology{reasons}")));
    }
    let text = if flags.json {
        layout::text(&Document::of(&topology, &judged)).map_err(Failure::Output)?
    } else {
        told::text(&topology, &judged)
    };
    let is_sound = |located: &Located| located.bad.is_empty() && located.suspects.is_empty();
    print(&text, is_sound(&judged.loss) && is_sound(&judged.delay))
}

fn assumptions(flags: &Locate) -> Assumptions {
    Assumptions {
        usual_loss: f64::from(flags.usual_loss.billionths()) / 1e9,
        usual_delay: flags.usual_delay.0,
        ..Assumptions::default()
    }
}

/// Where sessions begin that do not say it themselves.
fn begin(topology: &Topology, flags: &Locate) -> Result<Option<Begin>, Failure> {
    let node = |name: &str, flag: &'static str| {
        segments::node(topology, name)
            .map_err(|error| Failure::Usage { flag, problem: error.to_string() })
    };
    if let Some(name) = &flags.behind {
        return node(name, "--behind").map(|node| Some(Begin::Behind(node)));
    }
    let from = flags.from.as_deref().map(|name| node(name, "--from")).transpose()?;
    Ok(from.map(Begin::At))
}

fn judged(
    topology: &Topology,
    begin: Option<Begin>,
    (sessions, baseline): (&[SessionRecord], &[SessionRecord]),
    assumptions: &Assumptions,
) -> Judged {
    let courses = Courses::new(topology, begin);
    let (mut names, mut left_out, mut observations) = (Vec::new(), Vec::new(), Vec::new());
    for session in sessions {
        match courses.of(session) {
            Err(reason) => left_out.push((session.name.clone(), reason)),
            Ok(_) if session.loss.decided == 0 => {
                left_out.push((session.name.clone(), undecided(session)));
            }
            Ok(course) => {
                let usual = baseline.iter().find(|known| known.name == session.name);
                let (loss, delay) = (readings::loss(session), readings::delay(session, usual));
                names.push(session.name.clone());
                observations.push(Observation { course, loss, delay });
            }
        }
    }
    Judged {
        names,
        left_out,
        loss: locate::loss(topology, &observations, assumptions),
        delay: locate::delay(topology, &observations, assumptions),
    }
}

/// Why a session says nothing.
fn undecided(session: &SessionRecord) -> String {
    let unsent = session.findings.iter().find(|finding| finding.kind == "unsent");
    let words = unsent.map_or("nothing is known of any probe yet", |finding| &finding.text);
    words.to_owned()
}

#[cfg(test)]
mod tests;

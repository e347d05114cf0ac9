//! Measures several ways at once, each as a run of its own would, and prints nothing.

use std::path::Path;

use clap::Parser as _;

use crate::command_line::{CommandLine, Measure, Probe};
use crate::exit::Failure;
use crate::names;
use crate::output::keeper::Keeper;
use crate::output::record::SessionRecord;
use crate::run::Stage;
use crate::setup::{self, Sessions};
use crate::stateful;

/// A way to be measured.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// What its session is called.
    pub(super) name: String,
    /// The far end.
    pub(super) host: String,
    /// What leads there, in the words of the command line.
    pub(super) flags: Vec<String>,
}

/// What came of a way: a session, several with a sweep, or why there is none.
pub(super) type Outcome = Result<Vec<SessionRecord>, Failure>;

/// Measures all ways, in their order.
///
/// # Errors
///
/// When none can be measured at all, or the run breaks down.
pub(super) fn measured(
    ways: &[Way],
    (topology, from): (&Path, &str),
    probe: &Probe,
) -> Result<Vec<Outcome>, Failure> {
    let stage = Stage::open()?;
    let (mut setups, mut infos, mut opened) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_looped = true;
    for way in ways {
        let sessions = measure(way, (topology, from), probe).and_then(|measure| {
            is_looped &= measure.steering.mode.is_looped();
            setup::sessions(&names::resolved(&measure)?)
        });
        opened.push(sessions.map(|Sessions { setups: own, infos: theirs, .. }| {
            let count = own.len();
            setups.extend(own);
            infos.extend(theirs.into_iter().zip(1..).map(|(mut info, number)| {
                let number = if count > 1 { format!("#{number}") } else { String::new() };
                info.name = format!("{}{number}", way.name);
                info
            }));
            count
        }));
    }
    let mut records = Vec::new();
    if !setups.is_empty() {
        if !is_looped {
            stateful::settle(probe, &mut setups, &infos)?;
        }
        let mut keeper = Keeper::default();
        stage.run(setups, &infos, &mut keeper)?;
        records = keeper.records();
    }
    let mut records = records.into_iter();
    Ok(opened
        .into_iter()
        .map(|one| one.map(|count| records.by_ref().take(count).collect()))
        .collect())
}

/// What the words of a way ask for, with everything else as it was asked for.
fn measure(way: &Way, (topology, from): (&Path, &str), probe: &Probe) -> Result<Measure, Failure> {
    let topology = topology.display().to_string();
    let words = ["stamp-sender", &way.host, "--topology", &topology, "--from", from];
    let words = words.into_iter().chain(way.flags.iter().map(String::as_str));
    let parsed = CommandLine::try_parse_from(words)
        .map_err(|error| Failure::Usage { flag: "path", problem: error.to_string() })?;
    Ok(Measure { probe: probe.clone(), ..parsed.measure })
}

//! `path probe`: the ways that are computed, each measured.

mod way;

use serde::Serialize;
use stamp_path::compute::{Absence, Answer, Network, Request};

use super::record::PathRecord;
use super::seen::Seen;
use super::sending::{self, Outcome};
use super::{MOST_EQUAL, asked, print, route};
use crate::Ended;
use crate::command_line::LogLevel;
use crate::command_line::path::{ProbeWays, Turn};
use crate::exit::Failure;
use crate::explain::percent;
use crate::output::document::SCHEMA_VERSION;
use crate::output::duration::{delay_or_dash, setting};
use crate::output::human::table::Table;
use crate::output::layout;
use crate::output::record::{FindingRecord, SessionRecord};
use crate::{log, names};

/// A way, and what was measured of it.
struct Measured {
    answer: Answer,
    session: Result<SessionRecord, String>,
}

/// Computes, measures and prints.
///
/// # Errors
///
/// For names that are not in the topology, and where nothing can be sent.
pub(super) fn run(flags: &ProbeWays) -> Ended {
    log::init(LogLevel::Warn);
    let topology = names::read(&flags.wanted.topology)?;
    let request = asked::request(&topology, &flags.wanted)?;
    let seen = Seen::of(&topology, &request);
    let answers =
        seen.search(&request, |network, request| found(network, request, flags)).map_err(
            |absence| Failure::Refused { status: 1, problem: absence.in_words(seen.topology()) },
        )?;
    let ways: Vec<_> = answers.iter().map(|answer| way::of(&seen, answer, flags)).collect();
    let usable: Vec<sending::Way> = ways.iter().filter_map(|way| way.clone().ok()).collect();
    let from = (flags.wanted.topology.as_path(), flags.wanted.from.as_str());
    let mut outcomes = sending::measured(&usable, from, &flags.probing)?.into_iter();
    let session = |way: Result<sending::Way, String>| way.and_then(|_| only(outcomes.next()));
    let sessions: Vec<_> = ways.into_iter().map(session).collect();
    let measured = answers.into_iter().zip(sessions);
    let measured: Vec<Measured> =
        measured.map(|(answer, session)| Measured { answer, session }).collect();
    let text = if flags.json {
        layout::text(&Document::of(&seen, &measured, flags)).map_err(Failure::Output)?
    } else {
        text(&seen, &measured, flags.mode)
    };
    let is_answered = |one: &Measured| one.session.as_ref().is_ok_and(|session| session.answered);
    print(&text, measured.iter().all(is_answered))
}

fn found(
    network: &Network<'_>,
    request: &Request,
    flags: &ProbeWays,
) -> Result<Vec<Answer>, Absence> {
    if flags.pair {
        let pair = network.pair(request, flags.wanted.terms.avoided.disjoint)?;
        let optimal = pair.optimal;
        return Ok(pair.ways.map(|way| Answer { optimal, ..way }).to_vec());
    }
    if flags.equal {
        return network.equally_good(request, flags.k.unwrap_or(MOST_EQUAL).into());
    }
    network.ranked(request, flags.k.unwrap_or(1).into())
}

/// The session of a way.
fn only(outcome: Option<Outcome>) -> Result<SessionRecord, String> {
    match outcome {
        Some(Ok(records)) => {
            records.into_iter().next().ok_or_else(|| "it was not measured".to_owned())
        }
        Some(Err(failure)) => Err(failure.to_string()),
        None => Err("it was not measured".to_owned()),
    }
}

/// A row for each way, and why some have no values.
fn text(seen: &Seen<'_>, measured: &[Measured], mode: Turn) -> String {
    let topology = seen.topology();
    let by_direction = mode != Turn::Loopback;
    let heading: &[&str] = if by_direction {
        &["by file", "forward", "p99", "back by file", "backward", "p99", "lost"]
    } else {
        &["by file", "round trip", "p99", "lost"]
    };
    let mut table = Table::new(heading);
    let mut problems = String::new();
    for one in measured {
        let (path, words) = (&one.answer.path, route::words(topology, &one.answer.path));
        let there = path.delay(topology);
        let back = path.reversed(topology).delay(topology);
        let by_file = |delay: std::time::Duration| {
            setting(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
        };
        let of = |read: fn(&SessionRecord) -> Option<i64>| {
            delay_or_dash(one.session.as_ref().ok().and_then(read))
        };
        let lost = one.session.as_ref().ok().and_then(|session| session.loss.ratio.round_trip);
        let lost = lost.map_or_else(|| "-".to_owned(), percent);
        let cells = if by_direction {
            let returned = if mode == Turn::TwoWay { "-".to_owned() } else { by_file(back) };
            vec![
                by_file(there),
                of(|it| it.delay_ns.forward.p50),
                of(|it| it.delay_ns.forward.p99),
                returned,
                of(|it| it.delay_ns.backward.p50),
                of(|it| it.delay_ns.backward.p99),
                lost,
            ]
        } else {
            let round_trip =
                [of(|it| it.delay_ns.round_trip.p50), of(|it| it.delay_ns.round_trip.p99)];
            [by_file(there + back)].into_iter().chain(round_trip).chain([lost]).collect()
        };
        table.row(&words, cells);
        problems.push_str(&problem(&words, &one.session));
    }
    table.lines().join("\n") + "\n" + &problems
}

/// Why a way has no values.
fn problem(words: &str, session: &Result<SessionRecord, String>) -> String {
    let session = match session {
        Err(problem) => return format!("{words}: {problem}\n"),
        Ok(session) if session.answered => return String::new(),
        Ok(session) => session,
    };
    let line = |finding: &FindingRecord| {
        let remedy = Some(&finding.remedy).filter(|remedy| !remedy.is_empty());
        let remedy = remedy.map(|remedy| format!("   -> {remedy}\n"));
        format!("{words}: {}\n{}", finding.text, remedy.unwrap_or_default())
    };
    session.findings.iter().map(line).collect()
}

/// The document of `path probe --json`.
#[derive(Serialize)]
struct Document {
    schema_version: u32,
    paths: Vec<ProbedRecord>,
}

/// A way as `path compute` has it, and its session.
#[derive(Serialize)]
struct ProbedRecord {
    #[serde(flatten)]
    path: PathRecord,
    session: Option<SessionRecord>,
    /// Why there is none.
    problem: Option<String>,
}

impl Document {
    fn of(seen: &Seen<'_>, measured: &[Measured], flags: &ProbeWays) -> Self {
        let paths: Vec<_> = measured.iter().map(|one| &one.answer.path).collect();
        let weights = stamp_path::compute::weights(seen.topology(), &paths);
        let record = |(one, weight): (&Measured, u32)| ProbedRecord {
            path: PathRecord::of(seen, &one.answer, weight, flags.dataplane),
            session: one.session.as_ref().ok().cloned(),
            problem: one.session.as_ref().err().cloned(),
        };
        Self {
            schema_version: SCHEMA_VERSION,
            paths: measured.iter().zip(weights).map(record).collect(),
        }
    }
}

#[cfg(test)]
mod tests;

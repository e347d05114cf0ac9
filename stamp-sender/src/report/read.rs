//! Reads what `--json` and `--ndjson` wrote.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::output::document::{Host, SCHEMA_VERSION, Tool};
use crate::output::heard::Heard;
use crate::output::histogram::HistogramRecord;
use crate::output::instant::Instant;
use crate::output::ndjson::entry::SampleEntry;
use crate::output::record::{Directions, SessionRecord};
use crate::output::series::{Point, SeriesRecord};

/// A saved run.
#[derive(Debug)]
pub struct Saved {
    /// Program and version.
    pub tool: String,
    /// Host it ran on.
    pub host: Option<String>,
    /// When it began.
    pub started: Instant,
    /// When it ended, unless the file is cut off.
    pub ended: Option<Instant>,
    /// The user or the system stopped it.
    pub interrupted: bool,
    /// In the order of the command line.
    pub sessions: Vec<SavedSession>,
}

impl Saved {
    /// How long it took.
    #[must_use]
    pub fn elapsed_ns(&self) -> Option<u64> {
        u64::try_from(self.ended?.0.since(self.started.0).ns()).ok()
    }
}

/// One session of a saved run.
#[derive(Debug)]
pub struct SavedSession {
    /// Its name.
    pub name: String,
    /// Its summary, unless the file is cut off.
    pub record: Option<SessionRecord>,
    /// How often each delay was seen.
    pub histogram: Directions<HistogramRecord>,
    /// Delay and loss over time.
    pub series: SeriesRecord,
}

impl SavedSession {
    /// Probes received and lost, as the course of the run has them.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let steps = &self.series.steps;
        let received = steps.iter().map(|step| step.received).sum();
        (received, steps.iter().map(|step| step.lost).sum())
    }
}

/// Why a file is no saved run, and where.
#[derive(Debug, Eq, PartialEq)]
pub struct ReadError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in octets, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl ReadError {
    /// `line` is where the text that was parsed begins.
    fn new(error: &serde_json::Error, line: usize) -> Self {
        let told = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        Self {
            line: line + error.line().saturating_sub(1),
            column: error.column().max(1),
            problem: told.strip_suffix(&place).unwrap_or(&told).to_owned(),
        }
    }

    fn at(line: usize, problem: &str) -> Self {
        Self { line, column: 1, problem: problem.to_owned() }
    }
}

/// The octets of a file as text.
///
/// # Errors
///
/// The first place that is not UTF-8.
pub fn utf8(octets: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(octets).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..good];
        let line_start = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        ReadError {
            line: before.iter().filter(|octet| **octet == b'\n').count() + 1,
            column: good - line_start + 1,
            problem: "not UTF-8 text; expected what --json or --ndjson wrote".to_owned(),
        }
    })
}

/// Reads a document or a stream, whichever it is.
///
/// # Errors
///
/// The first place that is neither.
pub fn read(text: &str) -> Result<Saved, ReadError> {
    if text.trim().is_empty() {
        return Err(ReadError::at(1, "nothing in it; expected what --json or --ndjson wrote"));
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if serde_json::from_str::<Kind>(first).is_ok() { stream(text) } else { document(text) }
}

/// The part of a document that is shown again.
#[derive(Deserialize)]
#[serde(expecting = "what --json or --ndjson wrote")]
struct SavedDocument {
    schema_version: u32,
    tool: Tool,
    host: Host,
    started: Instant,
    ended: Instant,
    interrupted: bool,
    sessions: Vec<SessionRecord>,
}

fn document(text: &str) -> Result<Saved, ReadError> {
    let document: SavedDocument =
        serde_json::from_str(text).map_err(|error| ReadError::new(&error, 1))?;
    check_version(document.schema_version, 1)?;
    let session = |mut record: SessionRecord| SavedSession {
        name: record.name.clone(),
        histogram: record.histogram_ns.take().unwrap_or_default(),
        series: record.series.take().unwrap_or_default(),
        record: Some(record),
    };
    Ok(Saved {
        tool: format!("{} {}", document.tool.name, document.tool.version),
        host: document.host.name,
        started: document.started,
        ended: Some(document.ended),
        interrupted: document.interrupted,
        sessions: document.sessions.into_iter().map(session).collect(),
    })
}

fn check_version(version: u32, line: usize) -> Result<(), ReadError> {
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    let problem = format!("schema_version is {version}; this program reads {SCHEMA_VERSION}");
    Err(ReadError::at(line, &problem))
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

#[derive(Deserialize)]
struct StartLine {
    schema_version: u32,
    time: Instant,
    tool: Tool,
    host: Host,
    sessions: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct LostLine {
    session: String,
    sequence: u32,
    time: Instant,
}

#[derive(Deserialize)]
struct EndLine {
    session: String,
    time: Instant,
    interrupted: bool,
}

/// A session while its lines are read.
struct Listening {
    name: String,
    heard: Heard,
    record: Option<SessionRecord>,
}

fn stream(text: &str) -> Result<Saved, ReadError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((_, first)) = lines.next() else {
        return Err(ReadError::at(1, "nothing in it"));
    };
    let kind: Kind = parse(first, 1)?;
    if kind.r#type != "start" {
        return Err(ReadError::at(1, "the stream does not begin with a line of type \"start\""));
    }
    let start: StartLine = parse(first, 1)?;
    check_version(start.schema_version, 1)?;
    let mut saved = Saved {
        tool: format!("{} {}", start.tool.name, start.tool.version),
        host: start.host.name,
        started: start.time,
        ended: None,
        interrupted: false,
        sessions: Vec::new(),
    };
    let mut sessions: Vec<Listening> = start.sessions.into_iter().map(Listening::new).collect();
    for (number, line) in lines {
        take(line, number + 1, &mut sessions, &mut saved)?;
    }
    saved.sessions = sessions.into_iter().map(Listening::saved).collect();
    Ok(saved)
}

fn take(
    line: &str,
    number: usize,
    sessions: &mut [Listening],
    saved: &mut Saved,
) -> Result<(), ReadError> {
    let kind: Kind = parse(line, number)?;
    match kind.r#type.as_str() {
        "sample" => {
            let sample: SampleEntry = parse(line, number)?;
            let session = find(sessions, &sample.session, number)?;
            // A sample around a jump of a clock says nothing about the path.
            if !sample.flags.iter().any(|flag| flag == "clock_step") {
                session.heard.point(Point {
                    sequence: sample.sequence,
                    probe_sent: sample.time.0,
                    forward: sample.forward_ns,
                    backward: sample.backward_ns,
                    round_trip: sample.round_trip_ns,
                });
            }
        }
        "lost" => {
            let lost: LostLine = parse(line, number)?;
            find(sessions, &lost.session, number)?.heard.lost(lost.sequence, lost.time.0);
        }
        "end" => {
            let end: EndLine = parse(line, number)?;
            find(sessions, &end.session, number)?.record = Some(parse(line, number)?);
            saved.ended = saved.ended.max(Some(end.time));
            saved.interrupted |= end.interrupted;
        }
        // Whatever else happened is in the summary, and later versions may add types.
        _ => {}
    }
    Ok(())
}

fn find<'s>(
    sessions: &'s mut [Listening],
    name: &str,
    number: usize,
) -> Result<&'s mut Listening, ReadError> {
    sessions.iter_mut().find(|session| session.name == name).ok_or_else(|| {
        ReadError::at(number, &format!("session \"{name}\" is not in the first line"))
    })
}

fn parse<T: DeserializeOwned>(line: &str, number: usize) -> Result<T, ReadError> {
    serde_json::from_str(line).map_err(|error| ReadError::new(&error, number))
}

impl Listening {
    fn new(named: Named) -> Self {
        Self { name: named.name, heard: Heard::new(true), record: None }
    }

    fn saved(self) -> SavedSession {
        SavedSession {
            name: self.name,
            record: self.record,
            histogram: self.heard.histograms(),
            series: self.heard.series.record(),
        }
    }
}

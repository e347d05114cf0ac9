//! `--send-malformed`: TLVs that are wrong on purpose, and whether the far end answers as its RFC asks.
//!
//! A session for each kind, one after the other: a far end that limits its sources has to answer them all.

mod text;

use std::io::Write;
use std::time::Duration;

use serde::Serialize;
use stamp_config::quantity::{Count, Interval};
use stamp_proto::tlv::TlvFlags;
use stamp_session::sender::{Conformity, Malformation};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::{Nobody, SenderPool};

use crate::Ended;
use crate::command_line::{MalformedWord, Measure};
use crate::exit::{Failure, Status};
use crate::setup::{self, Sessions};
use crate::wait::Wait;

/// Probes of each kind unless told otherwise: one that is lost must not decide.
const PROBES: u64 = 3;
const INTERVAL: Duration = Duration::from_millis(20);
/// Longest wait for a kind unless told otherwise.
const PATIENCE: Duration = Duration::from_millis(500);

/// How the far end answered one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As the clause asks.
    Conformant,
    /// Another way, once at least.
    Deviates,
    /// Not at all.
    Silent,
}

/// One kind at one far end.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
struct Row {
    /// Name of the session.
    session: String,
    /// Name of the kind.
    kind: &'static str,
    /// The clause that says what has to come back.
    clause: &'static str,
    /// What is wrong.
    about: &'static str,
    /// What has to come back.
    expected: &'static str,
    /// Probes sent.
    sent: u64,
    /// Replies in time.
    received: u64,
    /// Those that were as expected.
    conformant: u64,
    /// The others.
    deviating: u64,
    verdict: Verdict,
    /// What was not as expected in the last that was not.
    seen: Option<String>,
}

/// What a run found.
#[derive(Debug, Serialize)]
struct Document {
    schema_version: u32,
    malformed: Vec<Row>,
    /// Kinds that were left out: without keys or with them they cannot be sent.
    left_out: Vec<&'static str>,
}

/// Sends what `measure` asks for, or lists what there is.
pub fn run(measure: &Measure) -> Ended {
    let words = &measure.asking.send_malformed;
    if words.contains(&MalformedWord::List) {
        print(&text::list())?;
        return Ok(Status::Done);
    }
    let keyed = measure.probe.auth || measure.probe.tlv_hmac;
    let (kinds, left_out) = kinds(words, keyed)?;
    let mut measure = prepared(measure)?;
    let Sessions { setups, infos, missing } = setup::sessions(&measure)?;
    drop(setups);
    // What is missing was told once.
    measure.hosts = infos.iter().map(|info| info.target_text.clone()).collect();
    measure.hosts.dedup();
    let mut rows = Vec::new();
    for kind in kinds {
        measure.asking.malformed = Some(kind);
        let sessions = setup::sessions(&measure)?;
        let snapshots = SenderPool::start(sessions.setups, Box::new(Nobody))?.join()?;
        let named = sessions.infos.iter().map(|info| info.name.as_str());
        rows.extend(named.zip(&snapshots).map(|(name, snapshot)| Row::new(name, kind, snapshot)));
    }
    // Each far end by itself.
    rows.sort_by_key(|row| infos.iter().position(|info| info.name == row.session));
    let met = rows.iter().all(|row| row.verdict == Verdict::Conformant);
    let document = Document { schema_version: 1, malformed: rows, left_out };
    print(&match measure.output.json || measure.output.ndjson {
        true => document.json(),
        false => document.text(),
    })?;
    let status = if met { Status::Done } else { Status::Unmet };
    Ok(if missing.is_empty() { status } else { status.with_missing_host() })
}

/// The kinds that are meant and can be sent, and the names of those that cannot.
fn kinds(
    words: &[MalformedWord],
    keyed: bool,
) -> Result<(Vec<Malformation>, Vec<&'static str>), Failure> {
    let named = |kind: &Malformation| words.contains(&MalformedWord::Kind(*kind));
    if let Some(kind) = Malformation::all().find(|kind| named(kind) && !kind.fits(keyed)) {
        let problem = match keyed {
            false => format!("{} needs keys: --tlv-hmac or --auth, and --key-file", kind.name()),
            true => {
                format!("no HMAC TLV can be reached behind {}: send it without keys", kind.name())
            }
        };
        return Err(Failure::Usage { flag: "--send-malformed", problem });
    }
    let meant = |kind: &Malformation| named(kind) || words.contains(&MalformedWord::All);
    let (fitting, others): (Vec<_>, Vec<_>) =
        Malformation::all().filter(meant).partition(|kind| kind.fits(keyed));
    Ok((fitting, others.into_iter().map(Malformation::name).collect()))
}

/// The same with few probes of the smallest size, and no other wish.
fn prepared(measure: &Measure) -> Result<Measure, Failure> {
    let mut measure = measure.clone();
    if measure.hosts.is_empty() {
        let problem = "name a HOST, or send list to see what there is".to_owned();
        return Err(Failure::Usage { flag: "--send-malformed", problem });
    }
    let asking = &mut measure.asking;
    let words = core::mem::take(&mut asking.send_malformed);
    let other = asking.first().or(measure.probe.size.map(|_| "--size"));
    if let Some(flag) = other {
        let problem = "--send-malformed says what TLVs probes have".to_owned();
        return Err(Failure::Usage { flag, problem });
    }
    asking.send_malformed = words;
    let probe = &mut measure.probe;
    if probe.count.0 == 0 {
        probe.count = Count(PROBES);
    }
    probe.interval = Interval(INTERVAL);
    probe.timeout.get_or_insert(Wait { timeout: PATIENCE, round_trips: None });
    Ok(measure)
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)
}

impl Row {
    fn new(session: &str, kind: Malformation, snapshot: &SessionSnapshot) -> Self {
        let counts = snapshot.answers.clone().unwrap_or_default().conformity;
        let verdict = match (counts.conformant, counts.deviating) {
            (_, 1..) => Verdict::Deviates,
            (0, 0) => Verdict::Silent,
            (_, 0) => Verdict::Conformant,
        };
        Self {
            session: session.to_owned(),
            kind: kind.name(),
            clause: kind.clause(),
            about: kind.about(),
            expected: kind.expected(),
            sent: snapshot.packets.sent,
            received: snapshot.packets.received,
            conformant: counts.conformant,
            deviating: counts.deviating,
            verdict,
            seen: counts.deviation.map(|deviation| text::seen(kind, deviation)),
        }
    }
}

impl Document {
    fn json(&self) -> String {
        // Texts and numbers alone: nothing of it can fail.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests;

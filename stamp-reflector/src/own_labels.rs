//! Labels that this node takes for itself from a range, and keeps over restarts.
//!
//! The file has a line for each: the label, then what it is for (offset, format, interfaces). A
//! sender is told the label, so a label that was taken once stays with its purpose, also while
//! nobody needs it.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use stamp_proto::sr::mpls::Label;
use stamp_session::forwarding::Trigger;

use crate::config::{Forwarding, OwnLabels};
use crate::failure::Failure;

const ABOUT: &str = "# Labels that stamp-reflector took from label-range; senders know them.\n";

/// What is known of each label by its purpose.
type Taken = BTreeMap<String, Label>;

/// The triggers of every `[[timestamp]]` in order; none where a label was not taken yet.
///
/// # Errors
///
/// When the file cannot be read, or holds something else.
pub(crate) fn known(forwarding: &Forwarding) -> Result<Vec<Option<Trigger>>, Failure> {
    let taken = match &forwarding.own {
        Some(own) => read(own)?,
        None => Taken::new(),
    };
    Ok(triggers(forwarding, &taken))
}

/// The triggers of every `[[timestamp]]` in order, after labels were taken where they lacked.
///
/// # Errors
///
/// As [`known`]; and when the range has no label left, or the file cannot be written.
pub(crate) fn take(forwarding: &Forwarding) -> Result<Vec<Trigger>, Failure> {
    let mut triggers = known(forwarding)?;
    if let Some(own) = &forwarding.own
        && triggers.iter().any(Option::is_none)
    {
        let mut taken = read(own)?;
        fill(forwarding, own, &mut taken)?;
        write(&own.file, &taken).map_err(|source| failed(&own.file, source))?;
        triggers = self::triggers(forwarding, &taken);
    }
    // The configuration was refused where a label is to be taken from nowhere.
    Ok(triggers.into_iter().flatten().collect())
}

fn triggers(forwarding: &Forwarding, taken: &Taken) -> Vec<Option<Trigger>> {
    let own = |purpose: String| {
        let label = taken.get(&purpose).filter(|label| is_free(forwarding, **label));
        label.copied().map(Trigger::Label)
    };
    let entries = forwarding.timestamps.iter();
    entries.map(|entry| entry.trigger.or_else(|| own(entry.purpose()))).collect()
}

fn fill(forwarding: &Forwarding, own: &OwnLabels, taken: &mut Taken) -> Result<(), Failure> {
    for entry in forwarding.timestamps.iter().filter(|entry| entry.trigger.is_none()) {
        let purpose = entry.purpose();
        if taken.get(&purpose).is_some_and(|label| is_free(forwarding, *label)) {
            continue;
        }
        taken.remove(&purpose);
        let in_file = |label: &Label| taken.values().any(|other| other == label);
        let free = own
            .range
            .clone()
            .filter_map(Label::new)
            .find(|label| !in_file(label) && is_free(forwarding, *label));
        let label = free.ok_or_else(|| Failure::LabelRange {
            first: *own.range.start(),
            last: *own.range.end(),
        })?;
        taken.insert(purpose, label);
    }
    Ok(())
}

/// No `[[forward]]` and no other `[[timestamp]]` has the label.
fn is_free(forwarding: &Forwarding, label: Label) -> bool {
    forwarding.labels.iter().all(|entry| entry.label != label)
        && forwarding.timestamps.iter().all(|entry| entry.trigger != Some(Trigger::Label(label)))
}

/// A label outside of the range was taken when the range was another, and is not kept.
fn read(own: &OwnLabels) -> Result<Taken, Failure> {
    let text = match fs::read_to_string(&own.file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Taken::new()),
        Err(source) => return Err(failed(&own.file, source)),
    };
    let mut taken = Taken::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let label = line.split_once(' ').and_then(|(label, purpose)| {
            Some((Label::new(label.parse().ok()?)?, purpose.trim().to_owned()))
        });
        let Some((label, purpose)) = label else {
            let reason = format!("line {} is no label and its purpose", index + 1);
            let source = io::Error::new(io::ErrorKind::InvalidData, reason);
            return Err(failed(&own.file, source));
        };
        if own.range.contains(&label.value()) {
            taken.insert(purpose, label);
        }
    }
    Ok(taken)
}

/// Replaces the file in one step, so that a crash leaves the one or the other.
fn write(path: &Path, taken: &Taken) -> io::Result<()> {
    let mut text = ABOUT.to_owned();
    for (purpose, label) in taken {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{label} {purpose}");
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)
}

fn failed(path: &Path, source: io::Error) -> Failure {
    Failure::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;

//! `stamp-sender report`: a saved run shown again, with its distribution and its course.

mod curve;
mod histogram;
mod read;
mod scale;
mod strip;
mod svg;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::Ended;
use crate::command_line::Report;
use crate::exit::{Failure, Status};
use crate::output::duration::stretch;
use crate::output::human::summary::{self, Look};
use crate::output::paint::Paint;
use read::{Saved, SavedSession};

/// Shows the run in `report.file`, and draws it when a picture is asked for.
///
/// # Errors
///
/// When the file cannot be read or is no saved run, or a result cannot be written.
pub fn run(report: &Report) -> Ended {
    let name = name(&report.file);
    let octets =
        octets(&report.file).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    let text = read::utf8(octets).map_err(|error| Failure::Input(format!("{name}:{error}")))?;
    let saved = read::read(&text).map_err(|error| Failure::Input(format!("{name}:{error}")))?;
    let look = Look { paint: Paint::of_standard_output(), ..Look::default() };
    io::stdout().write_all(rendered(&saved, &look).as_bytes()).map_err(Failure::Output)?;
    if let Some(path) = &report.svg {
        fs::write(path, svg::draw(&saved)).map_err(|error| {
            let problem = format!("{}: {error}", path.display());
            Failure::Usage { flag: "--svg", problem }
        })?;
    }
    Ok(Status::Done)
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn octets(path: &Path) -> io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return fs::read(path);
    }
    let mut octets = Vec::new();
    io::stdin().read_to_end(&mut octets)?;
    Ok(octets)
}

/// Everything that goes to standard output.
fn rendered(saved: &Saved, look: &Look) -> String {
    let mut text = format!("{}\n", look.paint.faint(&origin(saved)));
    for session in &saved.sessions {
        text.push('\n');
        match &session.record {
            Some(record) => text.push_str(&summary::session(record, saved.elapsed_ns(), look)),
            None => text.push_str(&cut_off(session, look.paint)),
        }
        text.push_str(&histogram::text(session, look.paint));
        text.push_str(&strip::text(session, look.paint));
    }
    text
}

/// Where the run comes from.
fn origin(saved: &Saved) -> String {
    let host = saved.host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
    let took = saved.elapsed_ns().map_or_else(String::new, |ns| format!(", {}", stretch(ns)));
    let interrupted = if saved.interrupted { ", interrupted" } else { "" };
    // Whole seconds are enough here.
    let started = saved.started.to_string();
    let started = started.split('.').next().unwrap_or_default();
    format!("Saved run of {started}Z by {}{host}{took}{interrupted}", saved.tool)
}

/// A stream that ends before the run did.
fn cut_off(session: &SavedSession, paint: Paint) -> String {
    let (received, lost) = session.counts();
    let note = "the stream has no end: the summary is missing";
    format!(
        "{}\n{received} received, {lost} lost; {}\n",
        paint.strong(&format!("--- {}", session.name)),
        paint.odd(note)
    )
}

#[cfg(test)]
mod tests;

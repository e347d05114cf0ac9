//! Guide pages as scripts: what they tell a reader to type, and what the reader should see.
//!
//! A page names its stage, the machines its reader is supposed to sit at:
//!
//! ````markdown
//! <!-- stage: two-hosts -->
//!
//! ```console
//! far$ stamp-reflector --listen :8620 &
//! near$ stamp-sender far:8620 -c 3
//! 3 sent, 3 received
//! ...
//! ```
//! ````
//!
//! `$` is an ordinary user, `#` is root; a word before it is the host. A command that ends in `&`
//! runs on until the page ends. A command ends with status 0 unless the comment
//! `<!-- status: N -->` stands before its block, or `<!-- status: any -->` where it depends on the
//! machine. What follows a command, up to the next prompt, must appear in its output in this order;
//! figures with their units may differ, the mark `?` of a value that is not to be trusted may come
//! or go, and a line `...` skips anything.

use std::io;

use super::Finding;
use super::tree::File;

/// One guide page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// File of the page.
    pub file: String,
    /// What its commands need around them.
    pub stage: String,
    /// Commands in order.
    pub steps: Vec<Step>,
}

/// One command of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Line of the page.
    pub line: usize,
    /// Where it is typed; empty when there is only one machine.
    pub host: String,
    /// Typed by root.
    pub as_root: bool,
    /// What is typed.
    pub command: String,
    /// It runs on while the rest of the page is typed.
    pub in_background: bool,
    /// Status it must end with, if it matters.
    pub status: Option<i32>,
    /// Lines its output must hold.
    pub expected: Vec<String>,
}

/// A place where commands can be typed.
pub trait Stage {
    /// Runs one command to its end, or starts it when it is a background one.
    ///
    /// # Errors
    ///
    /// When the command cannot be started at all.
    fn run(&mut self, step: &Step) -> io::Result<Ran>;
}

/// What came of a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ran {
    /// Exit status.
    pub status: i32,
    /// Both output streams.
    pub output: String,
}

/// Reads a page.
///
/// # Errors
///
/// One finding per fault of form.
pub fn parse(file: &File) -> Result<Page, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut page = Page { file: file.path.clone(), stage: String::new(), steps: Vec::new() };
    let (mut inside, mut status, mut started) = (false, Some(0), false);
    for (line, text) in file.lines() {
        if let Some(stage) = comment(text, "stage") {
            page.stage = stage.into();
        } else if let Some(number) = comment(text, "status") {
            match number.parse() {
                Ok(number) => status = Some(number),
                Err(_) if number == "any" => status = None,
                Err(_) => findings.push(Finding::at(&file.path, line, "a status is a number")),
            }
        } else if text.trim_end() == "```console" {
            (inside, started) = (true, false);
        } else if text.starts_with("```") && inside {
            (inside, status) = (false, Some(0));
        } else if text.starts_with("```") && ["bash", "sh", "shell"].contains(&&text[3..]) {
            let message = "commands go into ```console blocks, where they are run";
            findings.push(Finding::at(&file.path, line, message));
        } else if inside {
            match step(line, text, status) {
                Some(step) => {
                    page.steps.push(step);
                    started = true;
                }
                None if started => {
                    let last = page.steps.last_mut().expect("a block starts with a step");
                    last.expected.push(text.trim_end().into());
                }
                None => {
                    let message = "a console block begins with a prompt";
                    findings.push(Finding::at(&file.path, line, message));
                }
            }
        }
    }
    if page.stage.is_empty() {
        findings.push(Finding::at(&file.path, 0, "no `<!-- stage: NAME -->`"));
    }
    if page.steps.is_empty() {
        findings.push(Finding::at(&file.path, 0, "a guide page without a command"));
    }
    if inside {
        findings.push(Finding::at(&file.path, 0, "the last block is not closed"));
    }
    if findings.is_empty() { Ok(page) } else { Err(findings) }
}

/// Types a page into a stage.
#[must_use]
pub fn play(page: &Page, stage: &mut dyn Stage) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in &page.steps {
        let mut fault = |message: String| {
            let message = format!("`{}`: {message}", step.command);
            findings.push(Finding::at(&page.file, step.line, message));
        };
        match stage.run(step) {
            Err(error) => fault(format!("not started: {error}")),
            Ok(_) if step.in_background => {}
            Ok(ran) => {
                if let Some(wanted) = step.status.filter(|wanted| *wanted != ran.status) {
                    fault(format!("status {} instead of {wanted}\n{}", ran.status, ran.output));
                }
                if let Some(missing) = first_missing(&step.expected, &ran.output) {
                    fault(format!("no line like `{missing}` in\n{}", ran.output));
                }
            }
        }
    }
    findings
}

/// The first line of `expected` that `output` does not hold in its place.
fn first_missing<'a>(expected: &'a [String], output: &str) -> Option<&'a str> {
    let mut lines = output.lines().map(shape);
    let mut may_skip = true; // what comes before the first line shown is not the page's business
    for wanted in expected {
        if wanted.trim() == "..." {
            may_skip = true;
            continue;
        }
        let shape = shape(wanted);
        let found =
            if may_skip { lines.any(|line| line == shape) } else { lines.next() == Some(shape) };
        if !found {
            return Some(wanted);
        }
        may_skip = false;
    }
    None
}

/// A line without what differs from run to run: every figure with its sign and unit is `#`, blanks
/// and rules have one length, and the mark of values that are not to be trusted is gone.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    let mut rest = line.trim();
    while let Some(mark) = rest.chars().next() {
        let after = &rest[mark.len_utf8()..];
        let inside_a_word = shape.ends_with(|last: char| last.is_alphanumeric());
        if mark.is_ascii_digit() && !inside_a_word {
            if shape.ends_with(" -") || shape == "-" {
                shape.pop();
            }
            shape.push('#');
            rest = behind_figure(rest);
            continue;
        }
        let mark = if mark.is_whitespace() { ' ' } else { mark };
        let repeated = shape.ends_with(mark) && (mark == ' ' || mark == '-');
        if !repeated && mark != '?' {
            shape.push(mark);
        }
        rest = after;
    }
    shape
}

/// What is left of `text` behind the figure it begins with: `1.5`, `12%`, `904ms`, `1m30s`.
fn behind_figure(text: &str) -> &str {
    let is_part = |mark: char| mark.is_ascii_digit() || mark == '.';
    let rest = text.trim_start_matches(is_part);
    let letters = rest.trim_start_matches(|mark: char| mark.is_alphabetic() || mark == '%');
    let unit = &rest[..rest.len() - letters.len()];
    match unit {
        "ns" | "us" | "µs" | "ms" | "s" | "%" => letters,
        "m" | "h" if letters.starts_with(|mark: char| mark.is_ascii_digit()) => {
            behind_figure(letters)
        }
        "m" | "h" => letters,
        // A full stop may end the sentence.
        _ if text[..text.len() - rest.len()].ends_with('.') => &text[text.len() - rest.len() - 1..],
        _ => rest,
    }
}

fn comment<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let inner = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    inner.strip_prefix(key)?.strip_prefix(':').map(str::trim)
}

fn step(line: usize, text: &str, status: Option<i32>) -> Option<Step> {
    let end = text.find(['$', '#'])?;
    let (host, rest) = text.split_at(end);
    let named = host.chars().all(|mark| mark.is_ascii_alphanumeric() || mark == '-');
    let command = rest[1..].strip_prefix(' ')?.trim_end();
    if !named || command.is_empty() {
        return None;
    }
    let (command, in_background) = match command.strip_suffix('&') {
        Some(command) if !command.ends_with('&') => (command.trim_end(), true),
        _ => (command, false),
    };
    Some(Step {
        line,
        host: host.into(),
        as_root: rest.starts_with('#'),
        command: command.into(),
        in_background,
        status,
        expected: Vec::new(),
    })
}

#[cfg(test)]
mod tests;

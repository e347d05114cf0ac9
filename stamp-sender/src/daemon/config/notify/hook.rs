//! `[[hook]]`.

use std::time::Duration;

use stamp_config::document::{Problem, Section};
use stamp_config::quantity::print_duration;
use stamp_metrics::feed::Wanted;

use super::{Number, Span, TIMEOUT, show_wanted, wanted};

/// A command that is run for each event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hook {
    /// What it is called among sinks.
    pub name: String,
    /// The program and its arguments; no shell reads them.
    pub command: Vec<String>,
    /// Which events it is run for.
    pub wanted: Wanted,
    /// So many run at once at most.
    pub at_once: usize,
    /// How long it may run.
    pub timeout: Duration,
}

/// One at a time unless told otherwise: they end in the order that things happened.
const AT_ONCE: usize = 1;

impl Hook {
    /// What a section says.
    pub(super) fn read(section: &Section<'_>, name: String) -> Option<Self> {
        let command: Vec<String> = section.list("command").unwrap_or_default();
        let hook = Self {
            name,
            wanted: wanted(section),
            at_once: section.get("at-once").map_or(AT_ONCE, |most: Number| most.0),
            timeout: section.get("timeout").map_or(TIMEOUT, |span: Span| span.0),
            command,
        };
        if hook.command.first().is_none_or(String::is_empty) {
            let reason = "no program: give a list of it and its arguments".to_owned();
            section.problem("command", Problem::Contradiction { reason });
            return None;
        }
        Some(hook)
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        format!(
            "\n[[hook]]\nname = {:?}\ncommand = {:?}\n{}at-once = {}\ntimeout = {:?}\n",
            self.name,
            self.command,
            show_wanted(&self.wanted),
            self.at_once,
            print_duration(self.timeout),
        )
    }
}

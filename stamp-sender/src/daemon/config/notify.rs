//! `[[webhook]]` and `[[hook]]`: who is told of events, besides whoever asks.

mod hook;
mod webhook;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use stamp_config::document::{Problem, Section};
use stamp_config::quantity::duration_with_unit;
use stamp_config::{Form, Setting};
use stamp_metrics::feed::Wanted;

pub use hook::Hook;
#[cfg(test)]
pub use webhook::Address;
pub use webhook::Webhook;

/// Names of sinks that are always there.
const TAKEN: [&str; 2] = ["file", "sse"];
/// How long one attempt may take unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Everybody who is told.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notify {
    /// Servers.
    pub webhooks: Vec<Webhook>,
    /// Commands.
    pub hooks: Vec<Hook>,
}

impl Notify {
    /// What stands in the root table. Paths are relative to `folder`.
    pub(super) fn read(root: &Section<'_>, folder: &Path) -> Self {
        let mut names: BTreeSet<String> = TAKEN.map(str::to_owned).into();
        let webhooks = root.sections("webhook", |section| {
            let name = name(section, ("webhook", "url"), &mut names);
            Webhook::read(section, folder, name)
        });
        let hooks = root.sections("hook", |section| {
            let name = name(section, ("hook", "command"), &mut names);
            Hook::read(section, name)
        });
        Self {
            webhooks: webhooks.into_iter().flatten().collect(),
            hooks: hooks.into_iter().flatten().collect(),
        }
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        let webhooks = self.webhooks.iter().map(Webhook::show);
        webhooks.chain(self.hooks.iter().map(Hook::show)).collect()
    }

    /// Nobody is told.
    pub const fn is_empty(&self) -> bool {
        self.webhooks.is_empty() && self.hooks.is_empty()
    }
}

/// A type of event.
struct Kind(String);

impl Setting for Kind {
    const EXPECTED: &'static str = "state, policy, path, delay, loss, loss_direction, te, clock, config, \
                                    reflector_restart, fallback, pace, access_report, reflector_mode or zero_ssid";
    fn read(text: &str) -> Option<Self> {
        let mut known = Self::EXPECTED.split([',', ' ']).filter(|word| *word != "or");
        (!text.is_empty() && known.any(|kind| kind == text)).then(|| Self(text.to_owned()))
    }
}

/// How long something may take.
struct Span(Duration);

impl Setting for Span {
    const EXPECTED: &'static str = "a duration from 10ms to 24h, such as 1s or 10m";
    fn read(text: &str) -> Option<Self> {
        let allowed = Duration::from_millis(10)..=Duration::from_secs(86_400);
        duration_with_unit(text).filter(|span| allowed.contains(span)).map(Self)
    }
}

/// How many.
struct Number(usize);

impl Setting for Number {
    const EXPECTED: &'static str = "a count from 1 to 10000";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1..=10_000).contains(count)).map(Self)
    }
}

/// What a sink may be called: it becomes the value of a label.
struct SinkName(String);

impl Setting for SinkName {
    const EXPECTED: &'static str = "up to 64 letters, digits, - and _";
    fn read(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fits = (1..=64).contains(&text.len()) && text.chars().all(is_plain);
        fits.then(|| Self(text.to_owned()))
    }
}

/// The name of a sink, which no other has; what it is called without one, and the key that it has anyway.
fn name(
    section: &Section<'_>,
    (default, key): (&str, &'static str),
    names: &mut BTreeSet<String>,
) -> String {
    let name = section.get("name").map_or_else(|| default.to_owned(), |name: SinkName| name.0);
    if !names.insert(name.clone()) {
        let reason = format!("another place that events go to is called {name}; give a name");
        let key = if section.has("name") { "name" } else { key };
        section.problem(key, Problem::Contradiction { reason });
    }
    name
}

/// Which events it is told: the same choice that `/api/v1/events` has.
fn wanted(section: &Section<'_>) -> Wanted {
    let kinds: Vec<Kind> = section.list("types").unwrap_or_default();
    Wanted {
        kinds: kinds.into_iter().map(|kind| kind.0).collect(),
        sessions: section.list("sessions").unwrap_or_default(),
    }
}

/// The same in the form of the file.
fn show_wanted(wanted: &Wanted) -> String {
    let list = |key: &str, list: &[String]| match list {
        [] => String::new(),
        list => format!("{key} = {list:?}\n"),
    };
    list("types", &wanted.kinds) + &list("sessions", &wanted.sessions)
}

#[cfg(test)]
mod tests;

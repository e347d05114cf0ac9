//! What a session may be told in a file: the flags of an ad hoc run, by the same names.
//!
//! Each knob is defined once, as a flag. A file gives it the same text that a command line would, so
//! that both take the same values and refuse the same mistakes; only a number that lacks its unit is
//! refused in a file, where it would be read as seconds.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use clap::builder::{OsStr, Resettable};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use stamp_config::document::{FlagText, Problem, Section};

use super::mistakes::Mistake;
use super::places::{OF_A_SESSION, Places};
use crate::command_line::Measure;
use crate::exit::Failure;

/// Flags that say how long an ad hoc run lasts, what it shows, or that it is no measurement.
const NOT_OF_A_SESSION: [&str; 6] =
    ["count", "duration", "per-segment", "mtu-sweep", "show-packet", "send-malformed"];
/// Heading of flags about printing.
const PRINTING: &str = "Output";

/// The flags as a session has them. The environment speaks to ad hoc runs only: a variable that
/// happens to be set must not change every session of a service.
static FLAGS: LazyLock<Command> = LazyLock::new(|| {
    let command = Command::new("session").no_binary_name(true).disable_help_flag(true);
    let mut command =
        Measure::augment_args(command).mut_args(|arg| arg.env(Resettable::<OsStr>::Reset));
    command.build();
    command
});

/// Reads a command line of these flags.
fn matches(line: impl IntoIterator<Item = String>) -> Result<ArgMatches, clap::Error> {
    // Reading a line changes what it is read by, and a copy costs more than the reading.
    static READER: LazyLock<Mutex<Command>> = LazyLock::new(|| Mutex::new(FLAGS.clone()));
    READER.lock().unwrap_or_else(PoisonError::into_inner).try_get_matches_from_mut(line)
}

/// Every key, with the flag that defines it.
pub(super) fn keys() -> impl Iterator<Item = (&'static str, &'static Arg)> {
    FLAGS.get_arguments().filter_map(|arg| {
        let key = arg.get_long()?;
        let is_setting = arg.get_help_heading() != Some(PRINTING);
        (is_setting && !NOT_OF_A_SESSION.contains(&key)).then_some((key, arg))
    })
}

/// Values of keys as text. Those that are equal make equal sessions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    texts: BTreeMap<&'static str, String>,
    places: Places,
}

impl Settings {
    /// What stands in a table; every wrong value is reported where it stands. Paths are relative
    /// to `folder`.
    pub(super) fn read(section: &Section<'_>, folder: &Path) -> Self {
        Self::read_only(section, folder, |_| true)
    }

    /// The same of keys that `wanted` knows.
    pub(super) fn read_only(
        section: &Section<'_>,
        folder: &Path,
        wanted: impl Fn(&str) -> bool,
    ) -> Self {
        let mut settings = Self::default();
        for (key, arg) in keys().filter(|(key, _)| wanted(key)) {
            let Some(value) = section.flag_text(key) else { continue };
            let text = match problem(arg, &value) {
                Some(problem) => {
                    section.problem(key, problem);
                    continue;
                }
                None if is_path(arg) => folder.join(value.text).to_string_lossy().into_owned(),
                None => value.text,
            };
            settings.texts.insert(key, text);
        }
        let keys: Vec<_> = settings.texts.keys().copied().collect();
        settings.places = Places::of(section.places_of(keys));
        settings
    }

    /// The same of a session whose other keys stand in `section`: what is wrong is told there where no setting is to blame.
    pub(super) fn of_session(self, section: &Section<'_>) -> Self {
        let keys = self.texts.keys().copied().chain(OF_A_SESSION);
        Self { places: Places::of(section.places_of(keys.collect::<Vec<_>>())), ..self }
    }

    /// The same where nobody can mend a file.
    pub(super) fn placeless(self) -> Self {
        Self { places: Places::default(), ..self }
    }

    /// What a failure of the session comes to in its file; nothing where it does not stand in one.
    pub(super) fn mistake(&self, failure: &Failure) -> Option<Mistake> {
        self.places.mistake(failure)
    }

    /// These, and where they say nothing what `others` say.
    pub(super) fn over(mut self, others: &Self) -> Self {
        for (key, text) in &others.texts {
            if !self.texts.contains_key(key) {
                self.texts.insert(key, text.clone());
            }
        }
        self.places = self.places.over(&others.places);
        self
    }

    /// The same without these keys.
    #[must_use]
    pub fn without(mut self, keys: &[&str]) -> Self {
        self.texts.retain(|key, _| !keys.contains(key));
        self
    }

    /// The same where this key has this text.
    #[must_use]
    pub fn with(mut self, key: &'static str, text: String) -> Self {
        self.texts.insert(key, text);
        self
    }

    /// The text of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// Files that are named.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let is_file = |name: &str| keys().any(|(key, arg)| key == name && is_path(arg));
        self.texts.iter().filter(move |(key, _)| is_file(key)).map(|(_, text)| Path::new(text))
    }

    /// Keys and texts in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.texts.iter().map(|(key, text)| (*key, text.as_str()))
    }

    /// An ad hoc run towards `target` with these flags.
    ///
    /// # Errors
    ///
    /// Which of them do not go together.
    pub fn measure(&self, target: &str) -> Result<Measure, String> {
        let flags = self.texts.iter().filter_map(|(key, text)| flag(key, text));
        let line = flags.chain(["--".to_owned(), target.to_owned()]);
        matches(line).and_then(|matches| Measure::from_arg_matches(&matches)).map_err(|error| {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            first.trim_start_matches("error: ").replace("--", "").replace('\n', " ")
        })
    }
}

/// Whether a label of a discovered target may set the key. Whoever names targets is trusted with what to
/// probe and how, not with files or commands of this host.
pub fn is_for_labels(key: &str) -> bool {
    key != "ask-direct" && keys().any(|(known, arg)| known == key && !is_path(arg))
}

fn is_path(arg: &Arg) -> bool {
    arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FILE"))
}

/// As it stands on a command line; nothing where it would not stand there.
fn flag(key: &str, text: &str) -> Option<String> {
    let arg = keys().find(|(name, _)| *name == key)?.1;
    match (arg.get_action(), text) {
        (ArgAction::SetTrue, "true") => Some(format!("--{key}")),
        (ArgAction::SetTrue, _) => None,
        // A flag that stands for itself unless it is given an address.
        (_, "true") if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            Some(format!("--{key}"))
        }
        _ => Some(format!("--{key}={text}")),
    }
}

/// What is wrong with a value.
fn problem(arg: &'static Arg, value: &FlagText) -> Option<Problem> {
    let optional = arg.get_num_args().is_some_and(|count| count.min_values() == 0);
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    if is_flag || (optional && matches!(value.text.as_str(), "true" | "false")) {
        let known = matches!(value.text.as_str(), "true" | "false");
        return (!known).then_some(Problem::Malformed { expected: "true or false" });
    }
    let key = arg.get_long()?;
    let takes = |text: &str| {
        match matches([format!("--{key}={text}"), "--".to_owned(), "host".to_owned()]) {
            Err(error)
                if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) =>
            {
                Err(error)
            }
            // What else it needs or excludes is asked when all of a session is known.
            _ => Ok(()),
        }
    };
    // Neither what takes numbers alone nor what takes any text.
    let takes_unit = |number: &str| {
        takes(&format!("{number}s")).is_ok() && takes(&format!("{number}x")).is_err()
    };
    match takes(&value.text) {
        // Where a unit may stand one has to.
        Ok(()) if value.bare_number && takes_unit(&value.text) => {
            Some(Problem::WithoutUnit { expected: "a duration such as 10ms" })
        }
        Ok(()) => None,
        Err(error) => Some(Problem::NotTaken { reason: reason(&error) }),
    }
}

/// Why a flag refuses its value.
fn reason(error: &clap::Error) -> String {
    if let Some(cause) = error.source() {
        return cause.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(known)) => format!("expected {}", known.join(" or ")),
        _ => "the flag of this name does not take it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use stamp_config::document::read;

    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        let folder = Path::new("/etc/stamp");
        read("f", text, |section| Settings::read(section, folder))
            .map_err(|errors| errors.to_string())
    }

    fn measure(text: &str) -> Result<Measure, String> {
        settings(text)?.measure("192.0.2.1")
    }

    #[test]
    fn a_key_is_a_flag_by_the_same_name() {
        let text = "interval = \"10ms\"\ndscp = \"EF\"\nsize = 100\nstateful = true\n\
                    ask-location = false\nclock = { error = \"1us\", synchronized = true }\n\
                    mode = \"enhanced-loopback\"\nsegments = [16005, 16011]\n\
                    timestamp-label = { label = 15001, offset = 16, format = \"ptp\" }\n\
                    destination-node-address = true\n";
        let measure = measure(text).unwrap();
        let probe = &measure.probe;
        assert_eq!(probe.interval.0, std::time::Duration::from_millis(10));
        assert_eq!((probe.dscp.to_string(), probe.size), ("EF".to_owned(), Some(100)));
        assert!(probe.stateful && !measure.asking.ask_location);
        assert!(probe.clock.is_some_and(|clock| clock.0.synchronized));
        let words = measure.steering.segment_words.unwrap();
        assert_eq!(words.plain().unwrap().words(), ["16005", "16011"]);
        assert_eq!(measure.steering.timestamp_label.unwrap().offset, Some(16));
        assert_eq!(measure.steering.destination_node_address, Some(None));
    }

    #[test]
    fn every_wrong_value_is_reported_where_it_stands_with_what_is_allowed() {
        let errors = settings(
            "interval = 10\ndscp = \"XX\"\nport = 0\nschedule = \"often\"\nstateful = \"yes\"\n\
             source = \"here\"\nintervall = \"1s\"\ncount = 5\ntimeout = \"50\"\n",
        )
        .unwrap_err();
        let expected = "\
f:1:12: interval = 10: a bare number has no unit: write it in quotes, with one; expected a duration such as 10ms
f:2:8: dscp = \"XX\": expected a DSCP by name (CS0-CS7, AF11-AF43, EF, VA, LE), 0 to 63 or 0x00 to 0x3f
f:3:8: port = 0: 0 is not in 1..=65535
f:4:12: schedule = \"often\": expected fixed, poisson, or burst=N,every=TIME with N from 2 to 100000, such as burst=100,every=5m
f:5:12: stateful = \"yes\": expected true or false
f:6:10: source = \"here\": invalid IP address syntax
f:7:1: intervall: unknown key; did you mean \"interval\"?
f:8:1: count: unknown key
f:9:11: timeout = \"50\": a bare number has no unit: write it in quotes, with one; expected a duration such as 10ms";
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_table_is_what_its_flag_separates_by_commas() {
        let text = "schedule = { burst = 100, every = \"5m\" }\ninterval = \"10ms\"\n";
        let every = std::time::Duration::from_secs(300);
        let schedule = measure(text).unwrap().probe.schedule;
        assert_eq!(schedule, crate::command_line::Departure::Burst { count: 100, every });
    }

    #[test]
    fn paths_are_relative_to_the_folder_of_the_file() {
        let settings = settings("key-file = \"keys\"\ntopology = \"/net.toml\"\n").unwrap();
        let paths = (settings.get("key-file"), settings.get("topology"));
        assert_eq!(paths, (Some("/etc/stamp/keys"), Some("/net.toml")));
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let problem = measure("vrf = \"red\"\ninterface = \"eth0\"\n").unwrap_err();
        assert!(problem.contains("interface") && problem.contains("vrf"), "{problem}");
        let problem = measure("auth = true\n").unwrap_err();
        assert!(problem.contains("key-file"), "{problem}");
    }

    #[test]
    fn what_a_session_says_goes_before_what_its_profile_says() {
        let profile = settings("interval = \"10ms\"\ndscp = \"EF\"\n").unwrap();
        let session = settings("interval = \"20ms\"\n").unwrap();
        let both = session.over(&profile);
        assert_eq!((both.get("interval"), both.get("dscp")), (Some("20ms"), Some("EF")));
    }

    #[test]
    fn the_environment_of_ad_hoc_runs_changes_no_session() {
        let takes = |(_, arg): (&str, &'static Arg)| arg.get_env().is_none();
        assert!(keys().all(takes));
        assert!(keys().count() > 40, "the flags of an ad hoc run");
    }
}

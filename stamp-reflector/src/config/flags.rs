//! What the command line and the environment say about keys.

use core::fmt;

use stamp_config::{Form, Setting};

use super::key::{Definition, Key};

/// Where a value came from, strongest first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The file.
    File,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        })
    }
}

/// The text that flags and environment variables gave to keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    given: Vec<Given>,
}

#[derive(Clone, Debug)]
struct Given {
    definition: Definition,
    origin: Origin,
    texts: Vec<String>,
}

impl Flags {
    /// Notes what was given for one key.
    pub(crate) fn add(&mut self, definition: Definition, origin: Origin, texts: Vec<String>) {
        self.given.push(Given { definition, origin, texts });
    }

    /// Every value given for `key`; none when nothing was, or anything that is no value.
    pub(crate) fn values<T: Setting>(&self, key: &Key<T>) -> Option<Vec<T>> {
        self.find(&key.definition)?.texts.iter().map(|text| T::read(text)).collect()
    }

    /// What was given for a key, as it would stand in a file.
    pub(crate) fn in_file(&self, definition: &Definition) -> Option<(String, Origin)> {
        let given = self.find(definition)?;
        let texts: Vec<String> = given.texts.iter().map(|text| definition.in_file(text)).collect();
        let text = texts.join(", ");
        Some((if definition.many { format!("[{text}]") } else { text }, given.origin))
    }

    /// A mistake that only shows when the value of `definition` is used.
    pub(crate) fn problem(&self, definition: &Definition, reason: String) -> Option<FlagProblem> {
        let given = self.find(definition)?;
        Some(FlagProblem { said: given.said(&given.texts.join(",")), reason })
    }

    /// Every value that is none.
    pub(crate) fn malformed(&self) -> Vec<FlagProblem> {
        let wrong = |given: &Given| -> Vec<FlagProblem> {
            let texts = given.texts.iter().filter(|text| !(given.definition.accepts)(text));
            texts
                .map(|text| FlagProblem {
                    said: given.said(text),
                    reason: format!("expected {}", given.definition.expected),
                })
                .collect()
        };
        self.given.iter().flat_map(wrong).collect()
    }

    fn find(&self, definition: &Definition) -> Option<&Given> {
        self.given.iter().find(|given| given.definition.key == definition.key)
    }
}

impl Given {
    /// How the user said it.
    fn said(&self, text: &str) -> String {
        let flag = self.definition.flag.unwrap_or(self.definition.key);
        match (self.origin, self.definition.variable()) {
            (Origin::Environment, Some(variable)) => format!("{variable}={text}"),
            _ if self.definition.form == Form::Flag && text == "true" => format!("--{flag}"),
            _ if self.definition.form == Form::Flag => format!("--{flag}={text}"),
            _ => format!("--{flag} {text}"),
        }
    }
}

/// A mistake on the command line or in the environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FlagProblem {
    /// How the user said it, such as `--rate-limit 0`.
    pub(crate) said: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl fmt::Display for FlagProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.said, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    fn given(definition: Definition, origin: Origin, text: &str) -> Flags {
        let mut flags = Flags::default();
        flags.add(definition, origin, text.split(',').map(str::to_owned).collect());
        flags
    }

    #[test]
    fn a_wrong_value_names_the_flag_or_the_variable() {
        let flags = given(keys::RATE_LIMIT.definition, Origin::Flag, "0");
        assert_eq!(
            flags.malformed()[0].to_string(),
            "--rate-limit 0: expected packets per second from 1 to 10000000, or \"off\""
        );
        let flags = given(keys::AUTH_REQUIRED.definition, Origin::Environment, "maybe");
        assert_eq!(
            flags.malformed()[0].to_string(),
            "STAMP_REFLECTOR_AUTH=maybe: expected true or false"
        );
    }

    #[test]
    fn values_are_shown_as_they_would_stand_in_a_file() {
        for (definition, text, expected) in [
            (keys::LISTEN.definition, ":1,:2", "[\":1\", \":2\"]"),
            (keys::STATEFUL.definition, "true", "true"),
            (keys::RATE_LIMIT.definition, "off", "\"off\""),
            (keys::RATE_LIMIT.definition, "7", "7"),
            (keys::RATE_LIMIT.definition, "7k", "\"7k\""),
            (keys::AUTH_KEY_FILE.definition, "a\"b", "'a\"b'"),
        ] {
            let (shown, origin) =
                given(definition, Origin::Flag, text).in_file(&definition).unwrap();
            assert_eq!((shown.as_str(), origin), (expected, Origin::Flag));
        }
    }
}

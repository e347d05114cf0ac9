//! What can be wrong with a document.

use core::fmt;

use crate::quantity::BARE_SECONDS;

/// What is wrong with one key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The value is not what the key takes.
    #[error("expected {}", in_file(expected))]
    Malformed {
        /// Form and allowed range.
        expected: &'static str,
    },
    /// A bare number, quoted or not, where one cannot be sure of the unit.
    #[error(
        "a bare number has no unit: write it in quotes, with one; expected {}",
        in_file(expected)
    )]
    WithoutUnit {
        /// Form and allowed range.
        expected: &'static str,
    },
    /// The key is needed.
    #[error("missing; expected {}", in_file(expected))]
    Missing {
        /// Form and allowed range.
        expected: &'static str,
    },
    /// Nobody reads this key.
    #[error("unknown key{}", did_you_mean(*nearest))]
    UnknownKey {
        /// A known key that looks like it.
        nearest: Option<&'static str>,
    },
    /// Two keys exclude each other.
    #[error("cannot stand together with {with}")]
    Conflict {
        /// The other key.
        with: &'static str,
    },
    /// One key needs another.
    #[error("needs {other} as well")]
    Needs {
        /// The other key.
        other: &'static str,
    },
    /// The value is what the key takes, but does not go with the rest of the document.
    #[error("{reason}")]
    Contradiction {
        /// What it contradicts.
        reason: String,
    },
    /// The flag of the same name does not take the value.
    #[error("{}", in_file(reason))]
    NotTaken {
        /// What it takes.
        reason: String,
    },
    /// What the value points at could not be used.
    #[error("{reason}")]
    Unusable {
        /// The reason, as the thing it points at gave it.
        reason: String,
    },
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
}

/// What was expected, without the remark that holds for flags only.
fn in_file(expected: &str) -> String {
    expected.replace(BARE_SECONDS, "")
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean \"{key}\"?"))
}

/// One mistake and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key with its path, such as `allow[2].prefix`; empty for a syntax error.
    pub key: String,
    /// The value as written, cut to one line; absent where a key is missing or unknown.
    pub value: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        match (&self.key, &self.value) {
            (key, _) if key.is_empty() => {}
            (key, Some(value)) => write!(f, "{key} = {value}: ")?,
            (key, None) => write!(f, "{key}: ")?,
        }
        write!(f, "{}", self.problem)
    }
}

/// Every mistake of a document, in the order of its lines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigErrors {}

//! Key files: a key a line, `ID HEX` or `ID base64:…`; the first signs, all verify.
//!
//! Secrets are read from files only, never from the command line, and never appear in a message.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stamp_proto::auth::{Key, KeyId, KeyRing};
use zeroize::Zeroizing;

/// Why a key file cannot be used. Names the line, never its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everybody on this machine can read the secrets.
    #[error("{}: mode {mode:04o} lets every user read the keys; chmod o-rwx it", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line is not a key.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// No key in it.
    #[error("{}: no key in it; expected lines such as \"1 000102…1f\" (ID, then hex or base64:…)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with a line of a key file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LineProblem {
    /// Not two words.
    #[error("expected an ID and a key, separated by one space")]
    Words,
    /// The ID is not one.
    #[error("the ID has to be a number from 0 to 4294967295")]
    Id,
    /// The ID was used before.
    #[error("this ID stands on an earlier line")]
    DuplicateId,
    /// An odd digit or a letter beyond f.
    #[error("the key is not hexadecimal: an even number of digits 0-9 and a-f, or base64:…")]
    Hex,
    /// Not base64.
    #[error("the key behind base64: is not standard base64 with padding")]
    Base64,
    /// No octet at all.
    #[error("the key is empty; 32 octets are recommended (RFC 8762 §4.4)")]
    Empty,
    /// Nobody needs such a key.
    #[error("the key has more than 1024 octets")]
    TooLong,
}

/// Keys, and what an operator should hear about them.
#[derive(Debug)]
pub struct KeyFile {
    /// The keys in the order of the file.
    pub keys: KeyRing,
    /// IDs of keys shorter than 16 octets: usable, but weak.
    pub short: Vec<KeyId>,
}

/// Largest key in octets.
const MAX_KEY_OCTETS: usize = 1024;

/// More than any key file holds; a device that never ends is not read further.
const MAX_FILE_OCTETS: u64 = 1 << 20;

/// Reads the keys in the file at `path`.
///
/// # Errors
///
/// When the file cannot be read, is readable by every user of the machine, or any line is wrong.
pub fn load(path: &Path) -> Result<KeyFile, KeyFileError> {
    let fail = |source| KeyFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    let mode = metadata.mode() & 0o7777;
    if metadata.is_file() && mode & 0o007 != 0 {
        return Err(KeyFileError::OpenToOthers { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE_OCTETS).read_to_string(&mut text).map_err(fail)?;
    read(path, &text)
}

/// Reads the keys in `text`; `path` is for messages.
///
/// # Errors
///
/// When any line is wrong or there is no key.
pub fn read(path: &Path, text: &str) -> Result<KeyFile, KeyFileError> {
    let mut keys: Vec<Key> = Vec::new();
    let mut short = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = |problem| KeyFileError::Line { path: path.to_owned(), line: index + 1, problem };
        let (id, secret) = read_line(line).map_err(at)?;
        if keys.iter().any(|key| key.id() == id) {
            return Err(at(LineProblem::DuplicateId));
        }
        let key = Key::new(id, &secret).map_err(|_| at(LineProblem::Empty))?;
        if key.is_short() {
            short.push(id);
        }
        keys.push(key);
    }
    let keys = KeyRing::new(keys).map_err(|_| KeyFileError::Empty { path: path.to_owned() })?;
    Ok(KeyFile { keys, short })
}

fn read_line(line: &str) -> Result<(KeyId, Zeroizing<Vec<u8>>), LineProblem> {
    let mut words = line.split_ascii_whitespace();
    let (Some(id), Some(secret), None) = (words.next(), words.next(), words.next()) else {
        return Err(LineProblem::Words);
    };
    let id = KeyId(id.parse().map_err(|_| LineProblem::Id)?);
    let secret = Zeroizing::new(match secret.strip_prefix("base64:") {
        Some(text) => STANDARD.decode(text).map_err(|_| LineProblem::Base64)?,
        None => hex(secret).ok_or(LineProblem::Hex)?,
    });
    match secret.len() {
        0 => Err(LineProblem::Empty),
        1..=MAX_KEY_OCTETS => Ok((id, secret)),
        _ => Err(LineProblem::TooLong),
    }
}

/// Octets of a text of hexadecimal digits; `None` if it is not one.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(text: &str) -> String {
        read(Path::new("keys"), text).unwrap_err().to_string()
    }

    #[test]
    fn hexadecimal_and_base64_give_the_same_key() {
        let hex = read(Path::new("keys"), "7 00ff10\n").unwrap();
        let base64 = read(Path::new("keys"), "7 base64:AP8Q\n").unwrap();
        let digest = |file: &KeyFile| file.keys.signing().tlv_digest(1, b"x");
        assert_eq!(digest(&hex), digest(&base64));
        assert_eq!(hex.short, [KeyId(7)]);
    }

    #[test]
    fn the_first_key_signs() {
        let file = read(Path::new("keys"), "2 aa\n\n1 bb\n").unwrap();
        assert_eq!(file.keys.signing().id(), KeyId(2));
    }

    #[test]
    fn each_mistake_names_its_line_and_not_the_secret() {
        for (text, expected) in [
            ("1 aa\n1 bb\n", "keys:2: this ID stands on an earlier line"),
            ("x aa\n", "keys:1: the ID has to be a number from 0 to 4294967295"),
            ("1\n", "keys:1: expected an ID and a key, separated by one space"),
            ("1 aa # old\n", "keys:1: expected an ID and a key, separated by one space"),
            ("1 base64:\n", "keys:1: the key is empty; 32 octets are recommended (RFC 8762 §4.4)"),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert!(problem("1 5ec2e7z\n").starts_with("keys:1: the key is not hexadecimal"));
        assert!(!problem("1 5ec2e7z\n").contains("5ec2e7"));
        assert!(problem("1 base64:5ec2e7*\n").contains("is not standard base64"));
        assert!(problem("\n").starts_with("keys: no key in it"));
    }

    proptest! {
        #[test]
        fn a_key_is_read_as_it_was_printed(secret in prop::collection::vec(any::<u8>(), 1..80)) {
            let printed: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
            prop_assert_eq!(hex(&printed), Some(secret.clone()));
            let line = format!("9 base64:{}", STANDARD.encode(&secret));
            let (_, read) = read_line(&line).unwrap();
            prop_assert_eq!(&*read, &secret);
        }
    }
}

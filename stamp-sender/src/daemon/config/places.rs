//! Where the keys of a session stand, so that what is found wrong with it later is told of where it can be mended.
//!
//! What opens a session speaks of flags, as an ad hoc run has nothing else. A file has keys by the same names.

use std::sync::Arc;

use stamp_config::document::{Place, TablePlaces};

use super::mistakes::Mistake;
use super::settings::keys;
use crate::exit::Failure;

/// Keys of a session that are no flags of it.
pub(super) const OF_A_SESSION: [&str; 2] = ["name", "target"];

/// Where keys stand: in the session, then in what it takes over, in the order in which that goes before. Equal to any
/// others, as a session is the same wherever its keys stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<Arc<TablePlaces>>);

impl Places {
    /// Keys stand in this table.
    pub(super) fn of(table: TablePlaces) -> Self {
        Self(vec![Arc::new(table)])
    }

    /// These, and for what none of them has where `others` have it.
    pub(super) fn over(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().map(Arc::clone));
        self
    }

    /// Where `key` stands, and whether others have that table too.
    fn get(&self, key: &str) -> Option<(Place, bool)> {
        let found = |(at, table): (usize, &Arc<TablePlaces>)| Some((table.get(key)?, at > 0));
        self.0.iter().enumerate().find_map(found)
    }

    /// What a failure of the session comes to in its file; nothing where no key is to blame, or none stands in one.
    pub(super) fn mistake(&self, failure: &Failure) -> Option<Mistake> {
        let (key, reason) = match failure {
            // Of several flags the first that somebody gave.
            Failure::Usage { flag, problem } => {
                let words = in_words_of_a_file(flag);
                let given = words.split(", ").find(|key| self.get(key).is_some());
                // A flag that stands nowhere has to be named.
                let named = || format!("{words}: {problem}");
                let reason = if given.is_some() { problem.clone() } else { named() };
                (given.unwrap_or("target").to_owned(), reason)
            }
            Failure::Target(error) => ("target".to_owned(), error.to_string()),
            Failure::KeyFile(error) => ("key-file".to_owned(), error.to_string()),
            Failure::Topology(reason) => ("topology".to_owned(), reason.clone()),
            _ => return None,
        };
        let (place, is_shared) = self.get(&key)?;
        let reason = in_words_of_a_file(&reason);
        Some(Mistake { place, reason, is_shared })
    }
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Places {}

/// What a file calls a host and flags of one letter.
const OTHER_WORDS: [(&str, &str); 5] =
    [("HOST", "target"), ("-S", "source"), ("-I", "interface"), ("-4", "ipv4"), ("-6", "ipv6")];

/// The same where a flag is a key, and the host a target.
pub fn in_words_of_a_file(text: &str) -> String {
    // Names, addresses and paths are words of their own.
    let is_of_word = |c: char| c.is_alphanumeric() || "-_./%:".contains(c);
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (end, is_word) = match rest.find(|c| !is_of_word(c)) {
            Some(0) => (rest.find(is_of_word).unwrap_or(rest.len()), false),
            end => (end.unwrap_or(rest.len()), true),
        };
        let (word, behind) = rest.split_at(end);
        rest = behind;
        // What ends a clause is none of its last word.
        let (word, stop) = word.split_at(word.trim_end_matches(['.', ':']).len());
        let flag = word.strip_prefix("--");
        if let Some((key, arg)) = flag.and_then(|flag| keys().find(|(key, _)| *key == flag)) {
            words.push_str(key);
            // What stands for the flag's value.
            let value = arg.get_value_names().and_then(|names| names.first());
            let shown =
                value.and_then(|value| rest.strip_prefix(' ')?.strip_prefix(value.as_str()));
            let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            rest = shown.filter(|behind| !behind.starts_with(goes_on)).unwrap_or(rest);
        } else {
            let other = OTHER_WORDS.iter().find(|(flag, _)| is_word && *flag == word);
            words.push_str(other.map_or(word, |(_, key)| key));
        }
        words.push_str(stop);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_keys_and_the_host_is_the_target() {
        for (flags, keys) in [
            ("of another family than HOST", "of another family than target"),
            (
                "nothing brings a probe back but --segments; name",
                "nothing brings a probe back but segments; name",
            ),
            ("an address: -S", "an address: source"),
            ("(--usid-block)", "(usid-block)"),
            ("names need --topology FILE", "names need topology"),
            ("--topology FILES, --topology", "topology FILES, topology"),
            ("no address: --from, as in --behind NODE.", "no address: from, as in behind."),
            // Neither flags nor the host.
            (
                "no node HOST_1, /srv/HOST/keys, HOST.example",
                "no node HOST_1, /srv/HOST/keys, HOST.example",
            ),
            (
                "--web.listen-address, LOCALHOST, a--b, fe80::1%eth0-S",
                "--web.listen-address, LOCALHOST, a--b, fe80::1%eth0-S",
            ),
            ("", ""),
        ] {
            assert_eq!(in_words_of_a_file(flags), keys);
        }
    }
}

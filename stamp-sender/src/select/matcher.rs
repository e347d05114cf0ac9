//! `LABEL="VALUE"` and its kin, as Prometheus writes them.

use std::fmt;

use stamp_config::Setting;

/// What a label of a series has to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Matcher {
    label: String,
    how: &'static str,
    value: String,
}

/// The longer ones first.
const HOW: [&str; 4] = ["=~", "!~", "!=", "="];

impl Matcher {
    /// The label is one of these, or begins with one of them and `behind`.
    pub fn one_of<'w>(label: &str, words: impl Iterator<Item = &'w str>, behind: &str) -> Self {
        let words: Vec<String> = words.map(plainly).collect();
        let value = format!("(?:{}){behind}", words.join("|"));
        Self { label: label.to_owned(), how: "=~", value }
    }
}

/// A word as a regular expression that matches it and nothing else.
fn plainly(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len());
    for c in word.chars() {
        if c.is_ascii_punctuation() && !['_', '-', '/'].contains(&c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

impl Setting for Matcher {
    const EXPECTED: &'static str = "LABEL=\"VALUE\" as Prometheus writes it, also with !=, =~ or !~, such as job=\"stamp-sender\"";
    fn read(text: &str) -> Option<Self> {
        let end = text.find(['=', '!'])?;
        let (label, rest) = text.split_at(end);
        let how = HOW.into_iter().find(|how| rest.starts_with(how))?;
        let value = serde_json::from_str(rest.strip_prefix(how)?).ok()?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (begins && label.chars().all(is_plain)).then(|| Self {
            label: label.to_owned(),
            how,
            value,
        })
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}\"", self.label, self.how)?;
        for c in self.value.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_and_written_alike() {
        for text in ["job=\"a b\"", "job!=\"\"", "_x1=~\"a|b\\\\.c\"", "site!~\"\\\"q\\\"\""] {
            let matcher = Matcher::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(matcher.to_string(), text);
        }
        for text in ["", "job", "job=", "job=x", "=\"x\"", "1a=\"x\"", "a-b=\"x\"", "job==\"x\""] {
            assert_eq!(Matcher::read(text), None, "{text}");
        }
    }

    #[test]
    fn words_match_themselves_alone() {
        let matcher = Matcher::one_of("session", ["to-r", "a.b(c)"].into_iter(), "/.*");
        assert_eq!(matcher.to_string(), r#"session=~"(?:to-r|a\\.b\\(c\\))/.*""#);
    }
}

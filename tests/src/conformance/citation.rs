//! Citations of standards in the sources, and the clause each needs.
//!
//! The one form is `RFC NNNN §x.y`, in a list `RFC NNNN §x.y, §x.z and §y`. A citation of `§x.y` is backed by a row for `§x.y` itself or
//! for anything below it (`§x.y.z`); a row for `§x` does not back it, being less precise than the
//! code. An RFC that the index marks `later` may be cited before its table exists, one marked
//! `background` only without a section.

use core::fmt;

use super::Finding;
use super::table::Row;
use super::tree::File;

/// A numbered place in a standard, or a named rule of our own.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Clause {
    /// `RFC NNNN §x.y`.
    Rfc {
        /// Number of the RFC.
        number: u32,
        /// Section, such as `4.2.1` or `I`.
        section: String,
    },
    /// `local NAME`.
    Local(String),
}

impl Clause {
    /// Splits a clause cell into the place and the rule.
    ///
    /// # Errors
    ///
    /// A sentence when the cell does not begin with `RFC NNNN §x.y` or `local NAME`.
    pub fn split(cell: &str) -> Result<(Self, &str), String> {
        if let Some(rest) = cell.strip_prefix("local ") {
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            return Ok((Self::Local(name.into()), text.trim()));
        }
        let citation = cell.strip_prefix("RFC ").and_then(cited);
        match citation {
            Some((number, Some(section), length)) => {
                let text = cell["RFC ".len() + length..].trim();
                Ok((Self::Rfc { number, section: section.into() }, text))
            }
            _ => Err(format!("not a clause: `{cell}`; write `RFC NNNN §x.y …` or `local NAME …`")),
        }
    }

    /// Stem of the table file this clause belongs to.
    #[must_use]
    pub fn table(&self) -> String {
        match self {
            Self::Rfc { number, .. } => format!("rfc{number}"),
            Self::Local(_) => "local".into(),
        }
    }

    /// Whether a row for this clause backs a citation of `section` of RFC `number`.
    #[must_use]
    pub fn backs(&self, number: u32, section: &str) -> bool {
        let Self::Rfc { number: own, section: place } = self else {
            return false;
        };
        let below = place.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
        *own == number && (place == section || below)
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rfc { number, section } => write!(formatter, "RFC {number} §{section}"),
            Self::Local(name) => write!(formatter, "local {name}"),
        }
    }
}

/// What the index of the tables says about an RFC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Listing {
    /// It has a table.
    Table,
    /// Its table comes with the code that needs it.
    Later,
    /// Cited for a term or a format only.
    Background,
}

/// Reads the index (`docs/conformance/README.md`): number of the RFC, listing.
#[must_use]
pub fn listings(index: &File) -> Vec<(u32, Listing)> {
    let mut found = Vec::new();
    for (_, line) in index.lines() {
        let Some(row) = line.strip_prefix("| RFC ") else {
            continue;
        };
        let Some((number, rest)) = row.split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let last = rest.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or("").trim();
        let listing = match last {
            "later" => Listing::Later,
            "background" => Listing::Background,
            _ if last == format!("[rfc{number}.md](rfc{number}.md)") => Listing::Table,
            _ => continue,
        };
        found.push((number, listing));
    }
    found
}

/// Checks every mention of an RFC in `files` against the rows and the index.
#[must_use]
pub fn check(files: &[File], rows: &[Row], listings: &[(u32, Listing)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (line, text) in file.lines() {
            for message in line_faults(text, rows, listings) {
                findings.push(Finding::at(&file.path, line, message));
            }
        }
    }
    findings
}

fn line_faults(line: &str, rows: &[Row], listings: &[(u32, Listing)]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut sections_cited = 0;
    for (place, _) in line.match_indices("RFC") {
        let after = &line[place + "RFC".len()..];
        let Some((number, first, length)) = after.strip_prefix(' ').and_then(cited) else {
            let digits = after.trim_start_matches([' ', '-', '_', '#']);
            if digits.starts_with(|first: char| first.is_ascii_digit()) {
                faults.push("a citation is written `RFC NNNN §x.y`".into());
            }
            continue;
        };
        let rest = &after[" ".len() + length..];
        let Some(first) = first else {
            faults.extend(fault(number, None, rows, listings));
            let rest = rest.trim_start_matches([' ', ',']).to_ascii_lowercase();
            if rest.starts_with("section ") || rest.starts_with("sec. ") {
                faults.push("a section is written `§x.y`".into());
            }
            continue;
        };
        for section in core::iter::once(first).chain(listed_further(rest)) {
            sections_cited += 1;
            faults.extend(fault(number, Some(section), rows, listings));
        }
    }
    let drafts = line.matches("draft-").count();
    if line.matches('§').count() > sections_cited + drafts {
        faults.push("a `§` that belongs to no RFC: write `RFC NNNN §x.y`".into());
    }
    faults
}

/// Sections that a citation goes on with: `, §4.3 and §4.7`.
fn listed_further(mut text: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    loop {
        let joined = [", and §", ", §", " and §", " or §"];
        let Some(rest) = joined.iter().find_map(|joint| text.strip_prefix(joint)) else {
            return sections;
        };
        let section = section_of(rest);
        if section.is_empty() {
            return sections;
        }
        sections.push(section);
        text = &rest[section.len()..];
    }
}

fn fault(
    number: u32,
    section: Option<&str>,
    rows: &[Row],
    listings: &[(u32, Listing)],
) -> Option<String> {
    let listing = listings.iter().find(|(listed, _)| *listed == number).map(|(_, kind)| *kind);
    match (listing, section) {
        (None, _) => Some(format!("RFC {number} is not listed in docs/conformance/README.md")),
        (Some(Listing::Later), _) | (Some(_), None) => None,
        (Some(Listing::Background), Some(section)) => {
            Some(format!("RFC {number} §{section}: listed as background, so it has no rows"))
        }
        (Some(Listing::Table), Some(section)) => {
            let backed = rows.iter().any(|row| row.clause.backs(number, section));
            (!backed).then(|| {
                format!("RFC {number} §{section} has no row in docs/conformance/rfc{number}.md")
            })
        }
    }
}

/// Number, section and length of what follows `RFC `: `8762 §4.2.1…`.
fn cited(text: &str) -> Option<(u32, Option<&str>, usize)> {
    let digits = text.find(|mark: char| !mark.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..digits].parse().ok()?;
    let Some(section) = text[digits..].strip_prefix(" §") else {
        return Some((number, None, digits));
    };
    let section = section_of(section);
    let length = digits + " §".len() + section.len();
    (!section.is_empty()).then_some((number, Some(section), length))
}

/// The section number that `text` begins with, without the full stop of a sentence.
fn section_of(text: &str) -> &str {
    let end = text.find(|mark: char| !mark.is_ascii_alphanumeric() && mark != '.');
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

#[cfg(test)]
mod tests;

//! Names of a topology file from what others call things.

use std::collections::BTreeSet;

/// Letters of a name at most; a topology file takes a few more, for a number behind them.
pub(super) const LONGEST: usize = 60;

/// A label as a name of a topology file.
pub(super) fn word(label: &str) -> String {
    let letters = label.chars().map(|letter| {
        if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' }
    });
    let word: String = letters.take(LONGEST / 2 - 2).collect();
    let word = word.trim_matches('-');
    if word.is_empty() { "node".to_owned() } else { word.to_owned() }
}

/// The name, with a number behind it where it is taken.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 1;
    while !taken.insert(candidate.clone()) {
        number += 1;
        candidate = format!("{name}-{number}");
    }
    candidate
}

//! The sentences of findings, and the lines that mend what they tell.

mod access;
mod answers;
mod clocks;
mod headers;
mod lag;
mod looped;
mod network;
mod returns;
mod silence;
mod traffic;

pub use network::percent;

use super::{Finding, Target, Way};

impl Finding {
    /// What was seen and what it means.
    #[must_use]
    pub fn text(&self) -> String {
        self.words().0
    }

    /// What mends it, or tells more.
    #[must_use]
    pub fn remedy(&self) -> String {
        self.words().1
    }

    /// Both, so that they cannot drift apart.
    fn words(&self) -> (String, String) {
        silence::words(self)
            .or_else(|| network::words(self))
            .or_else(|| clocks::words(self))
            .or_else(|| looped::words(self))
            .or_else(|| returns::words(self))
            .or_else(|| answers::words(self))
            .or_else(|| traffic::words(self))
            .or_else(|| access::words(self))
            .or_else(|| headers::words(self))
            .or_else(|| lag::words(self))
            .unwrap_or_default()
    }
}

impl Way {
    /// As a reader says it.
    const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }

    /// In a sentence about the way.
    const fn phrase(self) -> &'static str {
        match self {
            Self::Forward => "on the way there (forward)",
            Self::Backward => "on the way back (backward)",
        }
    }
}

impl Target {
    /// Address and port, IPv6 in brackets.
    fn endpoint(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }
}

/// `1 probe`, `2 probes`.
fn count_of(count: u64, one: &str) -> String {
    if count == 1 {
        return format!("1 {one}");
    }
    match one.strip_suffix('y') {
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {one}s"),
    }
}

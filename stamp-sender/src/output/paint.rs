//! Colour, for terminals only.

use std::io::IsTerminal;

/// Puts colour around text, or leaves it alone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self { on: false };

    /// Colour when standard output is a terminal that can and the user did not object
    /// (`NO_COLOR`, see no-color.org).
    #[must_use]
    pub fn of_standard_output() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let unable = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { on: std::io::stdout().is_terminal() && !unwanted && !unable }
    }

    /// Headings.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is not read every time.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Lost, down, impossible.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Not as it should be.
    #[must_use]
    pub fn odd(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Well again.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_put_around_text_only_when_it_is_on() {
        assert_eq!(Paint { on: true }.bad("lost"), "\x1b[31mlost\x1b[0m");
        assert_eq!(Paint { on: true }.bad(""), "");
        assert_eq!(Paint::PLAIN.bad("lost"), "lost");
    }
}

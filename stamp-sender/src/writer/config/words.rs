//! Words of a `[[writer]]`.

use stamp_config::{Form, Setting};

/// What is written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Linux,
    Frr,
    Pola,
    File,
    Webhook,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Frr => "frr",
            Self::Pola => "pola",
            Self::File => "file",
            Self::Webhook => "webhook",
        }
    }
}

impl Setting for Kind {
    const EXPECTED: &'static str = "linux, frr, pola, file or webhook";
    fn read(text: &str) -> Option<Self> {
        let all = [Self::Linux, Self::Frr, Self::Pola, Self::File, Self::Webhook];
        all.into_iter().find(|it| it.word() == text)
    }
}

/// What becomes of what was written when the writer ends.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnExit {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Undo,
}

impl OnExit {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Undo => "undo",
        }
    }
}

impl Setting for OnExit {
    const EXPECTED: &'static str = "keep or undo";
    fn read(text: &str) -> Option<Self> {
        [Self::Keep, Self::Undo].into_iter().find(|it| it.word() == text)
    }
}

/// How a server is sent the table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Method {
    /// It takes the place of the one before.
    #[default]
    Put,
    /// It is handed in.
    Post,
}

impl Method {
    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Post => "post",
        }
    }
}

impl Setting for Method {
    const EXPECTED: &'static str = "put or post";
    fn read(text: &str) -> Option<Self> {
        [Self::Put, Self::Post].into_iter().find(|it| it.word() == text)
    }
}

/// What a writer may be called: it becomes the value of a label.
pub(super) struct WriterName(pub(super) String);

impl Setting for WriterName {
    const EXPECTED: &'static str = "up to 64 letters, digits, - and _";
    fn read(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fits = (1..=64).contains(&text.len()) && text.chars().all(is_plain);
        fits.then(|| Self(text.to_owned()))
    }
}

/// How often something may change.
pub(super) struct Changes(pub(super) u32);

impl Setting for Changes {
    const EXPECTED: &'static str = "a count from 1 to 3600";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (1..=3600).contains(count)).map(Self)
    }
}

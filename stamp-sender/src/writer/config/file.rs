//! `kind = "file"`.

use std::path::PathBuf;

use stamp_config::Setting;

use super::{Reader, show_file};

/// A file with the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Who may read and write it; as it was before unless told otherwise.
    pub mode: Option<u32>,
}

impl File {
    pub(super) fn show(&self) -> String {
        let mode = self.mode.map_or_else(String::new, |mode| format!("mode = \"{mode:04o}\"\n"));
        show_file("file", Some(&self.path)) + &mode
    }
}

impl Reader<'_, '_> {
    pub(super) fn file(&self) -> Option<File> {
        let mode = self.section.get("mode").map(|mode: Mode| mode.0);
        let path = self.section.require("file").map(|file: String| self.folder.join(file));
        Some(File { path: path?, mode })
    }
}

struct Mode(u32);

impl Setting for Mode {
    const EXPECTED: &'static str =
        "the rights of a file in octal digits, such as 0640, that let its owner read it";
    fn read(text: &str) -> Option<Self> {
        let has_digits =
            (3..=4).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|_| has_digits)?;
        // What was written is read again after a restart.
        (mode <= 0o777 && mode & 0o400 != 0).then_some(Self(mode))
    }
}

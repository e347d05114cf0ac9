//! The files of this repository, read once.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders that hold nothing written by us.
const SKIPPED: [&str; 6] = [".git", "target", "artifacts", "coverage", "node_modules", ".venv"];

/// One file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// Path relative to the repository root, `/` between folders.
    pub path: String,
    /// Contents; `None` when they are not UTF-8.
    pub text: Option<String>,
}

impl File {
    /// A file as a test imagines it.
    pub fn imagined(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: Some(text.into()) }
    }

    /// What follows the last dot of the name, or nothing.
    #[must_use]
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The name without its folders.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The name without folders and without extension.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.name().rsplit_once('.').map_or(self.name(), |(stem, _)| stem)
    }

    /// The text, empty when the file is not text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Lines with their numbers from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The repository root: one folder above this package.
///
/// # Panics
///
/// When the package stands alone, outside of its workspace.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package has a folder above it").to_path_buf()
}

/// Every file below `root` but build output and the version control's own, sorted by path.
///
/// # Panics
///
/// When a folder or file cannot be read: a check that saw half of the files would pass for nothing.
#[must_use]
pub fn files(root: &Path) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("a folder of the repository can be listed");
        for entry in entries {
            let entry = entry.expect("a folder entry can be read");
            let kind = entry.file_type().expect("a folder entry has a type");
            let name = entry.file_name();
            // In a second work tree `.git` is a file.
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let octets = match fs::read(entry.path()) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue, // gone meanwhile
                    read => read.expect("a file of the repository can be read"),
                };
                let path = relative(root, &entry.path());
                files.push(File { path, text: String::from_utf8(octets).ok() });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// `path` relative to `root`, with `/` between folders.
#[must_use]
pub fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> =
        inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_file_is_found_and_build_output_is_not() {
        let files = files(&root());
        assert!(files.iter().any(|file| file.path == "tests/src/conformance/tree.rs"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
        let is_git = |file: &File| file.path == ".git" || file.path.starts_with(".git/");
        assert!(!files.iter().any(is_git));
    }

    #[test]
    fn a_name_is_taken_apart() {
        let file = File::imagined("docs/guide/clocks.md", "one\ntwo\n");
        assert_eq!((file.name(), file.stem(), file.extension()), ("clocks.md", "clocks", "md"));
        assert_eq!(file.lines().last(), Some((2, "two")));
        assert_eq!(File::imagined("LICENSE", "").extension(), "");
    }
}

//! The two files that the programs of the act read.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::{env, process};

use stamp_lab::THREE_PATHS;

use crate::exit::Failure;

/// What `run` and `write` are started with.
const SERVICE: &str = include_str!("../../../reference/demo.toml");
/// What they are called.
const NAMES: [&str; 2] = ["run.toml", "three-paths.toml"];

/// A folder with both, gone with this unless the user wanted it.
pub(super) struct Files {
    folder: PathBuf,
    is_kept: bool,
}

impl Files {
    /// Writes them where the user wants to have them, or to a folder for this run.
    ///
    /// # Errors
    ///
    /// When they cannot be written; a file that is there already is not written over.
    pub(super) fn write(keep: Option<&Path>) -> Result<Self, Failure> {
        let passing = || env::temp_dir().join(format!("stamp-demo-{}", process::id()));
        let files =
            Self { folder: keep.map_or_else(passing, Path::to_path_buf), is_kept: keep.is_some() };
        let made = DirBuilder::new().recursive(files.is_kept).mode(0o700).create(&files.folder);
        made.map_err(|error| files.failed("", &error))?;
        for (name, text) in NAMES.into_iter().zip([SERVICE, THREE_PATHS]) {
            let written = File::create_new(files.folder.join(name))
                .and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| files.failed(name, &error))?;
        }
        Ok(files)
    }

    /// What `run` and `write` are given.
    pub(super) fn service(&self) -> PathBuf {
        self.folder.join(NAMES[0])
    }

    /// What the class of the traffic needs, as it stands there.
    pub(super) fn requirement() -> &'static str {
        let line = SERVICE.lines().find_map(|line| line.strip_prefix("require = "));
        line.unwrap_or_default()
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> Failure {
        Failure::Input(format!("{}: {error}", self.folder.join(name).display()))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed goes with all temporary files.
            let _left = fs::remove_dir_all(&self.folder);
        }
    }
}

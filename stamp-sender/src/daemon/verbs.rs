//! `config check`, `config show`, `config template`.

use std::io::Write as _;
use std::path::Path;

use crate::Ended;
use crate::exit::{Failure, Status};

use super::config::{self, Configuration};

/// Says that the file is fine, or every mistake in it.
///
/// # Errors
///
/// Every mistake.
pub fn check(file: &Path) -> Ended {
    let configuration = Configuration::load(file)?;
    let sessions = configuration.sessions.len();
    print(&format!("{}: no mistake found; sessions: {sessions}\n", file.display()))
}

/// Prints each session as it is in force, with what it takes from its profile and the defaults.
///
/// # Errors
///
/// Every mistake.
pub fn show(file: &Path) -> Ended {
    let configuration = Configuration::load(file)?;
    print(&config::show(&configuration))
}

/// Prints a file with every key, its meaning and its default.
///
/// # Errors
///
/// When nobody reads it.
pub fn template() -> Ended {
    print(&config::template())
}

fn print(text: &str) -> Ended {
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Status::Done)
}

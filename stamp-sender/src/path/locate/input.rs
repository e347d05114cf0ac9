//! Sessions as a run saved them or a daemon tells them.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use stamp_metrics::http::client::{Client, Url};

use crate::command_line::path::Locate;
use crate::exit::Failure;
use crate::output::document::SCHEMA_VERSION;
use crate::output::record::SessionRecord;

/// Where a daemon tells its sessions.
const PAGE: &str = "/api/v1/sessions";
/// How long a daemon may take to answer, and how long its answer may be.
const ANSWER: (Duration, usize) = (Duration::from_secs(30), 256 << 20);

/// What of a document matters.
#[derive(Debug, Deserialize)]
struct Sessions {
    schema_version: u32,
    sessions: Vec<SessionRecord>,
}

/// The sessions of all of them together.
///
/// # Errors
///
/// [`Failure::Input`] with the one that cannot be had or read.
pub(super) fn sessions(sources: &[String], flags: &Locate) -> Result<Vec<SessionRecord>, Failure> {
    let mut all = Vec::new();
    for source in sources {
        let refused =
            |problem: &dyn std::fmt::Display| Failure::Input(format!("{source}: {problem}"));
        let text = match Url::read(source) {
            Some(_) => answered(source, flags)?,
            None => octets(source).map_err(|error| refused(&error))?,
        };
        let read: Sessions = serde_json::from_slice(&text).map_err(|error| refused(&error))?;
        if read.schema_version != SCHEMA_VERSION {
            let problem = format!(
                "written by another version: schema_version {}, not {SCHEMA_VERSION}",
                read.schema_version
            );
            return Err(refused(&problem));
        }
        all.extend(read.sessions);
    }
    Ok(all)
}

fn octets(source: &str) -> io::Result<Vec<u8>> {
    if source != "-" {
        return fs::read(source);
    }
    let mut octets = Vec::new();
    io::stdin().read_to_end(&mut octets)?;
    Ok(octets)
}

/// What a daemon says.
fn answered(source: &str, flags: &Locate) -> Result<Vec<u8>, Failure> {
    let refused = |problem: &dyn std::fmt::Display| Failure::Input(format!("{source}: {problem}"));
    // The address of a daemon alone is enough.
    let authority = source.split_once("://").map_or(source, |(_, rest)| rest);
    let has_page = authority.trim_end_matches('/').contains('/');
    let whole = if has_page {
        source.to_owned()
    } else {
        format!("{}{PAGE}", source.trim_end_matches('/'))
    };
    let url = Url::read(&whole).ok_or_else(|| refused(&"no URL"))?;
    let token = flags.token_file.as_deref().map(token).transpose()?;
    let client = Client { ca_file: flags.ca_file.clone(), token, time: ANSWER.0, octets: ANSWER.1 };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    runtime.block_on(client.get(&url, "application/json")).map_err(|error| refused(&error))
}

fn token(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file);
    text.map(|text| text.trim().to_owned())
        .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
}

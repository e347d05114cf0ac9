//! `[[webhook]]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};
use stamp_config::quantity::print_duration;
use stamp_metrics::feed::Wanted;
use stamp_metrics::http::client::Url;

use super::{Number, Span, TIMEOUT, show_wanted, wanted};
use crate::server_url::ServerUrl;

/// A server that is told of events by POST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    /// What it is called among sinks.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// Which events it is told.
    pub wanted: Wanted,
    /// How long events wait for others to go with them.
    pub every: Duration,
    /// So many go together at most.
    pub most: usize,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long it is tried again.
    pub retry: Duration,
    /// The token to show it.
    pub token_file: Option<PathBuf>,
    /// Whom to trust, if not the authorities of this host.
    pub ca_file: Option<PathBuf>,
}

/// What holds unless told otherwise: how long events wait, how many go together, how long it is tried.
const EVERY: Duration = Duration::from_secs(1);
const MOST: usize = 1_000;
const RETRY: Duration = Duration::from_secs(600);

/// Where a server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// As the configuration says.
    Written(Url),
    /// As this file says, which whoever may see the configuration may not read: many services put what
    /// lets one in into the address itself.
    File(PathBuf),
}

impl Address {
    /// Where it is now; a file is read each time, as it may say something else by then.
    ///
    /// # Errors
    ///
    /// Why the file does not tell.
    pub fn now(&self) -> Result<Url, String> {
        let path = match self {
            Self::Written(url) => return Ok(url.clone()),
            Self::File(path) => path,
        };
        let fail = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| fail(&error))?;
        // What the file says is not told: it is a secret.
        Url::read(text.trim()).ok_or_else(|| fail(&format!("expected {}", ServerUrl::EXPECTED)))
    }

    /// The file that says it, if one does.
    pub const fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Written(_) => None,
            Self::File(path) => Some(path),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Written(url) => format!("url = {:?}\n", url.text()),
            Self::File(path) => format!("url-file = {path:?}\n"),
        }
    }
}

impl Webhook {
    /// What a section says. Paths are relative to `folder`.
    pub(super) fn read(section: &Section<'_>, folder: &Path, name: String) -> Option<Self> {
        let file = |key| section.get(key).map(|file: String| folder.join(file));
        let address = match file("url-file") {
            Some(file) => {
                if section.has("url") {
                    let reason = "url says where it is: only one of both can".to_owned();
                    section.problem("url-file", Problem::Contradiction { reason });
                }
                // Known, whichever of the two is wrong.
                drop(section.get::<String>("url"));
                Some(Address::File(file))
            }
            None => section.require("url").map(|ServerUrl(url)| Address::Written(url)),
        };
        let (every, most) = section.section_or_empty("batch", |batch| {
            let every = batch.get("every").map_or(EVERY, |span: Span| span.0);
            (every, batch.get("most").map_or(MOST, |most: Number| most.0))
        });
        let span = |key, default| section.get(key).map_or(default, |span: Span| span.0);
        let (timeout, retry) = (span("timeout", TIMEOUT), span("retry", RETRY));
        let (token_file, ca_file) = (file("token-file"), file("ca-file"));
        let wanted = wanted(section);
        let address = address?;
        Some(Self { name, address, wanted, every, most, timeout, retry, token_file, ca_file })
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        let file = |key: &str, file: &Option<PathBuf>| {
            file.as_ref().map_or_else(String::new, |file| format!("{key} = {file:?}\n"))
        };
        format!(
            "\n[[webhook]]\nname = {:?}\n{}{}batch = {{ every = {:?}, most = {} }}\n\
             timeout = {:?}\nretry = {:?}\n{}{}",
            self.name,
            self.address.show(),
            show_wanted(&self.wanted),
            print_duration(self.every),
            self.most,
            print_duration(self.timeout),
            print_duration(self.retry),
            file("token-file", &self.token_file),
            file("ca-file", &self.ca_file),
        )
    }
}

//! Looks again and again for what there is to be measured.

use std::path::PathBuf;
use std::time::Duration;

use stamp_metrics::http::client::{Client, Url};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::token;

use super::files::Files;
use super::groups::{self, Notation, Target};

/// How often files are looked at.
const FILES_EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take, and how long it may be.
const ANSWER: (Duration, usize) = (Duration::from_secs(10), 32 << 20);

/// Where targets are named.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Provider {
    /// Files by patterns (`file_sd`).
    Files(Vec<PathBuf>),
    /// A server (`http_sd`).
    Http {
        /// Where it is.
        url: Url,
        /// How often it is asked.
        every: Duration,
        /// Whom to trust, if not those whom this host trusts.
        ca_file: Option<PathBuf>,
        /// What lets us in.
        token_file: Option<PathBuf>,
    },
}

impl Provider {
    /// Its name in logs and metrics.
    pub fn label(&self) -> String {
        match self {
            Self::Files(patterns) => {
                let words: Vec<String> =
                    patterns.iter().map(|pattern| pattern.display().to_string()).collect();
                words.join(",")
            }
            Self::Http { url, .. } => url.text().to_owned(),
        }
    }

    /// What there is at once; nothing of a server, which may take its time.
    pub fn at_once(&self) -> Vec<Target> {
        let Self::Files(patterns) = self else { return Vec::new() };
        let mut files = Files::default();
        // Whoever watches them tells what is wrong.
        let _ = files.look(patterns);
        files.targets()
    }
}

/// What came of a look. Without success it is all that is known from before.
#[derive(Debug)]
pub struct Look {
    /// Who was asked.
    pub provider: Provider,
    /// What is there.
    pub result: Result<Vec<Target>, (String, Vec<Target>)>,
}

/// A task that watches; dropping it ends it.
#[derive(Debug)]
pub struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    /// Begins to watch, and tells what comes of each look.
    pub fn begin(provider: Provider, known: Vec<Target>, looks: UnboundedSender<Look>) -> Self {
        Self(tokio::spawn(watch(provider, known, looks)))
    }
}

async fn watch(provider: Provider, mut known: Vec<Target>, looks: UnboundedSender<Look>) {
    let mut files = Files::default();
    loop {
        let result = match &provider {
            Provider::Files(patterns) => {
                let (patterns, mut seen) = (patterns.clone(), std::mem::take(&mut files));
                let looked = spawn_blocking(move || (seen.look(&patterns), seen)).await;
                let Ok((result, seen)) = looked else { return };
                files = seen;
                let targets = files.targets();
                result.map(|()| targets.clone()).map_err(|reason| (reason, targets))
            }
            Provider::Http { .. } => match ask(&provider).await {
                Ok(targets) => {
                    known.clone_from(&targets);
                    Ok(targets)
                }
                Err(reason) => Err((reason, known.clone())),
            },
        };
        if looks.send(Look { provider: provider.clone(), result }).is_err() {
            return;
        }
        let pause = match &provider {
            Provider::Files(_) => FILES_EVERY,
            Provider::Http { every, .. } => *every,
        };
        tokio::time::sleep(pause).await;
    }
}

async fn ask(provider: &Provider) -> Result<Vec<Target>, String> {
    let Provider::Http { url, ca_file, token_file, .. } = provider else { return Ok(Vec::new()) };
    let client = Client {
        ca_file: ca_file.clone(),
        token: token::read(token_file.as_ref())?,
        time: ANSWER.0,
        octets: ANSWER.1,
    };
    let octets = client.get(url, "application/json").await.map_err(|error| error.to_string())?;
    let read = spawn_blocking(move || {
        let text = std::str::from_utf8(&octets).map_err(|error| error.to_string())?;
        groups::read(text, Notation::Json)
    });
    read.await.unwrap_or_else(|_| Err("reading it broke down".to_owned()))
}

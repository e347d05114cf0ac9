//! The HTTP server of a program: its metrics, its health, and whatever pages it has.
//!
//! It has a thread and a runtime of its own, so that no client holds up packets or control. A client
//! that is slow or hostile is held to limits: connections, octets and seconds. [`client`] asks others.

mod access;
mod body;
pub mod client;
mod clients;
mod connections;
mod control;
mod events;
mod paths;
mod patient;
mod probe;
mod query;
mod route;
mod tls;
mod users;
mod web_config;

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::feed::Feed;
use crate::table::Table;
use access::Access;
pub use clients::Client;
pub use control::{Done, Order, Verb};
pub use probe::{Probe, Probed};
pub use query::Query;
pub use web_config::WebConfigError;

/// Text in pieces, each made when the one before has been sent.
pub type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// What a page consists of.
pub struct Page {
    /// Its media type.
    pub content_type: &'static str,
    /// Its text.
    pub pieces: Pieces,
}

impl Page {
    /// A page that is there already.
    #[must_use]
    pub fn whole(content_type: &'static str, text: String) -> Self {
        Self { content_type, pieces: Box::new(std::iter::once(text.into_bytes())) }
    }
}

/// What a program shows. Called on threads that may wait; what it makes is sent on one that must not.
pub trait Site: Send + Sync + 'static {
    /// All metrics as they are now.
    fn metrics(&self) -> Pieces;
    /// Why it is not ready for work, if it is not.
    fn unready(&self) -> Option<String>;
    /// What it shows at a path besides its metrics and its health.
    fn page(&self, path: &str, query: &Query) -> Option<Page>;
    /// The events that it tells at `/api/v1/events`, if it tells any.
    fn feed(&self) -> Option<Arc<Feed>> {
        None
    }
    /// The paths that it tells at `/api/v1/paths`, if it chooses any.
    fn paths(&self) -> Option<Arc<Table>> {
        None
    }
    /// Who may ask for a part of these paths, by a token.
    fn clients(&self) -> Arc<[Client]> {
        Arc::default()
    }
    /// Reads its configuration again, and says why it did not put it in force; `None` where nobody may
    /// ask for it.
    fn reload(&self) -> Option<Result<(), String>>;
    /// The file of the token that lets somebody change something; without one nobody can.
    fn control_token_file(&self) -> Option<&Path> {
        None
    }
    /// Does what somebody with the token wants.
    fn obey(&self, _order: Order) -> Done {
        Done::Unknown
    }
    /// Measures what somebody names, once.
    fn probe(&self, _probe: &Probe) -> Probed {
        Probed::Unknown
    }
    /// Something happened to the server.
    fn note(&self, note: Note);
}

/// What happens to a server.
#[derive(Debug)]
pub enum Note {
    /// Its own configuration was read again, or cannot be, and then the one before stays.
    WebConfig(Result<(), WebConfigError>),
    /// The token of a client cannot be read, so that nobody is this client.
    ClientToken {
        /// Whose it is.
        client: String,
        /// Why.
        error: io::Error,
    },
    /// A connection was closed to make room for another, or because its client took nothing.
    Evicted,
    /// No connection can be accepted for now.
    Refused(io::Error),
}

/// Whether a file holds a token that somebody has to show: 16 octets at least, which not every user can read.
///
/// # Errors
///
/// Why it cannot be used.
pub fn check_token(path: &Path) -> io::Result<()> {
    control::read_token(path).map(drop)
}

/// A running server. Dropping it ends it, with whatever is under way.
#[derive(Debug)]
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why a server cannot start.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error(transparent)]
    WebConfig(#[from] WebConfigError),
    #[error("the HTTP server cannot start: {0}")]
    System(#[from] io::Error),
}

impl Server {
    /// Serves `site` at `listeners`. `config` holds TLS and users in the form of the Prometheus exporters
    /// and is read again when it changes.
    ///
    /// # Errors
    ///
    /// When `config` is wrong, or the system gives no thread.
    pub fn start(
        listeners: Vec<TcpListener>,
        config: Option<PathBuf>,
        site: Arc<dyn Site>,
    ) -> Result<Self, HttpError> {
        let access = Access::load(config)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("web-helper")
            .build()?;
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = connections::accept(listeners, access, site) => {}
                    _ = stopped => {}
                }
            });
            // What a page still waits for is nobody's any more.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("web".to_owned()).spawn(serve)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

/// Threads that wait for pages and compare passwords.
const BLOCKING_THREADS: usize = 4;

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// Finds the mistakes in a file for [`Server::start`] and in those that it names, without starting anything.
///
/// # Errors
///
/// The first of them.
pub fn check_web_config(path: &Path) -> Result<(), WebConfigError> {
    Access::load(Some(path.to_owned())).map(drop)
}

#[cfg(test)]
mod tests;

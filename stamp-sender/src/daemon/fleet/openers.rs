//! Who opens sessions: threads of their own, for names have to be looked up and may not be answered.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_blocking;

use crate::daemon::config::SessionSpec;
use crate::daemon::opening::{self, Obstacle, Opened};

/// A session that was opened, or why not; nothing where its far end is where it was.
pub(in crate::daemon) type Attempt = (Arc<SessionSpec>, Option<Result<Opened, Obstacle>>);

/// Names that are looked up at a time.
const LOOK_UPS: usize = 32;

/// Threads beside those: what needs no name waits for none.
const OTHERS: usize = 8;

/// Opens sessions.
#[derive(Clone)]
pub(in crate::daemon) struct Openers(Arc<Semaphore>);

impl Default for Openers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOK_UPS)))
    }
}

impl Openers {
    /// Threads that may be busy at once.
    pub(in crate::daemon) const THREADS: usize = LOOK_UPS + OTHERS;

    /// Opens a session, unless its far end is `known` and has not moved, and hands it in.
    pub(in crate::daemon) fn open(
        &self,
        spec: Arc<SessionSpec>,
        known: Option<SocketAddr>,
        to: UnboundedSender<Attempt>,
    ) {
        let names = Arc::clone(&self.0);
        tokio::spawn(async move {
            let turn = if spec.names_a_host() { names.acquire().await.ok() } else { None };
            if let Ok(attempt) = spawn_blocking(move || attempt(spec, known)).await {
                // A preparation that was given up wants none.
                let _ = to.send(attempt);
            }
            drop(turn);
        });
    }
}

fn attempt(spec: Arc<SessionSpec>, known: Option<SocketAddr>) -> Attempt {
    let moved = known.is_none_or(|known| {
        // A name server that does not answer moves nobody.
        opening::whereabouts(&spec).is_ok_and(|target| target != known)
    });
    let result = moved.then(|| opening::open(&spec));
    (spec, result)
}

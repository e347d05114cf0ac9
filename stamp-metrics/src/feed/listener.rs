//! Somebody who listens, as server-sent events.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Feed, Wanted};

/// Silence after which a listener is told that there is nothing to tell: whatever stands between may
/// close what looks idle.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Octets that are handed over at a time.
const PORTION: usize = 64 * 1024;
/// Events that are looked at at a time.
const SCANNED: usize = 4_096;
/// Milliseconds until a listener that was cut off comes back.
const RETRY_MS: u32 = 2_000;

/// Somebody who listens.
pub struct Listener {
    feed: Arc<Feed>,
    wanted: Wanted,
    /// The number of the next event.
    cursor: Arc<AtomicU64>,
    news: watch::Receiver<u64>,
    /// It was told nothing yet.
    is_new: bool,
    pub(super) heartbeat: Duration,
}

impl Listener {
    pub(super) fn new(feed: Arc<Feed>, wanted: Wanted, cursor: Arc<AtomicU64>) -> Self {
        let news = feed.news.subscribe();
        Self { feed, wanted, cursor, news, is_new: true, heartbeat: HEARTBEAT }
    }

    /// What to send next; waits for it.
    pub async fn next(mut self) -> (Self, String) {
        if std::mem::take(&mut self.is_new) {
            // Whoever is cut off before the first event knows where to go on.
            let id = self.feed.id(self.cursor.load(Ordering::Relaxed) - 1);
            return (self, format!("retry: {RETRY_MS}\nid: {id}\n\n"));
        }
        loop {
            self.news.mark_unchanged();
            let (text, is_all) = self.take();
            if !text.is_empty() {
                return (self, text);
            }
            if !is_all {
                tokio::task::consume_budget().await;
                continue;
            }
            if timeout(self.heartbeat, self.news.changed()).await.is_err() {
                return (self, ":\n\n".to_owned());
            }
        }
    }

    /// What there is to send, and whether it is all of it.
    fn take(&mut self) -> (String, bool) {
        let mut text = String::new();
        let mut cursor = self.cursor.load(Ordering::Relaxed);
        let ring = self.feed.ring();
        let missed = ring.oldest().saturating_sub(cursor);
        if missed > 0 {
            cursor = ring.oldest();
            self.feed.missed.fetch_add(missed, Ordering::Relaxed);
            // Writing to a string cannot fail.
            let _ = write!(text, "event: dropped\ndata: {}\n\n", (self.feed.missing)(missed));
        }
        let seen = usize::try_from(cursor - ring.oldest()).unwrap_or(usize::MAX);
        for told in ring.told.iter().skip(seen).take(SCANNED) {
            if text.len() >= PORTION {
                break;
            }
            cursor = told.number + 1;
            if self.wanted.wants(told) {
                let id = self.feed.id(told.number);
                self.feed.sent.fetch_add(1, Ordering::Relaxed);
                let _ = write!(text, "id: {id}\nevent: {}\ndata: {}\n\n", told.kind, told.line);
            }
        }
        let is_all = cursor == ring.next;
        drop(ring);
        self.cursor.store(cursor, Ordering::Relaxed);
        (text, is_all)
    }
}

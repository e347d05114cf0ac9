//! Somebody who follows a table, as server-sent events.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Asked, State, Table};

/// Silence after which a follower is told that there is nothing to tell: whatever stands between may
/// close what looks idle.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Milliseconds until a follower that was cut off comes back.
const RETRY_MS: u32 = 2_000;

/// Somebody who follows a table.
pub struct Follower {
    table: Arc<Table>,
    asked: Asked,
    news: watch::Receiver<u64>,
    /// What it was told so far; nothing yet.
    told: Option<SoFar>,
    pub(super) heartbeat: Duration,
}

/// What a follower was told.
struct SoFar {
    /// All changes up to this one are told.
    cursor: u64,
    /// The number that it knows. It is that of the table, unless changes are hidden from it: what it may not
    /// see leaves no gap, which it would take for something that got lost.
    number: u64,
    /// The policies that it knows.
    known: BTreeSet<String>,
}

impl Follower {
    pub(super) fn new(table: Arc<Table>, asked: Asked) -> Self {
        let news = table.news.subscribe();
        Self { table, asked, news, told: None, heartbeat: HEARTBEAT }
    }

    /// What to send next; waits for it.
    pub async fn next(mut self) -> (Self, String) {
        loop {
            self.news.mark_unchanged();
            let text = self.take();
            if !text.is_empty() {
                return (self, text);
            }
            if timeout(self.heartbeat, self.news.changed()).await.is_err() {
                return (self, ":\n\n".to_owned());
            }
        }
    }

    /// What there is to send.
    fn take(&mut self) -> String {
        let state = self.table.state();
        let sequence = state.sequence;
        let known = self.told.take().and_then(|mut so_far| {
            let text = changes(&state, &self.asked, &mut so_far)?;
            Some((text, so_far))
        });
        if let Some((text, so_far)) = known {
            self.told = Some(SoFar { cursor: sequence, ..so_far });
            return text;
        }
        let wanted = state.rows.iter().filter(|(_, row)| self.asked.wants(row));
        let known = wanted.map(|(_, row)| row.policy.clone()).collect();
        self.told = Some(SoFar { cursor: sequence, number: sequence, known });
        drop(state);
        let document = self.table.document(&self.asked);
        format!("retry: {RETRY_MS}\nevent: table\ndata: {document}\n\n")
    }
}

/// What has changed since; none where it cannot be told change by change.
fn changes(state: &State, asked: &Asked, so_far: &mut SoFar) -> Option<String> {
    let mut text = String::new();
    for (number, policy) in state.behind(so_far.cursor)? {
        let shown = if asked.scope.is_some() { so_far.number + 1 } else { number };
        // Writing to a string cannot fail.
        let _ = match state.row(policy).filter(|(_, row)| asked.wants(row)) {
            Some((latest, row)) if *latest == number => {
                so_far.known.insert(policy.clone());
                so_far.number = shown;
                write!(text, "event: path\ndata: {}\n\n", asked.numbered(row, shown))
            }
            // Told with its latest change; whoever wants all of them would find one missing.
            Some(_) if asked.is_all() => return None,
            Some(_) => Ok(()),
            None if so_far.known.remove(policy) => {
                so_far.number = shown;
                let policy = serde_json::Value::from(policy.as_str());
                let told = format!("{{\"policy\":{policy},\"sequence\":{shown}}}");
                write!(text, "event: removed\ndata: {told}\n\n")
            }
            None if asked.is_all() => return None,
            None => Ok(()),
        };
    }
    Some(text)
}

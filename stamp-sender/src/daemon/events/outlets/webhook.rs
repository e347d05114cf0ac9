//! Events in batches, by POST, again and again until they are taken.

mod batch;

use std::time::Duration;

use stamp_metrics::http::client::{Client, ClientError};
use tokio::time::{Instant, sleep, timeout_at};

use super::super::queue::Next;
use super::Station;
use crate::daemon::config::Webhook;
use crate::pause::{PAUSES, pause};
use crate::token;
use batch::{Batch, Envelope};

/// Octets of an answer that are read; nobody looks at them.
const ANSWER: usize = 64 * 1024;

/// One webhook.
pub(super) struct Task {
    station: Station<Webhook>,
    envelope: Envelope,
    /// Events that it never got, and was not told so.
    lost: u64,
    /// The latest request was not taken.
    failing: bool,
    /// First and longest pause between two attempts.
    pauses: (Duration, Duration),
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    File(String),
    #[error("{0}")]
    Server(#[from] ClientError),
}

impl Failure {
    /// How long the server wants to be left alone.
    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server(ClientError::Status { retry_after, .. }) => *retry_after,
            _ => None,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Taken,
    /// It may be taken another time.
    Again,
    /// It never will be.
    Refused,
}

impl Verdict {
    fn of(answer: &Result<Vec<u8>, Failure>) -> Self {
        match answer {
            // An answer that is too long says that all went well before.
            Ok(_) | Err(Failure::Server(ClientError::Size(_))) => Self::Taken,
            Err(Failure::Server(ClientError::Status { status, .. })) => match status.as_u16() {
                // What either end can mend: a token, an address, load, trouble.
                401 | 403 | 404 | 407 | 408 | 425 | 429 | 500.. => Self::Again,
                _ => Self::Refused,
            },
            Err(_) => Self::Again,
        }
    }
}

impl Task {
    pub(super) fn new(station: Station<Webhook>) -> Self {
        Self { station, envelope: Envelope::new(), lost: 0, failing: false, pauses: PAUSES }
    }

    /// Until the control side has let go and everything is told.
    pub(super) async fn run(mut self) {
        while let Some(batch) = self.collect().await {
            self.deliver(&batch).await;
        }
    }

    /// The events that go together: those that come soon after the first.
    async fn collect(&mut self) -> Option<Batch> {
        let (name, every, most) = {
            let config = self.station.config.borrow();
            (config.name.clone(), config.every, config.most)
        };
        let mut batch = Batch::new(name);
        let mut end = None;
        while batch.len() < most {
            let next = self.station.inbox.next();
            let next = match end {
                None => next.await,
                Some(end) => match timeout_at(end, next).await {
                    Ok(next) => next,
                    Err(_) => break,
                },
            };
            let Some(next) = next else { break };
            batch.miss(std::mem::take(&mut self.lost));
            match next {
                Next::Told(told) => batch.add(told),
                Next::Missing(count) => batch.miss(count),
                Next::Nudge => {}
            }
            end = end.or_else(|| Some(Instant::now() + every));
        }
        (batch.len() > 0).then_some(batch)
    }

    async fn deliver(&mut self, batch: &Batch) {
        let id = self.envelope.next();
        let begun = Instant::now();
        for attempt in 1_u32.. {
            let config = self.station.config.borrow_and_update().clone();
            let answer = post(&config, self.envelope.body(&id, attempt, batch)).await;
            let verdict = Verdict::of(&answer);
            if verdict == Verdict::Taken {
                if std::mem::take(&mut self.failing) {
                    tracing::info!(webhook = config.name, "events are taken again");
                }
                self.station.counts.delivered(batch.events());
                return;
            }
            self.station.counts.went_wrong();
            let asked = answer.as_ref().err().and_then(Failure::retry_after);
            let reason = answer.err().map(|error| error.to_string()).unwrap_or_default();
            if !std::mem::replace(&mut self.failing, true) {
                tracing::warn!(webhook = config.name, reason, "events are not taken");
            }
            let pause =
                pause(self.pauses, attempt, crate::random::u64()).max(asked.unwrap_or_default());
            let is_over = verdict == Verdict::Refused || begun.elapsed() + pause > config.retry;
            if is_over || !self.rest(pause).await {
                let events = batch.events();
                tracing::error!(webhook = config.name, events, reason, "events are given up");
                self.lost = self.lost.saturating_add(events).saturating_add(batch.missing());
                self.station.counts.failed(events);
                return;
            }
        }
    }

    /// Waits, or until it is configured otherwise; whether the end is not near.
    async fn rest(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = sleep(pause) => true,
            Ok(()) = self.station.config.changed() => true,
            _ = self.station.closes.changed() => false,
        }
    }
}

async fn post(config: &Webhook, body: String) -> Result<Vec<u8>, Failure> {
    let url = config.address.now().map_err(Failure::File)?;
    let token = token::read(config.token_file.as_ref()).map_err(Failure::File)?;
    let ca_file = config.ca_file.clone();
    let client = Client { ca_file, token, time: config.timeout, octets: ANSWER };
    Ok(client.post(&url, body).await?)
}

#[cfg(test)]
pub(super) mod tests;

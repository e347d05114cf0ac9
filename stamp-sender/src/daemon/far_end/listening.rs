//! A task that listens to one Session-Reflector.

use std::time::Duration;

use stamp_metrics::http::client::Client;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Told, Word, told};
use crate::daemon::config::Reflector;
use crate::pause::pause;
use crate::server_events::EventReader;
use crate::token;

/// What is asked for.
const PATH: &str = "/api/v1/events?type=state&type=one_way";
/// How long it may be silent: it says four times in between that there is nothing to say.
const SILENCE: Duration = Duration::from_secs(60);
/// First and longest pause before it is asked again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listening {
    /// Begins to listen, and hands over what is told.
    pub(super) fn begin(reflector: Reflector, words: Sender<(Reflector, Word)>) -> Self {
        Self(tokio::spawn(listen(reflector, words)))
    }
}

async fn listen(reflector: Reflector, words: Sender<(Reflector, Word)>) {
    let mut attempts = 0;
    loop {
        let mut hearing = Hearing::new(&reflector, &words);
        let reason = match client(&reflector, SILENCE, usize::MAX) {
            Ok(client) => {
                let url = reflector.url.below(PATH);
                let followed =
                    client.follow(&url, "text/event-stream", |piece| hearing.take(piece)).await;
                match followed {
                    Ok(()) => "it ended the connection".to_owned(),
                    Err(error) => error.to_string(),
                }
            }
            Err(reason) => reason,
        };
        // Whoever was heard is looked for at once.
        attempts = if hearing.is_heard { 1 } else { attempts + 1 };
        if attempts == 1 && words.send((reflector.clone(), Word::Unheard(reason))).await.is_err() {
            return;
        }
        sleep(pause(PAUSES, attempts, crate::random::u64())).await;
    }
}

/// Whoever asks it, with the time that one answer may take and how long it may be.
pub(super) fn client(
    reflector: &Reflector,
    time: Duration,
    octets: usize,
) -> Result<Client, String> {
    let token = token::read(reflector.token_file.as_ref())?;
    Ok(Client { ca_file: reflector.ca_file.clone(), token, time, octets })
}

/// What comes over one connection.
struct Hearing<'w> {
    reflector: &'w Reflector,
    words: &'w Sender<(Reflector, Word)>,
    reader: EventReader,
    is_heard: bool,
    /// Something found no place, and nobody knows yet.
    has_gap: bool,
}

impl<'w> Hearing<'w> {
    fn new(reflector: &'w Reflector, words: &'w Sender<(Reflector, Word)>) -> Self {
        let reader = EventReader::default();
        Self { reflector, words, reader, is_heard: false, has_gap: false }
    }

    fn take(&mut self, piece: &[u8]) {
        if !self.is_heard {
            self.is_heard = true;
            self.hand_over(Word::Heard);
        }
        let Ok(events) = self.reader.take(piece) else {
            self.has_gap = true;
            self.reader = EventReader::default();
            return;
        };
        for event in events {
            match told::read(&event.name, &event.data) {
                Ok(told) => told.into_iter().for_each(|told| self.hand_over(Word::Told(told))),
                Err(error) => {
                    let url = self.reflector.url.text();
                    tracing::debug!(url, %error, event = event.name, "not understood");
                    self.has_gap = true;
                }
            }
        }
    }

    /// Never waits: what finds no place is a gap.
    fn hand_over(&mut self, word: Word) {
        let send = |word| self.words.try_send((self.reflector.clone(), word)).is_ok();
        if self.has_gap {
            self.has_gap = !send(Word::Told(Told::Gap));
        }
        if self.has_gap || !send(word) {
            self.has_gap = true;
        }
    }
}

//! Hears of the table of a daemon: the whole of it, then what changes; after a gap or a lost connection
//! the whole of it again.

use std::sync::Arc;
use std::time::Duration;

use stamp_metrics::http::client::{Client, ClientError, Url};
use tokio::sync::watch;
use tokio::time::sleep;

use super::config::Source;
use super::table::{Table, TableError};
use crate::pause::pause;
use crate::server_events::{EventReader, ServerEvent, TooLong};

/// Where a daemon tells it.
const PATH: &str = "/api/v1/paths";
/// How long a daemon may be silent: it says four times in between that there is nothing to say.
const SILENCE: Duration = Duration::from_secs(60);
/// First and longest pause before it is asked again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Octets of a table that is asked for once.
const OCTETS: usize = 64 << 20;

/// What is known of a daemon's choice.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its table; what was known last where it is not heard any more.
    pub table: Option<Arc<Table>>,
    /// Why it is not heard, where it is not.
    pub trouble: Option<String>,
}

/// Why a table came to its end.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The line.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was said over it.
    #[error(transparent)]
    Table(#[from] TableError),
    /// It never ended.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The daemon has gone, or has so many listeners that it let this one go.
    #[error("the daemon ended the connection")]
    Ended,
}

/// The table as it is now.
///
/// # Errors
///
/// [`FollowError`].
pub async fn once(source: &Source) -> Result<Table, FollowError> {
    let client = client(source)?;
    let octets = client.get(&address(source), "application/json").await?;
    Ok(Table::read(&String::from_utf8_lossy(&octets))?)
}

/// Keeps `known` right, until nobody looks at it any more.
pub async fn follow(source: Source, known: watch::Sender<Known>) {
    for attempts in 1_u32.. {
        let heard_before = known.borrow().table.clone();
        let error = listen(&source, &known).await;
        let is_news = known.borrow().table != heard_before;
        known.send_modify(|it| it.trouble = Some(error.to_string()));
        // Whoever was heard is looked for at once.
        let attempts = if is_news { 1 } else { attempts };
        tokio::select! {
            () = sleep(pause(PAUSES, attempts, crate::random::u64())) => {}
            () = known.closed() => return,
        }
    }
}

/// Until the line breaks, with the reason.
async fn listen(source: &Source, known: &watch::Sender<Known>) -> FollowError {
    let client = match client(source) {
        Ok(client) => client,
        Err(error) => return error,
    };
    let (mut reader, mut table, mut broken) = (EventReader::default(), None, None);
    let (stop, mut stopped) = watch::channel(());
    let take = |piece: &[u8]| {
        if broken.is_some() {
            return;
        }
        let taken = reader.take(piece).map_err(FollowError::from).and_then(|events| {
            let mut is_news = false;
            for event in &events {
                is_news |= understand(event, &mut table)?;
            }
            Ok(is_news)
        });
        match taken {
            Ok(false) => {}
            Ok(true) => {
                let table = table.clone().map(Arc::new);
                known.send_modify(|it| *it = Known { table, trouble: None });
            }
            Err(error) => {
                broken = Some(error);
                let _ = stop.send(());
            }
        }
    };
    let address = address(source);
    let ended = tokio::select! {
        ended = client.follow(&address, "text/event-stream", take) => ended,
        _ = stopped.changed() => Ok(()),
        () = known.closed() => Ok(()),
    };
    match (broken, ended) {
        (Some(error), _) => error,
        (None, Err(error)) => error.into(),
        (None, Ok(())) => FollowError::Ended,
    }
}

/// Takes an event; whether the table is another.
fn understand(event: &ServerEvent, table: &mut Option<Table>) -> Result<bool, TableError> {
    match (event.name.as_str(), table.as_mut()) {
        ("table", _) => *table = Some(Table::read(&event.data)?),
        ("path", Some(table)) => table.change(&event.data)?,
        ("removed", Some(table)) => table.remove(&event.data)?,
        // A change of what is not known yet, and what a later daemon may tell.
        _ => return Ok(false),
    }
    Ok(true)
}

fn address(source: &Source) -> Url {
    source.url.below(PATH)
}

/// How it is asked.
///
/// # Errors
///
/// When the token cannot be read.
pub fn client(source: &Source) -> Result<Client, FollowError> {
    // Read each time: it may be another by now.
    let token = source.token_file.as_ref().map(std::fs::read_to_string).transpose();
    let token = token.map_err(ClientError::from)?.map(|token| token.trim().to_owned());
    Ok(Client { ca_file: source.ca_file.clone(), token, time: SILENCE, octets: OCTETS })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table::tests::{list, path, table};
    use super::*;

    fn event(name: &str, data: &str) -> ServerEvent {
        ServerEvent { name: name.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn a_table_is_followed_through_its_changes() {
        let (mut known, over) = (None, |sid: &str| path("a", &json!([list("a", 1, &[sid])])));
        let early = event("removed", r#"{"policy":"a","sequence":3}"#);
        assert_eq!(understand(&early, &mut known), Ok(false), "of what is not known");
        let whole = event("table", &table(3, &[over("fc00::1")]));
        assert_eq!(understand(&whole, &mut known), Ok(true));
        let mut changed = over("fc00::2");
        changed["sequence"] = 4.into();
        assert_eq!(understand(&event("path", &changed.to_string()), &mut known), Ok(true));
        assert_eq!(understand(&event("later", "{}"), &mut known), Ok(false));
        let now = known.clone().unwrap();
        assert_eq!((now.sequence, &now.paths[0].object), (4, &over("fc00::2")));
        let gap = understand(&event("removed", r#"{"policy":"a","sequence":6}"#), &mut known);
        assert_eq!(gap, Err(TableError::Gap { known: 4, got: 6 }));
        let again = event("table", &table(9, &[]));
        assert_eq!(understand(&again, &mut known), Ok(true));
        assert_eq!(known, Some(Table::read(&table(9, &[])).unwrap()));
    }
}

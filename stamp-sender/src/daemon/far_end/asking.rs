//! When a Session-Reflector saw the latest probe of each session.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;
use stamp_proto::packet::Ssid;
use tokio::sync::mpsc::Sender;

use super::listening::client;
use super::{SessionKey, Word};
use crate::daemon::config::Reflector;

/// Where it tells.
const PATH: &str = "/api/v1/sessions";
/// How long an answer may take, and how long it may be.
const ANSWER: (Duration, usize) = (Duration::from_secs(10), 512 << 20);

#[derive(Deserialize)]
struct Document {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Session {
    source: SocketAddr,
    destination: SocketAddr,
    ssid: u16,
    idle_ns: u64,
}

/// Asks once and hands over the answer; without one nothing is known, and it says so.
pub(super) async fn ask(reflector: Reflector, words: Sender<(Reflector, Word)>) {
    let answer = async {
        let client = client(&reflector, ANSWER.0, ANSWER.1)?;
        let url = reflector.url.below(PATH);
        let octets = client.get(&url, "application/json").await;
        read(&octets.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    };
    match answer.await {
        // The control side has gone.
        Ok(seen) => drop(words.send((reflector, Word::Seen(seen))).await),
        Err(reason) => {
            let url = reflector.url.text();
            tracing::warn!(url, reason, "the reflector does not say what it saw of a session");
        }
    }
}

fn read(octets: &[u8]) -> Result<Vec<(SessionKey, Duration)>, serde_json::Error> {
    let Document { sessions } = serde_json::from_slice(octets)?;
    let seen = sessions.into_iter().map(|session| {
        let source = SocketAddr::new(session.source.ip().to_canonical(), session.source.port());
        let destination = session.destination.ip().to_canonical();
        let key = SessionKey { ssid: Ssid(session.ssid), source, destination };
        (key, Duration::from_nanos(session.idle_ns))
    });
    Ok(seen.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_long_each_session_was_silent() {
        let document = br#"{ "schema_version": 1, "stateful": true, "sessions": [
            { "source": "[::ffff:192.0.2.1]:49200", "destination": "192.0.2.2:862", "ssid": 7,
              "received": 9, "idle_ns": 5000000 } ], "one_way": [] }"#;
        let seen = read(document).unwrap();
        let (key, idle) = seen[0];
        assert_eq!((key.source, key.ssid), ("192.0.2.1:49200".parse().unwrap(), Ssid(7)));
        assert_eq!((seen.len(), idle), (1, Duration::from_millis(5)));
        assert!(read(b"{}").is_err());
    }
}

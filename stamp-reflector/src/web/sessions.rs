//! Sessions over HTTP: listed for whoever may read, forgotten and drained for whoever has the control token.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use stamp_config::Setting as _;
use stamp_metrics::http::{Done, Page};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_session::clock::MonotonicTime;
use stamp_session::reflector::{OneWayView, Prefix, SessionFilter, SessionView};
use stamp_worker::reflector::ReflectorAsker;

/// Every session there is, the one seen last first.
pub(super) fn page(asker: &ReflectorAsker) -> Page {
    let counters = asker.snapshot();
    let now = stamp_worker::now();
    let clock = Clock { monotonic: now.monotonic, wall: Timestamp::now() };
    let mut sessions = asker.sessions();
    sessions.sort_by_key(|session| core::cmp::Reverse(session.last_seen));
    let mut one_way = asker.one_way();
    one_way.sort_by_key(|session| core::cmp::Reverse(session.last_seen));
    let document = json!({
        "schema_version": 1,
        "stateful": counters.session_limit > 0,
        "draining": counters.is_draining,
        "limit": counters.session_limit,
        "sessions": sessions.iter().map(|session| clock.session(session)).collect::<Vec<_>>(),
        "one_way": one_way.iter().map(|session| clock.one_way(session)).collect::<Vec<_>>(),
    });
    Page::whole("application/json", format!("{document:#}\n"))
}

/// Forgets those that a query names: `source=ADDRESS|ADDRESS:PORT|PREFIX`, `ssid=N`; all without one.
pub(super) fn forget(asker: &ReflectorAsker, query: &str) -> Done {
    let which = match filter(query) {
        Ok(which) => which,
        Err(reason) => return Done::Refused(reason),
    };
    if asker.snapshot().session_limit == 0 {
        return Done::Refused("a stateless reflector has no sessions".to_owned());
    }
    let count = asker.forget_sessions(which);
    tracing::info!(count, query, "sessions were forgotten, as was asked over HTTP");
    let plural = if count == 1 { "" } else { "s" };
    Done::Done(format!("{count} session{plural} forgotten"))
}

/// Lets no session begin, or lets them again.
pub(super) fn drain(asker: &ReflectorAsker, is_draining: bool) -> Done {
    if asker.snapshot().session_limit == 0 {
        let reason = "a stateless reflector has no sessions to drain: it answers whoever asks";
        return Done::Refused(reason.to_owned());
    }
    asker.drain(is_draining);
    let word = if is_draining {
        "no session begins from now on; those that there are go on"
    } else {
        "sessions begin again"
    };
    tracing::info!("{word}, as was asked over HTTP");
    Done::Done(word.to_owned())
}

fn filter(query: &str) -> Result<SessionFilter, String> {
    let mut filter = SessionFilter::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy();
        match key {
            "ssid" => {
                let ssid = Ssid::read(&value);
                filter.ssid = Some(ssid.ok_or_else(|| wrong("ssid", &value, Ssid::EXPECTED))?);
            }
            "source" => {
                let expected = "ADDRESS, ADDRESS:PORT or PREFIX/LENGTH";
                let (prefix, port) =
                    source(&value).ok_or_else(|| wrong("source", &value, expected))?;
                (filter.source, filter.port) = (Some(prefix), port);
            }
            _ => return Err(format!("{key}: unknown; there are source and ssid")),
        }
    }
    Ok(filter)
}

fn source(text: &str) -> Option<(Prefix, Option<u16>)> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((Prefix::host(address.ip()), Some(address.port())));
    }
    let prefix = match text.split_once('/') {
        Some((address, length)) => Prefix::new(address.parse().ok()?, length.parse().ok()?).ok()?,
        None => Prefix::host(text.parse::<IpAddr>().ok()?),
    };
    Some((prefix, None))
}

fn wrong(key: &str, value: &str, expected: &str) -> String {
    format!("{key} = {value}: expected {expected}")
}

/// What the time is, so that times before can be told as people write them.
struct Clock {
    monotonic: MonotonicTime,
    wall: Timestamp,
}

impl Clock {
    fn session(&self, session: &SessionView) -> Value {
        json!({
            "source": session.source,
            "destination": session.destination,
            "ssid": session.ssid.0,
            "authentication": match session.mode {
                AuthenticationMode::Unauthenticated => "unauthenticated",
                AuthenticationMode::Authenticated => "authenticated",
            },
            "key": session.key.map(|key| key.0),
            "received": session.received,
            "next_sequence": session.next_sequence,
            "created": self.time(session.created),
            "last_seen": self.time(session.last_seen),
            "idle_ns": self.monotonic.since(session.last_seen).as_nanos(),
        })
    }

    fn one_way(&self, session: &OneWayView) -> Value {
        json!({
            "source": session.source,
            "ssid": session.ssid.0,
            "received": session.received,
            "last_seen": self.time(session.last_seen),
        })
    }

    /// RFC 3339; none where it lies before what clocks can tell.
    fn time(&self, at: MonotonicTime) -> Option<String> {
        let before = jiff::SignedDuration::try_from(self.monotonic.since(at)).ok()?;
        Some(format!("{:.9}", self.wall.checked_sub(before).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_sessions() {
        let all = filter("").unwrap();
        assert_eq!(all, SessionFilter::default());
        let one = filter("source=[2001:db8::1]:4000&ssid=7").unwrap();
        assert_eq!((one.port, one.ssid), (Some(4000), Some(Ssid(7))));
        assert_eq!(filter("source=%5B2001%3Adb8::1%5D:4000&ssid=7").unwrap(), one);
        let net = filter("source=192.0.2.0/24").unwrap().source.unwrap();
        assert!(net.contains("192.0.2.9".parse().unwrap()));
        assert_eq!(filter("source=192.0.2.9").unwrap().source.unwrap().length(), 32);
    }

    #[test]
    fn what_is_wrong_with_a_query_is_told() {
        for (query, expected) in [
            ("ssid=0", "ssid = 0: expected an SSID from 1 to 65535"),
            ("source=a", "source = a: expected ADDRESS, ADDRESS:PORT or PREFIX/LENGTH"),
            ("source=192.0.2.1/24", "source = 192.0.2.1/24: expected ADDRESS"),
            ("port=7", "port: unknown; there are source and ssid"),
        ] {
            let told = filter(query).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}

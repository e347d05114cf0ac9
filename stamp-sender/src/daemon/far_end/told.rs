//! What a Session-Reflector tells, read from its lines.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use stamp_proto::packet::Ssid;
use stamp_proto::time::WallTime;
use stamp_session::clock::ClockState;
use stamp_session::sender::ReportedArrival;

use super::Missed;

/// One thing that is told.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::daemon) enum Told {
    /// Probes of a session do not arrive any more, or do again.
    State {
        /// The session.
        of: SessionKey,
        /// They do not.
        is_down: bool,
        /// Those that are missing, or the one that came.
        missed: Missed,
    },
    /// Probes that want no reply arrived.
    Arrivals {
        /// The session.
        of: SessionKey,
        /// Each of them.
        arrivals: Vec<ReportedArrival>,
    },
    /// Some things were not told.
    Gap,
}

/// What a session is known by at its far end.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::daemon) struct SessionKey {
    pub(in crate::daemon) ssid: Ssid,
    /// Whence its probes come, as the far end sees it.
    pub(in crate::daemon) source: SocketAddr,
    /// Where they arrive.
    pub(in crate::daemon) destination: IpAddr,
}

#[derive(Deserialize)]
struct Ends {
    ssid: u16,
    source: IpAddr,
    source_port: u16,
    destination: IpAddr,
}

#[derive(Deserialize)]
struct State {
    #[serde(flatten)]
    ends: Ends,
    to: String,
    value: Option<i64>,
    sequences: Option<(u32, u32)>,
}

#[derive(Deserialize)]
struct OneWay {
    #[serde(flatten)]
    ends: Ends,
    clock_synchronized: bool,
    #[serde(default)]
    missing: u64,
    arrivals: Vec<(u32, Option<i64>, i64)>,
}

impl From<Ends> for SessionKey {
    fn from(ends: Ends) -> Self {
        Self {
            ssid: Ssid(ends.ssid),
            source: SocketAddr::new(ends.source.to_canonical(), ends.source_port),
            destination: ends.destination.to_canonical(),
        }
    }
}

/// What an event of this kind says; nothing where it concerns nobody here.
///
/// # Errors
///
/// When it is not what a Session-Reflector writes.
pub(super) fn read(kind: &str, line: &str) -> Result<Vec<Told>, serde_json::Error> {
    match kind {
        "state" => {
            let State { ends, to, value, sequences } = serde_json::from_str(line)?;
            let is_down = to == "down";
            let of = ends.into();
            Ok(vec![Told::State { of, is_down, missed: Missed { count: value, sequences } }])
        }
        "one_way" => {
            let OneWay { ends, clock_synchronized, missing, arrivals } =
                serde_json::from_str(line)?;
            let clock = ClockState { synchronized: clock_synchronized, ..ClockState::UNKNOWN };
            let arrivals = arrivals.into_iter().filter_map(|(sequence, sent, received)| {
                let probe_received = WallTime::from_unix_ns(received);
                // Without T1 nobody can tell whose probe it was.
                let probe_sent = WallTime::from_unix_ns(sent?);
                Some(ReportedArrival { sequence, probe_sent, probe_received, clock })
            });
            let told = Told::Arrivals { of: ends.into(), arrivals: arrivals.collect() };
            let gap = (missing > 0).then_some(Told::Gap);
            Ok(std::iter::once(told).chain(gap).collect())
        }
        "dropped" => Ok(vec![Told::Gap]),
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: &str = "\"ssid\":7,\"source\":\"192.0.2.1\",\"source_port\":49200,\
                        \"destination\":\"192.0.2.2\",\"destination_port\":862";

    fn key() -> SessionKey {
        SessionKey {
            ssid: Ssid(7),
            source: "192.0.2.1:49200".parse().unwrap(),
            destination: "192.0.2.2".parse().unwrap(),
        }
    }

    #[test]
    fn a_session_that_went_down_is_known_by_its_ends() {
        let line = format!(
            "{{\"type\":\"state\",{ENDS},\"direction\":\"forward\",\"from\":\"up\",\"to\":\"down\",\
             \"value\":3,\"limit\":3,\"sequences\":[21,23],\"reason\":\"probes_missing\"}}"
        );
        let down = Told::State {
            of: key(),
            is_down: true,
            missed: Missed { count: Some(3), sequences: Some((21, 23)) },
        };
        assert_eq!(read("state", &line).unwrap(), [down]);
    }

    #[test]
    fn arrivals_without_t1_are_nobodys_and_what_is_missing_is_a_gap() {
        let line = format!(
            "{{\"type\":\"one_way\",{ENDS},\"clock_synchronized\":true,\"missing\":2,\
             \"arrivals\":[[1,1000,1050],[2,null,1052]]}}"
        );
        let told = read("one_way", &line).unwrap();
        let [Told::Arrivals { of, arrivals }, Told::Gap] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert_eq!((*of, arrivals.len()), (key(), 1));
        assert_eq!(arrivals[0].probe_received, WallTime::from_unix_ns(1_050));
        assert!(arrivals[0].clock.synchronized && arrivals[0].clock.error_bound_ns.is_none());
    }

    #[test]
    fn what_is_something_else_is_left_alone_or_refused() {
        assert_eq!(read("later", "{}").unwrap(), []);
        assert_eq!(read("dropped", "{}").unwrap(), [Told::Gap]);
        assert!(read("state", "{}").is_err());
        assert!(read("one_way", "[]").is_err());
    }
}

//! The member links of a LAG beside each other: which one is bad.

use std::fmt::Write as _;

use stamp_session::snapshot::{SessionSnapshot, SessionState};

use super::SMALLEST_GAP_NS;
use crate::explain::percent;
use crate::happening::SessionInfo;
use crate::output::duration::{delay, delay_or_dash};

/// A member loses more than the others when it loses so much more of what it sent.
const LOSS_APART: f64 = 0.005;

/// A row for each member, and what stands out.
pub(super) fn lag(infos: &[SessionInfo], sessions: &[SessionSnapshot]) -> String {
    let mut text = format!(
        "{:<44}{:>12}{:>12}{:>12}{:>9}\n",
        "per member", "forward", "backward", "round trip", "lost"
    );
    let both = || infos.iter().zip(sessions);
    for (info, session) in both() {
        let middle = |summary: Option<i64>| delay_or_dash(summary);
        let p50 = [&session.delay.forward, &session.delay.backward, &session.delay.round_trip]
            .map(|summary| middle(summary.p50.map(|delta| delta.ns())));
        let [forward, backward, round_trip] = p50;
        let lost = session.packets.loss_ratio().map_or_else(|| "-".to_owned(), percent);
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{:<44}{forward:>12}{backward:>12}{round_trip:>12}{lost:>9}", info.name);
    }
    let bad: Vec<String> =
        both().filter_map(|(info, session)| bad(info, session, infos, sessions)).collect();
    match bad.is_empty() {
        true => text.push_str("No member stands out.\n"),
        false => bad.iter().for_each(|line| text.push_str(line)),
    }
    text
}

/// What is wrong with a member that fares worse than the best of the same host.
fn bad(
    info: &SessionInfo,
    session: &SessionSnapshot,
    infos: &[SessionInfo],
    sessions: &[SessionSnapshot],
) -> Option<String> {
    let same =
        infos.iter().zip(sessions).filter(|(other, _)| other.target_text == info.target_text);
    let others: Vec<&SessionSnapshot> = same.map(|(_, session)| session).collect();
    let least = |of: &dyn Fn(&SessionSnapshot) -> Option<f64>| {
        others.iter().filter_map(|session| of(session)).min_by(f64::total_cmp)
    };
    let member = info.member.as_deref()?;
    if session.packets.received == 0 && session.state != SessionState::Up {
        return Some(format!("{member} is bad: nothing came back over it.\n"));
    }
    let loss = |session: &SessionSnapshot| session.packets.loss_ratio();
    let (own, best) = (loss(session)?, least(&loss)?);
    if own > best + LOSS_APART {
        let way = way(session).map_or_else(String::new, |way| format!(", {way}"));
        return Some(format!(
            "{member} is bad: it loses {}{way}, and the best member {}.\n",
            percent(own),
            percent(best)
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "delays far below 2^53 ns")]
    let middle =
        |session: &SessionSnapshot| session.delay.round_trip.p50.map(|p50| p50.ns() as f64);
    let (own, best) = (middle(session)?, least(&middle)?);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a delay")]
    let slower = (own > best * 1.5 && own > best + SMALLEST_GAP_NS as f64).then(|| {
        format!(
            "{member} is slow: {} where the best member has {}.\n",
            delay(own as i64),
            delay(best as i64)
        )
    });
    slower
}

/// The way on which nearly all was lost, where that is known.
fn way(session: &SessionSnapshot) -> Option<&'static str> {
    let lost = session.packets.lost;
    match (lost.forward?, lost.backward?) {
        (forward, 0) if forward > 0 => Some("all of it there"),
        (0, backward) if backward > 0 => Some("all of it back"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use stamp_proto::packet::Ssid;
    use stamp_proto::time::TimeDelta;
    use stamp_session::clock::MonotonicTime;
    use stamp_session::sender::{Sender, SenderConfig};
    use stamp_session::statistics::DelaySummary;

    use super::*;

    /// A member with this median of the round trip, and so many of 100 probes lost there.
    fn member(name: &str, round_trip_us: i64, lost: u64) -> (SessionInfo, SessionSnapshot) {
        let config = SenderConfig::new(([192, 0, 2, 2], 862).into(), Ssid(1));
        let socket = crate::setup::SocketFacts {
            source: ([192, 0, 2, 1], 49_200).into(),
            path_mtu: None,
            largest_payload: None,
        };
        let info = SessionInfo {
            member: Some(name.to_owned()),
            ..crate::setup::info("far", &[], socket, &config)
        };
        let sender = Sender::new(config, MonotonicTime::ZERO).expect("a configuration");
        let mut snapshot = sender.snapshot();
        snapshot.packets.received = 100 - lost;
        snapshot.packets.lost.round_trip = lost;
        snapshot.packets.lost.forward = Some(lost);
        snapshot.packets.lost.backward = Some(0);
        let p50 = Duration::from_micros(round_trip_us.unsigned_abs());
        let p50 = TimeDelta::from_ns(i64::try_from(p50.as_nanos()).expect("a delay"));
        snapshot.delay.round_trip = DelaySummary { p50: Some(p50), ..DelaySummary::default() };
        (info, snapshot)
    }

    fn text(members: [(SessionInfo, SessionSnapshot); 2]) -> String {
        let (infos, sessions): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        lag(&infos, &sessions)
    }

    #[test]
    fn members_that_fare_alike_are_all_good() {
        let report = text([member("eth1", 100, 1), member("eth2", 120, 1)]);
        assert!(report.ends_with("No member stands out.\n"), "{report}");
        assert_eq!(report.lines().count(), 4, "{report}");
    }

    #[test]
    fn the_member_that_loses_is_named_with_the_way() {
        let report = text([member("eth1", 100, 0), member("eth2", 100, 9)]);
        let verdict = "eth2 is bad: it loses 9.0%, all of it there, and the best member 0%.\n";
        assert!(report.ends_with(verdict), "{report}");
        let silent = text([member("eth1", 100, 0), member("eth2", 100, 100)]);
        assert!(silent.ends_with("eth2 is bad: nothing came back over it.\n"), "{silent}");
    }

    #[test]
    fn a_slow_member_is_named_beside_the_best() {
        let report = text([member("eth1", 900, 0), member("eth2", 300, 0)]);
        assert!(
            report.ends_with("eth1 is slow: 900us where the best member has 300us.\n"),
            "{report}"
        );
    }
}

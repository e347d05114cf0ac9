//! Statistics that can be read at three in the morning.

mod forwarding;
mod one_way;

use core::fmt;
use core::time::Duration;

use stamp_config::quantity::print_duration;
use stamp_session::clock::MonotonicTime;
use stamp_session::reflector::{DropReason, LoopRule, OneWayView, ReflectorSnapshot, SessionView};

use crate::config::LogFormat;
use crate::node::NodeStatistics;
use crate::terminal;

/// Sessions that are listed; there may be tens of thousands.
const LISTED_SESSIONS: usize = 20;

/// What there is to tell, at one moment.
#[derive(Debug)]
pub(crate) struct Statistics {
    /// When this is.
    pub(crate) now: MonotonicTime,
    /// Time since the start.
    pub(crate) uptime: Duration,
    /// Counters of all workers.
    pub(crate) counters: ReflectorSnapshot,
    /// Probes that the receive queues of this host dropped, on top of those received.
    pub(crate) queue_drops: u64,
    /// Probes a second lately, when that is known.
    pub(crate) lately_pps: Option<f64>,
    /// Live sessions, most recently seen first.
    pub(crate) sessions: Vec<SessionView>,
    /// Sessions whose probes want no reply, most recently seen first.
    pub(crate) one_way: Vec<OneWayView>,
    /// Messages about events that were not written.
    pub(crate) events_lost: u64,
    /// What was forwarded, where anything is to be.
    pub(crate) node: Option<NodeStatistics>,
}

impl Statistics {
    /// Writes to standard error: lines for people, or log events for machines.
    pub(crate) fn write(&self, format: LogFormat) {
        match format {
            LogFormat::Text => terminal::error_text(&self.to_string()),
            LogFormat::Json => self.log(),
        }
    }

    fn log(&self) {
        let counters = &self.counters;
        tracing::info!(
            uptime_s = self.uptime.as_secs(),
            received = counters.received,
            answered = counters.reflected(),
            dropped = counters.dropped_total(),
            queue_drops = self.queue_drops,
            sessions = counters.sessions,
            session_limit = counters.session_limit,
            sessions_expired = counters.sessions_expired,
            rebindings = counters.rebindings,
            sender_restarts = counters.sender_restarts,
            leaked = counters.leaked,
            events_lost = self.events_lost + counters.events_lost,
            "statistics"
        );
        one_way::log(&self.one_way);
        for (reason, count) in self.drops() {
            tracing::info!(reason = reason.label(), count, hint = hint(reason), "dropped");
        }
        if let Some(node) = &self.node {
            node.log();
        }
    }

    fn drops(&self) -> Vec<(DropReason, u64)> {
        let mut drops: Vec<(DropReason, u64)> = DropReason::ALL
            .into_iter()
            .map(|reason| (reason, self.counters.drops(reason)))
            .filter(|(_, count)| *count > 0)
            .collect();
        drops.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
        drops
    }

    fn write_drops(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, count) in self.drops() {
            writeln!(f, "    {:<14}{count:>12}  {}", reason.label(), hint(reason))?;
            if reason == DropReason::Loop {
                for rule in LoopRule::ALL {
                    let count = self.counters.loops_broken(rule);
                    if count > 0 {
                        writeln!(f, "      {:<16}{count:>8}", rule.label())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_sessions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = &self.counters;
        if counters.session_limit == 0 {
            return writeln!(f, "  sessions      none: stateless");
        }
        writeln!(
            f,
            "  sessions      {:>12}  of at most {}; {} expired, {} made room, {} changed port, {} \
             restarted",
            counters.sessions,
            counters.session_limit,
            counters.sessions_expired,
            counters.sessions_evicted,
            counters.rebindings,
            counters.sender_restarts,
        )?;
        for session in self.sessions.iter().take(LISTED_SESSIONS) {
            writeln!(
                f,
                "    {} ssid {} {}: received {}, next reply {}, last seen {} ago",
                session.source,
                session.ssid,
                session.mode,
                session.received,
                session.next_sequence,
                whole(self.now.since(session.last_seen)),
            )?;
        }
        match self.sessions.len().checked_sub(LISTED_SESSIONS) {
            Some(more) if more > 0 => writeln!(f, "    and {more} more"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = &self.counters;
        writeln!(f, "statistics of stamp-reflector after {}", whole(self.uptime))?;
        write!(f, "  received      {:>12}  ", counters.received)?;
        match self.lately_pps {
            Some(pps) => writeln!(f, "{pps:.0}/s lately, {:.0}/s over the run", self.pps())?,
            None => writeln!(f, "{:.0}/s over the run", self.pps())?,
        }
        writeln!(
            f,
            "  answered      {:>12}{}",
            counters.reflected(),
            self.share(counters.reflected())
        )?;
        let dropped = counters.dropped_total();
        writeln!(f, "  dropped       {dropped:>12}{}", self.share(dropped))?;
        self.write_drops(f)?;
        if self.queue_drops > 0 {
            writeln!(
                f,
                "  never seen    {:>12}  full receive queues of this host, no loss of the path: more \
                 --workers, or sysctl -w net.core.rmem_max=4194304",
                self.queue_drops
            )?;
        }
        self.write_sessions(f)?;
        one_way::write(&self.one_way, self.now, f)?;
        for (count, what) in [
            (
                counters.leaked,
                "answered beyond the rate limit, at random, against forged addresses",
            ),
            (counters.short_answered, "answered although shorter than the reply (TWAMP Light)"),
            (counters.synthetic_hop_limit, "answered with a made-up TTL: the kernel told none"),
            (counters.zero_multiplier, "answered although the Error Estimate was invalid"),
            (counters.one_way_untracked, "one-way probes of sessions beyond those that are kept"),
            (self.events_lost + counters.events_lost, "messages not written for lack of time"),
        ] {
            if count > 0 {
                writeln!(f, "  also          {count:>12}  {what}")?;
            }
        }
        if let Some(node) = &self.node {
            write!(f, "{node}")?;
        }
        Ok(())
    }
}

impl Statistics {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people, to three digits")]
    fn pps(&self) -> f64 {
        let seconds = self.uptime.as_secs_f64();
        if seconds > 0.0 { self.counters.received as f64 / seconds } else { 0.0 }
    }

    /// `part` of what was received, when there is anything.
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    fn share(&self, part: u64) -> String {
        match self.counters.received {
            0 => String::new(),
            received => format!("  {:.1} %", 100.0 * part as f64 / received as f64),
        }
    }
}

/// A duration without its fraction of a second.
fn whole(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return print_duration(Duration::from_secs(seconds));
    }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match hours {
        0 => format!("{minutes}m{}s", seconds % 60),
        1..48 => format!("{hours}h{minutes}m"),
        _ => format!("{}d{}h", hours / 24, hours % 24),
    }
}

/// What to do about probes that were dropped for `reason`.
const fn hint(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Malformed => "no STAMP probes: something else sends to this port",
        DropReason::Mode => "the sender uses the other mode: --auth on one end only",
        DropReason::ShortProbe => {
            "TWAMP Light probes: allow them with an [[allow]] for their prefix"
        }
        DropReason::Denied => "sources that nobody allowed: add an [[allow]]",
        DropReason::NoSession => "not a [[session]] of the file",
        DropReason::RateLimited => {
            "sources over their limit: --rate-limit PPS, or rate-limit in an [[allow]]"
        }
        DropReason::Overload => "all sources together over the limit: --total-rate-limit PPS",
        DropReason::Ttl => "from further away than --ttl-floor allows",
        DropReason::Hmac => "wrong key or corrupted: compare the key files of both ends",
        DropReason::Replay => "seen before: duplicated on the way, or recorded and sent again",
        DropReason::Loop => "replies that came in as probes: two reflectors were set on each other",
        DropReason::Capacity => "the session table is full: --session-cap N",
        DropReason::TooLarge => "larger than a jumbo frame",
        DropReason::SendError => "the reply could not be sent: no route back, or a firewall here",
        DropReason::NoReply => "one-way probes: none was asked for",
        DropReason::NotAddressed => "for nodes with other addresses: nothing is wrong here",
        DropReason::Draining => "of new sessions, while the reflector is drained",
        DropReason::WrongMember => {
            "probes for another member link: compare the cables with lag-members of both ends"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(counters: ReflectorSnapshot) -> Statistics {
        Statistics {
            now: MonotonicTime::ZERO,
            uptime: Duration::from_secs(3_723),
            counters,
            queue_drops: 0,
            lately_pps: Some(99.6),
            sessions: Vec::new(),
            one_way: Vec::new(),
            events_lost: 0,
            node: None,
        }
    }

    #[test]
    fn nothing_received_divides_by_nothing() {
        let text = statistics(ReflectorSnapshot::default()).to_string();
        let expected = "statistics of stamp-reflector after 1h2m\n  \
                        received                 0  100/s lately, 0/s over the run\n  \
                        answered                 0\n  \
                        dropped                  0\n  \
                        sessions      none: stateless\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn drops_are_listed_by_number_with_what_to_do() {
        let mut counters = ReflectorSnapshot { received: 200, answered: 100, ..Default::default() };
        counters.dropped[DropReason::Hmac.index()] = 30;
        counters.dropped[DropReason::RateLimited.index()] = 70;
        let text = statistics(counters).to_string();
        assert!(text.contains("  answered               100  50.0 %\n"), "{text}");
        let limited =
            text.find("    rate_limited            70  sources over their limit").unwrap();
        let forged = text.find("    hmac                    30  wrong key or corrupted").unwrap();
        assert!(limited < forged, "{text}");
    }

    #[test]
    fn replies_that_were_not_sent_are_dropped_and_not_answered() {
        let mut counters = ReflectorSnapshot { received: 4, answered: 4, ..Default::default() };
        counters.dropped[DropReason::SendError.index()] = 1;
        let text = statistics(counters).to_string();
        assert!(text.contains("  answered                 3  75.0 %\n"), "{text}");
        assert!(text.contains("  dropped                  1  25.0 %\n"), "{text}");
    }

    #[test]
    fn one_way_sessions_are_listed_with_the_way_here() {
        let mut told = statistics(ReflectorSnapshot::default());
        assert!(!told.to_string().contains("one-way"));
        let ns = |ns| Some(stamp_proto::time::TimeDelta::from_ns(ns));
        told.one_way.push(OneWayView {
            source: "192.0.2.1:49200".parse().unwrap(),
            ssid: stamp_proto::packet::Ssid(7),
            received: 9,
            lost: 1,
            duplicate: 0,
            min: ns(1_000_000),
            mean: ns(2_000_000),
            max: ns(-3_000_000),
            clock_synchronized: true,
            last_seen: MonotonicTime::ZERO,
        });
        let expected = "    192.0.2.1:49200 ssid 7: received 9, lost 1, duplicated 0, forward \
                        1ms/2ms/-3ms, last seen 0s ago\n";
        assert!(told.to_string().contains(expected), "{told}");
    }

    #[test]
    fn what_our_own_queues_dropped_is_told_apart() {
        let mut told = statistics(ReflectorSnapshot { received: 4, ..Default::default() });
        assert!(!told.to_string().contains("never seen"));
        told.queue_drops = 7;
        assert!(told.to_string().contains("  never seen               7  full receive queues"));
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (7_260, "2h1m"), (180_000, "2d2h")]
        {
            assert_eq!(whole(Duration::from_secs(seconds)), text);
        }
    }
}

//! What others may listen to over HTTP: sessions that go down and come up, and probes that want no reply.
//!
//! The Session-Sender of a one-way measurement knows nothing of its probes unless it is told
//! (draft-gandhi-spring-enhanced-srpm §5). They are told a tenth of a second at a time, each session in
//! a line of its own, and only while somebody listens.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use stamp_metrics::feed::Feed;
use stamp_session::reflector::OneWayArrival;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep_until};

use crate::export::{Line as _, Transition, ends};

/// Events that are kept for listeners that are slow.
const KEPT: usize = 8_192;
/// Arrivals that wait to be told: a tenth of a second of 160 000 a second.
const QUEUE: usize = 16_384;
/// How long arrivals are gathered.
const GATHERED: Duration = Duration::from_millis(100);
/// Arrivals that one line tells of at most.
const OF_A_LINE: usize = 512;

/// The packet threads' end: hands arrivals over without ever blocking, while somebody listens.
#[derive(Debug)]
pub(crate) struct Telling {
    feed: Arc<Feed>,
    arrivals: Sender<OneWayArrival>,
    lost: Arc<AtomicU64>,
}

/// The control side's end: tells them.
#[derive(Debug)]
pub(crate) struct Hearing {
    feed: Arc<Feed>,
    arrivals: Receiver<OneWayArrival>,
    lost: Arc<AtomicU64>,
    /// Of the lost, those that were told of.
    told_lost: u64,
    due: Option<Instant>,
    first: Option<OneWayArrival>,
}

/// Both ends.
pub(crate) fn hearing() -> (Telling, Hearing) {
    let feed = Arc::new(Feed::new(KEPT, dropped));
    let (sender, arrivals) = mpsc::channel(QUEUE);
    let lost = Arc::<AtomicU64>::default();
    let telling = Telling { feed: Arc::clone(&feed), arrivals: sender, lost: Arc::clone(&lost) };
    (telling, Hearing { feed, arrivals, lost, told_lost: 0, due: None, first: None })
}

/// A listener was too slow for so many.
fn dropped(count: u64) -> String {
    format!("{{\"type\":\"dropped\",\"sink\":\"sse\",\"count\":{count}}}")
}

impl Telling {
    /// A probe that wants no reply came.
    pub(crate) fn arrived(&self, arrival: &OneWayArrival) {
        if self.feed.is_heard() && self.arrivals.try_send(*arrival).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Hearing {
    /// Where it is told.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// A session went down or came up.
    pub(crate) fn transition(&self, transition: &Transition) {
        self.feed.tell("state", None, transition.line());
    }

    /// Tells what came, time and again; for as long as probes may come.
    pub(crate) async fn tell(&mut self) {
        // All that is known between two waits is kept in `self`: this may be dropped at each of them.
        loop {
            let Some(due) = self.due else {
                let Some(first) = self.arrivals.recv().await else {
                    return std::future::pending().await;
                };
                self.first = Some(first);
                self.due = Some(Instant::now() + GATHERED);
                continue;
            };
            sleep_until(due).await;
            self.due = None;
            self.tell_gathered();
        }
    }

    fn tell_gathered(&mut self) {
        let mut sessions: BTreeMap<_, Vec<OneWayArrival>> = BTreeMap::new();
        let waiting = std::iter::from_fn(|| self.arrivals.try_recv().ok());
        for arrival in self.first.take().into_iter().chain(waiting).take(QUEUE) {
            let session = (arrival.from, arrival.to, arrival.ssid, arrival.clock_synchronized);
            sessions.entry(session).or_default().push(arrival);
        }
        let lost = self.lost.load(Ordering::Relaxed);
        let missing = lost - self.told_lost;
        self.told_lost = lost;
        for arrivals in sessions.values().flat_map(|arrivals| arrivals.chunks(OF_A_LINE)) {
            if let Some(line) = line(arrivals, missing) {
                self.feed.tell("one_way", None, line);
            }
        }
    }
}

/// Arrivals of one session, each as `[sequence, T1, T2]`; times are nanoseconds since 1970 in UTC.
/// `missing` of all sessions were not told.
fn line(arrivals: &[OneWayArrival], missing: u64) -> Option<String> {
    let OneWayArrival { ssid, from, to, clock_synchronized, .. } = arrivals.first()?;
    let each: Vec<String> = arrivals
        .iter()
        .map(|arrival| {
            let sent = arrival.probe_sent.map(|sent| sent.unix_ns().to_string());
            let sent = sent.unwrap_or_else(|| "null".to_owned());
            format!("[{},{sent},{}]", arrival.sequence, arrival.probe_received.unix_ns())
        })
        .collect();
    Some(format!(
        "{{\"type\":\"one_way\",\"ssid\":{},{},\"clock_synchronized\":{clock_synchronized},\
         \"missing\":{missing},\"arrivals\":[{}]}}",
        ssid.0,
        ends(*from, *to),
        each.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use stamp_metrics::feed::Wanted;
    use stamp_proto::packet::Ssid;
    use stamp_proto::time::WallTime;

    use super::*;
    use crate::machine_format::tests::assert_valid_line;

    fn arrival(ssid: u16, sequence: u32) -> OneWayArrival {
        let at = |ns: u32| WallTime::from_unix_ns(i64::from(1_000 + ns));
        OneWayArrival {
            sequence,
            ssid: Ssid(ssid),
            from: "192.0.2.1:49200".parse().unwrap(),
            to: "192.0.2.2:862".parse().unwrap(),
            probe_sent: (sequence != 2).then(|| at(sequence)),
            probe_received: at(sequence + 50),
            clock_synchronized: true,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_in_a_tenth_of_a_second_is_one_line_of_each_session() {
        let (telling, mut hearing) = hearing();
        telling.arrived(&arrival(7, 0));
        let _listener = hearing.feed().listen(Wanted::default(), None);
        for (ssid, sequence) in [(7, 1), (9, 5), (7, 2)] {
            telling.arrived(&arrival(ssid, sequence));
        }
        let told = tokio::time::timeout(Duration::from_millis(99), hearing.tell()).await;
        assert!(told.is_err() && hearing.feed().latest(&Wanted::default(), 9).0.is_empty());
        let _ = tokio::time::timeout(Duration::from_millis(2), hearing.tell()).await;
        let (lines, _) = hearing.feed().latest(&Wanted::default(), 9);
        let lines: Vec<&str> = lines.iter().map(|told| told.line.as_str()).collect();
        lines.iter().for_each(|line| assert_valid_line(line));
        assert_eq!(
            lines,
            [
                "{\"type\":\"one_way\",\"ssid\":7,\"source\":\"192.0.2.1\",\"source_port\":49200,\
                 \"destination\":\"192.0.2.2\",\"destination_port\":862,\"clock_synchronized\":true,\
                 \"missing\":0,\"arrivals\":[[1,1001,1051],[2,null,1052]]}",
                "{\"type\":\"one_way\",\"ssid\":9,\"source\":\"192.0.2.1\",\"source_port\":49200,\
                 \"destination\":\"192.0.2.2\",\"destination_port\":862,\"clock_synchronized\":true,\
                 \"missing\":0,\"arrivals\":[[5,1005,1055]]}",
            ],
            "the first came while nobody listened"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_place_is_counted_and_told() {
        let (telling, mut hearing) = hearing();
        let _listener = hearing.feed().listen(Wanted::default(), None);
        for sequence in 0..u32::try_from(QUEUE).unwrap() + 3 {
            telling.arrived(&arrival(7, sequence));
        }
        let _ = tokio::time::timeout(Duration::from_millis(101), hearing.tell()).await;
        let (lines, _) = hearing.feed().latest(&Wanted::default(), QUEUE);
        assert_eq!(lines.len(), QUEUE / OF_A_LINE);
        assert!(lines.iter().all(|told| told.line.contains("\"missing\":3,")));
        assert_valid_line(&dropped(3));
    }
}

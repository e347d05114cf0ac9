//! What changes, told: made once, and handed to the log in words and as a line of JSON to whoever acts
//! upon it.
//!
//! No sink holds up the control side, let alone packets: each has a bounded queue and a task or thread
//! of its own.

mod file;
mod log;
mod outlets;
mod queue;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use stamp_metrics::feed::Feed;
use stamp_metrics::program::Sink;
use stamp_proto::time::WallTime;
use stamp_session::sender::SenderEvent;
use stamp_session::statistics::Reason as _;
use stamp_session::te::TeAdvertisement;
use stamp_worker::sender::Trouble;

use super::config::Notify;
use super::far_end::Verdict;
use crate::exit::Failure;
use crate::output::heard::{Tally, trouble_record};
use crate::output::ndjson::Entry;
use crate::output::ndjson::entry::Event;
use crate::output::ndjson::path::PathEntry;
use crate::output::ndjson::policy::PolicyEntry;
use crate::paths::Moved;
use file::EventFile;
use log::EventLog;
use outlets::Outlets;
use queue::Sinks;

/// Where events go.
pub struct Events {
    log: EventLog,
    file: Option<EventFile>,
    outlets: Outlets,
    feed: Arc<Feed>,
    sinks: Sinks,
}

/// Events that are kept for whoever asks, and for listeners that are slow: so many, and some more for
/// each session.
const KEPT: (usize, usize) = (8_192, 4);

impl Events {
    /// Opens the file of events, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing.
    pub fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let sinks = Sinks::default();
        let file = open_file(file, &sinks)?;
        let missing = |count| {
            let entry = Entry::dropped("sse", count, stamp_worker::now().wall);
            serde_json::to_string(&entry).unwrap_or_default()
        };
        let feed = Arc::new(Feed::new(KEPT.0, missing));
        let outlets = Outlets::new(sinks.clone());
        Ok(Self { log: EventLog::default(), file, outlets, feed, sinks })
    }

    /// What others may see of them.
    pub fn shown(&self) -> ShownEvents {
        ShownEvents { feed: Arc::clone(&self.feed), sinks: self.sinks.clone() }
    }

    /// So many sessions may tell something at once.
    pub(super) fn expect(&self, sessions: usize) {
        self.feed.keep(sessions.saturating_mul(KEPT.1).saturating_add(KEPT.0));
    }

    /// Opens another file, to be put in force with [`Self::change_file`].
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing.
    pub(super) fn prepare_file(&self, file: Option<&Path>) -> Result<Option<EventFile>, Failure> {
        open_file(file, &self.sinks)
    }

    /// Goes on with another file, or without one.
    pub(super) fn change_file(&mut self, file: Option<EventFile>) {
        self.file = file;
    }

    /// Makes sure that [`Self::notify`] cannot fail.
    ///
    /// # Errors
    ///
    /// When the kernel gives no thread.
    pub fn prepare_to_notify(&mut self, notify: &Notify) -> Result<(), Failure> {
        self.outlets.prepare(notify)
    }

    /// Tells these from now on.
    pub fn notify(&mut self, notify: &Notify) {
        self.outlets.change(notify);
    }

    /// Goes on with a file of the same name, for whoever has renamed the one before.
    pub fn reopen(&self) {
        if let Some(file) = &self.file {
            file.reopen();
        }
    }

    /// A session changed, and the policy that it belongs to if there is one.
    pub(super) fn session(
        &mut self,
        (name, policy): (&str, Option<&str>),
        event: &SenderEvent,
        tally: &Tally,
        time: WallTime,
    ) {
        self.log.write(name, event, Instant::now());
        if let Some(entry) = Entry::event(name, event, tally, time) {
            self.tell(&entry.of_policy(policy));
        }
    }

    /// A session that is down misses probes one way, as its far end tells or does not tell.
    pub(super) fn broken(
        &mut self,
        (name, policy): (&str, Option<&str>),
        Verdict { broken, missed, tally }: &Verdict,
    ) {
        self.log.broken(name, *broken, Instant::now());
        let now = stamp_worker::now();
        let entry = Entry::State(Event {
            monotonic_ns: Some(now.monotonic.ns()),
            direction: Some(broken.label().to_owned()),
            from: Some("up".to_owned()),
            to: Some("down".to_owned()),
            value: missed.and_then(|missed| missed.count),
            sequences: missed.and_then(|missed| missed.sequences),
            reason: Some(broken.reason().to_owned()),
            ..Event::new(name.to_owned(), tally, now.wall)
        });
        self.tell(&entry.of_policy(policy));
    }

    /// A policy has another state, or takes another of its candidate paths.
    pub fn policy(&mut self, entry: PolicyEntry) {
        self.log.policy(&entry, Instant::now());
        self.tell(&entry.into());
    }

    /// Traffic of a policy has moved.
    pub fn path(&mut self, moved: Moved) {
        let entry = PathEntry::from(moved);
        self.log.path(&entry, Instant::now());
        self.tell(&entry.into());
    }

    /// A value for path computation is announced, or withdrawn.
    pub(super) fn announcement(&mut self, name: &str, told: &TeAdvertisement) {
        let sub_tlv = told.sub_tlv.label();
        let reason = told.reason.label();
        tracing::debug!(session = name, sub_tlv, reason, anomalous = told.anomalous, "announced");
        self.tell(&Entry::announcement(name, told, stamp_worker::now().wall));
    }

    /// A new configuration is in force, or was refused for a reason.
    pub fn configuration(&mut self, refused: Option<&str>) {
        let to = if refused.is_some() { "refused" } else { "reloaded" };
        self.tell(&Entry::Config {
            time: stamp_worker::now().wall.into(),
            session: None,
            to: to.to_owned(),
            reason: refused.map(str::to_owned),
        });
    }

    /// Hands an event to every sink.
    fn tell(&mut self, entry: &Entry) {
        let Ok(line) = serde_json::to_string(entry) else { return };
        let told = self.feed.tell(entry.kind(), entry.session().map(str::to_owned), line);
        if let Some(file) = &self.file {
            file.offer(&told);
        }
        self.outlets.offer(&told);
    }
}

/// What others may see of events.
#[derive(Clone)]
pub struct ShownEvents {
    /// The latest, and those to come.
    pub feed: Arc<Feed>,
    sinks: Sinks,
}

impl ShownEvents {
    /// What becomes of them, by where they go.
    pub fn sinks(&self) -> Vec<Sink> {
        let mut sinks = self.sinks.all();
        sinks.push(self.feed.sink());
        sinks
    }
}

fn open_file(path: Option<&Path>, sinks: &Sinks) -> Result<Option<EventFile>, Failure> {
    let counts = sinks.of(file::NAME);
    path.map(|path| EventFile::open(path, &counts)).transpose()
}

/// Tells of a complaint; whether the session had better be opened anew.
pub(super) fn trouble(session: &str, trouble: Trouble) -> bool {
    let record = trouble_record(trouble);
    tracing::warn!(
        session,
        what = record.what,
        offender = record.offender,
        mtu = record.mtu_octets,
        "{}",
        match trouble {
            Trouble::Icmp { .. } => "an ICMP error answers a probe",
            Trouble::NotSent { .. } => "a probe was not sent",
        }
    );
    use stamp_net::SendFailure::{BadSource, InterfaceDown, NoRoute};
    matches!(trouble, Trouble::NotSent { failure: BadSource | InterfaceDown | NoRoute, .. })
}

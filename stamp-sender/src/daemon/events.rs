//! What changes, told: to the log in words, and as lines of JSON to whoever acts upon it.

mod file;

use std::path::Path;
use std::sync::Arc;

use stamp_proto::time::WallTime;
use stamp_session::sender::{SenderEvent, SessionState, ThresholdState};
use stamp_session::statistics::Reason as _;
use stamp_session::te::TeAdvertisement;
use stamp_worker::sender::Trouble;

use crate::exit::Failure;
use crate::output::duration::delay;
use crate::output::heard::{Tally, trouble_record};
use crate::output::ndjson::Entry;
pub(super) use file::Counts;
use file::EventFile;

/// Where events go.
pub(super) struct Events {
    file: Option<EventFile>,
    counts: Arc<Counts>,
}

impl Events {
    /// Opens the file of events, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing.
    pub(super) fn open(path: Option<&Path>, counts: Arc<Counts>) -> Result<Self, Failure> {
        let file = path.map(|path| EventFile::open(path, &counts)).transpose()?;
        Ok(Self { file, counts })
    }

    /// What becomes of them; goes on when another file is opened.
    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Goes on with a file of the same name, for whoever has renamed the one before.
    pub(super) fn reopen(&mut self) {
        if let Some(file) = &mut self.file {
            file.reopen();
        }
    }

    /// A session changed.
    pub(super) fn session(
        &mut self,
        name: &str,
        event: &SenderEvent,
        tally: &Tally,
        time: WallTime,
    ) {
        log(name, event);
        self.write(Entry::event(name, event, tally, time).as_ref());
    }

    /// A value for path computation is announced, or withdrawn.
    pub(super) fn announcement(&mut self, name: &str, told: &TeAdvertisement) {
        let sub_tlv = told.sub_tlv.label();
        let reason = told.reason.label();
        tracing::debug!(session = name, sub_tlv, reason, anomalous = told.anomalous, "announced");
        self.write(Some(&Entry::announcement(name, told, stamp_worker::now().wall)));
    }

    /// A new configuration is in force, or was refused for a reason.
    pub(super) fn configuration(&mut self, refused: Option<&str>) {
        let to = if refused.is_some() { "refused" } else { "reloaded" };
        self.write(Some(&Entry::Config {
            time: stamp_worker::now().wall.into(),
            session: None,
            to: to.to_owned(),
            reason: refused.map(str::to_owned),
        }));
    }

    fn write(&mut self, entry: Option<&Entry>) {
        if let (Some(file), Some(entry)) = (&mut self.file, entry) {
            file.write(entry);
        }
    }
}

/// In words. Whatever an operator would want to be woken for is a warning.
fn log(session: &str, event: &SenderEvent) {
    match event {
        SenderEvent::State(change) if change.to == SessionState::Down => tracing::warn!(
            session,
            lost = change.run,
            first = change.first,
            last = change.last,
            "session is down"
        ),
        SenderEvent::State(change) => {
            tracing::info!(session, from = change.from.label(), "session is up");
        }
        SenderEvent::Delay(change) => {
            let (direction, value) = (change.direction.label(), delay(change.value.ns()));
            let limit = delay(change.limit.ns());
            if change.to == ThresholdState::Exceeded {
                tracing::warn!(session, direction, value, limit, "delay exceeds its limit");
            } else {
                tracing::info!(session, direction, value, limit, "delay is within its limit");
            }
        }
        SenderEvent::Loss(change) => {
            let (direction, lost, of) = (change.direction.label(), change.lost, change.decided);
            if change.to == ThresholdState::Exceeded {
                tracing::warn!(session, direction, lost, of, "loss exceeds its limit");
            } else {
                tracing::info!(session, direction, lost, of, "loss is within its limit");
            }
        }
        SenderEvent::ReflectorRestart { sequence, .. } => {
            tracing::info!(session, sequence, "the reflector counts anew");
        }
        SenderEvent::ClockStep { end, by, .. } => {
            tracing::warn!(session, ?end, by_ns = by.ns(), "a clock was set");
        }
        SenderEvent::Fallback(change) => tracing::warn!(
            session,
            reason = change.reason.label(),
            "{}",
            if change.is_active() {
                "the far node does not stamp: plain loopback"
            } else {
                "the far node stamps again"
            }
        ),
        event => tracing::debug!(session, ?event, "event"),
    }
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

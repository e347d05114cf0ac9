//! What changes, told: to the log in words, and as lines of JSON to whoever acts upon it.

mod file;

use std::path::Path;

use stamp_proto::time::WallTime;
use stamp_session::sender::{SenderEvent, SessionState};
use stamp_worker::sender::Trouble;

use crate::exit::Failure;
use crate::output::heard::{Tally, trouble_record};
use crate::output::ndjson::{Entry, Event};
use file::EventFile;

/// Where events go.
pub(super) struct Events {
    file: Option<EventFile>,
}

impl Events {
    /// Opens the file of events, if there is one.
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self { file: path.map(EventFile::open).transpose()? })
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

    /// A new configuration is in force, or was refused for a reason.
    pub(super) fn configuration(&mut self, refused: Option<&str>) {
        let to = if refused.is_some() { "refused" } else { "reloaded" };
        self.write(Some(&Entry::Config(Event {
            time: stamp_worker::now().wall.into(),
            to: Some(to.to_owned()),
            reason: refused.map(str::to_owned),
            ..Event::default()
        })));
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

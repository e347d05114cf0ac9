//! A report of an access network, sent until it is acknowledged (RFC 8972 §4.6).
//!
//! It rides on the probes of the schedule: the first one has it, and whenever the timer has run out
//! the next one. All others have padding of its size in its place, so that every probe has the same
//! octets.

use core::time::Duration;

use stamp_proto::tlv::TlvType;
use stamp_proto::tlv::access_report::AccessReport;

use super::Sender;
use super::answers::Told;
use super::event::SenderEvent;
use super::probe::Layout;
use super::tlvs::{TlvAnswer, TlvOutcome};
use crate::clock::MonotonicTime;

/// What is reported, and how stubbornly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AccessReporting {
    /// What is reported.
    pub report: AccessReport,
    /// How long to wait for the acknowledgement.
    pub timer: Duration,
    /// How often to send it again.
    pub retransmissions: u8,
}

impl AccessReporting {
    /// With the timer and the number of retransmissions that RFC 8972 §4.6 names.
    #[must_use]
    pub const fn new(report: AccessReport) -> Self {
        Self { report, timer: Duration::from_secs(3), retransmissions: 4 }
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AccessReportState {
    /// It is not acknowledged yet.
    #[default]
    Waiting,
    /// It came back as it was.
    Acknowledged,
    /// The far end answered, and did not take it.
    Refused,
    /// Sent as often as it may be, and not acknowledged within the timer.
    Unacknowledged,
}

impl AccessReportState {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Unacknowledged => "unacknowledged",
        }
    }
}

/// How far a report is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AccessReportStatus {
    /// What became of it.
    pub state: AccessReportState,
    /// Probes that had it.
    pub sent: u32,
    /// The last of them, or that whose reply decided.
    pub sequence: Option<u32>,
}

/// The report of one session.
#[derive(Debug)]
pub(super) struct AccessReporter {
    wish: AccessReporting,
    /// The layout of probes without it.
    silent: Layout,
    /// The probes that had it, no more than may have.
    carriers: Vec<u32>,
    /// When the timer runs out.
    expires: Option<MonotonicTime>,
    state: AccessReportState,
    decided_by: Option<u32>,
}

impl AccessReporter {
    pub(super) fn new(wish: AccessReporting, layout: &Layout) -> Self {
        Self {
            wish,
            silent: layout.padded_in_place_of(TlvType::ACCESS_REPORT),
            carriers: Vec::new(),
            expires: None,
            state: AccessReportState::Waiting,
            decided_by: None,
        }
    }

    pub(super) fn status(&self) -> AccessReportStatus {
        AccessReportStatus {
            state: self.state,
            sent: u32::try_from(self.carriers.len()).unwrap_or(u32::MAX),
            sequence: self.decided_by.or(self.carriers.last().copied()),
        }
    }

    /// Octets on the heap.
    pub(super) const fn heap_octets(&self) -> usize {
        self.carriers.capacity().saturating_mul(size_of::<u32>())
    }

    /// The next probe has it.
    fn is_due(&self, now: MonotonicTime) -> bool {
        self.state == AccessReportState::Waiting
            && self.carriers.len() <= usize::from(self.wish.retransmissions)
            && self.expires.is_none_or(|expires| expires <= now)
    }

    /// Nothing is left to be tried; true once.
    fn gives_up(&mut self, now: MonotonicTime) -> bool {
        let tried = self.carriers.len() > usize::from(self.wish.retransmissions);
        let expired = self.expires.is_some_and(|expires| expires <= now);
        let over = self.state == AccessReportState::Waiting && tried && expired;
        if over {
            self.state = AccessReportState::Unacknowledged;
        }
        over
    }

    fn sent(&mut self, sequence: u32, now: MonotonicTime) {
        self.carriers.push(sequence);
        self.expires = Some(now.saturating_add(self.wish.timer));
    }

    /// A probe that never left: the next has it instead.
    fn unsent(&mut self, sequence: u32) {
        if self.carriers.contains(&sequence) && self.state == AccessReportState::Waiting {
            self.carriers.retain(|carrier| *carrier != sequence);
            self.expires = None;
        }
    }

    /// What a reply to one of the probes that had it says; true when that decides.
    fn answered(&mut self, sequence: u32, answer: &TlvAnswer) -> bool {
        let open =
            !matches!(self.state, AccessReportState::Acknowledged | AccessReportState::Refused);
        // Octets that nobody vouches for neither acknowledge nor refuse.
        let believed =
            !matches!(answer.outcome, TlvOutcome::IntegrityFailed | TlvOutcome::Unverified);
        let state = match answer.answers.access_report {
            Told::Told(report) if report == self.wish.report => AccessReportState::Acknowledged,
            Told::Told(_) | Told::Refused => AccessReportState::Refused,
            Told::NotAsked => return false,
        };
        let decides = open && believed;
        if decides {
            (self.state, self.decided_by, self.expires) = (state, Some(sequence), None);
        }
        decides
    }
}

impl Sender {
    pub(super) fn access_reporter(&self) -> Option<&AccessReporter> {
        self.seldom.as_deref()?.access_report.as_ref()
    }

    fn access_reporter_mut(&mut self) -> Option<&mut AccessReporter> {
        self.seldom.as_deref_mut()?.access_report.as_mut()
    }

    /// Whether the probe that is written now has the report.
    pub(super) fn reports_access(&mut self, now: MonotonicTime) -> bool {
        self.access_reporter().is_some_and(|reporter| reporter.is_due(now))
    }

    pub(super) fn access_reported(&mut self, sequence: u32, now: MonotonicTime) {
        if let Some(reporter) = self.access_reporter_mut() {
            reporter.sent(sequence, now);
        }
    }

    pub(super) fn access_unreported(&mut self, sequence: u32) {
        if let Some(reporter) = self.access_reporter_mut() {
            reporter.unsent(sequence);
        }
    }

    /// Tells that nobody has acknowledged it, when nobody has.
    pub(super) fn give_up_access_report(&mut self, now: MonotonicTime) {
        let reporter = self.access_reporter_mut();
        let status = reporter.and_then(|one| one.gives_up(now).then(|| one.status()));
        self.events.extend(status.map(SenderEvent::AccessReport));
    }

    pub(super) fn access_answered(&mut self, sequence: u32, answer: &TlvAnswer) {
        let reporter = self.access_reporter_mut();
        let status = reporter.and_then(|one| one.answered(sequence, answer).then(|| one.status()));
        self.events.extend(status.map(SenderEvent::AccessReport));
    }

    /// How the octets of a probe are divided.
    pub(super) fn layout_of(&self, sequence: u32) -> &Layout {
        match self.access_reporter() {
            Some(reporter) if !reporter.carriers.contains(&sequence) => &reporter.silent,
            _ => &self.layout,
        }
    }
}

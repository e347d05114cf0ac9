//! The loop of a sender worker.

use std::sync::mpsc::{Receiver, Sender as Outbox};
use std::time::Duration;

use stamp_net::{Poller, Ready, Waker};
use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::SessionSnapshot;

use super::agenda::Agenda;
use super::companion::{Companion, Ear, Nobody};
use super::session::{Buffers, Session};
use super::{SPIN_BELOW, SenderObserver, SessionSetup};
use crate::clock::{ClockWatch, clock_state, now};
use crate::error::WorkerError;
use crate::margin::WakeMargin;

/// What the control side asks of the worker.
pub(super) enum Command {
    StopSending,
    Stop,
    Snapshots(Outbox<Vec<SessionSnapshot>>),
}

/// Everything a sender worker owns.
pub(super) struct WorkerThread {
    /// Those that are measured, and behind them their companions.
    sessions: Vec<Session>,
    /// How many are measured.
    measured: usize,
    /// One for each companion.
    ears: Vec<Ear>,
    agenda: Agenda,
    poller: Poller,
    buffers: Buffers,
    margin: WakeMargin,
    clock: ClockWatch,
    report: Option<Report>,
    inbox: Receiver<Command>,
    observer: Box<dyn SenderObserver>,
    /// What the last look found; kept for its memory.
    ready: Vec<Ready>,
}

/// When the next report is due.
struct Report {
    period: Duration,
    next: MonotonicTime,
}

impl WorkerThread {
    pub(super) fn new(
        setups: Vec<SessionSetup>,
        companions: Vec<Companion>,
        (report, inbox): (Option<Duration>, Receiver<Command>),
        observer: Box<dyn SenderObserver>,
    ) -> Result<Self, WorkerError> {
        let poller = Poller::new()?;
        let start = now().monotonic;
        let clock = setups.first().map_or_else(clock_state, |setup| setup.config.clock);
        let measured = setups.len();
        let (beside, ears): (Vec<_>, Vec<_>) =
            companions.into_iter().map(|one| (one.setup, Ear::new(one.of))).unzip();
        let agenda = Agenda::new(measured + beside.len());
        let mut sessions = Vec::with_capacity(measured + beside.len());
        for (number, setup) in setups.into_iter().chain(beside).enumerate() {
            let share = u32::try_from(number).unwrap_or(u32::MAX);
            let session = Session::new(number, setup, start)?;
            session.port().watch(&poller, share)?;
            sessions.push(session);
        }
        let report = report.map(|period| Report { period, next: start.saturating_add(period) });
        Ok(Self {
            sessions,
            measured,
            ears,
            agenda,
            poller,
            buffers: Buffers::new(),
            margin: WakeMargin::default(),
            clock: ClockWatch::new(clock, start),
            report,
            inbox,
            observer,
            ready: Vec::with_capacity(64),
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Probes until every session has ended or it is told to stop.
    pub(super) fn run(mut self) -> Vec<SessionSnapshot> {
        // Without it the kernel may round every sleep up by 50 µs; with it refused, it just does.
        let _ = stamp_net::clock::set_timer_slack_ns(1);
        self.begin();
        while let Some(due) = self.agenda.next() {
            let due = self.report.as_ref().map_or(due, |report| due.min(report.next));
            // Asked here too: with more to send than time to send it in, nothing is waited for.
            if !self.wait_until(due) || !self.obey() {
                break;
            }
            let time = now().monotonic;
            while let Some(number) = self.agenda.take_due(time) {
                self.attend(number);
            }
            if self.is_over() {
                break;
            }
            self.report_when_due(time);
            if let Some(state) = self.clock.poll(time) {
                for session in &mut self.sessions {
                    session.engine_mut().handle_clock(state);
                }
            }
        }
        for session in &mut self.sessions {
            session.finish();
        }
        self.snapshots()
    }

    /// Starts every schedule now that this thread runs, spread over the interval, so that sessions
    /// do not all send at the same instant.
    fn begin(&mut self) {
        let start = now().monotonic;
        let count = u32::try_from(self.measured.max(1)).unwrap_or(u32::MAX);
        for (number, session) in self.sessions.iter_mut().enumerate() {
            let share = u32::try_from(number).unwrap_or(u32::MAX);
            let interval = session.engine().config().schedule.interval();
            let shift = if share < count { interval / count * share } else { Duration::ZERO };
            session.engine_mut().begin(start.saturating_add(shift));
            self.agenda.schedule(number, session.next_timeout());
        }
    }

    fn attend(&mut self, number: usize) {
        let Some(session) = self.sessions.get_mut(number) else { return };
        let observer: &mut dyn SenderObserver =
            if number < self.measured { &mut *self.observer } else { &mut Nobody };
        session.attend(&mut self.buffers, observer);
        self.agenda.schedule(number, session.next_timeout());
        self.listen(number);
    }

    /// Passes on what a companion has heard.
    fn listen(&mut self, number: usize) {
        let Some(beside) = number.checked_sub(self.measured) else { return };
        let (sessions, companions) = self.sessions.split_at_mut(self.measured);
        if let (Some(ear), Some(companion)) =
            (self.ears.get_mut(beside), companions.get_mut(beside))
        {
            ear.listen(companion, sessions);
        }
    }

    /// Nothing is left but companions, which end with what they are for.
    fn is_over(&self) -> bool {
        let mut measured = self.sessions.iter().take(self.measured);
        !self.ears.is_empty() && measured.all(|session| session.next_timeout().is_none())
    }

    fn snapshots(&self) -> Vec<SessionSnapshot> {
        let measured = self.sessions.iter().take(self.measured);
        measured.map(|session| session.engine().snapshot()).collect()
    }

    /// Takes in what arrived for a session; its end may come earlier for it.
    fn take_in(&mut self, ready: Ready) {
        let number = ready.token as usize;
        let Some(session) = self.sessions.get_mut(number) else { return };
        let observer: &mut dyn SenderObserver =
            if number < self.measured { &mut *self.observer } else { &mut Nobody };
        session.take_ready(ready, &mut self.buffers, observer);
        session.tell_events(observer);
        if session.engine().is_done_sending() {
            self.agenda.schedule(number, session.next_timeout());
        }
        self.listen(number);
    }

    /// Waits until `due`, taking in what arrives; `false` when it is time to end.
    ///
    /// Sleeps until shortly before and spins the rest, as a sleeper comes back late. Looks once even
    /// when it is late already, as replies must not pile up behind probes.
    fn wait_until(&mut self, due: MonotonicTime) -> bool {
        let mut looked = false;
        loop {
            let before = now().monotonic;
            if before >= due && looked {
                return true;
            }
            looked = true;
            let left = due.since(before);
            let margin = self.margin.margin(left);
            let sleeps = left > SPIN_BELOW.max(margin);
            let margin_ns = u64::try_from(margin.as_nanos()).unwrap_or(0);
            let deadline = if sleeps { due.ns().saturating_sub(margin_ns) } else { 0 };
            let mut ready = std::mem::take(&mut self.ready);
            let (woken, timer) = match self.poller.wait(Some(deadline)) {
                Ok(readiness) => {
                    ready.extend(readiness.iter());
                    (readiness.woken(), readiness.timer())
                }
                // A signal, or memory is short: the next round tries again.
                Err(_) => (false, false),
            };
            for ready in ready.drain(..) {
                self.take_in(ready);
            }
            self.ready = ready;
            if sleeps && timer {
                self.margin.observe(now().monotonic.since(MonotonicTime::from_ns(deadline)));
            }
            if woken && !self.obey() {
                return false;
            }
            // Replies or commands may have brought the next deadline forward, or ended it all.
            if self.agenda.next().is_none_or(|next| next < due) || self.is_over() {
                return true;
            }
        }
    }

    /// Carries out commands; `false` when it is time to end.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.inbox.try_recv() {
            match command {
                Command::Stop => return false,
                Command::StopSending => {
                    let time = now().monotonic;
                    for (number, session) in self.sessions.iter_mut().enumerate() {
                        session.stop_sending();
                        self.agenda.schedule(number, session.next_timeout().map(|_| time));
                    }
                }
                Command::Snapshots(answer) => {
                    // An asker that is gone needs no answer.
                    let _ = answer.send(self.snapshots());
                }
            }
        }
        true
    }

    fn report_when_due(&mut self, time: MonotonicTime) {
        let Some(report) = self.report.as_mut().filter(|report| time >= report.next) else {
            return;
        };
        while report.next <= time {
            report.next = report.next.saturating_add(report.period);
        }
        for (number, session) in self.sessions.iter_mut().take(self.measured).enumerate() {
            self.observer.window(number, session.engine_mut().take_window());
        }
    }
}

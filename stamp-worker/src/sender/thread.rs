//! The loop of a sender worker.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender as Outbox};
use std::time::Duration;

use stamp_net::{Poller, Ready, Waker};
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{ReportedArrival, Sender};
use stamp_session::snapshot::{SessionSnapshot, SessionStanding};

use super::agenda::Agenda;
use super::commons::{Commons, Told};
use super::companion::Nobody;
use super::place::{Group, Place, Places};
use super::session::Buffers;
use super::{SPIN_BELOW, SenderObserver, Tuning};
use crate::clock::{ClockWatch, clock_state, monotonic, now};
use crate::error::WorkerError;
use crate::margin::WakeMargin;

/// What the control side asks of the worker.
pub(super) enum Command {
    Add(Group, Outbox<Result<(), WorkerError>>),
    Remove(Vec<usize>),
    Tune(Vec<usize>, Tuning),
    Hearing(Vec<usize>, bool),
    Arrivals(Vec<(usize, ReportedArrival)>),
    StopSending,
    Stop,
    Snapshots(Outbox<Vec<SessionSnapshot>>),
    SnapshotsOf(Vec<usize>, Outbox<Vec<Option<SessionSnapshot>>>),
    StandingsOf(Vec<usize>, Outbox<Vec<Option<SessionStanding>>>),
    Here(Outbox<()>),
}

/// How long a worker lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tenure {
    /// As long as its sessions.
    Sessions,
    /// Until it is stopped.
    Resident,
}

/// What it takes to begin a session among thousands, generously.
const BEGINNING: Duration = Duration::from_micros(1);

/// Sessions that are given what waits for them before probes that are due leave.
const AT_ONCE: usize = 64;

/// How long a worker without sessions sleeps at a time.
const IDLE: Duration = Duration::from_secs(3_600);

/// Everything a sender worker owns.
pub(super) struct WorkerThread {
    tenure: Tenure,
    places: Places,
    agenda: Agenda,
    poller: Poller,
    commons: Commons,
    buffers: Buffers,
    margin: WakeMargin,
    clock: ClockWatch,
    inbox: Receiver<Command>,
    observer: Box<dyn SenderObserver>,
    /// What the last look found; kept for its memory.
    ready: Vec<Ready>,
    /// Whom something was put aside for; kept for its memory.
    waiting: VecDeque<u32>,
}

impl WorkerThread {
    pub(super) fn new(
        tenure: Tenure,
        group: Option<Group>,
        inbox: Receiver<Command>,
        observer: Box<dyn SenderObserver>,
    ) -> Result<Self, WorkerError> {
        let poller = Poller::new()?;
        let mut places = Places::default();
        let mut commons = Commons::new();
        if let Some(group) = group {
            places.add(group, &poller, &mut commons)?;
        }
        let agenda = Agenda::new(places.len());
        let clock = places.get(0).map(|place| place.session.engine().config().clock);
        let clock = ClockWatch::new(clock.unwrap_or_else(clock_state), monotonic());
        Ok(Self {
            tenure,
            places,
            agenda,
            poller,
            commons,
            buffers: Buffers::new(),
            margin: WakeMargin::default(),
            clock,
            inbox,
            observer,
            ready: Vec::with_capacity(64),
            waiting: VecDeque::new(),
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Probes until every session has ended or it is told to stop.
    pub(super) fn run(mut self) -> Vec<SessionSnapshot> {
        // Without it the kernel may round every sleep up by 50 µs; with it refused, it just does.
        let _ = stamp_net::clock::set_timer_slack_ns(1);
        self.begin_together();
        while let Some(due) = self.next_due() {
            // Asked here too: with more to send than time to send it in, nothing is waited for.
            let Some(time) = self.wait_until(due).filter(|_| self.obey()) else { break };
            while let Some(number) = self.agenda.take_due(time) {
                self.places.expect(self.agenda.following());
                self.attend(number, time);
            }
            if self.is_over() {
                break;
            }
            if let Some(state) = self.clock.poll(time) {
                for (_, session) in self.places.all() {
                    session.engine_mut().handle_clock(state);
                }
            }
        }
        for (_, session) in self.places.all() {
            session.finish();
        }
        self.places.snapshots()
    }

    /// When to look after sessions again; `None` when there is nothing left to do.
    fn next_due(&mut self) -> Option<MonotonicTime> {
        let idle = (self.tenure == Tenure::Resident).then_some(IDLE);
        self.agenda.next().or_else(|| Some(monotonic().saturating_add(idle?)))
    }

    /// Starts every schedule now that this thread runs, spread over the interval, so that sessions
    /// do not all send at the same instant. Their windows end together.
    fn begin_together(&mut self) {
        let numbers = 0..self.places.len();
        // Each is late to begin with if it was due while those behind it were begun.
        let preparation =
            BEGINNING.saturating_mul(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        let start = monotonic().saturating_add(preparation);
        let is_measured =
            |number: &usize| self.places.get(*number).is_some_and(|place| place.ear.is_none());
        let measured = numbers.clone().filter(is_measured).count();
        let count = u32::try_from(measured.max(1)).unwrap_or(u32::MAX);
        for number in numbers {
            let share = u32::try_from(number).unwrap_or(u32::MAX);
            self.begin(
                number,
                start,
                |interval| {
                    if share < count { interval / count * share } else { Duration::ZERO }
                },
                |period| period,
            );
        }
    }

    /// Starts a session that has come later: at a place within its interval, and its windows at one
    /// within their period, that differs from those of its neighbours.
    fn begin_later(&mut self, number: usize) {
        let start = monotonic();
        let share = golden_share(number);
        self.begin(
            number,
            start,
            |interval| interval.mul_f64(share),
            |period| period.mul_f64(1.0 - share / 2.0),
        );
    }

    fn begin(
        &mut self,
        number: usize,
        start: MonotonicTime,
        shift: impl FnOnce(Duration) -> Duration,
        first_window: impl FnOnce(Duration) -> Duration,
    ) {
        let Some(Place { session, .. }) = self.places.get_mut(number) else { return };
        let shift = shift(session.engine().config().schedule.period());
        let window = session.window_period().map_or(Duration::ZERO, first_window);
        session.begin(start.saturating_add(shift), start.saturating_add(window));
        self.agenda.schedule(number, session.next_timeout());
    }

    fn attend(&mut self, number: usize, time: MonotonicTime) {
        let Some(Place { session, ear }) = self.places.get_mut(number) else { return };
        let observer: &mut dyn SenderObserver =
            if ear.is_none() { &mut *self.observer } else { &mut Nobody };
        session.attend(time, &mut self.buffers, observer);
        self.agenda.schedule(number, session.next_timeout());
        if ear.is_some() {
            self.places.listen(number);
        }
    }

    /// Nothing is left but companions, which end with what they are for.
    fn is_over(&self) -> bool {
        self.tenure == Tenure::Sessions && self.places.only_companions_go_on()
    }

    /// Takes in what arrived for a session; its end may come earlier for it.
    fn take_in(&mut self, ready: Ready) {
        let number = ready.token as usize;
        let Some(Place { session, ear }) = self.places.get_mut(number) else { return };
        let observer: &mut dyn SenderObserver =
            if ear.is_none() { &mut *self.observer } else { &mut Nobody };
        session.take_ready(ready, &mut self.buffers, observer);
        session.tell_events(observer);
        if session.engine().is_done_sending() {
            self.agenda.schedule(number, session.next_timeout());
        }
        if ear.is_some() {
            self.places.listen(number);
        }
    }

    /// Tells sessions what concerns several of them.
    fn tell(&mut self, told: Told) {
        match told {
            // What came to rings is handed out when all of them have been looked at.
            Told::Aside => {}
            Told::News(mut news) => {
                let Self { places, commons, poller, .. } = self;
                let sessions = places.all();
                sessions.for_each(|(_, it)| it.follow(&mut news, poller, &mut commons.sockets));
            }
            Told::Errors => {
                let Self { places, commons, observer, .. } = self;
                commons.tunnel_errors(|number, event| {
                    let Some(Place { session, ear }) = places.get_mut(number as usize) else {
                        return;
                    };
                    let observer: &mut dyn SenderObserver =
                        if ear.is_none() { &mut **observer } else { &mut Nobody };
                    session.take_tunnel_error(event, observer);
                });
            }
        }
    }

    /// Gives sessions what was taken off rings that they share: as many as a wait tells of, and more
    /// while no probe is due.
    fn hand_out(&mut self) {
        if self.waiting.is_empty() {
            self.commons.sockets.take_waiting(&mut self.waiting);
        }
        let mut served = 0;
        while let Some(number) = self.waiting.pop_front() {
            self.take_in(Ready { token: number, readable: true, error: false });
            served += 1;
            let mut is_due = || self.agenda.next().is_some_and(|due| due <= monotonic());
            if served >= AT_ONCE && is_due() {
                break;
            }
        }
    }

    /// Waits until `due`, taking in what arrives, and tells what time it is then; `None` when it is time to end.
    ///
    /// Sleeps until shortly before and spins the rest, as a sleeper comes back late. Looks once even
    /// when it is late already, as replies must not pile up behind probes.
    fn wait_until(&mut self, due: MonotonicTime) -> Option<MonotonicTime> {
        let mut looked = false;
        loop {
            let before = monotonic();
            if before >= due && looked {
                return Some(before);
            }
            looked = true;
            let left = due.since(before);
            let margin = self.margin.margin(left);
            let waiting = !self.waiting.is_empty() || self.commons.sockets.has_waiting();
            let sleeps = left > SPIN_BELOW.max(margin) && !waiting;
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
            let following = ready.iter().skip(1).map(|ready| Some(ready.token as usize));
            for (ready, following) in ready.iter().zip(following.chain([None])) {
                self.places.expect(following);
                match self.commons.take(*ready) {
                    None => self.take_in(*ready),
                    Some(told) => self.tell(told),
                }
            }
            ready.clear();
            self.ready = ready;
            self.hand_out();
            if sleeps && timer {
                self.margin.observe(monotonic().since(MonotonicTime::from_ns(deadline)));
            }
            if woken && !self.obey() {
                return None;
            }
            // Replies or commands may have brought the next deadline forward, or ended it all.
            if self.agenda.next().is_none_or(|next| next < due) || self.is_over() {
                return Some(monotonic());
            }
        }
    }

    /// Carries out commands; `false` when it is time to end.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.inbox.try_recv() {
            // An asker that is gone needs no answer.
            match command {
                Command::Stop => return false,
                Command::StopSending => self.stop_sending(),
                Command::Add(group, answer) => drop(answer.send(self.add(group))),
                Command::Remove(numbers) => self.remove(&numbers),
                Command::Tune(numbers, tuning) => self.tune(&numbers, &tuning),
                Command::Hearing(numbers, is_heard) => {
                    numbers.iter().for_each(|number| {
                        self.told(*number, |engine| {
                            engine.handle_hearing(is_heard);
                        })
                    });
                }
                Command::Arrivals(arrivals) => arrivals.iter().for_each(|(number, arrival)| {
                    self.told(*number, |engine| {
                        // One that is refused is counted.
                        let _ = engine.handle_arrival(now(), arrival);
                    });
                }),
                Command::Here(answer) => drop(answer.send(())),
                Command::Snapshots(answer) => drop(answer.send(self.places.snapshots())),
                Command::SnapshotsOf(numbers, answer) => {
                    drop(answer.send(self.places.each(numbers, Sender::snapshot)));
                }
                Command::StandingsOf(numbers, answer) => {
                    drop(answer.send(self.places.each(numbers, Sender::standing)));
                }
            }
        }
        true
    }

    fn stop_sending(&mut self) {
        let time = monotonic();
        for (number, session) in self.places.all() {
            session.stop_sending();
            self.agenda.schedule(number, session.next_timeout().map(|_| time));
        }
    }

    fn add(&mut self, group: Group) -> Result<(), WorkerError> {
        let added = self.places.add(group, &self.poller, &mut self.commons);
        self.agenda.make_room(self.places.len());
        added?.for_each(|number| self.begin_later(number));
        Ok(())
    }

    fn tune(&mut self, numbers: &[usize], tuning: &Tuning) {
        for number in numbers {
            let Some(Place { session, .. }) = self.places.get_mut(*number) else { continue };
            session.tune(tuning);
            self.agenda.schedule(*number, session.next_timeout());
        }
    }

    /// Somebody told a session of its probes.
    fn told(&mut self, number: usize, take: impl FnOnce(&mut Sender)) {
        let Some(Place { session, ear: None }) = self.places.get_mut(number) else { return };
        session.take_shared_stamps(&mut self.buffers);
        take(session.engine_mut());
        session.tell_events(&mut *self.observer);
        self.agenda.schedule(number, session.next_timeout());
    }

    fn remove(&mut self, numbers: &[usize]) {
        numbers.iter().for_each(|number| self.places.remove(*number, &mut self.commons));
        let forsaken = self.places.forsaken();
        forsaken.iter().for_each(|number| self.places.remove(*number, &mut self.commons));
        for number in numbers.iter().chain(&forsaken) {
            self.agenda.schedule(*number, None);
        }
    }
}

/// A share from 0 up to 1, far from those of the numbers nearby: multiples of the golden ratio fall
/// into the largest gap that is left (Knuth, The Art of Computer Programming, volume 3, section 6.4).
fn golden_share(number: usize) -> f64 {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    (number * GOLDEN_RATIO).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_come_one_by_one_are_spread_evenly() {
        for count in [10, 100, 1_000] {
            let mut shares: Vec<f64> = (0..count).map(golden_share).collect();
            shares.sort_by(f64::total_cmp);
            let widest = shares.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
            assert!(widest * (count as f64) < 3.0, "a gap of {widest} among {count}");
        }
    }
}

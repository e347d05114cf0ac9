//! One session of the file: whether it runs, and if not, what it waits for.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::te::TeAdvertisement;

use crate::daemon::announced::Announced;
use crate::daemon::config::SessionSpec;
use crate::daemon::inputs::Inputs;
use crate::daemon::opening::Opened;
use crate::happening::SessionInfo;

/// First and longest pause between two tries to open a session.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often names of running sessions are looked up again.
const LOOK_UP_EVERY: Duration = Duration::from_secs(60);
/// How long a session that cannot send is left alone before it is opened anew.
const SETTLING: Duration = Duration::from_secs(1);

/// A session of the file.
#[derive(Debug)]
pub(in crate::daemon) struct Member {
    /// What it is told.
    pub(in crate::daemon) spec: Arc<SessionSpec>,
    /// The files it was read from, as they were then.
    pub(super) inputs: Inputs,
    life: Life,
}

/// Where a session stands.
#[derive(Debug)]
pub(super) enum Life {
    /// It is being opened for the first time, or again after it waited.
    Opening(Option<Waiting>),
    /// It cannot be now.
    Waiting(Waiting),
    /// It probes, and is looked after.
    Running(Running, Care),
}

/// What is next to be done for a session that probes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Care {
    /// Nothing.
    None,
    /// It is being opened, or looked up.
    UnderWay(UnderWay),
    /// Its name is looked up again.
    LookUp(Instant),
    /// It is opened anew, as it cannot send any more.
    Reopen(Instant),
}

/// An attempt to open a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct UnderWay {
    /// Where its far end is, if it is opened only when that has moved.
    pub(super) known: Option<SocketAddr>,
}

impl Care {
    const fn due(self) -> Option<Instant> {
        match self {
            Self::None | Self::UnderWay(_) => None,
            Self::LookUp(due) | Self::Reopen(due) => Some(due),
        }
    }
}

/// How often it was tried in vain.
pub(super) type Attempts = u32;

/// What a session waits for.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Waiting {
    /// Why it does not run.
    pub(in crate::daemon) reason: String,
    /// When it is tried again.
    again: Instant,
    attempts: Attempts,
}

/// A session that probes.
#[derive(Debug)]
pub(in crate::daemon) struct Running {
    pub(super) worker: usize,
    pub(super) numbers: Range<usize>,
    /// What to tell about it, in the order of its numbers.
    pub(in crate::daemon) infos: Vec<SessionInfo>,
    pub(super) target: SocketAddr,
    /// How often it was to be opened anew in vain.
    pub(super) attempts: Attempts,
    /// The latest complete window of each.
    pub(in crate::daemon) windows: Vec<Option<Arc<SessionSnapshot>>>,
    /// What is announced of each.
    pub(in crate::daemon) announced: Vec<Announced>,
}

impl Running {
    pub(super) fn new(
        worker: usize,
        numbers: Range<usize>,
        infos: Vec<SessionInfo>,
        target: SocketAddr,
        spec: &SessionSpec,
    ) -> Self {
        let now = stamp_worker::now().monotonic;
        let windows = infos.iter().map(|_| None).collect();
        let announced = infos.iter().map(|_| Announced::new(spec, now)).collect();
        Self { worker, numbers, infos, target, attempts: 0, windows, announced }
    }
}

impl Member {
    pub(super) fn new(spec: Arc<SessionSpec>) -> Self {
        Self { inputs: Inputs::of(&spec), spec, life: Life::Opening(None) }
    }

    /// What runs of it.
    pub(in crate::daemon) const fn running(&self) -> Option<&Running> {
        match &self.life {
            Life::Running(running, _) => Some(running),
            Life::Opening(_) | Life::Waiting(_) => None,
        }
    }

    /// What it waits for.
    pub(in crate::daemon) const fn waiting(&self) -> Option<&Waiting> {
        match &self.life {
            Life::Waiting(waiting) => Some(waiting),
            Life::Opening(_) | Life::Running(..) => None,
        }
    }

    /// It runs already where `opened` would.
    pub(super) fn is_at(&self, opened: &Opened) -> bool {
        let Some(running) = self.running() else { return false };
        let ends = |infos: &[SessionInfo]| {
            infos.iter().map(|info| (info.source.ip(), info.target.ip())).collect::<Vec<_>>()
        };
        running.target == opened.target && ends(&running.infos) == ends(&opened.infos)
    }

    /// Its name was looked up, and its far end is where it was. What has to be opened anew meanwhile has to be still.
    pub(super) fn has_not_moved(&mut self) {
        if let Life::Running(_, Care::UnderWay(UnderWay { known: Some(_) })) = &self.life {
            self.stays();
        }
    }

    /// It was opened, and nothing has moved.
    pub(super) fn stays(&mut self) {
        if let Life::Running(running, care) = &mut self.life {
            running.attempts = 0;
            *care = look_up_again(&self.spec);
        }
    }

    /// A window of one of its paths is complete.
    pub(super) fn window(
        &mut self,
        branch: usize,
        measured: Arc<SessionSnapshot>,
        end: MonotonicTime,
    ) -> Vec<TeAdvertisement> {
        let Life::Running(running, _) = &mut self.life else { return Vec::new() };
        let announced = running.announced.get_mut(branch).zip(running.infos.get(branch));
        let advertisements = announced.map(|(announced, info)| {
            announced.window(&measured, end, info.schedule.mean_interval())
        });
        if let Some(latest) = running.windows.get_mut(branch) {
            *latest = Some(measured);
        }
        advertisements.unwrap_or_default()
    }

    /// What is being done to open it, of which nothing has been heard yet.
    pub(super) const fn under_way(&self) -> Option<UnderWay> {
        match &self.life {
            Life::Opening(_) => Some(UnderWay { known: None }),
            Life::Running(_, Care::UnderWay(attempt)) => Some(*attempt),
            Life::Running(..) | Life::Waiting(_) => None,
        }
    }

    /// Goes on as `spec` says, which probes alike. Returns what was under way for what it has been until now, to be
    /// begun again for what it is.
    #[must_use]
    pub(super) fn tune(&mut self, spec: Arc<SessionSpec>) -> Option<UnderWay> {
        if let Life::Running(running, _) = &mut self.life {
            let now = stamp_worker::now().monotonic;
            running.announced.iter_mut().for_each(|announced| announced.tune(&spec, now));
        }
        let is_another = !Arc::ptr_eq(&self.spec, &spec);
        self.spec = spec;
        self.under_way().filter(|_| is_another)
    }

    pub(super) fn run(&mut self, running: Running) {
        tracing::info!(session = self.spec.name, target = %running.target, "session runs");
        let care = look_up_again(&self.spec);
        self.life = Life::Running(running, care);
    }

    /// It cannot be opened now. One that runs goes on as it is: what was good may be again.
    pub(super) fn wait(&mut self, reason: String) {
        let now = Instant::now();
        let waited = match &mut self.life {
            Life::Running(running, care) => {
                if running.attempts == 0 {
                    tracing::warn!(
                        session = self.spec.name,
                        reason,
                        "session goes on as it was: it cannot be opened anew; tried again later"
                    );
                }
                *care = Care::Reopen(now + pause_after(running.attempts));
                running.attempts = running.attempts.saturating_add(1);
                return;
            }
            Life::Opening(waited) => waited.as_ref(),
            Life::Waiting(waiting) => Some(&*waiting),
        };
        let attempts = waited.map_or(0, |waited| waited.attempts);
        // Each reason is told, not each attempt.
        if waited.is_none_or(|waited| waited.reason != reason) {
            tracing::warn!(session = self.spec.name, reason, "session waits; tried again later");
        }
        let again = now + pause_after(attempts);
        let attempts = attempts.saturating_add(1);
        self.life = Life::Waiting(Waiting { reason, again, attempts });
    }

    /// It cannot send any more as it is.
    pub(super) fn reconsider(&mut self, now: Instant) {
        if let Life::Running(_, care @ (Care::None | Care::UnderWay(_) | Care::LookUp(_))) =
            &mut self.life
        {
            *care = Care::Reopen(now + SETTLING);
        }
    }

    /// When it wants to be opened, or looked after.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.life {
            Life::Opening(_) => None,
            Life::Waiting(waiting) => Some(waiting.again),
            Life::Running(_, care) => care.due(),
        }
    }

    /// What to open now.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Arc<SessionSpec>, UnderWay)> {
        self.due().filter(|due| *due <= now)?;
        let attempt = match &mut self.life {
            Life::Opening(_) => return None,
            Life::Waiting(waiting) => {
                self.life = Life::Opening(Some(waiting.clone()));
                UnderWay { known: None }
            }
            Life::Running(running, care) => {
                let looks = matches!(care, Care::LookUp(_));
                let attempt = UnderWay { known: looks.then_some(running.target) };
                *care = Care::UnderWay(attempt);
                attempt
            }
        };
        Some((Arc::clone(&self.spec), attempt))
    }

    /// Takes what it was.
    pub(super) fn leave(&mut self) -> Life {
        std::mem::replace(&mut self.life, Life::Opening(None))
    }
}

/// How long it is left alone after so many attempts in vain.
fn pause_after(attempts: Attempts) -> Duration {
    let (first, longest) = PAUSES;
    first.saturating_mul(1 << attempts.min(6)).min(longest)
}

/// Names are looked up again in time; addresses stay what they are.
fn look_up_again(spec: &SessionSpec) -> Care {
    if spec.names_a_host() { Care::LookUp(Instant::now() + LOOK_UP_EVERY) } else { Care::None }
}

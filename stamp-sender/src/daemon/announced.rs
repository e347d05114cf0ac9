//! What is announced of a session for path computation.

use std::time::Duration;

use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::te::{TeAdvertisement, TeAdvertiser, TeState, TeWindow};

use super::config::SessionSpec;

/// The announcements of one session, if it makes any.
#[derive(Debug)]
pub(super) struct Announced {
    advertiser: Option<TeAdvertiser>,
    /// When the window began that is being filled.
    begun: MonotonicTime,
}

impl Announced {
    pub(super) fn new(spec: &SessionSpec, now: MonotonicTime) -> Self {
        Self { advertiser: advertiser(spec), begun: now }
    }

    /// A window is complete; what follows from it.
    pub(super) fn window(
        &mut self,
        measured: &SessionSnapshot,
        end: MonotonicTime,
        interval: Duration,
    ) -> Vec<TeAdvertisement> {
        let start = std::mem::replace(&mut self.begun, end);
        let Some(advertiser) = &mut self.advertiser else { return Vec::new() };
        let window = TeWindow::of(measured, start, end, interval);
        advertiser.handle_window(&window).collect()
    }

    /// Goes on by the rules of `spec`.
    pub(super) fn tune(&mut self, spec: &SessionSpec, now: MonotonicTime) {
        let config = spec.te.config(spec.window);
        match (&mut self.advertiser, config) {
            (Some(advertiser), Some(config)) => {
                // What is withdrawn by it was the operator's wish and is no news.
                let _withdrawn = advertiser.reconfigure(config, now).map(Iterator::count);
            }
            (advertiser, _) => *advertiser = self::advertiser(spec),
        }
    }

    /// What is advertised now.
    pub(super) fn state(&self) -> Option<TeState> {
        self.advertiser.as_ref().map(TeAdvertiser::state)
    }
}

/// Reading the file has let nothing through that is refused here.
fn advertiser(spec: &SessionSpec) -> Option<TeAdvertiser> {
    TeAdvertiser::new(spec.te.config(spec.window)?).ok()
}

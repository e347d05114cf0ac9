//! `/probe`: a target that somebody names, measured once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stamp_config::quantity::Count;
use stamp_metrics::http::{Probe, Probed};
use stamp_metrics::sender::exposition_of;
use stamp_session::sender::StatisticsScope;
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::{Nobody, SenderPool};

use crate::check::textfile;
use crate::daemon::config::{Probing, SessionSpec};
use crate::exit::Failure;
use crate::happening::SessionInfo;
use crate::names;
use crate::setup::{self, Sessions};

/// Measurements at a time: each holds a thread that pages are made on, and scrapes need one as well.
const AT_ONCE: usize = 2;
/// How long an answer is waited for where nobody says it.
const PATIENCE: Duration = Duration::from_secs(10);
/// What of it is not spent on probes.
const SPARE: Duration = Duration::from_millis(500);

/// Places of measurements.
#[derive(Debug, Default)]
pub(super) struct Places(AtomicUsize);

/// A place that is taken.
struct Place<'p>(&'p Places);

impl Places {
    fn take(&self) -> Option<Place<'_>> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            (taken < AT_ONCE).then_some(taken + 1)
        });
        taken.ok().map(|_| Place(self))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Measures what is asked for, as far as `probing` lets anybody.
pub(super) fn probe(probing: Option<Arc<Probing>>, places: &Places, asked: &Probe) -> Probed {
    let Some(probing) = probing else { return Probed::Unknown };
    let Some(_place) = places.take() else { return Probed::Busy };
    let spec = match probing.session(&asked.target, asked.profile.as_deref()) {
        Ok(spec) => spec,
        Err(reason) => return Probed::Refused(reason),
    };
    match measure(&probing, &spec, asked.within.unwrap_or(PATIENCE)) {
        Ok(measured) => {
            let sessions = measured.iter().map(|(info, it)| textfile::measured(info, it));
            Probed::Metrics(Box::new(exposition_of(sessions.collect())))
        }
        Err(Obstacle::Refused(reason)) => Probed::Refused(reason),
        // A target without a name, a route or an answer is what there is to tell.
        Err(Obstacle::Failed(failure)) => {
            tracing::debug!(target = asked.target, %failure, "it could not be measured");
            let session = textfile::unmeasured(&asked.target);
            Probed::Metrics(Box::new(exposition_of(vec![session])))
        }
    }
}

enum Obstacle {
    Refused(String),
    Failed(Failure),
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn measure(
    probing: &Probing,
    spec: &SessionSpec,
    patience: Duration,
) -> Result<Vec<(SessionInfo, SessionSnapshot)>, Obstacle> {
    let mut measure = spec.settings.measure(&spec.target).map_err(Obstacle::Refused)?;
    measure.probe.count = Count(probing.count);
    let measure = names::resolved(&measure)?;
    let device = setup::device(&measure.probe)?;
    let address = names::host(&measure, &spec.target, device.unwrap_or(0))?;
    if !probing.allows(address.ip()) {
        let reason = format!("{}: no prefix of probe.targets has it", address.ip());
        return Err(Obstacle::Refused(reason));
    }
    let Sessions { mut setups, infos, .. } = setup::sessions(&measure)?;
    for setup in &mut setups {
        setup.config.statistics = StatisticsScope::Run;
        let sending = patience.saturating_sub(SPARE).saturating_sub(setup.config.timeout);
        setup.config.duration = Some(sending.max(setup.config.schedule.mean_interval()));
    }
    let pool = SenderPool::start(setups, Box::new(Nobody)).map_err(Failure::from)?;
    let sessions = pool.join().map_err(Failure::from)?;
    Ok(infos.into_iter().zip(sessions).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_no_more() {
        let places = Places::default();
        let taken: Vec<_> = (0..AT_ONCE).map(|_| places.take().unwrap()).collect();
        assert!(places.take().is_none());
        drop(taken);
        assert!(places.take().is_some());
    }
}

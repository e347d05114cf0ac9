//! Every metric of a sender, and where its value stands.

use std::sync::LazyLock;

use stamp_session::snapshot::SessionState;

use super::samples::{
    advertisements, announced, announced_loss, clock_error, clock_synchronized, crossings, decided,
    delay_limit, derived, direction_down, distribution, exceeded, figure, info, integrity, lag,
    loss, loss_limit, lost, rejected, stamps, state_transitions, unsent, variation, variation_mean,
    window_delay,
};
use super::{Session, Shared};
use crate::catalogue::*;
use crate::exposition::{Family, Of, Samples};
use crate::program::seconds;
use crate::{policy, program};

type Metrics = Family<Shared, Session>;

const fn each(metric: &'static Metric, of: fn(&Session, &mut Samples)) -> Metrics {
    Family::new(metric, Of::Item(of))
}

/// In the order of their sending.
pub(super) static FAMILIES: LazyLock<Vec<Metrics>> = LazyLock::new(|| {
    let senders = [
        Family::new(
            &SESSIONS,
            Of::Program(|of: &Shared, to| {
                to.count(&["running"], of.0.running as u64);
                to.count(&["waiting"], of.0.waiting as u64);
            }),
        ),
        Family::new(&HISTOGRAMS, Of::Program(|of, to| to.truth(&[], of.0.has_histograms))),
        Family::new(&LAG, Of::Program(|of, to| to.histogram(&[], &of.0.lag))),
    ];
    program::families()
        .chain(senders)
        .chain(discovery())
        .chain(policy::families())
        .chain(of_sessions())
        .collect()
});

/// Those of sessions alone.
pub(super) static OF_SESSIONS: LazyLock<Vec<Metrics>> = LazyLock::new(|| of_sessions().collect());

fn of_sessions() -> impl Iterator<Item = Metrics> {
    states()
        .into_iter()
        .chain(counters())
        .chain(windows())
        .chain(limits())
        .chain(announcements())
        .chain(distributions())
}

fn discovery() -> [Metrics; 4] {
    [
        Family::new(
            &SHARD,
            Of::Program(|of: &Shared, to| {
                if let Some((shard, shards)) = of.0.shard {
                    to.add(&[&shard.to_string(), &shards.to_string()], 1.0);
                }
            }),
        ),
        Family::new(
            &DISCOVERY_SUCCESS,
            Of::Program(|of: &Shared, to| {
                let sources = of.0.discovery.iter();
                sources.for_each(|it| to.some(&[&it.source], it.succeeded.map(seconds)));
            }),
        ),
        Family::new(
            &DISCOVERY_FAILURES,
            Of::Program(|of: &Shared, to| {
                of.0.discovery.iter().for_each(|it| to.count(&[&it.source], it.failures));
            }),
        ),
        Family::new(
            &DISCOVERY_TARGETS,
            Of::Program(|of: &Shared, to| {
                for it in &of.0.discovery {
                    to.count(&[&it.source, "accepted"], it.accepted as u64);
                    to.count(&[&it.source, "refused"], it.refused as u64);
                }
            }),
        ),
    ]
}

fn states() -> [Metrics; 9] {
    [
        each(&INFO, info),
        each(&RUNNING, |it, to| to.truth(&[it.name()], it.now.is_some())),
        each(&UP, |it, to| to.truth(&[it.name()], it.is(SessionState::Up))),
        each(&DOWN, |it, to| to.truth(&[it.name()], it.is(SessionState::Down))),
        each(&DIRECTION_DOWN, direction_down),
        each(&STATE_TRANSITIONS, state_transitions),
        each(&PACKET_LOSS_COUNT_LIMIT, |it, to| {
            let limit = it.now.as_ref().map(|now| now.packet_loss_count.into());
            to.some(&[it.name()], limit);
        }),
        each(&CLOCK_SYNCHRONIZED, clock_synchronized),
        each(&CLOCK_ERROR, clock_error),
    ]
}

fn counters() -> [Metrics; 11] {
    [
        each(&SENT, |it, to| to.count(&[it.name()], it.counters.sent)),
        each(&RECEIVED, |it, to| to.count(&[it.name()], it.counters.received)),
        each(&LOST, lost),
        each(&LOCAL_DROPS, |it, to| to.count(&[it.name(), "receive_queue"], it.counters.local)),
        each(&UNSENT, unsent),
        each(&DUPLICATE, |it, to| to.count(&[it.name()], it.counters.duplicate)),
        each(&REORDERED, |it, to| to.count(&[it.name()], it.counters.reordered)),
        each(&LATE, |it, to| to.count(&[it.name()], it.counters.late)),
        each(&REJECTED, rejected),
        each(&RESTARTS, |it, to| to.count(&[it.name()], it.counters.restarts)),
        each(&TIMESTAMPS, stamps),
    ]
}

fn windows() -> [Metrics; 13] {
    [
        each(&WINDOW_END, |it, to| {
            to.some(&[it.name()], it.window.as_ref().map(|window| seconds(window.end)));
        }),
        each(&WINDOW_DELAY, window_delay),
        each(&WINDOW_DELAY_MIN, |it, to| figure(it, to, |delay| delay.min)),
        each(&WINDOW_DELAY_MEAN, |it, to| figure(it, to, |delay| delay.mean)),
        each(&WINDOW_DELAY_MAX, |it, to| figure(it, to, |delay| delay.max)),
        each(&WINDOW_VARIATION, variation),
        each(&WINDOW_VARIATION_MEAN, variation_mean),
        each(&WINDOW_LOSS, loss),
        each(&WINDOW_DECIDED, decided),
        each(&WINDOW_INTEGRITY, integrity),
        each(&WINDOW_SYNCHRONIZED, |it, to| {
            let clock = it.window.iter().map(|window| &window.measured.clock);
            clock.for_each(|clock| to.truth(&[it.name()], clock.synchronized));
        }),
        each(&WINDOW_CLOCK_ERROR, |it, to| {
            let clock = it.window.as_ref().map(|window| &window.measured.clock);
            let bound = clock.and_then(|clock| clock.error_bound_ns);
            to.some(&[it.name()], bound.map(|ns| ns as f64 / 1e9));
        }),
        each(&WINDOW_LAG, lag),
    ]
}

fn limits() -> [Metrics; 4] {
    [
        each(&DELAY_LIMIT, delay_limit),
        each(&LOSS_LIMIT, loss_limit),
        each(&EXCEEDED, exceeded),
        each(&TRANSITIONS, crossings),
    ]
}

fn announcements() -> [Metrics; 8] {
    [
        each(&TE_DELAY_MIN, |it, to| announced(it, to, |state| state.min)),
        each(&TE_DELAY_AVG, |it, to| announced(it, to, |state| state.avg)),
        each(&TE_DELAY_MAX, |it, to| announced(it, to, |state| state.max)),
        each(&TE_VARIATION, |it, to| announced(it, to, |state| state.variation)),
        each(&TE_LOSS, announced_loss),
        each(&TE_DERIVED, derived),
        each(&TE_ANOMALOUS, |it, to| {
            let of = it.announced.iter();
            of.for_each(|of| to.truth(&[it.name()], of.state.anomalous));
        }),
        each(&TE_ADVERTISEMENTS, advertisements),
    ]
}

fn distributions() -> [Metrics; 2] {
    [
        each(&DELAY, |it, to| distribution(it, to, |of| &of.delay)),
        each(&DELAY_VARIATION, |it, to| distribution(it, to, |of| &of.variation)),
    ]
}

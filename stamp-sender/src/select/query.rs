//! What Prometheus is asked: one expression, so that all of the answer is of one moment.

use stamp_metrics::catalogue::{
    DOWN, Metric, POLICY_LIST, RUNNING, TE_DELAY_MIN, TE_DERIVED, TE_LOSS, UP, WINDOW_CLOCK_ERROR,
    WINDOW_DECIDED, WINDOW_DELAY, WINDOW_DELAY_MAX, WINDOW_DELAY_MEAN, WINDOW_END,
    WINDOW_INTEGRITY, WINDOW_LOSS, WINDOW_SYNCHRONIZED, WINDOW_VARIATION_MEAN,
};
use stamp_path::policy::Policies;

use super::matcher::Matcher;

/// Metrics of sessions that decisions are made of.
const OF_SESSIONS: [&Metric; 16] = [
    &RUNNING,
    &UP,
    &DOWN,
    &WINDOW_END,
    &WINDOW_DELAY,
    &WINDOW_DELAY_MEAN,
    &WINDOW_DELAY_MAX,
    &WINDOW_VARIATION_MEAN,
    &WINDOW_LOSS,
    &WINDOW_DECIDED,
    &WINDOW_INTEGRITY,
    &WINDOW_SYNCHRONIZED,
    &WINDOW_CLOCK_ERROR,
    &TE_DELAY_MIN,
    &TE_LOSS,
    &TE_DERIVED,
];

/// The label by which the times of scraping are known among values.
pub(super) const READING: &str = "stamp_reading";

/// All that there is to know of the lists of these policies.
pub fn expression(policies: &Policies, matchers: &[Matcher]) -> String {
    let names = || policies.policies.iter().map(|policy| policy.name.as_str());
    let more: String = matchers.iter().map(|matcher| format!(",{matcher}")).collect();
    let sessions = Matcher::one_of("session", names(), "/.*");
    let of_policies = Matcher::one_of("policy", names(), "");
    let metrics = OF_SESSIONS.iter().map(|metric| metric.name);
    let metrics = Matcher::one_of("__name__", metrics, "");
    let (list, running) = (POLICY_LIST.name, RUNNING.name);
    format!(
        "{{{metrics},{sessions}{more}}} or {list}{{{of_policies}{more}}} or \
         label_replace(timestamp({running}{{{sessions}{more}}}),\"{READING}\",\"scraped\",\"\",\"\")"
    )
}

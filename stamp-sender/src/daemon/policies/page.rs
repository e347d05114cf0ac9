//! `/api/v1/policies`.

use serde_json::{Value, json};
use stamp_metrics::http::Page;
use stamp_metrics::policy::{CandidateView, PolicyView};
use stamp_proto::time::TimeDelta;
use stamp_session::policy::PathSummary;

use super::Policies;
use crate::output::document::SCHEMA_VERSION;
use crate::output::instant::Instant;

/// All policies, as JSON.
pub(in crate::daemon) fn page(policies: &Policies) -> Page {
    let policies: Vec<Value> = policies.all().iter().map(policy).collect();
    let document = json!({ "schema_version": SCHEMA_VERSION, "policies": policies });
    Page::whole("application/json", format!("{document}\n"))
}

fn policy(policy: &PolicyView) -> Value {
    let active = policy.candidates.iter().find(|candidate| candidate.is_active);
    let mut object = json!({
        "name": policy.name,
        "active": active.map(|candidate| &candidate.name),
        "since": policy.since.map(Instant),
    });
    extend(&mut object, summary(&policy.summary));
    object["candidates"] = policy.candidates.iter().map(candidate).collect();
    object
}

fn candidate(candidate: &CandidateView) -> Value {
    let mut object = json!({
        "name": candidate.name,
        "preference": candidate.preference,
        "active": candidate.is_active,
        "eligible": candidate.summary.state.is_up(),
    });
    extend(&mut object, summary(&candidate.summary));
    let lists = candidate.lists.iter().map(|list| {
        json!({ "session": list.session, "weight": list.weight, "state": list.state.label() })
    });
    object["segment_lists"] = lists.collect();
    object
}

fn summary(summary: &PathSummary) -> Value {
    let ns = |delay: Option<TimeDelta>| delay.map(TimeDelta::ns);
    json!({
        "state": summary.state.label(),
        "up": summary.up,
        "down": summary.down,
        "unknown": summary.unknown,
        "delay_ns": {
            "lowest": ns(summary.lowest_delay),
            "highest": ns(summary.highest_delay),
            "weighted": ns(summary.weighted_delay),
            "spread": ns(summary.spread()),
        },
        "loss_ratio": summary.weighted_loss,
    })
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

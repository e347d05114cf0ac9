//! `/api/v1/policies`.

use serde_json::{Value, json};
use stamp_metrics::http::Page;
use stamp_metrics::policy::{CandidateView, Choice, PolicyView};
use stamp_proto::time::TimeDelta;
use stamp_session::policy::PathSummary;

use super::Policies;
use crate::output::document::SCHEMA_VERSION;
use crate::output::instant::Instant;

/// All policies, as JSON.
pub fn page(policies: &Policies) -> Page {
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
    if let Some(choice) = &policy.choice {
        extend(&mut object, chosen(choice));
    }
    extend(&mut object, summary(&policy.summary));
    object["candidates"] = policy.candidates.iter().map(candidate).collect();
    object
}

/// What was decided.
fn chosen(choice: &Choice) -> Value {
    let held = choice.held.as_ref().map(|held| {
        json!({
            "to": held.to,
            "reason": held.reason,
            "by": held.by,
            "until": held.until.map(Instant),
        })
    });
    json!({
        "color": choice.color,
        "endpoint": choice.endpoint,
        "headend": choice.headend,
        "class": choice.class,
        "standing": choice.standing,
        "reason": choice.reason,
        "held": held,
        "standby": choice.standby,
        "unprotected": choice.is_unprotected,
    })
}

fn candidate(candidate: &CandidateView) -> Value {
    let mut object = json!({
        "name": candidate.name,
        "preference": candidate.preference,
        "active": candidate.is_active,
        "eligible": candidate.is_eligible(),
    });
    if let Some((word, reason)) = &candidate.eligibility {
        extend(&mut object, json!({ "eligibility": word, "eligibility_reason": reason }));
    }
    extend(&mut object, summary(&candidate.summary));
    let lists = candidate.lists.iter().map(|list| {
        let mut object =
            json!({ "session": list.session, "weight": list.weight, "state": list.state.label() });
        if let Some(carried) = list.carried {
            extend(&mut object, json!({ "carried": carried, "replaced": list.is_replaced }));
        }
        object
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

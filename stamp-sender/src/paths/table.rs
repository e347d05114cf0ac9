//! `/api/v1/paths`: which lists carry the traffic of each policy.

use serde_json::{Value, json};
use stamp_metrics::table::Row;
use stamp_path::policy::{Entry, Policy, Resolved};

use super::Chooser;
use super::shown::ShownPolicy;
use crate::output::instant::Instant;

impl Chooser {
    /// The table as it is now.
    pub fn rows(&self, shown: &[ShownPolicy]) -> Vec<Row> {
        let plan = self.plan();
        let policies = plan.policies.policies.iter().zip(shown).zip(&self.outcomes);
        policies
            .map(|((policy, shown), outcome)| {
                let class = plan.policies.class_of(policy);
                let carried = outcome.decision.shares.iter();
                let carried =
                    carried.filter_map(|share| Some((share.weight, plan.list(&share.list)?)));
                let lists: Vec<Value> =
                    carried.map(|(weight, entry)| list(weight, entry)).collect();
                let traffic = json!({
                    "prefixes": class.traffic.prefixes,
                    "dscp": class.traffic.dscp.iter().map(ToString::to_string).collect::<Vec<_>>(),
                });
                let object = object(policy, shown, &traffic, &lists);
                Row {
                    policy: policy.name.clone(),
                    class: policy.class.clone(),
                    endpoint: policy.endpoint,
                    prefixes: class.traffic.prefixes,
                    object: object.to_string(),
                }
            })
            .collect()
    }
}

fn object(policy: &Policy, shown: &ShownPolicy, traffic: &Value, lists: &[Value]) -> Value {
    let active = policy.candidates.iter().find(|it| Some(&it.name) == shown.active.as_ref());
    json!({
        "policy": policy.name,
        "headend": shown.choice.headend,
        "color": policy.color.value(),
        "endpoint": policy.endpoint,
        "class": policy.class,
        "traffic": traffic,
        "standing": shown.choice.standing,
        "active": shown.active,
        "preference": active.map(|candidate| candidate.preference),
        "since": shown.since.map(Instant),
        "reason": shown.choice.reason,
        "frozen": shown.frozen,
        "lists": lists,
    })
}

fn list(weight: u32, entry: &Entry) -> Value {
    let segments: Vec<String> = entry.list.list.segments.iter().map(ToString::to_string).collect();
    let (labels, sids) = match &entry.list.resolution.imposed {
        Resolved::Labels(labels) => {
            (Some(labels.iter().map(|label| label.value()).collect::<Vec<u32>>()), None)
        }
        Resolved::Sids(sids) => (None, Some(sids)),
    };
    json!({
        "name": entry.name,
        "weight": weight,
        "segments": segments,
        "labels": labels,
        "sids": sids,
        "next_hop": null,
        "interface": null,
    })
}

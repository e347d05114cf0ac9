use serde_json::json;

use super::*;

/// A path of a policy over lists.
pub fn path(policy: &str, lists: &Value) -> Value {
    json!({
        "policy": policy, "headend": "1", "color": 100, "endpoint": "2001:db8::11",
        "class": "gaming", "traffic": { "prefixes": ["2001:db8:9::/48"], "dscp": ["AF41"] },
        "standing": "good", "active": "fast", "preference": 200,
        "since": "2026-11-28T23:39:00.000000Z", "reason": "first", "lists": lists
    })
}

/// A list of SIDs.
pub fn list(name: &str, weight: u32, sids: &[&str]) -> Value {
    json!({
        "name": name, "weight": weight, "segments": [], "labels": null, "sids": sids,
        "next_hop": null, "interface": null
    })
}

/// A table of paths.
pub fn table(sequence: u64, paths: &[Value]) -> String {
    json!({ "schema_version": 1, "time": "2026-11-28T23:40:00.000000Z", "sequence": sequence, "paths": paths })
        .to_string()
}

fn one() -> Value {
    path("a", &json!([list("a/fast/0", 1, &["fc00:a::1"])]))
}

#[test]
fn every_member_that_matters_is_read() {
    let table = Table::read(&table(17, &[one()])).unwrap();
    assert_eq!((table.sequence, table.unreadable.len()), (17, 0));
    let said = &table.paths[0].said;
    assert_eq!(said.traffic.prefixes, ["2001:db8:9::/48".parse().unwrap()]);
    assert_eq!(said.traffic.dscp, [Dscp::from_name("AF41").unwrap()]);
    assert_eq!((said.color, said.preference), (Some(100), Some(200)));
    let sids: [Ipv6Addr; 1] = ["fc00:a::1".parse().unwrap()];
    assert_eq!(said.lists[0].sids.as_deref(), Some(&sids[..]));
    assert_eq!(table.paths[0].object, one());
}

#[test]
fn a_change_is_taken_in_either_form_and_a_gap_is_noticed() {
    let mut known = Table::read(&table(17, &[one()])).unwrap();
    let mut beside = path("b", &json!([]));
    beside["sequence"] = 18.into();
    known.change(&beside.to_string()).unwrap();
    let within = json!({ "sequence": 19, "path": path("a", &json!([])) });
    known.change(&within.to_string()).unwrap();
    let policies: Vec<_> =
        known.paths.iter().map(|it| (&it.policy[..], it.said.lists.len())).collect();
    assert_eq!(policies, [("a", 0), ("b", 0)]);
    assert_eq!(known.paths[1].object, path("b", &json!([])));
    known.remove(r#"{"policy":"a","sequence":20}"#).unwrap();
    assert_eq!(known.paths.len(), 1);
    let gap = known.remove(r#"{"policy":"b","sequence":22}"#);
    assert_eq!(gap, Err(TableError::Gap { known: 20, got: 22 }));
    assert_eq!(known.paths.len(), 1);
}

#[test]
fn what_is_not_understood_concerns_its_own_policy_alone() {
    let mut strange = path("b", &json!([]));
    strange["traffic"]["dscp"] = json!(["AF99"]);
    let mut stack = path("c", &json!([list("c", 1, &[])]));
    stack["lists"][0]["labels"] = json!([3]);
    let known = Table::read(&table(1, &[one(), strange, stack])).unwrap();
    assert_eq!(known.paths.len(), 1);
    let reasons: Vec<_> = known.unreadable.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["AF99 is no DSCP", "3 is no label of a segment"]);
    for (text, error) in [
        ("{", "not JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "schema version None, and 1 is the one that is understood"),
        (r#"{"schema_version":1,"paths":[]}"#, "no sequence in it"),
        (r#"{"schema_version":1,"sequence":1}"#, "no paths in it"),
    ] {
        assert_eq!(Table::read(text).unwrap_err().to_string(), error);
    }
}

#[test]
fn a_choice_is_by_name() {
    let known = Table::read(&table(1, &[one(), path("b", &json!([]))])).unwrap();
    let chosen = |choice: Choice| known.chosen(&choice).len();
    assert_eq!(chosen(Choice::default()), 2);
    let of = |name: &str| vec![name.to_owned()];
    assert_eq!(chosen(Choice { policies: of("b"), ..Choice::default() }), 1);
    assert_eq!(chosen(Choice { classes: of("gaming"), ..Choice::default() }), 2);
    assert_eq!(chosen(Choice { classes: of("medical"), ..Choice::default() }), 0);
    assert_eq!(chosen(Choice { headends: of("2"), ..Choice::default() }), 0);
}

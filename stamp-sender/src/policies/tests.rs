//! Policies as their sessions make them.

use super::*;
use crate::daemon::{Configuration, SessionSpec};
use crate::output::ndjson::Entry;
use crate::output::schema::tests::assert_valid_line;

const FILE: &str = r#"
[defaults]
policy = "lon"

[[session]]
name = "a"
target = "192.0.2.1"
weight = 3
preference = 200

[[session]]
name = "b"
target = "192.0.2.1"
preference = 200

[[session]]
name = "c"
target = "192.0.2.1"
candidate = "spare"
"#;

fn sessions(text: &str) -> Vec<Arc<SessionSpec>> {
    Configuration::read("f", text, std::path::Path::new("")).unwrap().sessions
}

fn policies() -> Policies {
    let mut policies = Policies::default();
    policies.configure(sessions(FILE).iter());
    assert_eq!(policies.changes(Now::default()), [], "nothing is known yet");
    policies
}

/// State and active candidate of the one change there is, if there is one.
fn change(policies: &mut Policies) -> Option<(String, Option<String>)> {
    let changes = policies.changes(Now::default());
    assert!(changes.len() <= 1, "{changes:?}");
    let entry = changes.into_iter().next()?;
    assert_valid_line(&serde_json::to_value(Entry::from(entry.clone())).unwrap());
    Some((entry.to, entry.candidate_to))
}

/// A session changes its state; what that makes of the policy.
fn told(
    policies: &mut Policies,
    session: &str,
    to: SessionState,
) -> Option<(String, Option<String>)> {
    policies.state(session, 0, to);
    change(policies)
}

fn is(state: &str, candidate: Option<&str>) -> Option<(String, Option<String>)> {
    Some((state.to_owned(), candidate.map(str::to_owned)))
}

#[test]
fn the_best_candidate_with_a_list_that_is_up_carries_traffic() {
    use SessionState::{Down, Up};
    let policies = &mut policies();
    assert_eq!(told(policies, "c", Up), is("up", Some("spare")));
    assert_eq!(told(policies, "b", Up), is("up", Some("preference-200")), "it is preferred");
    assert_eq!(told(policies, "a", Up), None, "nothing new");
    assert_eq!(told(policies, "a", Down), is("degraded", Some("preference-200")));
    assert_eq!(told(policies, "b", Down), is("up", Some("spare")));
    assert_eq!(told(policies, "c", Down), is("down", None));
    assert_eq!(told(policies, "a", Up), is("degraded", Some("preference-200")));
    let view = &policies.all()[0];
    let counted = [
        ("session_up", 3),
        ("session_down", 3),
        ("session_ended", 0),
        ("reconfigured", 0),
        ("path_chosen", 0),
    ];
    assert_eq!(view.changes, counted, "each reason is there from the start");
    let names: Vec<_> = view.candidates.iter().map(|it| (it.name.as_str(), it.is_active)).collect();
    assert_eq!(names, [("preference-200", true), ("spare", false)]);
    let lists: Vec<_> = view.candidates[0].lists.iter().map(|list| list.weight).collect();
    assert_eq!(lists, [3, 1]);
}

#[test]
fn a_list_over_equal_paths_is_down_when_all_of_them_are() {
    use SessionState::{Down, Up};
    let policies = &mut policies();
    policies.state("a", 0, Up);
    policies.state("a", 1, Up);
    assert_eq!(change(policies), is("up", Some("preference-200")));
    policies.state("a", 1, Down);
    assert_eq!(change(policies), None);
    policies.state("a", 0, Down);
    assert_eq!(change(policies), is("down", None));
}

#[test]
fn of_a_session_that_does_not_probe_nothing_is_known() {
    use SessionState::Up;
    let policies = &mut policies();
    assert_eq!(told(policies, "c", Up), is("up", Some("spare")));
    policies.ends("c");
    assert_eq!(change(policies), is("init", None));
    policies.ends("nobody");
    assert_eq!(change(policies), None);
}

#[test]
fn what_is_known_of_a_session_outlives_a_reload() {
    let policies = &mut policies();
    told(policies, "c", SessionState::Up);
    let renamed = FILE.replace("candidate = \"spare\"", "candidate = \"other\"\nweight = 7");
    policies.configure(sessions(&renamed).iter());
    let changes = policies.changes(Now::default());
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].candidate_to.as_deref(), Some("other"));
    assert_eq!((changes[0].to.as_str(), changes[0].reason.as_str()), ("up", "reconfigured"));
    policies.configure([].iter());
    assert_eq!((policies.all(), policies.changes(Now::default())), (vec![], vec![]));
}

#[test]
fn a_preference_belongs_to_a_candidate_and_a_weight_to_a_list() {
    let text = FILE.replace("candidate = \"spare\"", "candidate = \"preference-200\"");
    let error = Configuration::read("f", &text, std::path::Path::new("")).unwrap_err().to_string();
    assert!(error.contains("preference-200 has preference 200"), "{error}");
    let text = "[[session]]\nname = \"a\"\ntarget = \"192.0.2.1\"\nweight = 3\n";
    let error = Configuration::read("f", text, std::path::Path::new("")).unwrap_err().to_string();
    assert!(error.contains("no policy"), "{error}");
}

//! What followers of a table are told.

use super::*;

fn row(policy: &str, class: &str, state: u32) -> Row {
    Row {
        policy: policy.to_owned(),
        class: Some(class.to_owned()),
        endpoint: "192.0.2.11".parse().unwrap(),
        prefixes: vec!["198.51.100.0/24".parse().unwrap()],
        object: format!("{{\"policy\":\"{policy}\",\"state\":{state}}}"),
    }
}

fn table() -> Arc<Table> {
    Arc::new(Table::new(|| "now".to_owned()))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// What it is told next; silence is told at once.
fn told(mut follower: Follower) -> (Follower, String) {
    follower.heartbeat = std::time::Duration::ZERO;
    runtime().block_on(follower.next())
}

#[test]
fn the_number_grows_with_each_row_that_changes_comes_or_goes() {
    let table = table();
    let sequence = |rows: &[Row]| {
        table.publish(rows.to_vec());
        table.state().sequence
    };
    assert_eq!(sequence(&[row("a", "x", 1), row("b", "x", 1)]), 2);
    assert_eq!(sequence(&[row("b", "x", 1), row("a", "x", 1)]), 2, "order is no change");
    assert_eq!(sequence(&[row("b", "x", 2), row("a", "x", 1)]), 3);
    assert_eq!(sequence(&[row("b", "x", 2)]), 4);
    assert_eq!(
        table.document(&Asked::default()),
        "{\"schema_version\":1,\"time\":\"now\",\"sequence\":4,\"paths\":[{\"policy\":\"b\",\"state\":2}]}"
    );
}

#[test]
fn a_follower_has_the_table_and_then_what_changes() {
    let table = table();
    table.publish(vec![row("a", "x", 1), row("b", "x", 1)]);
    let (follower, text) = told(table.follow(Asked::default()));
    assert!(text.starts_with("retry: 2000\nevent: table\ndata: {\"schema_version\":1,"), "{text}");
    let (follower, text) = told(follower);
    assert_eq!(text, ":\n\n");
    table.publish(vec![row("a", "x", 2)]);
    let (follower, text) = told(follower);
    assert_eq!(
        text,
        "event: path\ndata: {\"policy\":\"a\",\"state\":2,\"sequence\":3}\n\n\
         event: removed\ndata: {\"policy\":\"b\",\"sequence\":4}\n\n"
    );
    assert_eq!(told(follower).1, ":\n\n");
}

#[test]
fn who_misses_a_change_has_all_of_the_table_again() {
    let table = table();
    table.publish(vec![row("a", "x", 1)]);
    let (follower, _) = told(table.follow(Asked::default()));
    let asked = Asked { class: Some("x".to_owned()), to: None, scope: None };
    let (some, _) = told(table.follow(asked));
    table.publish(vec![row("a", "x", 2)]);
    table.publish(vec![row("a", "x", 3)]);
    let (follower, text) = told(follower);
    assert!(text.contains("event: table\n") && text.contains("\"sequence\":3,"), "{text}");
    let latest = "event: path\ndata: {\"policy\":\"a\",\"state\":3,\"sequence\":3}\n\n";
    assert_eq!(told(some).1, latest, "whoever wants some finds numbers missing anyway");
    for state in 4..5_000 {
        table.publish(vec![row("a", "x", state)]);
    }
    assert!(told(follower).1.contains("event: table\n"), "so much is not remembered");
}

#[test]
fn a_row_that_leaves_what_was_asked_for_is_removed() {
    let table = table();
    table.publish(vec![row("a", "x", 1)]);
    let asked = Asked { class: Some("x".to_owned()), to: None, scope: None };
    let (follower, _) = told(table.follow(asked));
    table.publish(vec![row("a", "y", 1)]);
    assert_eq!(told(follower).1, "event: removed\ndata: {\"policy\":\"a\",\"sequence\":2}\n\n");
}

#[test]
fn a_path_is_asked_for_by_where_it_leads_and_by_class() {
    for (to, class, wanted) in [
        (Some("198.51.100.7/32"), None, true),
        (Some("198.51.100.0/25"), None, true),
        (Some("192.0.2.11/32"), None, true),
        (Some("198.51.0.0/16"), None, false),
        (Some("192.0.2.0/24"), None, false),
        (None, Some("x"), true),
        (Some("198.51.100.7/32"), Some("y"), false),
        (None, None, true),
    ] {
        let to = to.map(|to| to.parse().unwrap());
        let asked = Asked { to, class: class.map(str::to_owned), scope: None };
        assert_eq!(asked.wants(&row("a", "x", 1)), wanted, "{asked:?}");
    }
}

//! Clients of `/api/v1/paths`, by their tokens.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::table::{Row, Scope};

const TOKEN: &str = "a token of one client";

/// A table of two policies and a client that may see one of them; the folder of its token.
fn stage(name: &str) -> (Stage, PathBuf) {
    let folder = std::env::temp_dir().join(format!("stamp-client-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let token_file = folder.join("token");
    fs::write(&token_file, TOKEN).unwrap();
    fs::set_permissions(&token_file, fs::Permissions::from_mode(0o600)).unwrap();
    let scope = Scope { to: vec!["198.51.100.0/25".parse().unwrap()], classes: Vec::new() };
    let client = Client { name: "branch".to_owned(), token_file, scope: Arc::new(scope) };
    let row = |policy: &str, prefix: &str| Row {
        policy: policy.to_owned(),
        class: Some("gaming".to_owned()),
        endpoint: "192.0.2.11".parse().unwrap(),
        prefixes: vec![prefix.parse().unwrap()],
        object: format!(
            "{{\"policy\":\"{policy}\",\"headend\":\"s\",\"active\":\"past-c\",\
             \"traffic\":{{\"prefixes\":[\"{prefix}\"],\"dscp\":[]}},\
             \"lists\":[{{\"name\":\"{policy}/past-c/0\",\"segments\":[\"c\"],\"labels\":[16002]}}]}}"
        ),
    };
    let table = Arc::new(Table::new(|| "now".to_owned()));
    table.publish(vec![row("ours", "198.51.100.0/24"), row("theirs", "203.0.113.0/24")]);
    let site = Fake { clients: [client].into(), table: Some(table), ..Fake::new(1, None) };
    (Stage::with(site, None), folder)
}

fn ask(stage: &Stage, query: &str, token: Option<&str>) -> String {
    let token =
        token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    stage.ask(&format!("GET /api/v1/paths{query} HTTP/1.1\r\n{token}"))
}

#[test]
fn a_client_sees_what_to_impose_for_its_own_destinations_and_nothing_else() {
    let (stage, folder) = stage("sees");
    let answer = ask(&stage, "", Some(TOKEN));
    for part in [
        "\"prefixes\":[\"198.51.100.0/25\"]",
        "\"labels\":[16002]",
        "\"segments\":[\"c\"]",
        "\"policy\":\"ours\"",
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
    for hidden in ["theirs", "past-c", "inside", "\"s\"", "203.0.113.0", "100.0/24"] {
        assert!(!answer.contains(hidden), "{hidden} in {answer}");
    }
    let answer = ask(&stage, "?to=198.51.100.7", Some(TOKEN));
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("16002"), "{answer}");
    // Not even whether there is a path.
    for to in ["203.0.113.1", "198.51.100.0/24", "192.0.2.1"] {
        let answer = ask(&stage, &format!("?to={to}"), Some(TOKEN));
        assert!(answer.starts_with("HTTP/1.1 403 "), "{to}: {answer}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_client_that_follows_hears_of_its_own_paths_alone() {
    let (stage, folder) = stage("follows");
    let mut stream = stage.connect();
    let head = format!(
        "GET /api/v1/paths HTTP/1.1\r\nHost: s\r\nAccept: text/event-stream\r\n\
         Authorization: Bearer {TOKEN}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut heard = String::new();
    let mut wait_for = |what: &str| {
        let mut part = [0; 4_096];
        while !heard.contains(what) {
            let count = stream.read(&mut part).unwrap();
            assert!(count > 0, "{what} never came: {heard}");
            heard.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        heard.clone()
    };
    wait_for("event: table");
    let table = stage.site.table.as_ref().unwrap();
    let moved = |policy: &str, prefix: &str, label: u32| Row {
        policy: policy.to_owned(),
        class: None,
        endpoint: "192.0.2.11".parse().unwrap(),
        prefixes: vec![prefix.parse().unwrap()],
        object: format!("{{\"policy\":\"{policy}\",\"lists\":[{{\"labels\":[{label}]}}]}}"),
    };
    table.publish(vec![
        moved("theirs", "203.0.113.0/24", 17001),
        moved("ours", "198.51.100.0/24", 17002),
    ]);
    let heard = wait_for("event: path");
    let heard = if heard.contains("17002") { heard } else { wait_for("17002") };
    assert!(!heard.contains("17001") && !heard.contains("theirs"), "{heard}");
    // The table was told as of the second change. What it may not see leaves no gap behind that.
    assert!(heard.contains("\"labels\":[17002],\"name\":\"ours/0\"}],\"sequence\":3}"), "{heard}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_token_is_none_and_without_one_it_is_for_users() {
    let (stage, folder) = stage("other");
    let answer = ask(&stage, "", Some("a token of nobody here"));
    assert!(
        answer.starts_with("HTTP/1.1 401 ") && answer.contains("www-authenticate: Bearer"),
        "{answer}"
    );
    assert!(ask(&stage, "", None).contains("theirs"), "operators see everything");
    // A client is let in to nothing else by its token: where there are users, they are asked for.
    fs::set_permissions(folder.join("token"), fs::Permissions::from_mode(0o644)).unwrap();
    let answer = ask(&stage, "", Some(TOKEN));
    assert!(answer.starts_with("HTTP/1.1 401 "), "a token that everybody reads is none: {answer}");
    let notes = stage.site.notes.lock().unwrap().join("");
    assert!(notes.contains("ClientToken") && notes.contains("chmod o-rwx"), "{notes}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_client_whose_token_is_taken_away_hears_no_more() {
    let (stage, folder) = stage("taken");
    let mut stream = stage.connect();
    let head = format!(
        "GET /api/v1/paths HTTP/1.1\r\nHost: s\r\nAccept: text/event-stream\r\n\
         Authorization: Bearer {TOKEN}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let (mut heard, mut part) = (String::new(), [0; 4_096]);
    while !heard.contains("event: table") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&part[..count]));
    }
    fs::write(folder.join("token"), "a token of its successor").unwrap();
    let row = Row {
        policy: "ours".to_owned(),
        class: None,
        endpoint: "192.0.2.11".parse().unwrap(),
        prefixes: vec!["198.51.100.0/24".parse().unwrap()],
        object: "{\"policy\":\"ours\",\"lists\":[{\"labels\":[17002]}]}".to_owned(),
    };
    stage.site.table.as_ref().unwrap().publish(vec![row]);
    stream.read_to_string(&mut heard).unwrap();
    assert!(!heard.contains("17002"), "{heard}");
    assert!(ask(&stage, "", Some(TOKEN)).starts_with("HTTP/1.1 401 "));
    fs::remove_dir_all(folder).unwrap();
}

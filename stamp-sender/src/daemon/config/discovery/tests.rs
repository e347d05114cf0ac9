//! What becomes of targets that others name.

use super::*;
use crate::daemon::config::Configuration;

const ENTRY: &str = r#"
[profile.gold]
interval = "10ms"
loss-threshold = "3/100"

[[session]]
name = "ours"
target = "192.0.2.1"

[[discovery]]
files = ["targets/*.json", "/more.yml"]
profile = "gold"
dscp = "EF"
name = "{site}-{target}"
"#;

fn read(text: &str) -> Result<Configuration, String> {
    Configuration::read("f.toml", text, Path::new("/etc/stamp")).map_err(|error| error.to_string())
}

fn target(address: &str, labels: &[(&str, &str)]) -> Target {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Target { address: address.to_owned(), labels: labels.collect() }
}

/// What is made of targets of the only entry.
fn composed(text: &str, targets: Vec<Target>) -> (Vec<Arc<SessionSpec>>, Vec<String>) {
    let configuration = read(text).unwrap();
    let provider = configuration.discoveries[0].provider.clone();
    let found = Found::from([(provider, Arc::new(targets))]);
    let (sessions, refused) = compose(&configuration.sessions, &configuration.discoveries, &found);
    (sessions, refused.into_iter().map(|it| format!("{}: {}", it.target, it.reason)).collect())
}

#[test]
fn a_target_is_a_session_by_its_labels_its_entry_and_its_profile() {
    let labels = [
        ("__meta_x", "y"),
        ("site", "ams"),
        ("empty", ""),
        ("job", "routers"),
        ("packet_loss_count", "5"),
        ("dscp", "AF41"),
    ];
    let (sessions, refused) = composed(ENTRY, vec![target("r1:8620", &labels)]);
    assert_eq!(refused, Vec::<String>::new());
    let [_, session] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((session.name.as_str(), session.target.as_str()), ("ams-r1:8620", "r1:8620"));
    assert!(session.discovered && session.loss.is_some());
    let told: Vec<_> = session.settings.iter().collect();
    assert_eq!(told, [("dscp", "AF41"), ("interval", "10ms"), ("packet-loss-count", "5")]);
    let labels: Vec<_> =
        session.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(labels, ["exported_job=routers", "site=ams"]);
}

#[test]
fn labels_may_name_the_session_its_target_and_its_profile() {
    let text = ENTRY.replace("[[session]]", "[profile.slow]\ninterval = \"1s\"\n[[session]]");
    let labels = [("name", "x"), ("target", "192.0.2.9"), ("profile", "slow")];
    let (sessions, _) = composed(&text, vec![target("inventory", &labels)]);
    let session = &sessions[1];
    assert_eq!((session.name.as_str(), session.target.as_str()), ("x", "192.0.2.9"));
    assert_eq!(session.settings.get("interval"), Some("1s"));
}

#[test]
fn a_bad_target_concerns_itself_alone() {
    let site = ("site", "ams");
    let targets = vec![
        target("r1", &[]),
        target("r2", &[site, ("interval", "10")]),
        target("r3", &[site, ("profile", "none")]),
        target("r4:0", &[site]),
        target("r5", &[site, ("key_file", "/etc/shadow")]),
        target("r6", &[site, ("ask_direct", "cmd:reboot")]),
        target("r7", &[("name", "ours")]),
        target("r8", &[site, ("bad name", "x")]),
        target("r9", &[site]),
        target("r9", &[site]),
    ];
    let (sessions, refused) = composed(ENTRY, targets);
    let names: Vec<&str> = sessions.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["ours", "ams-r9"]);
    let starts = [
        "r1: name: it has no label site",
        "r2: interval = \"10\": a bare number has no unit",
        "r3: profile = \"none\": there is no [profile.none]; known: gold",
        "r4:0: target = \"r4:0\": r4:0: expected HOST",
        "r5: key_file: only the file of this service may say so",
        "r6: ask_direct: only the file of this service may say so",
        "r7: another session has the name \"ours\"",
        "r8: labels.bad name = \"x\": a label has letters",
    ];
    assert_eq!(refused.len(), starts.len(), "{refused:#?}");
    for (reason, start) in refused.iter().zip(starts) {
        assert!(reason.starts_with(start), "{reason}");
    }
}

#[test]
fn a_session_that_the_file_has_too_is_the_same() {
    let plain = ENTRY.replace("profile = \"gold\"\ndscp = \"EF\"\n", "");
    let labels = [("name", "ours"), ("target", "192.0.2.1")];
    let (sessions, refused) = composed(&plain, vec![target("x", &labels)]);
    assert_eq!((sessions.len(), refused.len()), (1, 0));
}

#[test]
fn an_entry_has_files_or_a_server() {
    let configuration = read(ENTRY).unwrap();
    let files = Provider::Files(vec!["/etc/stamp/targets/*.json".into(), "/more.yml".into()]);
    assert_eq!(configuration.discoveries[0].provider, files);
    let text = "[[discovery]]\nurl = \"https://a/t\"\nca-file = \"ca\"\n";
    let provider = &read(text).unwrap().discoveries[0].provider;
    let Provider::Http { url, every, ca_file, token_file: None } = provider else {
        panic!("{provider:?}")
    };
    assert_eq!((url.text(), *every), ("https://a/t", Duration::from_secs(60)));
    assert_eq!(ca_file.as_deref(), Some(Path::new("/etc/stamp/ca")));
    let errors = read(
        "[[discovery]]\nfiles = [\"a\"]\nurl = \"http://b\"\n[[discovery]]\nurl = \"b\"\n\
         [[discovery]]\nprofile = \"x\"\nname = \"{a\"\n\
         [[discovery]]\nfiles = \"a\"\nrefresh-interval = \"5s\"\n",
    )
    .unwrap_err();
    let expected = "\
f.toml:2:9: discovery[0].files = [\"a\"]: cannot stand together with url
f.toml:5:7: discovery[1].url = \"b\": expected http://HOST:PORT/PATH or https://HOST:PORT/PATH, without a user in it
f.toml:6:1: discovery[2].files: missing; expected a list of files, or url
f.toml:7:11: discovery[2].profile = \"x\": there is no [profile.x], nor any other profile
f.toml:8:8: discovery[2].name = \"{a\": expected a text with {target} or labels in braces, such as {site}-{target}
f.toml:11:20: discovery[3].refresh-interval = \"5s\": needs url as well";
    assert_eq!(errors, expected);
}

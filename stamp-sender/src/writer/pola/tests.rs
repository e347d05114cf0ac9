use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use stamp_path::Topology;

use super::*;
use crate::writer::config::Commands;
use crate::writer::table::Table;
use crate::writer::table::tests::{list, path, table};

const NETWORK: &str = "\
[[node]]
name = \"5\"
loopbacks = [\"192.0.2.5\", \"2001:db8::5\"]
sids = { end = \"fc00:bb:5:1::/64\", un = \"fcbb:bb00:5::/48\" }
[[node]]
name = \"11\"
loopbacks = [\"2001:db8::11\"]
sids = { dt6 = \"fcbb:bb00:11:d6::/64\", un = \"fcbb:bb00:11::/48\" }
[[link]]
ends = [\"5\", \"11\"]
end-x = [\"fc00:bb:5:a11::\", \"fc00:bb:11:a5::\"]
addresses = [[\"2001:db8:5:11::5\"], [\"198.51.100.11\", \"2001:db8:5:11::11\"]]
";

fn writer(folder: &Path, commands: Option<Commands>, dry_run: bool) -> Writer {
    let config = Pola {
        folder: folder.to_owned(),
        session: "10.0.60.1".parse().unwrap(),
        headend: "192.0.2.1".parse().unwrap(),
        autonomous_system: Some(65_000),
        commands,
        topology: None,
    };
    let topology = Topology::read("net.toml", NETWORK).unwrap();
    let owners = Owners::of(Some(&topology));
    Writer { config, is_named: true, owners, dry_run, told: Vec::new() }
}

fn over(policy: &str, list: Value) -> Value {
    path(policy, &json!([list]))
}

fn labels(labels: &[u32]) -> Value {
    let mut list = list("a", 1, &[]);
    (list["sids"], list["labels"]) = (Value::Null, json!(labels));
    list
}

fn chosen(paths: &[Value]) -> Vec<ChosenPath> {
    Table::read(&table(1, paths)).unwrap().paths
}

/// What is done, in words.
fn done(outcome: Outcome) -> Vec<String> {
    assert!(outcome.is_complete(), "{outcome:?}");
    outcome.changes.into_iter().map(|change| change.what).collect()
}

fn apply(writer: &mut Writer, paths: &[Value]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(writer.apply(&chosen(paths)))
}

fn undo(writer: &mut Writer) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(writer.undo())
}

/// An empty folder, taken away with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("stamp-pola-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn labels_sids_and_micro_sids_are_what_pola_reads() {
    let schema: Value = serde_json::from_str(include_str!("schema.json")).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let writer = writer(Path::new("/nowhere"), None, true);
    let mut mpls = over("gaming to 11", labels(&[16005, 16011]));
    mpls["endpoint"] = json!("192.0.2.11");
    let srv6 = ["fc00:bb:5:1::", "fc00:bb:5:a11::", "fc00:ee::d6"];
    let micro = ["fcbb:bb00:5:11::", "fcbb:bb00:11:d6::"];
    let [srv6, micro] = [&srv6[..], &micro].map(|sids| over("gaming to 11", list("a", 1, sids)));
    for (path, expected) in [
        (mpls, include_str!("sr-mpls.yaml")),
        (srv6, include_str!("srv6.yaml")),
        (micro, include_str!("usid.yaml")),
    ] {
        let [chosen] = &chosen(&[path])[..] else { panic!() };
        let object = Value::Object(document::object(&writer, chosen).unwrap());
        schema.validate(&object).unwrap();
        let mut refused = Vec::new();
        let documents = document::all(&writer, std::slice::from_ref(chosen), &mut refused);
        assert_eq!((&documents[0].text[..], refused), (expected, Vec::new()));
        assert_eq!(documents[0].file, "gaming-to-11.yaml");
    }
}

#[test]
fn the_schema_refuses_what_pola_refuses() {
    let schema: Value = serde_json::from_str(include_str!("schema.json")).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let writer = writer(Path::new("/nowhere"), None, true);
    let [chosen] = &chosen(&[over("a", list("a", 1, &["fc00::1"]))])[..] else { panic!() };
    let right = Value::Object(document::object(&writer, chosen).unwrap());
    let without = |pointer: &str, member: &str| {
        let mut wrong = right.clone();
        wrong.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(member).unwrap();
        wrong
    };
    let segment = "/srPolicy/candidatePath/explicit/segmentList/0";
    for (pointer, member) in [
        ("", "srPolicy"),
        ("/srPolicy", "headend"),
        ("/srPolicy", "candidatePath"),
        ("/srPolicy/candidatePath", "explicit"),
        (segment, "sid"),
        // Of a SID it is wanted, of a label it is not.
        (segment, "localAddr"),
    ] {
        assert!(!schema.is_valid(&without(pointer, member)), "{pointer}/{member}");
    }
    let mut wrong = right.clone();
    wrong["srPolicy"]["color"] = json!(0);
    assert!(schema.is_valid(&right) && !schema.is_valid(&wrong));
}

#[test]
fn what_pola_has_no_words_for_is_said() {
    let mut writer = writer(Path::new("/nowhere"), None, true);
    let one = || list("a", 1, &["fc00::1"]);
    let mut colourless = over("c", one());
    colourless["color"] = Value::Null;
    let of_another_color = |policy: &str, color: u32| {
        let mut path = over(policy, one());
        path["color"] = json!(color);
        path
    };
    let paths = [
        path("none", &json!([])),
        path("two", &json!([one(), one()])),
        over("empty", labels(&[])),
        colourless,
        over("a b", one()),
        over("same", one()),
        of_another_color("a/b", 101),
    ];
    let (mut refused, chosen) = (Vec::new(), chosen(&paths));
    let documents = document::all(&writer, &chosen, &mut refused);
    let files: Vec<_> = documents.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["a-b.yaml"]);
    let expected = [
        ("two", "2 lists carry its traffic, and a candidate path of Pola has one"),
        ("empty", "its list has no segment"),
        ("c", "it has no color"),
        ("same", "another policy has its color and endpoint"),
        ("a/b", "its file would be that of a b: a-b.yaml"),
    ];
    let refused: Vec<_> = refused.iter().map(|(policy, it)| (&policy[..], &it[..])).collect();
    assert_eq!(refused, expected);
    writer.is_named = false;
    let mut refused = Vec::new();
    assert_eq!(document::all(&writer, &chosen[4..5], &mut refused), []);
    let reason = "it begins at 1: if the session is of it, headends = [\"1\"] says so";
    assert_eq!(refused, [("a b".to_owned(), reason.to_owned())]);
}

#[test]
fn a_name_is_no_path_and_no_syntax() {
    let writer = writer(Path::new("/nowhere"), None, true);
    let name = "../\"é'\n: #";
    let path = over(name, labels(&[16005]));
    let mut refused = Vec::new();
    let documents = document::all(&writer, &chosen(&[path]), &mut refused);
    assert_eq!(documents[0].file, "-.--------.yaml");
    let read: Value = serde_saphyr::from_str(&documents[0].text).unwrap();
    assert_eq!(read["srPolicy"]["name"], name, "{}", documents[0].text);
}

#[test]
fn only_what_differs_is_written_and_what_is_anothers_stays() {
    let folder = Folder::new();
    let new = |dry_run| writer(&folder.0, None, dry_run);
    let [a, b] = ["a", "b"].map(|name| folder.0.join(name).with_extension("yaml"));
    let both = |sid: &str| {
        let mut second = over("b", list("b", 1, &["fc00::b"]));
        second["color"] = json!(101);
        [over("a", list("a", 1, &[sid])), second]
    };
    let mut dry = new(true);
    let told = done(apply(&mut dry, &both("fc00::1")));
    assert!(told[0].starts_with(&format!("# to {}:\n{HEADING}", a.display())), "{told:?}");
    assert_eq!(told.len(), 2);
    assert_eq!(done(apply(&mut dry, &both("fc00::1"))), [""; 0], "it is told once");
    assert_eq!(folder.names(), [""; 0], "a dry run");
    let mut live = new(false);
    let wrote = |file: &Path| format!("write {}", file.display());
    assert_eq!(done(apply(&mut live, &both("fc00::1"))), [wrote(&a), wrote(&b)]);
    assert_eq!(done(apply(&mut live, &both("fc00::1"))), [""; 0]);
    assert_eq!(done(apply(&mut new(false), &both("fc00::2"))), [wrote(&a)], "after a restart");
    fs::write(folder.0.join("c.yaml"), "srPolicy: {}\n").unwrap();
    let mut third = over("c", list("c", 1, &["fc00::c"]));
    third["color"] = json!(102);
    let outcome = apply(&mut live, &[third]);
    let results: Vec<_> = outcome.changes.iter().map(|it| (&it.what[..], &it.result)).collect();
    let removed = [&a, &b].map(|file| format!("remove {}", file.display()));
    let another = Err("it is another's".to_owned());
    let expected = [
        (&wrote(&folder.0.join("c.yaml"))[..], &another),
        (&removed[0], &Ok(())),
        (&removed[1], &Ok(())),
    ];
    assert_eq!(results, expected);
    assert_eq!(done(undo(&mut live)), [""; 0]);
    assert_eq!(folder.names(), ["c.yaml"]);
}

#[test]
fn the_pce_is_told_before_a_file_says_so() {
    let folder = Folder::new();
    let log = folder.0.join("log");
    let command = |verb: &str| {
        // The last line of the list is what tells one path from another.
        let script = format!(
            "grep -o fc00.* \"$1\" | tail -1 | sed \"s|^|$0 $(basename \"$1\") |\" >> {}; test ! -e {}/broken",
            log.display(),
            folder.0.display()
        );
        ["sh", "-c", &script, verb].map(str::to_owned).to_vec()
    };
    let commands = Commands { add: command("add"), delete: command("delete") };
    let mut live = writer(&folder.0, Some(commands), false);
    let mut told = |what: &mut dyn FnMut(&mut Writer) -> Outcome| {
        let outcome = what(&mut live);
        let said = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        (outcome, said)
    };
    let way = |sid: &str, color: u32| {
        let mut path = over("a", list("a", 1, &[sid]));
        path["color"] = json!(color);
        path
    };
    let (outcome, said) = told(&mut |live| apply(live, &[way("fc00::1", 100)]));
    assert_eq!((done(outcome).len(), &said[..]), (1, "add a.new fc00::1'\n"));
    let (outcome, said) = told(&mut |live| apply(live, &[way("fc00::2", 100)]));
    assert_eq!((done(outcome).len(), &said[..]), (1, "add a.new fc00::2'\n"));
    fs::write(folder.0.join("broken"), "").unwrap();
    let (outcome, _) = told(&mut |live| apply(live, &[way("fc00::3", 100)]));
    let reason = outcome.changes[0].result.clone().unwrap_err();
    assert!(reason.starts_with("sh ended with exit status: 1"), "{reason}");
    assert!(folder.text("a.yaml").contains("fc00::2"), "what is not in force is not there");
    fs::remove_file(folder.0.join("broken")).unwrap();
    // Another color is another policy: the one before would stay.
    let (outcome, said) = told(&mut |live| apply(live, &[way("fc00::3", 101)]));
    let expected = "delete a.yaml fc00::2'\nadd a.new fc00::3'\n";
    assert_eq!((done(outcome).len(), &said[..]), (1, expected));
    let (outcome, said) = told(&mut undo);
    assert_eq!((done(outcome).len(), &said[..]), (1, "delete a.yaml fc00::3'\n"));
    assert_eq!(folder.names(), [""; 0]);
}

use ipnet::IpNet;
use stamp_proto::ip::Dscp;

use super::source::Source;
use super::*;
use crate::quantity::{Interval, RateLimit};

fn errors(text: &str, build: impl FnOnce(&Section<'_>)) -> Vec<String> {
    match read("f.toml", text, build) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_mistake_is_reported_at_once_and_in_order() {
    let text = "interval = \"1parsec\"\nrate-limit = 0\nnonsense = 1\n";
    let found = errors(text, |root| {
        root.get::<RateLimit>("rate-limit");
        root.get::<Interval>("interval");
    });
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("f.toml:1:12: interval = \"1parsec\": expected a duration"));
    assert!(found[1].starts_with("f.toml:2:14: rate-limit = 0: expected packets per second"));
    assert_eq!(found[2], "f.toml:3:1: nonsense: unknown key");
}

#[test]
fn a_bare_number_for_a_duration_is_refused_with_the_reason() {
    for number in ["10", "0.1", "\"10\"", "\".5\""] {
        let found = errors(&format!("interval = {number}\n"), |root| {
            root.get::<Interval>("interval");
        });
        assert!(found[0].contains("a bare number has no unit"), "{found:?}");
        assert!(!found[0].contains("a bare number is seconds"), "{found:?}");
    }
    for text in ["", ".", "192.0.2.1", "1e3"] {
        let found = errors(&format!("interval = \"{text}\"\n"), |root| {
            root.get::<Interval>("interval");
        });
        assert!(
            found[0].contains("expected a duration") && !found[0].contains("no unit"),
            "{found:?}"
        );
    }
}

#[test]
fn a_quoted_flag_and_a_quoted_count_are_refused() {
    let found = errors("stateful = \"true\"\n", |root| {
        root.get::<bool>("stateful");
    });
    assert_eq!(found, ["f.toml:1:12: stateful = \"true\": expected true or false"]);
}

#[test]
fn the_key_of_a_nested_table_carries_its_path() {
    let text =
        "[[allow]]\nprefix = \"192.0.2.0/24\"\n[[allow]]\nprefix = \"192.0.2.1/24\"\nprefux = 1\n";
    let found = errors(text, |root| {
        root.sections("allow", |allow| allow.require::<IpNet>("prefix"));
    });
    assert!(found[0].starts_with("f.toml:4:10: allow[1].prefix = \"192.0.2.1/24\": expected"));
    assert_eq!(found[1], "f.toml:5:1: allow[1].prefux: unknown key; did you mean \"prefix\"?");
}

#[test]
fn a_missing_key_points_at_its_table() {
    let found = errors("[[allow]]\n", |root| {
        root.sections("allow", |allow| allow.require::<IpNet>("prefix"));
    });
    assert!(found[0].starts_with("f.toml:1:1: allow[0].prefix: missing; expected a prefix"));
}

#[test]
fn a_missing_table_is_an_empty_one_and_anything_else_is_a_mistake() {
    let key_file = |text: &str| {
        read("f.toml", text, |root| {
            root.section_or_empty("auth", |auth| auth.get::<String>("key-file"))
        })
    };
    assert_eq!(key_file("auth.key-file = \"keys\"").unwrap().as_deref(), Some("keys"));
    assert_eq!(key_file("").unwrap(), None);
    let error = key_file("auth = true").unwrap_err().to_string();
    assert_eq!(error, "f.toml:1:8: auth = true: expected a table");
    let error = key_file("auth.key = 1").unwrap_err().to_string();
    assert!(error.starts_with("f.toml:1:6: auth.key: unknown key"), "{error}");
}

#[test]
fn a_value_is_shown_as_it_was_written() {
    let written = |root: &Section<'_>| (root.written("dscp"), root.written("ttl"));
    let found = read("f.toml", "dscp = [ \"EF\",\n  10 ]\n", written).unwrap();
    assert_eq!(found, (Some("[ \"EF\",\n  10 ]".to_owned()), None));
}

#[test]
fn a_list_may_be_one_value_and_every_wrong_item_counts() {
    let read_list = |text: &str| {
        read("f.toml", text, |root| root.list::<Dscp>("dscp")).map(Option::unwrap_or_default)
    };
    assert_eq!(read_list("dscp = \"EF\"").unwrap().len(), 1);
    assert_eq!(read_list("dscp = [\"EF\", 10]").unwrap().len(), 2);
    assert_eq!(read_list("dscp = [\"XX\", 99, \"EF\"]").unwrap_err().0.len(), 2);
}

#[test]
fn a_syntax_error_says_where_and_hides_no_follow_up() {
    let found = errors("a = \n[b\n", |_| {});
    assert!(found[0].starts_with("f.toml:1:"), "{found:?}");
}

#[test]
fn a_key_that_is_there_twice_is_named() {
    for (text, told) in [
        ("a = 1\nb-c = 1\nb-c = 2\n", "f.toml:3:1: b-c: duplicate key"),
        ("[x]\n[y]\n[x]\n", "f.toml:3:2: x: duplicate key"),
    ] {
        assert_eq!(errors(text, |_| {}), [told]);
    }
}

#[test]
fn columns_count_characters_not_octets() {
    let found = errors("name = \"é\" ; x\n", |root| {
        root.get::<String>("name");
    });
    assert!(found[0].starts_with("f.toml:1:"), "{found:?}");
    let of = |text, offset| Source::new("f.toml", text).position(offset);
    assert_eq!(of("é = 1", 5), (1, 5));
    assert_eq!(of("é = 1\nü = 2\n", 12), (2, 5));
    assert_eq!(
        [of("a\n", 1), of("a\n", 2), of("a\n", 9), of("", 0)],
        [(1, 2), (2, 1), (2, 1), (1, 1)]
    );
}

#[test]
fn a_mistake_is_told_where_it_stands_when_the_document_has_gone() {
    let text = "[[s]]\nport = 1\n[[s]]\nname = \"x\"\nport = 2\n";
    let places = read("f.toml", text, |root| {
        root.sections("s", |section| {
            let (_, _) = (section.get::<String>("name"), section.flag_text("port"));
            [section.place("port"), section.place("name")]
        })
    });
    let problem = || Problem::Contradiction { reason: "taken".to_owned() };
    let told = |place: &Place| place.error(problem()).to_string();
    let told: Vec<String> = places.unwrap().iter().flatten().map(told).collect();
    let expected = [
        "f.toml:2:8: s[0].port = 1: taken",
        "f.toml:1:1: s[0].name: taken",
        "f.toml:5:8: s[1].port = 2: taken",
        "f.toml:4:8: s[1].name = \"x\": taken",
    ];
    assert_eq!(told, expected);
}

#[test]
fn places_of_a_table_say_what_each_place_would() {
    let text = "port = 1\n[[s]]\nname = \"é\"\nport = 2\n";
    let places = read("f.toml", text, |root| {
        let keys = ["name", "port", "absent"];
        let of = |section: &Section<'_>| {
            let single = ["name", "port"].map(|key| section.place(key));
            (single, section.places_of(keys))
        };
        let (_, root_places) = of(root);
        let (single, places) = root.sections("s", of).pop().unwrap();
        assert_eq!(single.map(Some), [places.get("name"), places.get("port")]);
        assert_eq!(places.get("absent"), None);
        [root_places.get("port"), places.get("port")]
    });
    let [root, of_table] = places.unwrap().map(Option::unwrap);
    let told = |place: Place| place.error(Problem::Needs { other: "x" }).to_string();
    assert_eq!(told(root), "f.toml:1:8: port = 1: needs x as well");
    assert_eq!(told(of_table), "f.toml:4:8: s[0].port = 2: needs x as well");
}

#[test]
fn lists_of_lists_are_read_and_every_wrong_item_counts() {
    let read_lists = |text: &str| read("f.toml", text, |root| root.lists::<Dscp>("dscp"));
    assert_eq!(read_lists("dscp = [[1, 2], [3]]").unwrap().map(|lists| lists.len()), Some(2));
    let error = read_lists("dscp = [[1, 64], 7]").unwrap_err().to_string();
    assert!(error.starts_with("f.toml:1:13: dscp = 64: expected a DSCP"), "{error}");
    assert!(error.ends_with("f.toml:1:18: dscp = 7: expected a list"), "{error}");
}

#[test]
fn a_place_outlives_its_section() {
    let found = errors("[[allow]]\nprefixes = [\"a\", \"b\"]\n", |root| {
        let places = root.sections("allow", |allow| {
            (allow.places("prefixes"), allow.place("name"), allow.has("prefixes"))
        });
        let [(items, missing, true)] = &places[..] else { panic!("{places:?}") };
        root.report(&items[1], Problem::Missing { expected: "x" });
        root.report(missing, Problem::Missing { expected: "x" });
    });
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("f.toml:1:1: allow[0].name: missing"), "{found:?}");
    assert!(found[1].starts_with("f.toml:2:18: allow[0].prefixes = \"b\": missing"), "{found:?}");
}

#[test]
fn nothing_far_off_is_suggested() {
    assert_eq!(nearest("statefull", &["stateful", "listen"]), Some("stateful"));
    assert_eq!(nearest("zzz", &["stateful", "listen"]), None);
}

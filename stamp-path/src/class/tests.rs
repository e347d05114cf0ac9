use stamp_document::Setting;
use stamp_document::quantity::Ratio;

use super::*;
use crate::policy::Policies;

/// Classes of a text without a topology, or what is wrong, a line each, without the name of the file.
fn read(text: &str) -> Result<Vec<Class>, Vec<String>> {
    let line = |error: &stamp_document::document::ConfigError| error.to_string().split_off(2);
    let read = Policies::read("c", text, None);
    read.map(|read| read.classes).map_err(|errors| errors.0.iter().map(line).collect())
}

#[track_caller]
fn mistake(keys: &str) -> String {
    let found = read(&format!("[class.c]\n{keys}\n")).unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn every_measure_has_a_word_that_is_read_back() {
    for (word, measure) in Measure::WORDS {
        assert_eq!((measure.word(), Measure::read(word)), (word, Some(measure)));
    }
    assert_eq!(Measure::read("forward"), None);
    assert_eq!(Measure::Loss(Direction::RoundTrip).to_string(), "loss");
}

#[test]
fn delays_are_told_in_digits_that_somebody_reads() {
    let told = |ns| Value::Delay { ns }.to_string();
    assert_eq!(told(119_799_808), "119.8ms");
    assert_eq!(told(-2_000_499), "-2ms");
    assert_eq!(told(999_999), "999.999us");
    assert_eq!(told(20_000_000), "20ms");
    assert_eq!(told(20_001_000), "20.001ms");
    let share = |billionths| Value::Share(Ratio::from_billionths(billionths).unwrap()).to_string();
    assert_eq!(share(138_613_861), "13.861%");
    assert_eq!((share(1_000_000_000), share(20_000_000)), ("100%".to_owned(), "2%".to_owned()));
    assert_eq!(share(123_456), "0.0123456%");
}

#[test]
fn limits_have_the_unit_of_what_they_limit() {
    let keys = "require = { backward-p95 = \"5ms\", variation = \"2ms\", forward-loss = \"0.1%\", hops = 7 }";
    let class = read(&format!("[class.c]\n{keys}\n")).unwrap().remove(0);
    let told: Vec<String> = class.require.iter().map(ToString::to_string).collect();
    let expected = [
        "backward-p95 of at most 5ms",
        "variation of at most 2ms",
        "forward-loss of at most 0.1%",
        "hops of at most 7",
    ];
    assert_eq!(told, expected);
    assert_eq!(class.compared(), Some(Measure::Delay(Direction::Backward, Quantile::P95)));
    assert_eq!(class.dynamic().metric, Metric::Delay);
    assert_eq!(Class::default().dynamic().metric, Metric::Igp);
}

#[test]
fn all_mistakes_are_told_at_once_with_their_range() {
    let found = read(
        "[class.c]\nrequire = { loss = \"5ms\", forward-p99 = \"0s\", hops = 0, p99 = \"1ms\" }\n\
         prefer = \"delay\"\nstandby = \"wire\"\nhold = \"25h\"\nmargin = 10\nchanges-per-hour = 9999\n",
    );
    let found = found.unwrap_err();
    let expected = [
        "2:20: class.c.require.loss = \"5ms\": expected a share from 0% to 100%",
        "2:41: class.c.require.forward-p99 = \"0s\": expected a duration from 1us to 10m",
        "2:54: class.c.require.hops = 0: expected a count of links from 1 to 255",
        "2:57: class.c.require.p99: unknown key",
        "3:10: class.c.prefer = \"delay\": expected forward-p50",
        "4:11: class.c.standby = \"wire\": expected link, node, srlg or node+srlg",
        "5:8: class.c.hold = \"25h\": expected a duration from 0s to 24h",
        "6:10: class.c.margin = 10: a bare number has no unit",
        "7:20: class.c.changes-per-hour = 9999: expected a count of changes from 0 to 3600",
    ];
    for expected in expected {
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(found.len(), expected.len());
}

/// A name that is misspelt would protect nothing.
#[test]
fn what_is_avoided_has_to_exist() {
    assert!(
        mistake("avoid = { nodes = [\"a\"] }").contains("a name needs a topology to come from")
    );
    let topology = "[[node]]\nname = \"a\"\ndomain = \"x\"\nas = 7\n";
    let topology = crate::Topology::read("t", topology).unwrap();
    let read = |keys: &str| {
        Policies::read("c", &format!("[class.c]\navoid = {{ {keys} }}\n"), Some(&topology))
    };
    assert!(read("domains = [\"x\"], as = [7], nodes = [\"a\"]").is_ok());
    for (keys, told) in [
        ("domains = [\"y\"]", "no node of the topology lies in domain \"y\""),
        ("as = [8]", "no node of the topology lies in AS 8"),
        ("nodes = [\"b\"]", "the topology has no node or link \"b\"; there is a"),
        ("links = [\"a\"]", "the topology has no node or link \"a\""),
    ] {
        let found = read(keys).unwrap_err().to_string();
        assert!(found.contains(told), "{found}");
    }
}

#[test]
fn who_stays_apart_from_whom_has_an_order() {
    assert!(mistake("apart-from = { classes = [\"d\"] }").contains("no [class.d] is there"));
    assert!(
        mistake("apart-from = { classes = [\"c\"] }")
            .contains("class \"c\" stays apart from this one")
    );
    assert!(mistake("apart-from = {}").contains("apart-from.classes: at least one is needed"));
    let circle = "[class.a]\napart-from = { classes = [\"b\"] }\n[class.b]\napart-from = { classes = [\"c\"] }\n\
                  [class.c]\napart-from = { classes = [\"a\"] }\n";
    assert_eq!(read(circle).unwrap_err().len(), 3, "each of them is in it");
    let policy = "[[policy]]\ncolor = 1\nendpoint = \"192.0.2.1\"\nclass = \"c\"\ncandidate = [{ segments = [16001] }]\n";
    assert!(
        read(policy).unwrap_err()[0].contains("policy[0].class = \"c\": no [class.c] is there")
    );
}

#[test]
fn a_margin_is_a_share_of_what_there_is() {
    let tenth = Ratio::read("10%").unwrap();
    let delay = |ns| Value::Delay { ns };
    assert_eq!(delay(700_000).less(tenth), delay(630_000));
    assert_eq!(delay(-5).less(tenth), delay(-5));
    let share = |text| Value::Share(Ratio::read(text).unwrap());
    assert_eq!(share("1%").less(tenth), share("0.9%"));
    assert_eq!(Value::Count(10).less(tenth), Value::Count(9));
    let shown =
        [delay(615_000), delay(-1_500), share("0.1%"), Value::Count(3)].map(|it| it.to_string());
    assert_eq!(shown, ["615us", "-1.5us", "0.1%", "3"]);
}

use stamp_config::document::read as document;

use super::*;
use crate::command_line::SchemaFormat;

fn notify(text: &str) -> Result<Notify, String> {
    let folder = Path::new("/etc/stamp");
    document("f", text, |root| Notify::read(root, folder)).map_err(|error| error.to_string())
}

#[test]
fn what_is_shown_says_the_same_when_it_is_read() {
    let text = "[[webhook]]\nurl = \"https://noc.example/stamp?x=1\"\ntypes = [\"state\"]\n\
                sessions = [\"a b\"]\ntoken-file = \"token\"\nbatch = { every = \"2s\", most = 10 }\n\
                [[webhook]]\nname = \"second\"\nurl = \"http://[2001:db8::1]:80/\"\n\
                [[webhook]]\nname = \"chat\"\nurl-file = \"chat.url\"\n\
                [[hook]]\ncommand = [\"/usr/bin/logger\", \"-t\", \"a b\"]\nat-once = 4\n";
    let read = notify(text).unwrap();
    let [first, second, chat] = &read.webhooks[..] else { panic!("{read:?}") };
    assert_eq!(chat.address, Address::File("/etc/stamp/chat.url".into()));
    assert_eq!(first.token_file.as_deref(), Some(Path::new("/etc/stamp/token")));
    assert_eq!((first.every, first.most), (Duration::from_secs(2), 10));
    assert_eq!((second.every, second.retry), (Duration::from_secs(1), Duration::from_secs(600)));
    assert_eq!(first.wanted.sessions, ["a b"]);
    assert_eq!((read.hooks[0].at_once, read.hooks[0].command[2].as_str()), (4, "a b"));
    assert_eq!(notify(&read.show()), Ok(read));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let text = "[[webhook]]\nurl = \"noc.example\"\ntypes = [\"states\"]\n\
                [[webhook]]\nurl = \"http://a/\"\ntimeout = 5\n\
                [[webhook]]\nurl = \"http://a/\"\nname = \"file\"\n\
                [[webhook]]\nname = \"both\"\nurl = \"http://a/\"\nurl-file = \"a\"\n\
                [[hook]]\ncommand = []\n[[hook]]\ncommand = \"/bin/true\"\n";
    let expected = "\
f:2:7: webhook[0].url = \"noc.example\": expected http://HOST:PORT/PATH or https://HOST:PORT/PATH, without a user in it
f:3:10: webhook[0].types = \"states\": expected state, policy, path, delay, loss, loss_direction, te, clock, config, reflector_restart, fallback, pace, access_report, reflector_mode or zero_ssid
f:5:7: webhook[1].url = \"http://a/\": another place that events go to is called webhook; give a name
f:6:11: webhook[1].timeout = 5: a bare number has no unit: write it in quotes, with one; expected a duration from 10ms to 24h, such as 1s or 10m
f:9:8: webhook[2].name = \"file\": another place that events go to is called file; give a name
f:13:12: webhook[3].url-file = \"a\": url says where it is: only one of both can
f:15:11: hook[0].command = []: no program: give a list of it and its arguments
f:17:11: hook[1].command = \"/bin/true\": another place that events go to is called hook; give a name";
    assert_eq!(notify(text).unwrap_err(), expected);
}

/// Types that only an ad hoc run tells, and what no choice leaves out.
const NOT_CHOSEN: [&str; 11] = [
    "start",
    "sample",
    "late",
    "lost",
    "duplicate",
    "rejected",
    "unsent",
    "icmp",
    "interval",
    "end",
    "dropped",
];

#[test]
fn every_type_that_a_service_tells_can_be_chosen() {
    let schema = crate::output::schema::text(SchemaFormat::Ndjson);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let types = schema["properties"]["type"]["enum"].as_array().unwrap();
    let types = types.iter().map(|kind| kind.as_str().unwrap());
    let told: BTreeSet<&str> = types.filter(|kind| !NOT_CHOSEN.contains(kind)).collect();
    let known = Kind::EXPECTED.split([',', ' ']).filter(|word| !word.is_empty() && *word != "or");
    assert_eq!(known.collect::<BTreeSet<_>>(), told);
}

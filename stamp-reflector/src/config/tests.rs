use std::path::Path;

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::tlv::TlvType;
use stamp_session::reflector::{Admission, RateLimit, SourcePolicy, TlvAction, TlvActions};

use super::*;
use crate::failure::Failure;

mod forwarding;

fn source() -> Source {
    Source::default()
}

fn read(text: &str) -> Config {
    source().read("r.toml", text, Path::new("")).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let failure = source().read("r.toml", text, Path::new("")).unwrap_err();
    failure.to_string().lines().map(str::to_owned).collect()
}

/// A folder with a file `keys` in it that only we can read; gone when dropped.
struct KeyFolder(PathBuf);

impl KeyFolder {
    fn new(name: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("keys");
        std::fs::write(&file, "1 000102030405060708090a0b0c0d0e0f\n2 ff\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self(folder)
    }

    fn read(&self, text: &str) -> Result<Config, ConfigFailure> {
        source().read("r.toml", text, &self.0)
    }

    fn mistakes(&self, text: &str) -> Vec<String> {
        self.read(text).unwrap_err().to_string().lines().map(str::to_owned).collect()
    }
}

impl Drop for KeyFolder {
    fn drop(&mut self) {
        // What is left in a temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_defaults_of_the_keys_are_those_of_the_engine() {
    let config = read("");
    let engine = ReflectorConfig::new([0, 0]);
    assert_eq!(format!("{:?}", config.engine), format!("{engine:?}"));
    assert_eq!(config.total_rate_limit, RateLimit::Off);
    assert!(config.workers.is_none() && config.clock.is_none() && config.keys.is_none());
}

#[test]
fn every_default_is_a_value_of_its_key() {
    for key in [keys::ROOT, keys::allow::ALL, keys::session::ALL].concat() {
        assert!(
            key.default.is_some() == key.otherwise.is_empty(),
            "{}: a default or what happens without one",
            key.key
        );
        let default = key.default.filter(|default| !default.starts_with('['));
        if let Some(default) = default {
            assert!((key.accepts)(default.trim_matches('"')), "{} = {default}", key.key);
        }
    }
}

#[test]
fn the_template_says_what_holds_anyway() {
    let uncommented: String = template()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(uncommented.contains("\nrate-limit = 2000\n"), "{uncommented}");
    let (said, silent) = (read(&uncommented), read(""));
    assert_eq!(format!("{:?}", said.engine), format!("{:?}", silent.engine));
    assert_eq!(said.listeners, silent.listeners);
}

#[test]
fn every_example_of_the_template_is_accepted() {
    let folder = KeyFolder::new("every-example");
    let template = template();
    let examples: Vec<&str> =
        template.lines().filter_map(|line| line.strip_prefix("# example: ")).collect();
    let (mut root, mut tables) = (Vec::new(), Vec::new());
    let mut in_table = false;
    for example in examples {
        in_table |= example.starts_with("[[");
        // Examples that exclude others, and one that follows from the tables.
        let apart: &[&str] = if in_table {
            &["label = 15001", "sid = ", "next-csid"]
        } else {
            &["vrf", "admission"]
        };
        let skipped = apart.iter().any(|key| example.starts_with(key));
        match (skipped, in_table) {
            (true, _) => {}
            (_, true) => tables.push(example),
            (_, false) => root.push(example),
        }
    }
    // What packet-loss-count needs.
    root.push("stateful = true");
    let text = [root, tables].concat().join("\n");
    let config = folder.read(&text).unwrap();
    assert_eq!(config.engine.allow.len(), 1);
    let forwarding = &config.forwarding;
    assert_eq!((forwarding.timestamps.len(), forwarding.labels.len()), (1, 1));
    assert!(matches!(&config.engine.admission, Admission::Provisioned(one) if one.len() == 1));
}

#[test]
fn what_is_shown_gives_the_same_configuration() {
    let folder = KeyFolder::new("shown");
    let text = "listen = [\":8620\", { address = \"192.0.2.1:862\", vrf = \"blue\" }]\n\
                stateful = true\nunknown-sources = \"answer\"\nreflector-ports = [ 8620,\n 8621 ]\n\
                [auth]\nrequired = true\nkey-file = \"keys\"\n\
                [clock]\nsynchronized = true\nerror = \"1us\"\n\
                [[allow]]\nprefix = \"2001:db8::/32\"\nkey-ids = [1]\n[[session]]\nssid = 7\n";
    let config = folder.read(text).unwrap();
    let shown = show(&config);
    let again = folder.read(&shown).unwrap_or_else(|failure| panic!("{failure}\n{shown}"));
    assert_eq!(format!("{:?}", again.engine), format!("{:?}", config.engine));
    assert_eq!((again.listeners, again.clock), (config.listeners, config.clock));
    assert!(shown.contains("stateful = true  # file\n"), "{shown}");
    assert!(shown.contains("session-cap = 65536  # default\n"), "{shown}");
    assert!(!shown.contains("000102"), "{shown}");
}

#[test]
fn metrics_are_told_on_the_loopback_where_there_is_a_file() {
    assert!(source().load().unwrap().web.listen.is_empty());
    let folder = KeyFolder::new("web");
    let default = folder.read("stateful = true\n").unwrap();
    assert_eq!(default.web.listen, ["127.0.0.1:9863".parse().unwrap()]);
    let text = "[web]\nlisten = [\":9000\"]\nconfig-file = \"web.yml\"\nenable-lifecycle = true\n";
    let web = folder.read(text).unwrap().web;
    assert_eq!(web.listen, ["[::]:9000".parse().unwrap()]);
    assert!(web.config_file.is_some_and(|file| file.is_absolute() && file.ends_with("web.yml")));
    assert!(web.is_configured && web.enable_lifecycle);
    assert!(folder.read("web.listen = \"off\"\n").unwrap().web.listen.is_empty());
}

#[test]
fn a_web_configuration_that_is_missing_is_told_where_it_is_named() {
    let folder = KeyFolder::new("web-file");
    let file = folder.0.join("r.toml");
    std::fs::write(&file, "[web]\nconfig-file = \"web.yml\"\ncontrol-token-file = \"keys\"\n")
        .unwrap();
    let mut source = Source { file: Some(file), ..source() };
    let config = source.load().unwrap();
    let missing = source.check_web(&config).unwrap_err().to_string();
    assert!(missing.contains("r.toml:2:15: web.config-file = \"web.yml\": "), "{missing}");
    assert_eq!(Note::about(&config), []);
    std::fs::write(folder.0.join("web.yml"), "broken: [\n").unwrap();
    let broken = Failure::from(source.check_web(&config).unwrap_err()).report();
    assert!(broken.ends_with("stamp-reflector: 1 mistake in the configuration\n"), "{broken}");
    std::fs::write(folder.0.join("web.yml"), "basic_auth_users: {}\n").unwrap();
    std::fs::write(folder.0.join("keys"), "short\n").unwrap();
    source.check_web(&config).unwrap();
    let note = Note::about(&config).iter().map(ToString::to_string).collect::<String>();
    assert!(note.starts_with("web.control-token-file: ") && note.contains("16 octets"), "{note}");
    let nowhere = vec!["/nowhere.yml".to_owned()];
    source.flags.add(keys::web::CONFIG_FILE.definition, Origin::Flag, nowhere);
    let missing = source.check_web(&source.load().unwrap()).unwrap_err().to_string();
    assert!(
        missing.starts_with("--web.config.file") && missing.contains("/nowhere.yml: "),
        "{missing}"
    );
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_is_checked_all_the_same() {
    let mut source = source();
    source.flags.add(keys::STATEFUL.definition, Origin::Flag, vec!["true".to_owned()]);
    let config = source.read("r.toml", "stateful = false\n", Path::new("")).unwrap();
    assert!(config.engine.stateful);
    assert!(show(&config).contains("stateful = true  # flag\n"));
    let failure = source.read("r.toml", "stateful = 7\n", Path::new("")).unwrap_err();
    assert_eq!(failure.to_string(), "r.toml:1:12: stateful = 7: expected true or false");
}

#[test]
fn mistakes_of_flags_and_file_come_together() {
    let mut source = source();
    source.flags.add(keys::WORKERS.definition, Origin::Environment, vec!["x".to_owned()]);
    let failure =
        source.read("r.toml", "stateful = 7\nrate_limit = 1\n", Path::new("")).unwrap_err();
    let expected = "STAMP_REFLECTOR_WORKERS=x: expected a number of threads from 1 to 256\n\
                    r.toml:1:12: stateful = 7: expected true or false\n\
                    r.toml:2:1: rate_limit: unknown key; did you mean \"rate-limit\"?";
    assert_eq!(failure.to_string(), expected);
}

#[test]
fn each_bad_key_has_its_message() {
    for (text, expected) in [
        ("listen = \"862\"", "r.toml:1:10: listen = \"862\": expected ADDRESS:PORT"),
        ("listen = []", "r.toml:1:10: listen = []: no listener is left"),
        ("listen = [{ interface = \"lo\" }]", "r.toml:1:11: listen[0].address: missing"),
        (
            "listen = [{ address = \":1\", interface = \"a\", vrf = \"b\" }]",
            "r.toml:1:41: listen[0].interface = \"a\": cannot stand together with vrf",
        ),
        ("rate-limit = \"2 kpps\"", "r.toml:1:14: rate-limit = \"2 kpps\": expected packets per"),
        ("session-expiry = 900", "r.toml:1:18: session-expiry = 900: a bare number has no unit"),
        ("session-cap = 0", "r.toml:1:15: session-cap = 0: expected a number of sessions from 1"),
        ("same-port = \"zero_only\"", "r.toml:1:13: same-port = \"zero_only\": expected strict"),
        ("reflector-ports = [0]", "r.toml:1:20: reflector-ports = 0: expected a UDP port from 1"),
        ("ttl-floor = 256", "r.toml:1:13: ttl-floor = 256: expected a TTL or hop limit from 1"),
        ("timestamp-format = \"unix\"", "r.toml:1:20: timestamp-format = \"unix\": expected ntp"),
        ("auth.required = true", "r.toml:1:17: auth.required = true: needs auth.key-file as well"),
        ("auth.key-file = \"/nonexistent\"", "r.toml:1:17: auth.key-file = \"/nonexistent\": /no"),
        ("clock = { synchronized = true }", "r.toml:1:9: clock.error: missing; expected a dur"),
        ("clock = \"fine\"", "r.toml:1:9: clock = \"fine\": expected synchronized,error="),
        ("admission = \"provisioned\"", "r.toml:1:13: admission = \"provisioned\": needs at least"),
        (
            "admission = \"promiscuous\"\n[[session]]\n",
            "r.toml:1:13: admission = \"promiscuous\": ",
        ),
        ("unknown-sources = \"deny\"", "r.toml:1:19: unknown-sources = \"deny\": needs an [[allow"),
        ("[[allow]]\nauth = false", "r.toml:1:1: allow[0].prefix: missing; expected a prefix"),
        ("[[allow]]\nprefix = \"10.0.0.1/8\"", "r.toml:2:10: allow[0].prefix = \"10.0.0.1/8\": "),
        ("[[allow]]\nprefix = \"::/0\"\nauth = true", "r.toml:3:8: allow[0].auth = true: needs"),
        ("[[allow]]\nprefix = \"::/0\"\nkey-ids = [1]", "r.toml:3:11: allow[0].key-ids = [1]: ne"),
        ("[[session]]\nssid = 0", "r.toml:2:8: session[0].ssid = 0: expected an SSID from 1"),
        ("log.level = \"trace\"", "r.toml:1:13: log.level = \"trace\": expected error, warn"),
        ("return-paths = \"source-only\"", "r.toml:1:1: return-paths: unknown key"),
        (
            "tlv-policy = [\"hmac=refuse\"]",
            "r.toml:1:15: tlv-policy = \"hmac=refuse\": expected TLV=",
        ),
        (
            "tlv-policy = [\"all=refuse\", \"all=allow\"]",
            "r.toml:1:14: tlv-policy = [\"all=refuse\", \"all=allow\"]: all stands there twice",
        ),
        (
            "[[allow]]\nprefix = \"::/0\"\ntlv-policy = [\"location=x\"]",
            "r.toml:3:15: allow[0].tlv-policy = \"location=x\": expected TLV=allow",
        ),
        ("[metrics]\n", "r.toml:1:2: metrics: unknown key"),
        ("web.listen = \"localhost\"", "r.toml:1:14: web.listen = \"localhost\": expected ADDRESS"),
        (
            "web.listen = [\"off\", \":1\"]",
            "r.toml:1:14: web.listen = [\"off\", \":1\"]: \"off\" st",
        ),
        ("stateful = ", "r.toml:1:"),
    ] {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(expected), "{text}: {found:?}");
    }
}

#[test]
fn a_prefix_that_stands_there_twice_is_refused_where_it_stands() {
    let text = "[[allow]]\nprefix = \"::/0\"\n[[allow]]\nprefix = \"::/0\"\n";
    let expected =
        "r.toml:4:10: allow[1].prefix = \"::/0\": this prefix stands in an earlier [[allow]]";
    assert_eq!(mistakes(text), [expected]);
}

#[test]
fn an_allow_list_denies_everybody_else_unless_told_otherwise() {
    let rule = "[[allow]]\nprefix = \"192.0.2.0/24\"\n";
    assert!(read("").engine.unknown_sources.is_some());
    assert!(read(rule).engine.unknown_sources.is_none());
    let both = read(&format!("unknown-sources = \"answer\"\n{rule}"));
    assert!(both.engine.unknown_sources.is_some());
}

#[test]
fn a_rule_says_how_its_sources_are_answered() {
    let folder = KeyFolder::new("rule");
    let text = "ttl-floor = 254\nauth.key-file = \"keys\"\n[[allow]]\nprefix = \"192.0.2.0/24\"\n\
                rate-limit = 500\nauth = true\nkey-ids = [2, 1]\nshort-probes = false\n\
                session-cap = 9\n[[allow]]\nprefix = \"198.51.100.0/24\"\nttl-floor = 1\n";
    let config = folder.read(text).unwrap();
    let [first, second] = config.engine.allow.as_slice() else { panic!("two rules") };
    assert_eq!(first.prefix.to_string(), "192.0.2.0/24");
    assert_eq!(first.policy.authentication, AuthenticationMode::Authenticated);
    assert_eq!(first.policy.key_ids, Some(vec![KeyId(2), KeyId(1)]));
    assert_eq!(Some(first.policy.rate_limit), RateLimit::per_second(500));
    assert_eq!(first.policy.session_limit, Some(9));
    assert_eq!(first.policy.hop_limit_floor.map(|floor| floor.0), Some(254));
    assert!(!first.policy.short_probes && first.policy.copy_padding);
    let configured = SourcePolicy::configured(AuthenticationMode::Unauthenticated);
    assert_eq!(second.policy.rate_limit, configured.rate_limit);
    assert_eq!(second.policy.hop_limit_floor.map(|floor| floor.0), Some(1));
}

#[test]
fn a_key_file_counts_from_the_folder_of_the_file_and_weak_keys_are_known() {
    let folder = KeyFolder::new("folder");
    let config = folder.read("auth = { required = true, key-file = \"keys\" }").unwrap();
    let keys = config.keys.unwrap();
    assert_eq!(keys.path, folder.0.join("keys"));
    assert_eq!(keys.short, [KeyId(2)]);
    let unknown = config.engine.unknown_sources.unwrap();
    assert_eq!(unknown.authentication, AuthenticationMode::Authenticated);
}

#[test]
fn a_rule_may_name_keys_of_the_file_only() {
    let folder = KeyFolder::new("ids");
    let text = "auth.key-file = \"keys\"\n[[allow]]\nprefix = \"::/0\"\nkey-ids = [1, 3]\n";
    assert_eq!(
        folder.mistakes(text),
        ["r.toml:4:11: allow[0].key-ids = [1, 3]: the key file has no key 3"]
    );
}

#[test]
fn an_interface_holds_for_the_listeners_that_name_none() {
    let config =
        read("interface = \"eth0\"\nlisten = [\":1\", { address = \":2\", vrf = \"blue\" }]");
    let listeners: Vec<String> = config.listeners.iter().map(ToString::to_string).collect();
    assert_eq!(listeners, [":1 on eth0", ":2 in VRF blue"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let source = Source { file: Some("/nonexistent/r.toml".into()), ..Source::default() };
    let failure = source.load().unwrap_err().to_string();
    assert!(failure.starts_with("/nonexistent/r.toml: No such file"), "{failure}");
}

#[test]
fn replies_may_go_to_prefixes_that_are_named() {
    use stamp_session::reflector::{Prefix, ReturnPathPolicy};
    let policy = |text: &str| read(text).engine.return_path;
    assert_eq!(policy("return-path = \"source-only\""), ReturnPathPolicy::SourceOnly);
    let prefix = Prefix::new("2001:db8::".parse().unwrap(), 32).unwrap();
    let one = ReturnPathPolicy::Prefixes(vec![prefix]);
    assert_eq!(policy("return-path = [\"2001:db8::/32\"]"), one);
    let mixed = mistakes("return-path = [\"source-only\", \"2001:db8::/32\"]");
    assert!(mixed[0].contains("source-only stands alone"), "{mixed:?}");
    assert!(mistakes("return-path = \"everywhere\"")[0].contains("source-only, or prefixes"));
}

#[test]
fn replies_to_a_prefix_may_pass_segments() {
    use stamp_session::reflector::DataPlane;
    let list = |prefix: &str, list: &str| {
        format!("[[allow]]\nprefix = \"{prefix}\"\nreturn-segments = {list}\n")
    };
    let way = |text: &str| {
        let config = read(text);
        let list = config.engine.allow[0].policy.return_segments.clone().unwrap();
        (list.plane(), list.len())
    };
    assert_eq!(way(&list("2001:db8::/32", "[\"fc00:bb:1:1::\"]")), (DataPlane::Srv6, 1));
    assert_eq!(way(&list("192.0.2.0/24", "[16004, 16001]")), (DataPlane::Mpls, 2));
    for (prefix, segments, problem) in [
        ("192.0.2.0/24", "[\"fc00:bb:1:1::\"]", "SIDs lead to IPv6 sources only"),
        ("2001:db8::/32", "[16004, \"fc00:bb:1:1::\"]", "labels and SIDs are mixed"),
        ("2001:db8::/32", "[]", "the list is empty"),
        ("2001:db8::/32", "[\"::1\"]", "a label from 16"),
    ] {
        let found = mistakes(&list(prefix, segments));
        assert!(found[0].contains(problem), "{found:?}");
    }
}

#[test]
fn a_prefix_refines_which_tlvs_are_acted_upon() {
    let text = "tlv-policy = [\"all=refuse\", \"location=allow\"]\nunknown-sources = \"answer\"\n\
                [[allow]]\nprefix = \"192.0.2.0/24\"\n\
                tlv-policy = [\"location=ignore\", \"return-path=allow\"]\n\
                [[allow]]\nprefix = \"198.51.100.0/24\"\n";
    let config = read(text);
    let [first, second] = config.engine.allow.as_slice() else { panic!("two rules") };
    let unknown = config.engine.unknown_sources.as_ref().unwrap();
    let [first, second, unknown] =
        [&first.policy, &second.policy, unknown].map(|policy| &policy.tlvs.actions);
    let of = |actions: &TlvActions| {
        let types = [TlvType::LOCATION, TlvType::RETURN_PATH, TlvType::CLASS_OF_SERVICE];
        types.map(|kind| actions.of(kind))
    };
    let (allow, refuse) = (TlvAction::Allow, TlvAction::Refuse);
    assert_eq!(of(unknown), [allow, refuse, refuse]);
    assert_eq!(of(first), [TlvAction::Ignore, allow, refuse]);
    assert_eq!(of(second), of(unknown), "what the top level says");
    let shown = show(&config);
    assert!(
        shown.contains("tlv-policy = [\"all=refuse\", \"location=allow\"]  # file\n"),
        "{shown}"
    );
    assert!(shown.contains("# tlv-policy: what the top level says\n"), "{shown}");
    assert_eq!(format!("{:?}", read(&shown).engine), format!("{:?}", config.engine));
}

#[test]
fn events_need_what_they_tell_of() {
    let folder = KeyFolder::new("events");
    for (text, told) in [
        ("packet-loss-count = 3\n", "only a stateful reflector knows sessions"),
        ("event-export = \"e\"\n", "nothing would be told without packet-loss-count"),
        (
            "stateful = true\npacket-loss-count = 3\none-way-export = \"e\"\nevent-export = \"e\"\n",
            "one-way-export writes there already",
        ),
    ] {
        let failure = folder.read(text).unwrap_err().to_string();
        assert!(failure.contains(told), "{text}: {failure}");
    }
}

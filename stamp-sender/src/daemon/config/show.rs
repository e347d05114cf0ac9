//! The configuration as it is in force, and a file with every key: both in the form of the file.

use std::fmt::Write as _;

use stamp_config::quantity::{BARE_SECONDS, print_duration};
use stamp_config::web::Web;

use super::threshold::{DelayLimits, LossLimit};
use super::{Configuration, Probing, Reflector, Service, SessionSpec, histogram, settings};
use crate::select::config::Select;

const WIDTH: usize = 96;

/// Each session with what it takes from its profile and the defaults. Read as a file, it says the
/// same.
pub fn show(configuration: &Configuration) -> String {
    let mut text = service(&configuration.service);
    text.extend(configuration.reflectors.iter().map(Reflector::show));
    text.extend(configuration.probing.as_ref().map(Probing::show));
    text.push_str(&configuration.writers.show());
    text.extend(configuration.select.as_ref().map(Select::show));
    for spec in &configuration.sessions {
        text.push_str(&session(spec));
    }
    text
}

/// What concerns no session. Secrets stand in files of their own, so there is none in it.
pub fn service(service: &Service) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "workers = {}", service.workers);
    if let Some(file) = &service.events_file {
        let _ = writeln!(text, "events = {{ file = {:?} }}", file.display().to_string());
    }
    let level = service.log_level.to_string();
    let _ = writeln!(
        text,
        "log = {{ level = {level:?}, format = {:?} }}",
        service.log_format.to_string()
    );
    let _ = writeln!(text, "sandbox = \"{}\"", service.sandbox);
    let _ = writeln!(text, "web = {}", web(&service.web));
    text.push_str(&service.notify.show());
    text.push_str(&super::client::show(&service.clients));
    text
}

fn web(web: &Web) -> String {
    let addresses: Vec<String> = web.listen.iter().map(|it| format!("\"{it}\"")).collect();
    let listen = match addresses.as_slice() {
        [] => "\"off\"".to_owned(),
        addresses => format!("[{}]", addresses.join(", ")),
    };
    let file = web.config_file.as_ref().map(|file| format!("config-file = {file:?}, "));
    let token = web.control_token_file.as_ref();
    let token = token.map(|file| format!("control-token-file = {file:?}, "));
    format!(
        "{{ listen = {listen}, {}{}enable-lifecycle = {}, series-limit = {}{} }}",
        file.unwrap_or_default(),
        token.unwrap_or_default(),
        web.enable_lifecycle,
        web.series_limit,
        match web.histograms {
            Some(true) => ", histograms = \"classic\"",
            Some(false) => ", histograms = \"none\"",
            None => "",
        }
    )
}

/// One session.
pub fn session(spec: &SessionSpec) -> String {
    let mut text = String::new();
    let profile = spec.profile.as_ref().map(|profile| format!("  # of profile {profile}"));
    let _ = writeln!(
        text,
        "\n[[session]]{}\nname = {:?}\ntarget = {:?}",
        profile.unwrap_or_default(),
        spec.name,
        spec.target
    );
    for (key, value) in spec.settings.iter() {
        let _ = writeln!(text, "{key} = {value:?}");
    }
    let _ = writeln!(text, "window = {:?}", print_duration(spec.window));
    if let Some(delay) = &spec.delay {
        let _ = writeln!(text, "delay-threshold = {}", delay_threshold(delay));
    }
    if let Some(LossLimit { lost, of, direction }) = &spec.loss {
        let direction = direction.word();
        let _ = writeln!(
            text,
            "loss-threshold = {{ lost = {lost}, of = {of}, direction = {direction:?} }}"
        );
    }
    text.extend(spec.te.show());
    if let Some(membership) = &spec.policy {
        text.push_str(&membership.show());
    }
    let bounds = histogram::bounds(&spec.buckets).map(|it| format!("{:?}", print_duration(it)));
    let _ = writeln!(text, "histogram-buckets = [{}]", bounds.collect::<Vec<_>>().join(", "));
    if !spec.labels.is_empty() {
        let labels = spec.labels.iter().map(|(name, value)| format!("{name} = {value:?}"));
        let _ = writeln!(text, "labels = {{ {} }}", labels.collect::<Vec<_>>().join(", "));
    }
    text
}

fn delay_threshold(limits: &DelayLimits) -> String {
    let limit = |key: &str, limit: Option<std::time::Duration>| {
        limit.map(|limit| format!("{key} = {:?}", print_duration(limit)))
    };
    let words = [
        limit("forward", limits.forward),
        limit("backward", limits.backward),
        limit("round-trip", limits.round_trip),
        limits.percent.map(|percent| format!("percent = {percent}")),
        Some(format!("combine = {:?}", if limits.all { "all" } else { "any" })),
        Some(format!("count = {}", limits.count)),
    ];
    format!("{{ {} }}", words.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

const SERVICE: &str = "\
# Configuration of `stamp-sender run`. What is behind # as `key = value` holds anyway; `key: FORM` has no
# default. Durations are texts with a unit, bare numbers are counts. SIGHUP reads the file again, all of it or nothing;
# sessions that it leaves as they are keep their state and counters.

# Packet threads. Changes with a restart only.
# workers = 1

# Least important messages that are written (error, warn, info, debug), and how (text, json).
# log = { level = \"info\", format = \"text\" }

# What the process gives away once it runs: capabilities (a helper keeps those that a reload needs), files and
# ports of no use to it (Landlock), system calls (seccomp). require is all of it or no start, best-effort
# whatever the kernel has. Changes with a restart only.
# sandbox = \"best-effort\"

# Where events go as lines of JSON; \"-\" is standard output. SIGHUP goes on with a new file of this
# name, for whoever has renamed the one before.
# events = { file = \"events.ndjson\" }

# Servers that are told of events by POST: those of these types and sessions, together with what happens up
# to `every` later, `most` at a time. What is not taken is sent again after growing pauses, for as long
# as `retry` says. One is called webhook unless it has a name. Schema: stamp-sender schema webhook. Where the
# address is itself a secret, url-file names a file that holds it.
# [[webhook]]
# name = \"noc\"
# url = \"https://noc.example/stamp\"
# types = [\"state\", \"delay\", \"loss\"]
# sessions = [\"example\"]
# token-file = \"token\"
# ca-file = \"ca.pem\"
# batch = { every = \"1s\", most = 1000 }
# timeout = \"10s\"
# retry = \"10m\"

# Hosts, gateways and others that ask /api/v1/paths for what to impose: whoever shows the token (Authorization:
# Bearer TOKEN) sees paths to the prefixes of `to` alone, of these classes, without names of nodes and links
# (but the first segment of a label stack, where its frames leave to).
# Where others than this host can ask, users are wanted in web.config-file.
# [[client]]
# name = \"branch-7\"
# token-file = \"branch-7.token\"
# to = [\"198.51.100.0/24\"]
# classes = [\"gaming\"]

# Commands that are run for events, each with the event as a line of JSON on its standard input and in its
# environment (STAMP_EVENT_TYPE, STAMP_EVENT_SESSION and so on). No shell is involved. One that takes longer
# than `timeout` is killed with all it started. The first one takes a restart, as the sandbox has to let
# commands run. One is called hook unless it has a name; types and sessions choose events as above.
# [[hook]]
# name = \"page\"
# command = [\"/usr/local/bin/page\", \"--noc\"]
# at-once = 1
# timeout = \"10s\"

# Where metrics are told, for Prometheus (/metrics) and others (/api/v1/sessions, /-/ready). \"off\" is
# nowhere. config-file holds TLS and users in the form of the Prometheus exporters; it is read again when
# it changes. enable-lifecycle lets a POST to /-/reload read this file again. Whoever
# shows the token of control-token-file (Authorization: Bearer TOKEN) may put another document in the place of
# this one, by PUT /api/v1/config, until this file is read again. Sessions whose series exceed
# the limit have no metrics. histograms = \"classic\" or \"none\" says whether delay and its variation are
# told as histograms; unless told, up to 1000 sessions have them. All of this changes with a restart only.
# [web]
# listen = [\"127.0.0.1:9862\"]
# config-file = \"web.yml\"
# control-token-file = \"token\"
# enable-lifecycle = false
# series-limit = 1500000

# Where others name sessions: files of target groups as Prometheus reads them (file_sd; a * in the name
# stands for any characters), or a server (http_sd). A label named like a key of a session sets it, with
# _ for -; other labels are labels of the session. Without a label `name` a session is called as `name`
# says here, or else as its target. Every key of a session may stand here as well.
# [[discovery]]
# files = [\"targets/*.json\"]
# url = \"https://inventory.example/targets\"
# refresh-interval = \"60s\"
# ca-file = \"ca.pem\"
# token-file = \"token\"
# name = \"{site}-{target}\"
# profile = \"example\"

# Stateful reflectors with an exporter that tell what arrives of the probes of sessions to these addresses (that of the url
# unless told): a session that is down says which way is broken, and one with return-path = \"none\" has numbers.
# [[reflector]]
# url = \"http://192.0.2.1:9863\"
# addresses = [\"192.0.2.1\"]
# ca-file = \"ca.pem\"
# token-file = \"token\"
# What is to be steered where, over the network of the file that `topology` names at the root. Each segment list of each
# candidate path is measured by a session, as the profile of its policy or class says, and what these tell decides which
# lists carry traffic: /api/v1/paths, /api/v1/policies, events of type path. Every key of these tables with its meaning:
# stamp-path/reference/policies.toml. `from` or `behind` at the root say which node this host is, if none has its address.
# [class.gaming]
# require = { forward-p99 = \"20ms\", loss = \"0.1%\" }
# traffic = { prefixes = [\"198.51.100.0/24\"], dscp = [\"AF41\"] }
# profile = \"example\"
# hold = \"30s\"
# [[policy]]
# name = \"gaming-to-11\"
# color = 100
# endpoint = \"192.0.2.11\"
# class = \"gaming\"
# candidate = [{ name = \"fast\", preference = 200, dynamic = { metric = \"delay\" } }, { segments = [\"5\", \"11\"] }]
# [[mesh]]
# sites = [\"2\", \"11\", \"12\"]
# color = 200

# What others may have measured once, by /probe?target=HOST&profile=NAME: addresses in these prefixes, with so many probes. Without
# it there is no such page.
# [probe]
# targets = [\"192.0.2.0/24\"]
# profile = \"example\"
# count = 10

# Where `stamp-sender write FILE`, a process of its own, carries the paths that are chosen for policies; `run`
# reads this and writes nothing. kind is \"linux\" (routes of this host onto segment lists, with protocol, table,
# priority, srv6, check-every and topology), \"frr\" (with file,
# apply, route-map and links), \"pola\" (with folder, session, headend, asn, add-command,
# delete-command and topology), \"file\" (with file) or \"webhook\" (with url, method, timeout,
# token-file and ca-file). Unless dry-run is false it says what it would do. `from` is the daemon
# that is followed: by default at the first address of web.listen. changes-per-hour holds for each policy;
# on-exit = \"undo\" takes away what was written.
# [[writer]]
# kind = \"linux\"
# name = \"linux\"
# dry-run = true
# from = \"http://127.0.0.1:9862\"
# from-token-file = \"token\"
# from-ca-file = \"ca.pem\"
# headends = [\"1\"]
# policies = [\"gaming-to-11\"]
# classes = [\"gaming\"]
# changes-per-hour = 60
# on-exit = \"keep\"
# protocol = 84
# table = 8300
# priority = 8300
# srv6 = \"encap\"
# check-every = \"10s\"

# Whom `stamp-sender select FILE`, a process of its own, asks: it decides for all policies of the file, over what
# senders anywhere measured; `run` reads this and asks nobody. Only series with the labels of match are
# looked at, and only where they were scraped no longer than stale-after ago.
# [select]
# prometheus = \"http://127.0.0.1:9090\"
# token-file = \"token\"
# ca-file = \"ca.pem\"
# interval = \"5s\"
# timeout = \"5s\"
# stale-after = \"90s\"
# match = [\"job=\\\"stamp-sender\\\"\"]
# listen = [\"127.0.0.1:9865\"]
# config-file = \"web.yml\"

# topology, from, behind and clock stand for the same key of every session. So does all of this:
# [defaults]

# A named set of what sessions have in common. Every key below may stand in it.
[profile.example]
interval = \"100ms\"
# Over which time values are summed up.
window = \"30s\"
# Told when so many samples in a row (count, M) take longer than this (TH), or so many percent longer
# than the shortest of the window before; combine = \"all\" where both limits have to be exceeded.
delay-threshold = { forward = \"20ms\", percent = 25, combine = \"any\", count = 3 }
# Told when so many of the latest probes are lost; direction = \"forward\", \"backward\" or \"round-trip\".
loss-threshold = { lost = 3, of = 100, direction = \"round-trip\" }
# What is announced of its delay and loss for path computation, and when (RFC 8570): no more often than spacing;
# periodic where a value moved by more than percent and by more than delay or loss, accelerated (of the same form) at
# once. A value that no window confirms is withdrawn after hold, and a window with less than integrity-percent of its
# probes confirms none. Delays are rounded up to multiples of normalize. delay-anomaly and loss-anomaly, as
# { upper = \"20ms\", reuse = \"15ms\" }, say when the A bit is set and cleared. te = false announces nothing.
# te = { spacing = \"2m\", hold = \"2m\", integrity-percent = 50, periodic = { percent = 10, delay = \"500us\", loss = \"0.01%\" } }
# Upper bounds of the buckets of histograms; by default 20 of them from 20us to 1s.
# histogram-buckets = [\"1ms\", \"2ms\", \"5ms\", \"10ms\", \"20ms\", \"50ms\"]

[[session]]
name = \"example\"
# HOST, HOST:PORT, [ADDRESS]:PORT, or a node of the topology.
target = \"192.0.2.1\"
profile = \"example\"
# The policy that it measures a segment list of, so that all of its sessions are told together as well: which
# candidate path (of the same preference unless named), of which preference, and the list's share of traffic.
# policy = \"to-lon\"
# candidate = \"direct\"
# preference = 100
# weight = 1
# What else tells it from others.
labels = { site = \"ams\" }
";

/// A file with every key, its meaning and its default.
pub fn template() -> String {
    let mut text = String::from(SERVICE);
    let mut heading = None;
    for (key, arg) in settings::keys() {
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            let _ = writeln!(text, "\n# == {} ==", heading.unwrap_or_default());
        }
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
        for line in wrapped(&help.unwrap_or_default().replace(BARE_SECONDS, ""), WIDTH - 2) {
            let _ = writeln!(text, "# {line}");
        }
        let default = arg.get_default_values().first().map(|value| value.to_string_lossy());
        let _ = match default {
            Some(default) => writeln!(text, "# {key} = {default:?}"),
            None if matches!(arg.get_action(), clap::ArgAction::SetTrue) => {
                writeln!(text, "# {key} = false")
            }
            None => {
                let names = arg.get_value_names().unwrap_or_default();
                let words: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                writeln!(text, "# {key}: {}", words.join(" "))
            }
        };
    }
    text
}

/// Words in lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.len() + 1 + word.len() <= width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

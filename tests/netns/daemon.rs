//! `stamp-sender run` as an operator meets it: start, reload, sessions that cannot be yet, events.

pub(crate) mod discovery;
pub(crate) mod events;
pub(crate) mod far_end;
pub(crate) mod faults;
pub(crate) mod hooks;
pub(crate) mod names;
pub(crate) mod receiver;
pub(crate) mod web;
pub(crate) mod webhooks;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Host, Program, Signal, Trial, trials};
use stamp_tests::wire::{Datagram, Effect, Way, Which};

use crate::folder::Folder;
use crate::measure::answered;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_reload_leaves_alone_what_has_not_changed,
        a_file_with_a_mistake_changes_nothing_and_is_loud,
        what_needs_a_right_is_refused_at_start_and_by_a_reload,
        a_session_without_a_route_waits_and_then_runs,
        down_and_up_are_events_with_what_was_counted,
        a_file_of_events_that_was_renamed_is_begun_anew,
        the_state_of_every_session_is_told_on_demand,
        loss_beyond_its_limit_is_told_and_cleared,
        limits_change_while_the_session_goes_on,
        after_an_outage_its_direction_is_told,
        a_policy_takes_the_best_candidate_that_is_up,
        values_for_path_computation_are_announced,
        bursts_have_pauses_between_them,
    ]
}

/// Two sessions with one far end. Replies are awaited for longer than a busy machine keeps a program from running:
/// what is late is lost, and three in a row are an outage.
pub(crate) const TWO: &str = "\
events = { file = \"events.ndjson\" }

[defaults]
interval = \"10ms\"
timeout = \"1s\"
window = \"1s\"

[[session]]
name = \"a\"
target = \"FAR\"

[[session]]
name = \"b\"
target = \"FAR\"
dscp = \"EF\"
";

/// The service under test and the folder of its file.
pub(crate) struct Daemon {
    program: Program,
    folder: Folder,
    text: String,
}

impl Daemon {
    /// Starts with `text`, in which `FAR` stands for the address of `far`.
    #[track_caller]
    pub(crate) fn start(near: &Host, far: &Host, text: &str) -> Self {
        Self::start_to(near, &far.ipv4().to_string(), text)
    }

    /// The same, where `FAR` stands for this.
    #[track_caller]
    pub(crate) fn start_to(near: &Host, target: &str, text: &str) -> Self {
        let text = text.replace("FAR", target);
        let folder = Folder::new();
        let file = folder.write("sender.toml", &text);
        let program = near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
        Self { program, folder, text }
    }

    /// Replaces some of the file, and has it read again.
    fn change(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{}", self.text);
        self.text = self.text.replace(from, to);
        self.folder.write("sender.toml", &self.text);
        self.program.signal(Signal::SIGHUP);
    }

    #[track_caller]
    pub(crate) fn told(&self, what: &str) -> String {
        self.program.wait_for_error_line(|line| line.contains(what))
    }

    /// Waits for so many such lines.
    #[track_caller]
    fn told_times(&self, what: &str, times: usize) {
        let seen = RefCell::new(HashSet::new());
        self.program.wait_for_error_line(|line| {
            let mut seen = seen.borrow_mut();
            // Each has its own time in front.
            seen.extend(line.contains(what).then(|| line.to_owned()));
            seen.len() == times
        });
    }

    /// Holds it while `work` is done, so that nothing of it leaves meanwhile.
    #[track_caller]
    fn held(&self, work: impl FnOnce()) {
        self.program.signal(Signal::SIGSTOP);
        let tasks = format!("/proc/{}/task", self.program.id());
        self.program.wait_until("all of it is held", || {
            let tasks = fs::read_dir(&tasks).expect("it runs").flatten();
            let mut states =
                tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
            states.all(|state| state.contains(") T "))
        });
        work();
        self.program.signal(Signal::SIGCONT);
    }

    /// Ends it as systemd does; what it told, and its events.
    #[track_caller]
    pub(crate) fn stop(self) -> (Finished, Vec<Value>) {
        self.program.signal(Signal::SIGTERM);
        let finished = self.program.wait();
        finished.assert_code(0);
        let text = fs::read_to_string(self.folder.path("events.ndjson")).unwrap_or_default();
        let events = text.lines().map(|line| serde_json::from_str(line).expect("a JSON object"));
        (finished, events.collect())
    }
}

/// With one worker, so that it answers in order.
pub(crate) fn reflector(far: &Host) -> Program {
    reflector_at(far, "0.0.0.0:862", &[])
}

/// The same at another address, told more.
fn reflector_at(far: &Host, listen: &str, more: &[&str]) -> Program {
    let mut command = netns::binary("stamp-reflector");
    command.args(["--listen", listen, "--stateful", "--workers", "1"]);
    let program = far.spawn(command.args(more));
    far.wait_for_udp_listener(&program, 862);
    program
}

/// Waits until nothing of a sender that is held is on the way, where it would be lost, and rightly. The far end
/// answers in order, so with the reply to this probe all those before are back.
#[track_caller]
fn all_is_back(net: &netns::TwoHosts) {
    let mut last = netns::binary("stamp-sender");
    last.args([&net.far.ipv4().to_string(), "-c", "1", "--timeout", "20s", "-qq"]);
    net.near.spawn(&mut last).wait().assert_code(0);
}

/// Events of a type, in order.
pub(crate) fn of_type<'e>(events: &'e [Value], wanted: &str) -> impl Iterator<Item = &'e Value> {
    events.iter().filter(move |event| event["type"] == wanted)
}

/// What became of the states of a session, in order.
pub(crate) fn states<'e>(events: &'e [Value], session: &str) -> Vec<(&'e str, &'e str)> {
    let of = |event: &&Value| event["type"] == "state" && event["session"] == session;
    let word = |event: &'e Value, key| event[key].as_str().unwrap_or_default();
    events.iter().filter(of).map(|event| (word(event, "from"), word(event, "to"))).collect()
}

fn a_reload_leaves_alone_what_has_not_changed() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.change("\"EF\"", "\"AF41\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=1 tuned=0 removed=0 kept=1");
    daemon.told_times("msg=\"session is up\" session=b", 2);
    daemon.change("name = \"b\"", "name = \"c\"");
    daemon.told("msg=\"configuration reloaded\" added=1 changed=0 tuned=0 removed=1 kept=1");
    daemon.told("msg=\"session is up\" session=c");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up")], "it went on where it was");
    assert_eq!(states(&events, "b"), [("init", "up"); 2], "it began anew");
    assert_eq!(states(&events, "c"), [("init", "up")]);
    let reloads = events.iter().filter(|event| event["type"] == "config").count();
    assert_eq!(reloads, 2);
}

fn a_file_with_a_mistake_changes_nothing_and_is_loud() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=b");
    daemon.change("dscp = \"EF\"", "dscp = \"loud\"\nintervall = \"1s\"");
    daemon.told("sender.toml:15:8: session[1].dscp = \\\"loud\\\": expected a DSCP");
    daemon.told("sender.toml:16:1: session[1].intervall: unknown key; did you mean");
    daemon.told("level=error msg=\"the new configuration is refused; the one before stays");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "b"), [("init", "up")]);
    let refused = events.iter().find(|event| event["type"] == "config").expect("an event");
    assert_eq!(refused["to"], "refused");
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains(":15:8:")));
}

fn what_needs_a_right_is_refused_at_start_and_by_a_reload() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let folder = Folder::new();
    let start = |name: &str, text: &str| {
        let text = text.replace("FAR", &net.far.ipv4().to_string());
        let file = folder.write(name, &text);
        (net.near.spawn_without_rights(netns::binary("stamp-sender").arg("run").arg(&file)), text)
    };
    let marked = TWO.replace("dscp", "fwmark = 7\ndscp");
    let (program, _) = start("refused.toml", &marked);
    let finished = program.wait();
    finished.assert_code(4);
    assert!(finished.stderr.contains("stamp-sender: session b: "), "{finished}");
    let (program, text) = start("good.toml", TWO);
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=b"));
    folder.write("good.toml", &text.replace("dscp", "fwmark = 7\ndscp"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("the one before stays in force"));
    assert!(!program.stderr().contains("session is down"), "{}", program.stderr());
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn a_session_without_a_route_waits_and_then_runs() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    net.far.add_address("lo", "198.51.100.7/32");
    let text = TWO.replacen("target = \"FAR\"", "target = \"198.51.100.7\"", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session waits; tried again later\" session=a");
    // Its trouble is its own.
    daemon.told("msg=\"session is up\" session=b");
    net.near.add_route("198.51.100.0/24", Some(net.far.ipv4().into()), "eth0");
    daemon.told("msg=\"session is up\" session=a");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "b"), [("init", "up")]);
}

fn down_and_up_are_events_with_what_was_counted() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    far.signal(Signal::SIGTERM);
    far.wait().assert_code(0);
    daemon.told("level=warn msg=\"session is down\" session=a");
    let _far = reflector(&net.far);
    daemon.told("msg=\"session is up\" session=a from=down");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up"), ("up", "down"), ("down", "up")]);
    let of_a = |event: &&Value| event["type"] == "state" && event["session"] == "a";
    let states: Vec<&Value> = events.iter().filter(of_a).collect();
    let instants: Vec<u64> =
        states.iter().filter_map(|event| event["monotonic_ns"].as_u64()).collect();
    assert!(instants.is_sorted() && instants.len() == 3, "{instants:?}");
    let down = states[1];
    assert_eq!((&down["value"], &down["reason"]), (&3.into(), &"consecutive_losses".into()));
    let lost = down["counters"]["lost"].as_u64().expect("a count");
    assert!(lost >= 3 && down["counters"]["received"].as_u64() > Some(0), "{down}");
    let [first, last] = [0, 1].map(|which| down["sequences"][which].as_u64().expect("a number"));
    assert_eq!(last - first, 2);
}

fn a_file_of_events_that_was_renamed_is_begun_anew() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    let (new, old) = (daemon.folder.path("events.ndjson"), daemon.folder.path("events.1"));
    fs::rename(&new, &old).expect("the file is there");
    daemon.change("window = \"1s\"", "window = \"1s\"\n");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=0 removed=0 kept=2");
    far.signal(Signal::SIGTERM);
    daemon.told("msg=\"session is down\" session=a");
    daemon.told("msg=\"session is down\" session=b");
    let old = fs::read_to_string(&old).expect("it was renamed");
    let (_, new) = daemon.stop();
    // The log tells of an event first: the last one before the new name may be in either file.
    let old = old.lines().map(|line| serde_json::from_str(line).expect("an event"));
    let both: Vec<Value> = old.chain(new.iter().cloned()).collect();
    for session in ["a", "b"] {
        assert_eq!(states(&both, session), [("init", "up"), ("up", "down")], "nothing is lost");
        assert_eq!(states(&new, session).last(), Some(&("up", "down")), "{new:?}");
    }
}

fn the_state_of_every_session_is_told_on_demand() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let text = TWO.replacen("target = \"FAR\"", "target = \"198.51.100.7\"", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is up\" session=b");
    daemon.program.signal(Signal::SIGUSR1);
    daemon.told("msg=waits session=a reason=");
    daemon.told("msg=\"runs; no window is complete yet\" session=b");
    daemon.stop();
}

fn loss_beyond_its_limit_is_told_and_cleared() {
    let net = netns::wired(Families::V4);
    let _far = reflector(&net.far);
    // The number of the probe stands in its reply (RFC 8762 §4.3.1).
    let is_meant = |datagram: &Datagram<'_>| {
        let number = datagram.payload.get(24..28).and_then(|octets| octets.try_into().ok());
        number.map(u32::from_be_bytes).is_some_and(|number| [50, 52].contains(&number))
    };
    net.wire.impair(Way::Backward, Which::only(is_meant), Effect::Drop);
    let text = TWO.replacen("dscp = \"EF\"", "loss-threshold = \"2/20\"", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    let told = "session=b direction=round_trip lost";
    daemon.told(&format!("level=warn msg=\"loss exceeds its limit\" {told}=2 of=20"));
    daemon.told(&format!("level=info msg=\"loss is within its limit\" {told}=1 of=20"));
    let (_, events) = daemon.stop();
    let told: Vec<_> = of_type(&events, "loss").collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((&told[0]["value"], &told[0]["limit"]), (&2.into(), &2.into()));
    assert_eq!(told[0]["sequences"], serde_json::json!([33, 52]));
    assert!(told.iter().all(|event| event["session"] == "b"), "a has no limit");
}

fn limits_change_while_the_session_goes_on() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let limit = "delay-threshold = { round-trip = \"1us\", count = 3 }";
    let text = TWO.replacen("dscp = \"EF\"", limit, 1);
    let mut daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("level=warn msg=\"delay exceeds its limit\" session=b direction=round_trip");
    daemon.change("\"1us\"", "\"10s\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=1 removed=0 kept=1");
    daemon.change("window = \"1s\"", "window = \"2s\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=2 removed=0 kept=0");
    daemon.change("\"10s\"", "\"2us\"");
    daemon.told_times("msg=\"delay exceeds its limit\" session=b", 2);
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "b"), [("init", "up")], "it went on all the time");
    let exceeded = of_type(&events, "delay").filter(|event| event["to"] == "exceeded");
    let limits: Vec<_> = exceeded.map(|event| event["limit"].clone()).collect();
    assert_eq!(limits, [1_000, 2_000]);
}

fn after_an_outage_its_direction_is_told() {
    // Longer than a reply is awaited.
    const OVER: u32 = 250;
    let net = netns::wired(Families::V4);
    let _far = reflector(&net.far);
    let is_meant = |datagram: &Datagram<'_>| {
        let number = datagram.payload.get(24..28).and_then(|octets| octets.try_into().ok());
        number.map(u32::from_be_bytes).is_some_and(|number| (50..OVER).contains(&number))
    };
    net.wire.impair(Way::Backward, Which::only(is_meant), Effect::Drop);
    let text = TWO.replacen("dscp = \"EF\"", "stateful = true", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is down\" session=b");
    daemon.told(
        "msg=\"which way the probes of the outage were lost\" session=b forward=0 backward=200",
    );
    let (_, events) = daemon.stop();
    let of_b = |event: &&Value| event["session"] == "b";
    let told: Vec<&Value> = of_type(&events, "loss_direction").filter(of_b).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["forward"], &told[0]["backward"]), (&0.into(), &200.into()));
    assert_eq!(told[0]["sequences"], serde_json::json!([50, OVER - 1]));
}

fn a_policy_takes_the_best_candidate_that_is_up() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let text =
        TWO.replacen("dscp = \"EF\"", "policy = \"lon\"\ncandidate = \"spare\"", 1).replacen(
            "name = \"a\"\ntarget = \"FAR\"",
            "name = \"a\"\ntarget = \"FAR:8620\"\npolicy = \"lon\"\npreference = 200",
            1,
        );
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"policy is up\" policy=lon from=init active=spare");
    let mut second = Command::new(netns::binary("stamp-reflector").get_program());
    let second = net.far.spawn(second.args(["--listen", "0.0.0.0:8620"]));
    daemon.told("msg=\"policy is up\" policy=lon from=up active=preference-200");
    let at = (&net.near, 9862);
    let (status, text) = crate::http::ask(at, "GET", "/api/v1/policies", "");
    let document: Value = serde_json::from_str(&text).expect("a JSON document");
    let policy = &document["policies"][0];
    assert_eq!((status, &policy["name"], &policy["state"]), (200, &"lon".into(), &"up".into()));
    assert_eq!(policy["active"], "preference-200");
    let active = "stamp_policy_active{policy=\"lon\",candidate=\"preference-200\"}";
    assert_eq!(crate::http::value(&crate::http::scrape(at), active), Some(1.0));
    second.signal(Signal::SIGTERM);
    daemon.told("msg=\"policy is up\" policy=lon from=up active=spare");
    let (_, events) = daemon.stop();
    let taken: Vec<_> = of_type(&events, "policy").map(|it| it["candidate_to"].clone()).collect();
    assert_eq!(taken, ["spare", "preference-200", "spare"]);
    let of_b = of_type(&events, "state").find(|event| event["session"] == "b").expect("it came up");
    assert_eq!(of_b["policy"], "lon");
}

fn values_for_path_computation_are_announced() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let announcing = "log = { level = \"debug\" }\n\n[defaults]\nte = { spacing = \"1s\" }";
    let text = TWO.replacen("dscp = \"EF\"", "te = false", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text.replacen("[defaults]", announcing, 1));
    daemon.told("msg=announced session=a sub_tlv=min_max_delay reason=first anomalous=false");
    let (_, events) = daemon.stop();
    let told: Vec<_> = of_type(&events, "te").collect();
    let first = told.iter().find(|event| event["sub_tlv"] == "min_max_delay").expect("announced");
    assert_eq!((&first["from"], &first["to"]), (&"withdrawn".into(), &"advertised".into()));
    assert_eq!((&first["reason"], &first["mode"]), (&"first".into(), &"derived".into()));
    assert!(first["max_us"].is_u64() && first["min_us"].as_u64() <= first["max_us"].as_u64());
    assert!(told.iter().all(|event| event["session"] == "a"), "b was told to announce nothing");
}

fn bursts_have_pauses_between_them() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut command = netns::binary("stamp-sender");
    let address = net.far.ipv4().to_string();
    let flags = ["-c", "9", "-i", "50ms", "--schedule", "burst=3,every=400ms", "--json"];
    let finished = net.near.spawn(command.arg(address).args(flags)).wait();
    let document = finished.assert_code(0).json();
    let session = &document["sessions"][0];
    assert_eq!(
        session["config"]["burst"],
        serde_json::json!({"count": 3, "every_ns": 400_000_000})
    );
    let steps = session["series"]["steps"].as_array().expect("delay over time");
    let instants: Vec<&str> = steps.iter().filter_map(|step| step["time"].as_str()).collect();
    assert!(instants.is_sorted(), "{instants:?}");
    let since_first =
        |instant: &&str| (millisecond_of(instant) - millisecond_of(instants[0])).rem_euclid(60_000);
    let since_first: Vec<i64> = instants.iter().map(since_first).collect();
    // A probe is late by less than a gap between two, and the first may have been, too.
    if answered(session, 9) == 9 {
        for (since, number) in since_first.iter().zip(0..) {
            let intended = number / 3 * 400 + number % 3 * 50;
            assert!((since - intended).abs() < 50, "probe {number}: {instants:?}");
        }
    }
    // Which slots a busy machine has missed nobody knows.
    let is_in_pause = |since: &i64| (150..350).contains(&since.rem_euclid(400));
    assert!(!since_first.iter().any(is_in_pause), "{instants:?}");
    assert!(since_first.last() >= Some(&350), "more than one burst: {instants:?}");
}

/// Within its minute.
fn millisecond_of(instant: &str) -> i64 {
    let seconds = instant.rsplit(':').next().and_then(|text| text.strip_suffix('Z'));
    let seconds: f64 = seconds.and_then(|text| text.parse().ok()).expect("an instant");
    (seconds * 1e3) as i64
}

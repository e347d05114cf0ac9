//! The daemon over HTTP, as Prometheus, an orchestrator and an operator meet it.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use super::{Daemon, TWO, reflector};
use crate::http::{ALICE, BEARER, SECRET_HASH, ask, connect, scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        metrics_are_there_from_the_start_and_rise,
        counters_go_on_when_a_session_is_opened_anew,
        histograms_and_announcements_go_on_when_a_session_is_opened_anew,
        a_refused_reload_over_http_shows,
        a_session_that_waits_has_its_series,
        a_client_that_reads_nothing_holds_up_nobody,
        too_many_series_are_left_out_loudly,
        a_port_that_is_taken_is_a_note_or_a_mistake,
        only_users_get_in_where_the_file_names_some,
        sessions_are_told_as_the_json_of_a_run,
        a_controller_puts_a_document_in_force_until_the_file_is_read_again,
        shards_of_a_file_measure_each_session_once,
    ]
}

/// Where the daemon tells its metrics.
const PORT: u16 = 9862;

const SENT_A: &str = "stamp_session_packets_sent_total{session=\"a\"}";
const SENT_B: &str = "stamp_session_packets_sent_total{session=\"b\"}";
const LOST_A: &str = "stamp_session_packets_lost_total{session=\"a\",direction=\"round_trip\"}";
const UP_A: &str = "stamp_session_up{session=\"a\"}";

fn metrics_are_there_from_the_start_and_rise() {
    let net = netns::two_hosts(Families::V4);
    // Nobody answers yet.
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("metrics are told over HTTP");
    daemon.told("stamp-sender 0.1.0 runs");
    let text = scrape((&net.near, PORT));
    assert_eq!(value(&text, UP_A), Some(0.0), "{text}");
    for series in [SENT_A, LOST_A, "stamp_session_packets_late_total{session=\"a\"}"] {
        assert!(value(&text, series).is_some(), "{series} in {text}");
    }
    let forward = "stamp_session_packets_lost_total{session=\"a\",direction=\"forward\"}";
    assert_eq!(value(&text, forward), None, "nothing is known of it: {text}");
    wait_for((&net.near, PORT), LOST_A, |lost| lost > 0.0);
    let _far = reflector(&net.far);
    let text = wait_for((&net.near, PORT), UP_A, |up| up == 1.0);
    let before = value(&text, SENT_A).expect("a counter");
    let text = wait_for((&net.near, PORT), SENT_A, |sent| sent > before);
    assert_eq!(value(&text, "stamp_config_last_reload_successful"), Some(1.0));
    let window = "stamp_session_window_delay_seconds{session=\"a\",direction=\"round_trip\",\
                  percentile=\"50\"}";
    let text = wait_for((&net.near, PORT), window, |median| median > 0.0 && median < 1.0);
    assert!(value(&text, "process_resident_memory_bytes").is_some_and(|octets| octets > 1e6));
    assert_eq!(ask((&net.near, PORT), "GET", "/-/healthy", "").0, 200);
    assert_eq!(ask((&net.near, PORT), "GET", "/-/ready", "").0, 200);
    daemon.stop();
}

fn counters_go_on_when_a_session_is_opened_anew() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("metrics are told over HTTP");
    let text = wait_for((&net.near, PORT), SENT_B, |sent| sent >= 50.0);
    let before = value(&text, SENT_B).expect("a counter");
    daemon.change("\"EF\"", "\"AF41\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=1 tuned=0 removed=0 kept=1");
    let text = scrape((&net.near, PORT));
    assert!(value(&text, SENT_B).is_some_and(|sent| sent >= before), "{before} and then {text}");
    wait_for((&net.near, PORT), SENT_B, |sent| sent > before + 50.0);
    daemon.change("name = \"b\"", "name = \"c\"");
    daemon.told("msg=\"configuration reloaded\" added=1 changed=0 tuned=0 removed=1 kept=1");
    wait_for((&net.near, PORT), "stamp_session_up{session=\"c\"}", |up| up == 1.0);
    assert!(!scrape((&net.near, PORT)).contains("session=\"b\""));
    daemon.stop();
}

fn histograms_and_announcements_go_on_when_a_session_is_opened_anew() {
    const COUNT_B: &str =
        "stamp_session_delay_seconds_count{session=\"b\",direction=\"round_trip\"}";
    const FIRST_B: &str = "stamp_te_advertisements_total{session=\"b\",reason=\"first\"}";
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("metrics are told over HTTP");
    let text = wait_for((&net.near, PORT), FIRST_B, |first| first > 0.0);
    assert_eq!(value(&text, "stamp_exposition_histograms"), Some(1.0), "{text}");
    assert!(value(&text, "stamp_te_loss_ratio{session=\"b\"}").is_some(), "{text}");
    let lag = "stamp_sender_schedule_lag_seconds_count";
    assert!(value(&text, lag).is_some_and(|lag| lag > 0.0), "{text}");
    let (count, first) = (value(&text, COUNT_B), value(&text, FIRST_B));
    daemon.change("\"EF\"", "\"AF41\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=1 tuned=0 removed=0 kept=1");
    let text = scrape((&net.near, PORT));
    assert!(value(&text, COUNT_B) >= count && value(&text, FIRST_B) >= first, "{text}");
    let text = wait_for((&net.near, PORT), COUNT_B, |now| Some(now) > count && now > 100.0);
    let before = value(&text, COUNT_B).expect("a count");
    daemon.change("dscp = \"AF41\"", "dscp = \"AF41\"\nhistogram-buckets = [\"1s\"]");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=1 removed=0 kept=1");
    let text = wait_for((&net.near, PORT), COUNT_B, |now| now > 0.0 && now < before);
    let buckets = "stamp_session_delay_seconds_bucket{session=\"b\",direction=\"forward\"";
    assert_eq!(text.lines().filter(|line| line.starts_with(buckets)).count(), 2, "{text}");
    daemon.stop();
}

fn a_refused_reload_over_http_shows() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let text = format!("web.enable-lifecycle = true\n{TWO}");
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is up\" session=a");
    assert_eq!(ask((&net.near, PORT), "POST", "/-/reload", ""), (200, "reloaded\n".to_owned()));
    daemon.folder.write("sender.toml", "interval = 7\n");
    let (status, reason) = ask((&net.near, PORT), "POST", "/-/reload", "");
    assert_eq!(status, 500);
    assert!(reason.contains("sender.toml:1:1: interval: unknown key"), "{reason}");
    daemon.told("the one before stays in force");
    let text = wait_for((&net.near, PORT), "stamp_config_last_reload_successful", |it| it == 0.0);
    assert_eq!(value(&text, "stamp_config_reloads_total{result=\"refused\"}"), Some(1.0));
    assert_eq!(value(&text, "stamp_config_reloads_total{result=\"success\"}"), Some(1.0));
    assert_eq!(value(&text, UP_A), Some(1.0), "{text}");
    let (_, config) = ask((&net.near, PORT), "GET", "/config", "");
    assert!(config.contains("name = \"a\"\n") && config.contains("interval = \"10ms\"\n"));
    daemon.stop();
    let plain = Daemon::start(&net.near, &net.far, TWO);
    plain.told("stamp-sender 0.1.0 runs");
    assert_eq!(ask((&net.near, PORT), "POST", "/-/reload", "").0, 403);
    plain.stop();
}

fn a_session_that_waits_has_its_series() {
    let net = netns::two_hosts(Families::V4);
    let text = TWO.replacen("target = \"FAR\"", "target = \"198.51.100.7\"", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session waits; tried again later\" session=a");
    let text =
        wait_for((&net.near, PORT), "stamp_session_running{session=\"b\"}", |runs| runs == 1.0);
    assert_eq!(value(&text, "stamp_session_running{session=\"a\"}"), Some(0.0), "{text}");
    assert_eq!(value(&text, SENT_A), Some(0.0), "{text}");
    assert_eq!(value(&text, "stamp_sender_sessions{state=\"waiting\"}"), Some(1.0), "{text}");
    let (_, page) = ask((&net.near, PORT), "GET", "/", "");
    assert!(page.contains("<td>198.51.100.7<td>"), "{page}");
    let (_, sessions) = ask((&net.near, PORT), "GET", "/api/v1/sessions", "");
    let sessions: Value = serde_json::from_str(&sessions).expect("JSON");
    assert_eq!(sessions["waiting"][0]["name"], "a", "{sessions}");
    daemon.stop();
}

fn a_client_that_reads_nothing_holds_up_nobody() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    let mut mute: Vec<TcpStream> = (0..100).map(|_| connect((&net.near, PORT))).collect();
    for (number, stream) in mute.iter_mut().enumerate() {
        let head =
            if number % 2 == 0 { "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" } else { "GET /me" };
        // Those that made room for others are closed already.
        let _ = stream.write_all(head.as_bytes());
    }
    let text = wait_for((&net.near, PORT), "stamp_web_connections_evicted_total", |it| it >= 37.0);
    assert_eq!(value(&text, UP_A), Some(1.0), "{text}");
    daemon.stop();
}

fn too_many_series_are_left_out_loudly() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let session = |number| format!("[[session]]\nname = \"s{number:02}\"\ntarget = \"FAR\"\n");
    let sessions: String = (0..12).map(session).collect();
    let daemon =
        Daemon::start(&net.near, &net.far, &format!("web.series-limit = 1000\n{sessions}"));
    daemon.told("stamp-sender 0.1.0 runs");
    let omitted = "stamp_exposition_sessions_omitted";
    let text = wait_for((&net.near, PORT), omitted, |omitted| omitted > 0.0);
    let told = text.lines().filter(|line| line.starts_with("stamp_session_up{")).count() as f64;
    assert_eq!(value(&text, omitted).map(|omitted| omitted + told), Some(12.0), "{text}");
    assert!(told >= 1.0 && !text.contains("session=\"s11\""), "{text}");
    daemon.told("level=error msg=\"sessions without metrics: raise web.series-limit");
    daemon.stop();
}

fn a_port_that_is_taken_is_a_note_or_a_mistake() {
    let net = netns::two_hosts(Families::V4);
    let taken = net.near.run(|| TcpListener::bind("127.0.0.1:9862")).expect("a free port");
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("level=warn msg=\"no metrics over HTTP: name a free address in web.listen");
    daemon.told("stamp-sender 0.1.0 runs");
    daemon.stop();
    let text = format!("web.listen = \"127.0.0.1:9862\"\n{TWO}");
    let refused = Daemon::start(&net.near, &net.far, &text).program.wait();
    refused.assert_code(4);
    assert!(refused.stderr.contains("127.0.0.1:9862"), "{refused}");
    drop(taken);
    let off = Daemon::start(&net.near, &net.far, &format!("web.listen = \"off\"\n{TWO}"));
    off.told("stamp-sender 0.1.0 runs");
    let refused = net.near.run(|| TcpStream::connect("127.0.0.1:9862"));
    assert!(refused.is_err(), "nobody listens");
    off.stop();
}

fn only_users_get_in_where_the_file_names_some() {
    let net = netns::two_hosts(Families::V4);
    let text = format!("web.config-file = \"web.yml\"\n{TWO}");
    let folder = crate::folder::Folder::new();
    let file = folder.write("sender.toml", &text.replace("FAR", &net.far.ipv4().to_string()));
    folder.write("web.yml", &format!("basic_auth_users:\n  alice: {SECRET_HASH}\n"));
    let program = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(&file));
    program.wait_for_error_line(|line| line.contains("stamp-sender 0.1.0 runs"));
    assert_eq!(ask((&net.near, PORT), "GET", "/metrics", "").0, 401);
    assert_eq!(ask((&net.near, PORT), "GET", "/metrics", ALICE).0, 200);
    folder.write("web.yml", "basic_auth: {}\n");
    assert_eq!(ask((&net.near, PORT), "GET", "/metrics", "").0, 401);
    program.wait_for_error_line(|line| line.contains("web.config-file stays in force as it was"));
    folder.write("web.yml", "{}\n");
    assert_eq!(ask((&net.near, PORT), "GET", "/metrics", "").0, 200);
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
    folder.write("web.yml", "basic_auth: {}\n");
    let refused = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(&file)).wait();
    refused.assert_code(3);
    assert!(refused.stderr.contains("unknown field `basic_auth`"), "{refused}");
}

fn sessions_are_told_as_the_json_of_a_run() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("metrics are told over HTTP");
    let window = "stamp_session_window_end_timestamp_seconds{session=\"b\"}";
    wait_for((&net.near, PORT), window, |end| end > 1.0);
    let (status, text) = ask((&net.near, PORT), "GET", "/api/v1/sessions", "");
    assert_eq!(status, 200);
    let told: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&told["schema_version"], &told["waiting"]), (&1.into(), &Value::Array(vec![])));
    let session = &told["sessions"][1];
    assert_eq!((&session["name"], &session["state"]), (&"b".into(), &"up".into()), "{text}");
    assert_eq!(session["path"]["dscp"], 46, "{text}");
    assert!(session["packets"]["received"].as_u64().is_some_and(|count| count > 0), "{text}");
    assert!(session["delay_ns"]["round_trip"]["p99"].is_i64(), "{text}");
    daemon.stop();
}

fn a_controller_puts_a_document_in_force_until_the_file_is_read_again() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let text = format!("web.control-token-file = \"token\"\n{TWO}");
    let mut daemon = Daemon::start(&net.near, &net.far, &text);
    let token = daemon.folder.write("token", "0123456789abcdef\n");
    std::fs::set_permissions(token, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    daemon.told("msg=\"session is up\" session=b");
    let put = |document: &str| {
        let head = format!("{BEARER}Content-Length: {}\r\n\r\n{document}", document.len());
        ask((&net.near, PORT), "PUT", "/api/v1/config", &head)
    };
    assert_eq!(ask((&net.near, PORT), "PUT", "/api/v1/config", "").0, 401);
    let pushed = daemon.text.replace("name = \"b\"", "name = \"c\"");
    let (status, words) = put(&pushed.replace("\"EF\"", "\"XF\""));
    assert_eq!(status, 400, "{words}");
    assert!(words.starts_with("pushed:16:8: session[1].dscp = \"XF\": expected a DSCP"), "{words}");
    let (status, words) = put(TWO);
    assert_eq!((status, words.as_str()), (400, "web changes with a restart only\n"));
    let (status, words) = put(&pushed);
    assert_eq!(status, 200, "{words}");
    daemon.told("msg=\"session is up\" session=c");
    daemon.change("dscp = \"EF\"", "dscp = \"AF41\"");
    daemon.told_times("msg=\"session is up\" session=b", 2);
    let (_, config) = ask((&net.near, PORT), "GET", "/config", "");
    assert!(!config.contains("name = \"c\""), "{config}");
    daemon.stop();
}

fn shards_of_a_file_measure_each_session_once() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let session = |number| format!("[[session]]\nname = \"s{number}\"\ntarget = \"FAR\"\n");
    let all: String = (0..12).map(session).collect();
    let text = all.replace("FAR", &net.far.ipv4().to_string());
    let folder = crate::folder::Folder::new();
    let mut measured: Vec<String> = Vec::new();
    for shard in 0..3 {
        let port = PORT + shard;
        let web = format!("web.listen = \"127.0.0.1:{port}\"\n{text}");
        let file = folder.write(&format!("{shard}.toml"), &web);
        let mut command = netns::binary("stamp-sender");
        let sender =
            net.near.spawn(command.arg("run").arg(file).args(["--shard", &format!("{shard}/3")]));
        let line = sender.wait_for_error_line(|line| line.contains("stamp-sender 0.1.0 runs"));
        assert!(line.contains(&format!("shard={shard}/3")), "{line}");
        let text = scrape((&net.near, port));
        let told = format!("stamp_shard_info{{shard=\"{shard}\",shards=\"3\"}}");
        assert_eq!(value(&text, &told), Some(1.0), "{text}");
        let (_, groups) = ask((&net.near, port), "GET", "/api/v1/sd", "");
        let groups: Value = serde_json::from_str(&groups).expect("JSON");
        let names = groups.as_array().expect("a list").iter();
        let names = names.filter_map(|group| group["labels"]["name"].as_str());
        measured.extend(names.map(str::to_owned));
        sender.signal(Signal::SIGTERM);
        sender.wait().assert_code(0);
    }
    measured.sort();
    let mut wanted: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    wanted.sort();
    assert_eq!(measured, wanted);
}

//! Questions in TLVs, and what their answers show of the path.

use serde_json::Value;
use stamp_proto::packet::UNAUTHENTICATED_BASE_OCTETS;
use stamp_proto::time::TimestampFormat;
use stamp_proto::tlv::Tlvs;
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_tests::netns::{self, Families, Signal, Trial, trials};
use stamp_tests::wire::{Effect, Record, Way, Which};

use super::{PORT, answered, measure, reflector, sender, session};
use crate::folder::Folder;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_nat_shows_in_what_the_far_end_saw,
        replies_have_the_class_that_was_asked_for,
        a_stranger_is_told_nothing_unless_the_operator_says_so,
        the_operator_says_by_prefix_which_questions_are_answered,
        congestion_on_either_way_slows_probes_down,
        an_access_report_is_sent_until_it_is_acknowledged,
        replies_tell_when_those_before_left,
        who_is_stateless_tells_of_no_reply,
    ]
}

/// How often something was found.
fn findings<'s>(session: &'s Value, kind: &str) -> Vec<&'s str> {
    let findings = session["findings"].as_array().expect("findings");
    let of_kind = findings.iter().filter(|finding| finding["kind"] == kind);
    of_kind.filter_map(|finding| finding["text"].as_str()).collect()
}

fn a_nat_shows_in_what_the_far_end_saw() {
    let net = netns::wired(Families::V4);
    let clock = ["--clock", "synchronized,error=1us", "--clock-source", "ptp"];
    let _reflector = reflector(&net.far, &[&["--location", "all"], &clock[..]].concat());
    let target = net.far.ipv4().to_string();
    let flags = ["-c", "4", "-i", "5ms", "--ask-location", "--ask-timestamp-info", "--json"];
    let plain = session(&measure(&net.near, &target, &flags));
    let location = &plain["answers"]["location"];
    assert_eq!(location["source"], net.near.ipv4().to_string(), "{plain}");
    assert_eq!(location["source_port"], plain["path"]["source_port"], "{plain}");
    let told = (&location["told"], &location["refused"]);
    assert_eq!(told, (&answered(&plain, 4).into(), &0.into()), "{plain}");
    assert_eq!(location["source_translated"], false, "{plain}");
    assert_eq!(location["destination_translated"], false, "{plain}");
    assert!(findings(&plain, "translated").is_empty(), "{plain}");
    let stamps = &plain["answers"]["timestamp_information"];
    assert_eq!(stamps["probe_received"]["clock_source"], "PTP", "{plain}");
    assert_eq!(stamps["reply_sent"]["method"], "SW Local", "{plain}");

    net.wire.translate("192.0.2.77".parse().expect("an address"), 40_000);
    let behind = session(&measure(&net.near, &target, &flags));
    let location = &behind["answers"]["location"];
    assert_eq!(location["told"], answered(&behind, 4), "{behind}");
    assert_eq!(location["source"], "192.0.2.77", "{behind}");
    assert_eq!(location["source_translated"], true, "{behind}");
    assert_eq!(location["destination_translated"], false, "{behind}");
    let told = findings(&behind, "translated");
    assert!(told.len() == 1 && told[0].contains("from 192.0.2.77:"), "{behind}");
}

fn replies_have_the_class_that_was_asked_for() {
    let net = netns::wired(Families::Both);
    let _reflector = reflector(&net.far, &["--reply-classes", "EF"]);
    for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
        let asked = |class: &str| {
            let flags = ["-c", "4", "-i", "5ms", "--dscp", "AF21", "--ask-cos", class, "--json"];
            session(&measure(&net.near, &address, &flags))
        };
        let given = asked("EF,ect0");
        assert_eq!(
            (&given["path"]["reply_dscp"], &given["path"]["reply_ecn"]),
            (&46.into(), &2.into())
        );
        let class = &given["answers"]["class_of_service"];
        assert_eq!(class["told"], answered(&given, 4), "{given}");
        assert_eq!((&class["arrived_dscp"], &class["remarked_forward"]), (&18.into(), &0.into()));
        assert_eq!((&class["dscp_refused"], &class["ecn_refused"]), (&0.into(), &0.into()));
        assert!(findings(&given, "remarked").is_empty(), "as it was asked for: {given}");
        let refused = asked("AF41");
        assert_eq!(refused["path"]["reply_dscp"], 18, "that of the probe: {refused}");
        let class = &refused["answers"]["class_of_service"];
        assert_eq!(class["dscp_refused"], answered(&refused, 4), "{refused}");
        assert_eq!(findings(&refused, "class_refused").len(), 1, "{refused}");
    }
}

fn a_stranger_is_told_nothing_unless_the_operator_says_so() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let flags = ["-c", "3", "-i", "5ms", "--ask-location", "--json"];
    let session = session(&measure(&net.near, &target, &flags));
    let location = &session["answers"]["location"];
    // The reply is as good as any.
    let told = (&location["told"], &location["refused"]);
    assert_eq!(told, (&0.into(), &answered(&session, 3).into()), "{session}");
    assert!(location["source"].is_null() && location["source_translated"].is_null(), "{session}");
    assert!(findings(&session, "not_told")[0].contains("question for Location"), "{session}");
    let one_way = ["--mode", "one-way", "--return-path", "none", "--ask-location"];
    let silent = measure(&net.near, &target, &one_way);
    silent.assert_code(3);
    assert!(silent.stderr.contains("--ask-location: nobody answers"), "{silent}");
}

fn the_operator_says_by_prefix_which_questions_are_answered() {
    let net = netns::wired(Families::Both);
    let folder = Folder::new();
    let text = format!(
        "listen = \":{PORT}\"\nrate-limit = \"off\"\ntlv-policy = [\"class-of-service=refuse\"]\n\
         [[allow]]\nprefix = \"{}/32\"\n\
         tlv-policy = [\"class-of-service=allow\", \"location=ignore\"]\n\
         [[allow]]\nprefix = \"{}/128\"\n",
        net.near.ipv4(),
        net.near.ipv6()
    );
    let file = folder.write("r.toml", &text);
    let mut command = netns::binary("stamp-reflector");
    let program = net.far.spawn(command.arg(file));
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    net.far.wait_for_udp_listener(&program, PORT);
    let flags = ["-c", "3", "-i", "5ms", "--ask-location", "--ask-cos", "EF", "--json"];
    let told = |address: String| {
        let session = session(&measure(&net.near, &address, &flags));
        let counts = ["location", "class_of_service"].map(|question| {
            let answers = &session["answers"][question];
            [&answers["told"], &answers["refused"]].map(|count| count.as_u64().expect("a count"))
        });
        (counts, answered(&session, 3))
    };
    let (counts, all) = told(net.far.ipv4().to_string());
    assert_eq!(counts, [[0, all], [all, 0]], "what the prefix says");
    let (counts, all) = told(net.far.ipv6().to_string());
    assert_eq!(counts, [[all, 0], [0, all]], "what the top level says");
}

fn congestion_on_either_way_slows_probes_down() {
    let net = netns::wired(Families::Both);
    let _reflector = reflector(&net.far, &["--reply-classes", "any"]);
    for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
        for way in [Way::Forward, Way::Backward] {
            let offset = if way == Way::Forward { super::OPEN_PROBE } else { super::OPEN_REPLY };
            // The first and one that leaves at the pace that follows, however long a busy machine takes to hear of it.
            net.wire.impair(way, super::probes(&[0, 8], offset), Effect::Mark);
            let flags =
                ["-c", "0", "-i", "30ms", "--ecn", "ect0", "--ask-cos", "CS0,ect0", "--ndjson"];
            let program = net.near.spawn(&mut sender(&address, &flags));
            let is_second = |line: &str| line.contains("\"pace\"") && line.contains("120000000");
            program.wait_for_line(is_second);
            program.signal(Signal::SIGINT);
            let finished = program.wait();
            let lines: Vec<Value> = finished
                .assert_code(0)
                .stdout
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect();
            net.wire.clear(way);
            let of = |kind: &str| -> Vec<&Value> {
                lines.iter().filter(|line| line["type"] == kind).collect()
            };
            let paces: Vec<_> = of("pace")
                .iter()
                .map(|line| (line["direction"].clone(), line["value"].clone()))
                .collect();
            let name = Value::from(if way == Way::Forward { "forward" } else { "backward" });
            let expected = [(name.clone(), 60_000_000.into()), (name, 120_000_000.into())];
            assert_eq!(paces, expected, "{lines:#?}");
            let end = of("end")[0];
            let class = &end["answers"]["class_of_service"];
            assert_eq!(
                (&class["slowdowns"], &class["interval_ns"]),
                (&2.into(), &120_000_000.into())
            );
            // One more may be under way.
            let packets = |key: &str| end["packets"][key].as_u64().expect("a count");
            assert_eq!(packets("received") + packets("outstanding"), packets("sent"), "{end}");
        }
    }
}

fn an_access_report_is_sent_until_it_is_acknowledged() {
    let net = netns::wired(Families::V4);
    let reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let report = ["--access-report", "3gpp,unavailable", "--access-report-timer", "25ms"];
    let flags = [&["-c", "12", "-i", "10ms", "--json"], &report[..]].concat();
    // The reply to the first that had it.
    net.wire.impair(Way::Backward, super::probes(&[0], super::OPEN_REPLY), Effect::Drop);
    let told = session(&measure(&net.near, &target, &flags));
    let report = &told["answers"]["access_report"];
    assert_eq!((&report["network"], &report["code"]), (&"3GPP".into(), &2.into()), "{told}");
    assert_eq!(report["state"], "acknowledged", "{told}");
    // The third behind it, or an earlier one where a busy machine missed slots.
    let carrier = report["sequence"].as_u64().expect("a probe");
    assert!(report["sent"] == 2 && (1..=3).contains(&carrier), "{told}");
    let heard = reflector.wait_for_error_line(|line| line.contains("access report"));
    assert!(heard.contains("access report: Network unavailable"), "{heard}");
    assert!(heard.contains("access=3GPP") && heard.contains("code=2"), "{heard}");

    net.wire.clear(Way::Backward);
    net.wire.impair(Way::Backward, Which::all(), Effect::Drop);
    let silent = session(&measure(
        &net.near,
        &target,
        &[&flags[..], &["--access-report-retries", "1"]].concat(),
    ));
    let report = &silent["answers"]["access_report"];
    assert_eq!(
        (&report["state"], &report["sent"]),
        (&"unacknowledged".into(), &2.into()),
        "{silent}"
    );
    assert_eq!(findings(&silent, "access_report_unacknowledged").len(), 1, "{silent}");
}

fn replies_tell_when_those_before_left() {
    let net = netns::wired(Families::Both);
    let clock = ["--clock", "synchronized,error=1us"];
    let _reflector = reflector(&net.far, &[&["--stateful"], &clock[..]].concat());
    for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
        let flags = ["-c", "40", "-i", "20ms", "--ask-follow-up", "--json"];
        let session = session(&measure(&net.near, &address, &[&flags, &clock[..]].concat()));
        let told = &session["answers"]["follow_up"];
        // The first has none before it; nor may it be known yet where two probes came at once.
        let all = answered(&session, 40);
        let told_on_the_wire = replies_that_tell(&net, &session);
        assert!(told_on_the_wire > 0, "{session}");
        assert_eq!((&told["refused"], &told["impossible"]), (&0.into(), &0.into()), "{session}");
        assert_eq!(told["corrected"], told_on_the_wire, "{session}");
        assert_eq!(told["unknown"], all - told_on_the_wire, "{session}");
        assert_eq!(told["method"], "SW Local", "{session}");
        // Each that is known moves, and so do the least of all and the most; means are of other probes.
        let delay = |of: &Value, which: &str| of[which].as_i64().expect("a delay");
        let (better, plain) = (&told["delay_ns"], &session["delay_ns"]);
        let least = [better, plain].map(|delays| delay(&delays["residence"], "min"));
        assert!(least[0] > least[1], "{session}");
        let most = [better, plain].map(|delays| delay(&delays["backward"], "max"));
        assert!(most[0] < most[1], "{session}");
        assert!(told["delay_ns"]["backward"]["min"].as_i64() > Some(0), "{session}");
        assert!(findings(&session, "no_follow_up").is_empty(), "{session}");
        let plain = ["-c", "5", "-i", "5ms", "--json"];
        let silent = self::session(&measure(&net.near, &address, &plain));
        assert!(silent["answers"]["follow_up"].is_null(), "{silent}");
    }
}

/// Replies of a session that tell when the one before left, by the record of the wire.
fn replies_that_tell(net: &netns::Wired, session: &Value) -> u64 {
    let is_ours = |it: &Record| session["path"]["source_port"] == it.destination.port();
    let tells = |it: Record| {
        let mut tlvs = Tlvs::new(&it.payload[UNAUTHENTICATED_BASE_OCTETS..]);
        let tlv = tlvs.next().expect("a TLV").expect("all of it");
        let told = FollowUpTelemetry::parse(tlv.value, TimestampFormat::Ntp);
        u64::from(told.expect("Follow-Up Telemetry").is_some())
    };
    net.wire.records(Way::Backward).into_iter().filter(is_ours).map(tells).sum()
}

fn who_is_stateless_tells_of_no_reply() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let flags = ["-c", "4", "-i", "5ms", "--ask-follow-up", "--json"];
    let session = session(&measure(&net.near, &target, &flags));
    let told = &session["answers"]["follow_up"];
    let all = answered(&session, 4);
    assert_eq!((&told["told"], &told["unknown"]), (&0.into(), &all.into()), "{session}");
    let asked = format!("{all} repl");
    assert!(findings(&session, "no_follow_up")[0].starts_with(&asked), "{session}");
}

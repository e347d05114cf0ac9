//! A clock that is set while probes are on their way: only on a machine whose clock nobody else goes by.
//!
//! The module has the name of what is done to it; see `tests/guest/run`.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use stamp_tests::netns::{self, Families, Host, Need, Trial, trials};

use crate::daemon::faults::{assert_no_counter_went_back, goes_on, lost};
use crate::daemon::{Daemon, TWO, of_type, reflector, states};
use crate::http::value;

/// Whoever sets it says that this machine is for nothing else.
const OWN_CLOCK: Need = Need {
    name: "a machine whose clock may be set",
    allow: "tests/guest/run clock_step::",
    met: || std::env::var_os("STAMP_TEST_OWN_CLOCK").is_some(),
    beyond_namespaces: true,
};

pub(crate) fn trials() -> Vec<Trial> {
    trials![a_clock_that_is_set_is_told_and_measures_nothing_that_was_not_so: [OWN_CLOCK]]
}

const HOUR: i64 = 3_600;
const SECOND_NS: i64 = 1_000_000_000;

/// Sets the clock of the machine.
fn set_by(host: &Host, seconds: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
    let then = i64::try_from(now.as_secs()).expect("not that late") + seconds;
    let mut date = Command::new("date");
    host.spawn(date.args(["-u", "-s", &format!("@{then}")])).wait().assert_code(0);
}

fn a_clock_that_is_set_is_told_and_measures_nothing_that_was_not_so() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    // Some are always on their way.
    let mut tc = Command::new("tc");
    tc.args("qdisc add dev eth0 root netem delay 300ms".split(' '));
    net.far.spawn(&mut tc).wait().assert_code(0);
    let limit = "delay-threshold = { round-trip = \"20s\", forward = \"20s\", count = 1 }";
    let text = TWO.replace("timeout = \"1s\"", "timeout = \"3s\"");
    let text = text.replacen("dscp = \"EF\"", limit, 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.told("metrics are told over HTTP");
    let before = goes_on(&net.near);
    for seconds in [HOUR, -2 * HOUR, HOUR] {
        set_by(&net.near, seconds);
        goes_on(&net.near);
    }
    let after = goes_on(&net.near);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    for session in ["a", "b"] {
        no_delay_was_made_up(&after, session);
    }
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")], "nothing was down");
        let of = |event: &&serde_json::Value| {
            event["session"] == session && event["reason"] == "near_step"
        };
        let told: Vec<i64> = of_type(&events, "clock")
            .filter(of)
            .filter_map(|event| event["value"].as_i64())
            .collect();
        // To the second, for that is what it was set to.
        let hours: Vec<i64> = told
            .iter()
            .map(|by| (by + HOUR / 2 * SECOND_NS).div_euclid(HOUR * SECOND_NS))
            .collect();
        assert_eq!(hours, [1, -2, 1], "{session}: {told:?}");
    }
    assert!(of_type(&events, "delay").next().is_none(), "{events:?}");
    let instants: Vec<u64> =
        events.iter().filter_map(|event| event["monotonic_ns"].as_u64()).collect();
    assert!(instants.is_sorted(), "{instants:?}");
}

/// All delays of a session are what the link and a busy machine may have made.
fn no_delay_was_made_up(text: &str, session: &str) {
    let of = |direction: &str, what: &str, bound: &str| {
        let labels = format!("session=\"{session}\",direction=\"{direction}\"{bound}");
        let series = format!("stamp_session_delay_seconds_{what}{{{labels}}}");
        value(text, &series).unwrap_or_else(|| panic!("{series} in {text}"))
    };
    for direction in ["forward", "backward", "round_trip"] {
        // None below what the link takes, so that none can make up for one that is far above.
        if direction != "forward" {
            assert_eq!(of(direction, "bucket", ",le=\"0.2\""), 0.0, "{direction} in {text}");
        }
        let sum = of(direction, "sum", "");
        assert!((0.0..HOUR as f64).contains(&sum), "{direction} in {text}");
    }
    let [within, all] =
        ["1", "+Inf"].map(|bound| of("forward", "bucket", &format!(",le=\"{bound}\"")));
    assert_eq!(within, all, "forward in {text}");
}

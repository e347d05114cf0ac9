//! Events that commands are run for.

use std::fs;

use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use super::{Daemon, TWO, reflector, states};
use crate::folder::Folder;
use crate::http::{scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_hook_has_every_event_though_the_sandbox_is_on,
        the_first_hook_takes_a_restart_and_others_do_not,
    ]
}

const WEB: u16 = 9862;

/// A hook that adds the events to a file.
fn with_hook(folder: &Folder, name: &str) -> String {
    let file = folder.path("told");
    format!(
        "\n[[hook]]\nname = \"{name}\"\ntypes = [\"state\"]\n\
         command = [\"tee\", \"-a\", \"{}\"]\n",
        file.display()
    )
}

fn a_hook_has_every_event_though_the_sandbox_is_on() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let folder = Folder::new();
    let text = format!("sandbox = \"require\"\n{TWO}{}", with_hook(&folder, "notes"));
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("capabilities=true landlock=false seccomp=true");
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    far.signal(Signal::SIGTERM);
    let told = "stamp_events_delivered_total{sink=\"notes\"}";
    wait_for((&net.near, WEB), told, |told| told == 4.0);
    assert_eq!(
        value(&scrape((&net.near, WEB)), "stamp_event_failures_total{sink=\"notes\"}"),
        Some(0.0)
    );
    let (_, events) = daemon.stop();
    let text = fs::read_to_string(folder.path("told")).expect("the hook has written it");
    let told: Vec<_> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for session in ["a", "b"] {
        assert_eq!(states(&told, session), [("init", "up"), ("up", "down")]);
        assert_eq!(states(&told, session), states(&events, session));
    }
}

fn the_first_hook_takes_a_restart_and_others_do_not() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let folder = Folder::new();
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=b");
    daemon.change("dscp = \"EF\"\n", &format!("dscp = \"EF\"\n{}", with_hook(&folder, "one")));
    daemon.told("the first [[hook]] takes a restart");
    daemon.told("level=error msg=\"the new configuration is refused; the one before stays");
    daemon.stop();
    let text = format!("{TWO}{}", with_hook(&folder, "one"));
    let mut daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is up\" session=b");
    daemon.change("\"one\"", "\"another\"");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=0 removed=0 kept=2");
    daemon.change("\"EF\"", "\"AF41\"");
    let told = "stamp_events_delivered_total{sink=\"another\"}";
    wait_for((&net.near, WEB), told, |told| told >= 1.0);
    daemon.stop();
}

//! Segments and hosts by their names in the topology file of the lab.

use serde_json::Value;
use stamp_tests::netns::{Need, Trial, trials};

use super::form::Form;
use super::labels::M5;
use super::network::Net;
use super::segments::V4_BACK;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        names_lead_where_their_labels_do: [Need::IPV6],
        names_lead_where_their_sids_do: [Need::IPV6],
        a_name_that_nobody_knows_sends_nothing: [Need::IPV6],
    ]
}

macro_rules! named {
    ($flags:literal) => {
        concat!(
            "r --topology ",
            env!("CARGO_MANIFEST_DIR"),
            "/netns/steering/network.toml --mode loopback ",
            $flags
        )
    };
}

/// Its own label is nothing that a wants to see; frames leave towards a all the same.
const LABELS: Form =
    Form { flags: named!("--segments a,r --return-segments c,s"), segments: &["16002"], ..M5 };

const SIDS: Form =
    Form { flags: named!("--srv6 host --segments a,r --return-segments c,s"), ..V4_BACK };

fn names_lead_where_their_labels_do() {
    let mut net = Net::up();
    LABELS.is_measured(&mut net);
    let shown = net.send(named!("--segments a,r --return-segments c,s --show-packet"));
    shown.assert_code(0);
    for words in
        ["16002, TC 0, TTL 255  (segment)  r\n", "16001, TC 0, TTL 255, bottom  (segment)  s\n"]
    {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
}

fn names_lead_where_their_sids_do() {
    let mut net = Net::up();
    SIDS.is_measured(&mut net);
}

fn a_name_that_nobody_knows_sends_nothing() {
    let net = Net::up();
    let refused = net.send(named!("--segments a,rr -c 1 --json"));
    refused.assert_code(3);
    let told = "--segments: the topology has no node or link \"rr\"; there is ";
    assert!(refused.stderr.contains(told), "{refused}");
    assert_eq!(serde_json::from_str::<Value>(&refused.stdout).ok(), None);
    assert_eq!(net.counts("s>a").seen, 0);
}

//! What chosen probes can tell.

use super::network::*;
use crate::encoding::Forwarding;
use crate::locate::{Assumptions, Cause, Cover, covering, loss};
use crate::topology::{LinkId, Topology};

fn cover(topology: &Topology, from: &[&str], sids: bool) -> Cover {
    let from: Vec<_> = from.iter().map(|name| id(topology, name)).collect();
    covering(&Forwarding::new(topology), &from, sids)
}

fn words(topology: &Topology, cover: &Cover) -> Vec<String> {
    let words = |segments: &[crate::encoding::Segment]| {
        segments.iter().map(|segment| segment.word(topology)).collect::<Vec<_>>().join(",")
    };
    cover.probes.iter().map(|probe| words(probe.list.segments())).collect()
}

#[test]
fn one_node_tells_all_links_of_the_fabric_apart() {
    let topology = read(CLOS);
    for sids in [false, true] {
        let cover = cover(&topology, &["1"], sids);
        let lists = words(&topology, &cover);
        assert!(cover.unreached.is_empty(), "{sids} {:?} {lists:?}", cover.unreached);
        assert!(cover.alike.is_empty(), "{sids} {:?} {lists:?}", cover.alike);
        // Sixteen links, of which fifteen probes over one each would tell as much.
        assert!(cover.probes.len() <= 12, "{lists:?}");
        assert!(cover.probes.iter().all(|probe| probe.flows == 1 && probe.routes.len() == 1));
    }
}

#[test]
fn each_link_that_fails_is_found_by_what_covers_it() {
    let topology = read(CLOS);
    let cover = cover(&topology, &["1"], false);
    let sessions: Vec<Session> =
        cover.probes.iter().map(|probe| Session::on(&probe.routes, 0)).collect();
    for failed in topology.link_ids() {
        let faults =
            Faults { loss: both(failed).map(|hop| (hop, 1.0)).into(), ..Faults::default() };
        let mut chance = Chance(failed.position() as u64);
        let observations: Vec<_> =
            sessions.iter().map(|it| it.measure(&topology, &faults, 100, &mut chance)).collect();
        let located = loss(&topology, &observations, &Assumptions::default());
        let best = located.links.first().map(|(link, _)| *link);
        assert_eq!(best, Some(failed), "{located:#?}");
        let [suspect] = &located.suspects[..] else { panic!("{located:#?}") };
        // That one direction of another link has failed may explain as much, and is less likely.
        assert_eq!(suspect.causes.first(), Some(&Cause::Link(failed)), "{located:#?}");
    }
}

#[test]
fn links_that_no_list_tells_apart_are_passed_by_flows() {
    // Two wires without labels of their own.
    let topology = read(
        r#"
        node = [
            { name = "a", loopbacks = ["192.0.2.1"], index = 1 },
            { name = "b", loopbacks = ["192.0.2.2"], index = 2 },
            { name = "c", loopbacks = ["192.0.2.3"], index = 3 },
        ]
        link = [
            { ends = ["a", "b"] },
            { name = "one", ends = ["b", "c"] },
            { name = "two", ends = ["b", "c"] },
        ]
        "#,
    );
    let cover = cover(&topology, &["a"], false);
    assert!(cover.unreached.is_empty());
    let names = |links: &Vec<LinkId>| {
        links.iter().map(|link| topology[*link].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(cover.alike.iter().map(names).collect::<Vec<_>>(), [["one", "two"]]);
    let flows = cover.probes.iter().map(|probe| probe.flows).max();
    assert!(flows.is_some_and(|flows| (7..=64).contains(&flows)), "{cover:#?}");
}

#[test]
fn what_cannot_be_reached_is_told() {
    let topology = read(
        r#"
        node = [{ name = "a" }, { name = "b" }, { name = "c" }]
        link = [{ ends = ["b", "c"] }]
        "#,
    );
    let cover = cover(&topology, &["a"], false);
    assert_eq!((cover.probes.len(), cover.unreached.len()), (0, 1));
}

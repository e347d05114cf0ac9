//! What is said, in small networks.

use super::network::*;
use crate::locate::{Assumptions, Cause, Located, Suspect, loss};
use crate::topology::Topology;

const LINE: &str = r#"
    node = [
        { name = "a", loopbacks = ["192.0.2.1"], index = 1 },
        { name = "b", loopbacks = ["192.0.2.2"], index = 2 },
        { name = "c", loopbacks = ["192.0.2.3"], index = 3 },
        { name = "d", loopbacks = ["192.0.2.4"], index = 4 },
    ]
    link = [{ ends = ["a", "b"] }, { ends = ["b", "c"] }, { ends = ["c", "d"] }]
"#;

fn located(topology: &Topology, sessions: &[Session], faults: &Faults) -> Located {
    let mut chance = Chance(1);
    let observations: Vec<_> =
        sessions.iter().map(|it| it.measure(topology, faults, 500, &mut chance)).collect();
    loss(topology, &observations, &Assumptions::default())
}

fn words(topology: &Topology, suspect: &Suspect) -> Vec<String> {
    suspect.causes.iter().map(|cause| cause.in_words(topology)).collect()
}

#[test]
fn what_cannot_be_told_apart_is_told_together() {
    let topology = read(LINE);
    let bc = both(link(&topology, "b-c"));
    let faults = Faults { loss: [(bc[0], 0.2)].into(), ..Faults::default() };
    let alone = [Session::answered(&topology, "a", "d", 1)];
    let found = located(&topology, &alone, &faults);
    let [suspect] = &found.suspects[..] else { panic!("{found:#?}") };
    let expected = ["a-b from a to b", "b-c from b to c", "c-d from c to d"];
    assert_eq!(words(&topology, suspect), expected.map(|name| format!("link {name}")));
    assert!(suspect.confidence > 0.9 && (suspect.severity - 0.2).abs() < 0.06, "{found:#?}");
    let more = [("a", "d"), ("a", "b"), ("a", "c")]
        .map(|(from, to)| Session::answered(&topology, from, to, 1));
    let found = located(&topology, &more, &faults);
    assert_eq!(words(&topology, &found.suspects[0]), ["link b-c from b to c"]);
    assert!(found.unexplained.is_empty() && found.bad == [0, 2], "{found:#?}");
}

#[test]
fn a_node_that_hurts_all_that_passes_it_is_found() {
    let topology = read(CLOS);
    let three = id(&topology, "3");
    let at_three =
        |hop: &crate::path::Hop| hop.from(&topology) == three || hop.to(&topology) == three;
    let hops = topology.link_ids().flat_map(both).filter(at_three);
    let faults = Faults { loss: hops.map(|hop| (hop, 0.3)).collect(), ..Faults::default() };
    let sessions = mesh(&topology, &["1", "2", "3", "4", "11", "12"], 4);
    let found = located(&topology, &sessions, &faults);
    let causes: Vec<Cause> = found.suspects.iter().flat_map(|it| it.causes.clone()).collect();
    assert!(causes.contains(&Cause::Node(three)), "{found:#?}");
}

#[test]
fn what_is_the_matter_with_one_session_alone_is_no_link_of_others() {
    let topology = read(CLOS);
    let sessions = mesh(&topology, &["1", "2", "11", "12"], 8);
    let mut chance = Chance(3);
    let mut observations: Vec<_> = sessions
        .iter()
        .map(|it| it.measure(&topology, &Faults::default(), 500, &mut chance))
        .collect();
    observations[5].loss.forward = Some(crate::locate::Loss { decided: 500, lost: 77 });
    let found = loss(&topology, &observations, &Assumptions::default());
    assert!(found.suspects.is_empty(), "{found:#?}");
    assert_eq!((found.bad, found.unexplained), (vec![5], vec![5]));
}

#[test]
fn what_nobody_watches_is_told() {
    let topology = read(LINE);
    let found =
        located(&topology, &[Session::answered(&topology, "a", "c", 1)], &Faults::default());
    let unwatched: Vec<String> =
        found.unwatched.iter().map(|cause| cause.in_words(&topology)).collect();
    assert!(unwatched.contains(&"link c-d".to_owned()), "{unwatched:?}");
    assert!(unwatched.contains(&"node d".to_owned()) && !unwatched.contains(&"node a".to_owned()));
}

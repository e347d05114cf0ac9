use super::*;

const AFTER: u32 = 3;

/// A session, a far node, and the probes between them: each is answered before the next is sent.
struct Play {
    fallback: Fallback,
    sequence: u32,
}

/// What the node does to probes that ask; plain ones come back.
#[derive(Clone, Copy)]
enum Node {
    Stamps,
    Forwards,
    Drops,
    /// Nothing comes back at all.
    CutOff,
}

impl Play {
    fn new() -> Self {
        Self { fallback: Fallback::new(true, Some(AFTER)), sequence: 0 }
    }

    /// One probe: what it asked, and what came of it.
    fn probe(&mut self, node: Node) -> (Asks, Option<FallbackChange>) {
        let asks = self.fallback.next();
        let (sequence, now) = (self.sequence, Now::default());
        self.fallback.sent(sequence, asks, now);
        self.sequence += 1;
        let mut returned = |stamping| self.fallback.returned(sequence, (asks, stamping), now);
        let change = match (node, asks) {
            (Node::CutOff, _) => self.fallback.lost(sequence, asks, now),
            (_, Asks::Nothing) => returned(Stamping::NotAsked),
            (Node::Stamps, _) => returned(Stamping::Stamped),
            (Node::Forwards, _) => returned(Stamping::Missing),
            (Node::Drops, _) => self.fallback.lost(sequence, asks, now),
        };
        (asks, change)
    }

    /// So many probes: where it went over or back, and which were trials.
    fn probes(&mut self, count: u32, node: Node) -> (Vec<(u32, FallbackChange)>, Vec<u32>) {
        let (mut changes, mut trials) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let sequence = self.sequence;
            let (asks, change) = self.probe(node);
            changes.extend(change.map(|change| (sequence, change)));
            trials.extend((asks == Asks::Trial).then_some(sequence));
        }
        (changes, trials)
    }

    fn report(&self) -> FallbackReport {
        self.fallback.report().unwrap()
    }
}

#[test]
fn a_node_that_forwards_without_stamping_shows_at_once() {
    let mut play = Play::new();
    let (changes, trials) = play.probes(400, Node::Forwards);
    let [(2, change)] = changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.is_active(), change.run, change.first, change.last), (true, 3, 0, 2));
    assert_eq!(change.reason, FallbackReason::Unstamped(Stamping::Missing));
    // Ten plain ones, a trial, twenty, a trial, …
    assert_eq!(trials, [13, 34, 75, 156, 317]);
    let report = play.report();
    assert_eq!((report.active, report.count, report.trials, report.trials_lost), (true, 1, 5, 0));
    assert_eq!(report.plain, 400 - 3 - 5);
}

#[test]
fn pauses_grow_up_to_their_limit() {
    let mut play = Play::new();
    let (_, trials) = play.probes(5_000, Node::Forwards);
    let gaps: Vec<u32> = trials.windows(2).map(|pair| pair[1] - pair[0] - 1).collect();
    assert_eq!(gaps[..7], [20, 40, 80, 160, 320, 640, 640]);
    assert!(gaps[7..].iter().all(|gap| *gap == 640));
}

#[test]
fn one_trial_with_a_timestamp_brings_it_all_back() {
    let mut play = Play::new();
    play.probes(5, Node::Forwards);
    let (changes, trials) = play.probes(30, Node::Stamps);
    let [(13, change)] = changes[..] else { panic!("{changes:?}") };
    assert_eq!(trials, [13]);
    assert_eq!((change.is_active(), change.run, change.first, change.last), (false, 10, 13, 13));
    assert_eq!(change.reason, FallbackReason::Stamped);
    assert_eq!(play.probe(Node::Stamps).0, Asks::Timestamp);
    assert!(!play.report().active && play.report().latest.is_some_and(|latest| latest.is_active()));
}

#[test]
fn a_node_that_drops_what_it_does_not_know_is_told_from_a_path_that_is_down() {
    let mut play = Play::new();
    let (changes, trials) = play.probes(24, Node::Drops);
    // Three are lost; then plain ones are back, and each one behind them asks and is lost.
    let [(8, change)] = changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.reason, change.run), (FallbackReason::Lost, 3));
    assert_eq!((change.first, change.last), (0, 8));
    assert_eq!(trials, [4, 6, 8, 19]);
    assert_eq!(play.report().trials_lost, 4);
    let mut play = Play::new();
    let (changes, trials) = play.probes(50, Node::CutOff);
    assert!(changes.is_empty() && trials.is_empty(), "{changes:?} {trials:?}");
    assert_eq!(play.probe(Node::Stamps).0, Asks::Nothing);
    let (changes, trials) = play.probes(10, Node::Stamps);
    assert_eq!((changes.len(), trials), (0, vec![51]), "nothing to tell: it stamps");
    assert_eq!((play.fallback.next(), play.report().count), (Asks::Timestamp, 0));
}

#[test]
fn a_path_that_loses_one_in_ten_is_no_node_that_drops() {
    let mut play = Play::new();
    let mut chance = 7_u32;
    for _ in 0..10_000 {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let node = if chance >> 16 < 6_554 { Node::CutOff } else { Node::Stamps };
        assert_eq!(play.probe(node).1, None);
    }
    assert!(play.report().trials > 0, "there were three in a row");
}

#[test]
fn behind_an_outage_the_node_is_asked_anew() {
    let mut play = Play::new();
    play.probes(300, Node::Forwards);
    play.probes(20, Node::CutOff);
    play.fallback.outage_over();
    let (changes, trials) = play.probes(2, Node::Stamps);
    assert_eq!((changes.len(), trials), (1, vec![320]));
}

#[test]
fn what_does_not_come_in_a_row_is_forgiven() {
    let mut play = Play::new();
    for node in [Node::Forwards, Node::Drops, Node::Stamps].repeat(20) {
        assert_eq!(play.probe(node), (Asks::Timestamp, None));
    }
}

#[test]
fn a_timestamp_that_cannot_be_true_is_one() {
    let mut fallback = Fallback::new(true, Some(1));
    let brought = (Asks::Timestamp, Stamping::Implausible);
    assert_eq!(fallback.returned(0, brought, Now::default()), None);
    assert_eq!(fallback.next(), Asks::Timestamp);
}

#[test]
fn a_trial_that_never_left_is_made_up_for() {
    let mut play = Play::new();
    play.probes(13, Node::Forwards);
    play.fallback.sent(13, Asks::Trial, Now::default());
    assert_eq!(play.fallback.next(), Asks::Nothing, "one at a time");
    play.fallback.unsent(13);
    assert_eq!((play.fallback.next(), play.report().trials), (Asks::Trial, 0));
}

#[test]
fn without_leave_it_goes_on_asking_and_other_modes_never_ask() {
    let mut play = Play { fallback: Fallback::new(true, None), sequence: 0 };
    assert_eq!(play.probes(50, Node::Forwards), (vec![], vec![]));
    assert_eq!((play.fallback.next(), play.fallback.report()), (Asks::Timestamp, None));
    let play = Play { fallback: Fallback::new(false, Some(AFTER)), sequence: 0 };
    assert_eq!((play.fallback.next(), play.fallback.report()), (Asks::Nothing, None));
}

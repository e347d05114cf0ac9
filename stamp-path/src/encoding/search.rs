//! The fewest steps from the begin of an intent to its end.
//!
//! A state is the set of places at which packets are when one segment has ended and the next is read;
//! mostly it is one place. Every step is tried out by following packets, so what is found keeps to
//! the intent whatever the kind of segment.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::intent::Intent;

/// Places at which packets read the next segment.
pub(super) type Places = BTreeSet<usize>;

/// One segment that keeps to the intent.
#[derive(Clone, Debug)]
pub(super) struct Move<S, C> {
    pub(super) segment: S,
    pub(super) ends: Places,
    /// What the whole list costs up to here.
    pub(super) cost: C,
}

/// What is looked for, and what it may be made of.
pub(super) trait Moves {
    type Segment: Clone;
    type Cost: Clone + Ord;

    /// Whether a list is complete that has brought packets here.
    fn is_end(&self, places: &Places) -> bool;

    /// Segments that can be read at these places, the preferred ones first.
    fn from(&self, places: &Places, cost: &Self::Cost) -> Vec<Move<Self::Segment, Self::Cost>>;
}

/// A list, or how far one could come.
pub(super) enum Found<S, C> {
    List { moves: Vec<Move<S, C>> },
    Stuck { places: Places },
}

/// Finds the cheapest list; of equals the one whose first segments reach furthest.
pub(super) fn search<M: Moves>(moves: &M, start: M::Cost) -> Found<M::Segment, M::Cost> {
    let begin = Places::from([Intent::START]);
    let mut furthest = begin.clone();
    let mut states = vec![State { places: begin.clone(), arrival: None, is_done: false }];
    let mut known = BTreeMap::from([(begin, (start.clone(), 0))]);
    let mut open = BinaryHeap::from([Reverse((start, 0))]);
    while let Some(Reverse((cost, number))) = open.pop() {
        if states[number].is_done {
            continue;
        }
        states[number].is_done = true;
        let places = states[number].places.clone();
        if moves.is_end(&places) {
            return Found::List { moves: trail(states, number) };
        }
        if places.first() > furthest.first() {
            furthest.clone_from(&places);
        }
        for step in moves.from(&places, &cost) {
            let better = known.get(&step.ends).is_none_or(|(known, _)| step.cost < *known);
            if !better {
                continue;
            }
            let next = states.len();
            // What was found before for the same places is passed over when its turn comes.
            if let Some((_, old)) = known.insert(step.ends.clone(), (step.cost.clone(), next)) {
                states[old].is_done = true;
            }
            open.push(Reverse((step.cost.clone(), next)));
            let places = step.ends.clone();
            states.push(State { places, arrival: Some((number, step)), is_done: false });
        }
    }
    Found::Stuck { places: furthest }
}

struct State<S, C> {
    places: Places,
    arrival: Option<(usize, Move<S, C>)>,
    is_done: bool,
}

/// The moves that led to a state.
fn trail<S, C>(mut states: Vec<State<S, C>>, mut number: usize) -> Vec<Move<S, C>> {
    let mut moves = Vec::new();
    while let Some((before, step)) = states[number].arrival.take() {
        moves.push(step);
        number = before;
    }
    moves.reverse();
    moves
}

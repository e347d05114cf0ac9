//! `stamp-sender` on segment lists: the real programs at the nodes of a lab, whose SIDs are this
//! kernel's, whose labels are switched by the lab, and whose wires record how long they held what.

mod captures;
mod crowd;
mod fallback;
mod far_clock;
mod faults;
mod form;
mod headers;
mod hindrances;
mod labels;
mod names;
mod network;
mod policies;
mod prometheus;
mod refusals;
mod segments;
mod selecting;
mod service;
mod traffic;
mod writers;

use stamp_tests::netns::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    let modules = [
        segments::trials,
        fallback::trials,
        far_clock::trials,
        names::trials,
        policies::trials,
        selecting::trials,
        traffic::trials,
        writers::trials,
        faults::trials,
        labels::trials,
        captures::trials,
        crowd::trials,
        headers::trials,
        hindrances::trials,
        refusals::trials,
    ];
    modules.iter().flat_map(|trials| trials()).collect()
}

use std::fs;
use std::path::Path;
use std::vec::Vec;

use proptest::prelude::*;

use crate::strategies::{areas, octets};

/// Every file that a fuzz target starts from, or that once broke it.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty(), "{folder:?} is empty");
    inputs
}

#[test]
fn sender_packet_holds_for_its_corpus() {
    corpus("sender_packet").iter().for_each(|octets| super::sender_packet(octets));
}

#[test]
fn reflector_packet_holds_for_its_corpus() {
    corpus("reflector_packet").iter().for_each(|octets| super::reflector_packet(octets));
}

#[test]
fn tlvs_holds_for_its_corpus() {
    corpus("tlvs").iter().for_each(|octets| super::tlvs(octets));
}

#[test]
fn timestamps_holds_for_its_corpus() {
    corpus("timestamps").iter().for_each(|octets| super::timestamps(octets));
}

#[test]
fn hmac_holds_for_its_corpus() {
    corpus("hmac").iter().for_each(|octets| super::hmac(octets));
}

#[test]
fn mpls_stack_holds_for_its_corpus() {
    corpus("mpls_stack").iter().for_each(|octets| super::mpls_stack(octets));
}

#[test]
fn srh_holds_for_its_corpus() {
    corpus("srh").iter().for_each(|octets| super::srh(octets));
}

#[test]
fn csid_holds_for_its_corpus() {
    corpus("csid").iter().for_each(|octets| super::csid(octets));
}

#[test]
fn layers_holds_for_its_corpus() {
    corpus("layers").iter().for_each(|octets| super::layers(octets));
}

#[test]
fn return_path_holds_for_its_corpus() {
    corpus("return_path").iter().for_each(|octets| super::return_path(octets));
}

#[test]
fn fixed_tlvs_holds_for_its_corpus() {
    corpus("fixed_tlvs").iter().for_each(|octets| super::fixed_tlvs(octets));
}

#[test]
fn location_holds_for_its_corpus() {
    corpus("location").iter().for_each(|octets| super::location(octets));
}

#[test]
fn packet_control_holds_for_its_corpus() {
    corpus("packet_control").iter().for_each(|octets| super::packet_control(octets));
}

#[test]
fn reflected_headers_holds_for_its_corpus() {
    corpus("reflected_headers").iter().for_each(|octets| super::reflected_headers(octets));
}

proptest! {
    #[test]
    fn every_check_holds_for_random_octets(octets in octets(200)) {
        super::sender_packet(&octets);
        super::reflector_packet(&octets);
        super::tlvs(&octets);
        super::timestamps(&octets);
        super::hmac(&octets);
        super::mpls_stack(&octets);
        super::srh(&octets);
        super::csid(&octets);
        super::layers(&octets);
        super::return_path(&octets);
        super::fixed_tlvs(&octets);
        super::location(&octets);
        super::packet_control(&octets);
        super::reflected_headers(&octets);
    }

    #[test]
    fn what_seeds_become_by_a_few_changes_holds(
        target in 0_usize..9,
        seed in any::<usize>(),
        changes in prop::collection::vec(any::<(usize, u8)>(), 1..6),
    ) {
        let (name, check): (_, fn(&[u8])) = [
            ("mpls_stack", super::mpls_stack as fn(&[u8])),
            ("srh", super::srh),
            ("csid", super::csid),
            ("layers", super::layers),
            ("return_path", super::return_path),
            ("fixed_tlvs", super::fixed_tlvs),
            ("location", super::location),
            ("packet_control", super::packet_control),
            ("reflected_headers", super::reflected_headers),
        ][target];
        let seeds = corpus(name);
        let mut octets = seeds[seed % seeds.len()].clone();
        for (place, value) in changes {
            let place = place % octets.len();
            octets[place] = value;
        }
        check(&octets);
    }

    #[test]
    fn tlvs_holds_for_areas_with_a_random_end(area in areas()) {
        super::tlvs(&area);
        super::return_path(&area);
        super::location(&area);
        super::packet_control(&area);
    }
}

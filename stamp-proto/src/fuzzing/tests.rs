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

proptest! {
    #[test]
    fn every_check_holds_for_random_octets(octets in octets(200)) {
        super::sender_packet(&octets);
        super::reflector_packet(&octets);
        super::tlvs(&octets);
        super::timestamps(&octets);
        super::hmac(&octets);
    }

    #[test]
    fn tlvs_holds_for_areas_with_a_random_end(area in areas()) {
        super::tlvs(&area);
    }
}

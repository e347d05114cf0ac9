use std::fs;
use std::path::Path;

use proptest::prelude::*;
use stamp_proto::packet::AuthenticationMode;

use super::script::read;
use super::{forwarding_step, reflector_step};

/// Every file that the fuzz target starts from, or that once broke it.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stamp-proto/fuzz/corpus");
    let folder = folder.join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let inputs: Vec<Vec<u8>> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!inputs.is_empty(), "{folder:?} is empty");
    inputs
}

#[test]
fn reflector_step_holds_for_its_corpus() {
    corpus("reflector_step").iter().for_each(|octets| reflector_step(octets));
}

#[test]
fn forwarding_step_holds_for_its_corpus() {
    corpus("forwarding_step").iter().for_each(|octets| forwarding_step(octets));
}

#[test]
fn the_corpus_reaches_every_kind_of_reflector() {
    let settings: Vec<_> = corpus("reflector_step")
        .iter()
        .filter_map(|octets| read(octets))
        .map(|(setting, _)| setting)
        .collect();
    for mode in [AuthenticationMode::Unauthenticated, AuthenticationMode::Authenticated] {
        for stateful in [false, true] {
            let any = settings
                .iter()
                .any(|setting| setting.mode() == mode && setting.is_stateful() == stateful);
            assert!(any, "{mode}, stateful {stateful}");
        }
    }
}

/// Scripts whose packets are close to what is answered.
fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let packet = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..160),
        (any::<u8>(), prop::sample::select(vec![44_usize, 112, 60, 140])).prop_map(
            |(sequence, octets)| {
                let mut packet = vec![0; octets];
                packet[3] = sequence;
                packet
            }
        ),
    ];
    let step = (any::<u8>(), any::<u8>(), packet).prop_map(|(what, later, packet)| {
        let mut step = vec![what, later, u8::try_from(packet.len()).unwrap()];
        step.extend(packet);
        step
    });
    (any::<u8>(), prop::collection::vec(step, 0..24)).prop_map(|(setting, steps)| {
        let mut script = vec![setting];
        script.extend(steps.into_iter().flatten());
        script
    })
}

proptest! {
    #[test]
    fn reflector_step_holds_for_random_octets(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        reflector_step(&octets);
    }

    #[test]
    fn reflector_step_holds_for_likely_scripts(script in scripts()) {
        reflector_step(&script);
    }
}

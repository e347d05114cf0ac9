use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::strategies::octets;
use crate::writer::Writer;

fn label(value: u32) -> Label {
    Label::new(value).unwrap()
}

fn stack(labels: &[u32]) -> Result<LabelStack, StackError> {
    LabelStack::from_labels(labels.iter().copied().map(label))
}

fn emitted(stack: &LabelStack) -> Vec<u8> {
    let mut octets = vec![0xee; stack.encoded_octets()];
    let mut writer = Writer::new(&mut octets);
    stack.emit(&mut writer).unwrap();
    assert_eq!(writer.available(), 0);
    octets
}

#[test]
fn each_field_of_an_entry_lies_where_the_drawing_says() {
    let zero = LabelStackEntry { ttl: 0, ..LabelStackEntry::new(label(0)) };
    for (entry, octets) in [
        (LabelStackEntry { label: Label::MAX, ..zero }, [0xff, 0xff, 0xf0, 0]),
        (LabelStackEntry { traffic_class: TrafficClass::new(7).unwrap(), ..zero }, [0, 0, 0xe, 0]),
        (LabelStackEntry { bottom: true, ..zero }, [0, 0, 1, 0]),
        (LabelStackEntry { ttl: 255, ..zero }, [0, 0, 0, 255]),
        (LabelStackEntry::new(label(16_005)), [0x03, 0xe8, 0x50, 0xff]),
    ] {
        assert_eq!(entry.octets(), octets);
        assert_eq!(LabelStackEntry::from_bits(u32::from_be_bytes(octets)), entry);
    }
}

#[test]
fn numbers_have_their_ranges() {
    assert_eq!(Label::new(0x0010_0000), None);
    assert_eq!(Label::new(0x000f_ffff), Some(Label::MAX));
    assert_eq!(TrafficClass::new(8), None);
    assert_eq!(TrafficClass::new(7).map(TrafficClass::value), Some(7));
    assert_eq!(ExtendedLabel::new(15), None);
    assert_eq!(ExtendedLabel::new(16).map(ExtendedLabel::value), Some(16));
    assert_eq!(EntropyLabel::new(15), None);
    assert_eq!(EntropyLabel::new(16).map(EntropyLabel::label), Some(label(16)));
    assert_eq!(EntropyLabel::new(0x0010_0000), None);
    assert_eq!(ExtendedLabel::FIRST_EXPERIMENTAL.composite(), [label(15), label(240)]);
    assert_eq!(ExtendedLabel::FIRST_EXPERIMENTAL.to_string(), "240");
}

#[test]
fn special_labels_have_their_names() {
    let named: Vec<u32> = (0..20).filter(|value| label(*value).name().is_some()).collect();
    assert_eq!(named, [0, 1, 2, 3, 4, 7, 13, 14, 15]);
    assert_eq!(label(7).name(), Some("Entropy Label Indicator"));
    assert!(label(15).is_special() && !label(16).is_special());
}

#[test]
fn a_label_has_its_meaning_from_the_one_above() {
    let roles = |values: &[u32]| {
        let mut above = None;
        let mut roles = Vec::new();
        for value in values {
            let role = LabelRole::below(above, label(*value));
            above = Some(role);
            roles.push(role);
        }
        roles
    };
    use LabelRole::{Entropy, EntropyIndicator, Extended, Extension, Segment, Special};
    assert_eq!(roles(&[16, 7, 100, 2]), [Segment, EntropyIndicator, Entropy, Special]);
    // Only the label directly below is extended; what follows is read as ever.
    assert_eq!(roles(&[15, 15, 15, 240]), [Extension, Extended, Extension, Extended]);
    assert_eq!(roles(&[15, 7, 7, 7]), [Extension, Extended, EntropyIndicator, Entropy]);
}

#[test]
fn special_labels_are_never_hashed() {
    use LabelRole::{Entropy, EntropyIndicator, Extended, Extension, Segment, Special};
    let all = [Segment, Special, Extension, Extended, EntropyIndicator, Entropy];
    assert_eq!(all.map(LabelRole::may_be_hashed), [true, false, false, false, false, true]);
    assert_eq!(all.map(LabelRole::is_composite), [false, false, true, true, false, false]);
}

#[test]
fn a_stack_is_written_top_first_with_its_bottom_marked() {
    let stack = stack(&[16_005, 16_011]).unwrap();
    assert_eq!(emitted(&stack), [0x03, 0xe8, 0x50, 0xff, 0x03, 0xe8, 0xb1, 0xff]);
    assert_eq!((stack.depth(), stack.top()), (2, label(16_005)));
    assert_eq!(stack.explicit_null(), None);
}

#[test]
fn each_rule_has_its_refusal() {
    for (labels, refusal) in [
        (&[][..], StackError::Empty),
        (&[16, 3], StackError::NotImposed { label: label(3), position: 1 }),
        (&[4, 16], StackError::NotImposed { label: label(4), position: 0 }),
        (&[5], StackError::NotImposed { label: label(5), position: 0 }),
        (&[16, 13], StackError::NotImposed { label: label(13), position: 1 }),
        (&[14, 16], StackError::NotImposed { label: label(14), position: 0 }),
        (&[16, 1], StackError::RouterAlertBottom { position: 1 }),
        (&[16, 15], StackError::ExtensionBottom { position: 1 }),
        (&[16, 15, 7], StackError::ReservedExtended { label: label(7), position: 2 }),
        (&[16, 15, 15], StackError::ReservedExtended { label: label(15), position: 2 }),
        (&[16, 15, 256], StackError::ExtendedRange { label: label(256), position: 2 }),
        (&[16, 7], StackError::EntropyMissing { position: 1 }),
        (&[7, 100], StackError::EntropyPlace { position: 0 }),
        (&[15, 240, 7, 100], StackError::EntropyPlace { position: 2 }),
        (&[16, 7, 100, 7, 100], StackError::EntropyPlace { position: 3 }),
        (&[16, 7, 15], StackError::EntropyReserved { label: label(15), position: 2 }),
    ] {
        assert_eq!(stack(labels), Err(refusal), "{labels:?}");
    }
}

#[test]
fn a_ttl_is_zero_in_an_entropy_label_and_nowhere_else() {
    let mut entries = stack(&[16, 7, 100]).unwrap().entries().to_vec();
    assert_eq!(entries.iter().map(|entry| entry.ttl).collect::<Vec<_>>(), [255, 255, 0]);
    entries[2].ttl = 1;
    let refusal = StackError::EntropyTtl { position: 2, ttl: 1 };
    assert_eq!(LabelStack::new(entries.clone()), Err(refusal));
    entries[2].ttl = 0;
    entries[1].ttl = 0;
    assert_eq!(LabelStack::new(entries), Err(StackError::ZeroTtl { position: 1 }));
}

#[test]
fn what_is_legal_is_taken() {
    for labels in [
        &[0][..],
        &[16, 2],
        &[16, 0, 17],
        &[1, 16],
        &[16, 15, 16],
        &[16, 15, 255, 15, 240, 17],
        &[16, 7, 0xf_ffff, 15, 240],
        &[16, 7, 16, 17, 7, 18],
        &[16; 300],
    ] {
        let stack = stack(labels).unwrap();
        assert_eq!(LabelStack::parse(&emitted(&stack)), Ok(stack));
    }
    assert_eq!(stack(&[16, 2]).unwrap().explicit_null(), Some(label(2)));
    assert_eq!(stack(&[16, 15, 16]).unwrap().explicit_null(), None);
}

#[test]
fn a_stack_that_is_too_deep_is_refused_and_not_cut() {
    let stack = stack(&[16; 10]).unwrap();
    assert_eq!(stack.check_depth(10), Ok(()));
    assert_eq!(stack.check_depth(9), Err(StackError::TooDeep { labels: 10, limit: 9 }));
    assert_eq!(stack.depth(), 10);
}

#[test]
fn an_entropy_pair_goes_below_a_segment_label_only() {
    let plain = stack(&[16_005, 16_011, 15, 240]).unwrap();
    let entropy = EntropyLabel::new(100_000).unwrap();
    let swept = plain.with_entropy(1, entropy).unwrap();
    let labels: Vec<u32> = swept.entries().iter().map(|entry| entry.label.value()).collect();
    assert_eq!(labels, [16_005, 16_011, 7, 100_000, 15, 240]);
    assert_eq!(swept.entries()[3].ttl, 0);
    for (below, position) in [(2, 3), (3, 4), (4, 5), (usize::MAX, usize::MAX)] {
        let refusal = StackError::EntropyPlace { position };
        assert_eq!(plain.with_entropy(below, entropy), Err(refusal));
    }
    for below in [1, 2, 3] {
        assert!(swept.with_entropy(below, entropy).is_err(), "{below}");
    }
    // At the bottom the mark moves down to the entropy label.
    let last = stack(&[16]).unwrap().with_entropy(0, entropy).unwrap();
    assert_eq!(
        last.entries().iter().map(|entry| entry.bottom).collect::<Vec<_>>(),
        [false, false, true]
    );
}

#[test]
fn an_indicator_has_class_and_ttl_of_the_label_above() {
    let class = TrafficClass::new(5).unwrap();
    let entry = LabelStackEntry { traffic_class: class, ttl: 9, ..LabelStackEntry::new(label(16)) };
    let stack = LabelStack::new(vec![entry]).unwrap();
    let stack = stack.with_entropy(0, EntropyLabel::new(77).unwrap()).unwrap();
    let [_, indicator, entropy] = stack.entries() else { panic!("not a pair") };
    assert_eq!((indicator.ttl, indicator.traffic_class), (9, class));
    assert_eq!((entropy.ttl, entropy.traffic_class), (0, class));
}

#[test]
fn octets_that_are_no_stack_are_refused() {
    let good = emitted(&stack(&[16, 17]).unwrap());
    for octets in [1, 2, 3, 5, 6, 7] {
        assert_eq!(LabelStack::parse(&good[..octets]), Err(StackError::NotWholeEntries { octets }));
    }
    assert_eq!(LabelStack::parse(&[]), Err(StackError::Empty));
    assert_eq!(LabelStack::parse(&good[..4]), Err(StackError::NoBottom));
    let twice = [&good[..], &good].concat();
    assert_eq!(LabelStack::parse(&twice), Err(StackError::BelowBottom { position: 2 }));
}

#[test]
fn a_stack_needs_room_for_all_of_it() {
    let mut octets = [0xee; 7];
    let mut writer = Writer::new(&mut octets);
    let refusal = ParseError::Truncated { field: "label stack", needed: 8, available: 7 };
    assert_eq!(stack(&[16, 17]).unwrap().emit(&mut writer), Err(refusal));
    assert_eq!(writer.position(), 0);
}

#[test]
fn the_top_of_a_received_stack_is_one_entry_or_a_composite() {
    let octets = emitted(&stack(&[16, 15, 240]).unwrap());
    let top = TopLabel::read(&octets).unwrap();
    assert_eq!((top.plain(), top.octets(), top.is_bottom()), (Some(label(16)), 4, false));
    let top = TopLabel::read(&octets[4..]).unwrap();
    assert_eq!((top.plain(), top.octets(), top.is_bottom()), (None, 8, true));
    assert!(matches!(top, TopLabel::Composite { label, .. } if label.value() == 240));
}

#[test]
fn a_received_stack_with_a_wrong_top_is_dropped() {
    let entry = |value: u32, bottom: bool| {
        LabelStackEntry { bottom, ..LabelStackEntry::new(label(value)) }.octets()
    };
    for value in 0..=15 {
        let octets = [entry(15, false), entry(value, true)].concat();
        let refusal = StackError::ReservedExtended { label: label(value), position: 1 };
        assert_eq!(TopLabel::read(&octets), Err(refusal));
    }
    let octets = [entry(15, false), entry(256, true)].concat();
    let refusal = StackError::ExtendedRange { label: label(256), position: 1 };
    assert_eq!(TopLabel::read(&octets), Err(refusal));
    let octets = [entry(15, true), entry(240, true)].concat();
    assert_eq!(TopLabel::read(&octets), Err(StackError::ExtensionBottom { position: 0 }));
    for length in [0, 1, 2, 3, 4, 5, 6, 7] {
        let octets = [entry(15, false), entry(240, true)].concat();
        assert!(matches!(TopLabel::read(&octets[..length]), Err(StackError::Octets(_))));
    }
}

#[test]
fn the_walk_ends_at_the_bottom() {
    let mut octets = emitted(&stack(&[16, 17]).unwrap());
    octets.push(0x45);
    let mut entries = LabelEntries::new(&octets);
    assert_eq!(entries.by_ref().count(), 2);
    assert!(entries.is_at_bottom());
    assert_eq!(entries.rest(), &[0x45]);
    let mut cut = LabelEntries::new(&octets[..6]);
    assert_eq!(cut.by_ref().count(), 1);
    assert!(!cut.is_at_bottom());
}

#[test]
fn messages_say_which_label_and_where() {
    for (error, message) in [
        (
            StackError::TooDeep { labels: 12, limit: 10 },
            "12 labels are more than the 10 that can be imposed",
        ),
        (
            StackError::ReservedExtended { label: label(7), position: 2 },
            "label 7 at position 2 may never follow the Extension Label (RFC 9017 §3)",
        ),
        (
            StackError::EntropyTtl { position: 3, ttl: 255 },
            "the entropy label at position 3 has TTL 255 instead of 0 (RFC 6790 §4.2)",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn every_entry_survives_the_wire(bits in any::<u32>()) {
        prop_assert_eq!(LabelStackEntry::from_bits(bits).bits(), bits);
    }

    #[test]
    fn every_stack_that_is_taken_survives_the_wire(
        values in prop::collection::vec(prop_oneof![0_u32..20, 16_u32..0x10_0000], 0..20),
    ) {
        if let Ok(stack) = stack(&values) {
            let octets = emitted(&stack);
            prop_assert_eq!(LabelStack::parse(&octets), Ok(stack.clone()));
            for length in 0..octets.len() {
                prop_assert!(LabelStack::parse(&octets[..length]).is_err());
            }
            prop_assert_eq!(check(stack.entries().iter().copied()), Ok(values.len()));
        }
    }

    #[test]
    fn what_is_read_is_written_again(octets in octets(60)) {
        if let Ok(stack) = LabelStack::parse(&octets) {
            prop_assert_eq!(emitted(&stack), octets);
        }
    }
}

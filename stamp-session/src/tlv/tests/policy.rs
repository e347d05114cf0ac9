//! Which TLVs are acted upon, by what the operator says.

use super::*;

fn rules(words: &[(TlvType, TlvAction)]) -> TlvRules {
    let mut rules = TlvRules::ALL;
    words.iter().for_each(|(kind, action)| rules.actions.set(*kind, *action));
    rules
}

/// Two TLVs that every source may have answered.
fn probe() -> Vec<u8> {
    area(&[(TlvType::TIMESTAMP_INFORMATION, &[0; 4]), (TlvType::CLASS_OF_SERVICE, &[0; 4])])
}

#[test]
fn what_is_refused_comes_back_as_if_it_were_unknown() {
    let rules = &rules(&[(TlvType::TIMESTAMP_INFORMATION, TlvAction::Refuse)]);
    let exchange = Exchange { rules, ..exchange(OPEN, None) };
    let mut reply = probe();
    let (counts, _) = reflect(&exchange, &mut reply);
    assert_eq!((counts.processed, counts.unrecognized), (1, 1));
    assert_eq!(flags(&reply), [0x80, 0], "and what follows is acted upon");
    assert_eq!(value_of(&reply)[..4], [0; 4], "copied");
    let wrong = area(&[(TlvType::TIMESTAMP_INFORMATION, &[0; 1])]);
    assert_eq!(reflected(&exchange, &wrong), [0x80], "nobody knows which Length it should have");
    let mut past_end = vec![0x80, TlvType::TIMESTAMP_INFORMATION.0, 0, 9, 0];
    reflect(&exchange, &mut past_end);
    assert_eq!(past_end[0], 0xc0, "nor is it known when it is malformed");
}

#[test]
fn what_is_ignored_comes_back_known_and_as_it_was() {
    let rules = &rules(&[(TlvType::CLASS_OF_SERVICE, TlvAction::Ignore)]);
    let exchange = Exchange { rules, ..exchange(OPEN, None) };
    let mut reply = probe();
    let (counts, wishes) = reflect(&exchange, &mut reply);
    assert_eq!((counts.processed, counts.unrecognized), (1, 1));
    assert_eq!(flags(&reply), [0, 0x90], "nothing a Session-Sender could take for an answer");
    assert_eq!(reply[12..], [0; 4]);
    assert_eq!(wishes.traffic_class, None, "nor is it given");
    let mut past_end = vec![0x80, TlvType::CLASS_OF_SERVICE.0, 0, 9, 0];
    reflect(&exchange, &mut past_end);
    assert_eq!(past_end[0], 0x40, "it is known");
}

#[test]
fn wishes_that_are_refused_have_no_effect() {
    let return_path = [0x80, 1, 0, 4, 0, 0, 0, 0];
    let probe = area(&[
        (TlvType::DESTINATION_NODE_ADDRESS, &[192, 0, 2, 11]),
        (TlvType::RETURN_PATH, &return_path),
    ]);
    for (action, flag) in [(TlvAction::Refuse, 0x80), (TlvAction::Ignore, 0x90)] {
        let words = [TlvType::DESTINATION_NODE_ADDRESS, TlvType::RETURN_PATH];
        let rules = &rules(&words.map(|kind| (kind, action)));
        let mut reply = probe.clone();
        let (_, wishes) = reflect(&Exchange { rules, ..exchange(OPEN, None) }, &mut reply);
        assert_eq!((flags(&reply), wishes.way), (vec![flag; 2], Wish::None));
        assert_eq!(wishes.source, None);
    }
}

#[test]
fn a_type_that_is_refused_is_unknown_where_integrity_failed_too() {
    let rules = &rules(&[(TlvType::TIMESTAMP_INFORMATION, TlvAction::Refuse)]);
    let keys = keys();
    let mut probe =
        signed(&[(TlvType::TIMESTAMP_INFORMATION, &[0; 4]), (TlvType::CLASS_OF_SERVICE, &[0; 4])]);
    probe[5] ^= 1;
    let exchange = Exchange { rules, ..exchange(OPEN, Some(&keys)) };
    assert_eq!(reflected(&exchange, &probe), [0xa0, 0x20, 0x20]);
}

#[test]
fn a_type_that_was_agreed_on_goes_by_its_usual_one() {
    let usual = ExperimentalTypes::USUAL;
    let types = ExperimentalTypes::new(TlvType(240), TlvType(241)).unwrap();
    let probe = area(&[(types.fixed_header, &[0; 40]), (usual.fixed_header, &[0; 40])]);
    for (action, flag) in [(TlvAction::Refuse, 0x80), (TlvAction::Ignore, 0x90)] {
        let rules = &rules(&[(usual.fixed_header, action)]);
        let exchange = Exchange { rules, types, ..exchange(OPEN, None) };
        assert_eq!(reflected(&exchange, &probe), [flag, 0x80], "the other is a type of nobody");
    }
}

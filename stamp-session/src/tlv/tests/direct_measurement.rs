//! Counters of real traffic (RFC 8972 §4.5).

use stamp_proto::tlv::direct_measurement::{DirectMeasurement, emit_request};

use super::*;

fn question() -> Vec<u8> {
    let mut octets = [0; 16];
    emit_request(&mut Writer::new(&mut octets), 70).unwrap();
    octets.to_vec()
}

/// The flags and the value of the answer.
fn answered(rules: &TlvRules, traffic: Option<TrafficCounters>) -> (u8, DirectMeasurement) {
    let mut reply = question();
    reflect(&Exchange { rules, traffic, ..exchange(OPEN, None) }, &mut reply);
    (reply[0], DirectMeasurement::parse(value_of(&reply)).unwrap())
}

#[test]
fn counters_are_told_where_there_are_any_and_to_whom_they_may_be() {
    let asked = DirectMeasurement { sender_transmitted: 70, ..DirectMeasurement::default() };
    let counters = TrafficCounters { transmitted: 40, received: 65 };
    let told = DirectMeasurement { reflector_received: 65, reflector_transmitted: 40, ..asked };
    assert_eq!(answered(&TlvRules::ALL, Some(counters)), (0, told));
    assert_eq!(answered(&TlvRules::ALL, None), (0x80, asked), "none to tell");
    assert_eq!(answered(&TlvRules::NONE, Some(counters)), (0x80, asked), "nobody's business");
}

#[test]
fn a_value_of_another_length_is_malformed() {
    for octets in [0, 4, 11, 13, 16] {
        let probe = area(&[(TlvType::DIRECT_MEASUREMENT, &vec![0; octets])]);
        assert_eq!(reflected(&exchange(OPEN, None), &probe), [0x40], "{octets}");
    }
}

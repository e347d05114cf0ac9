//! Access networks of Session-Senders (RFC 8972 §4.6).

use stamp_proto::packet::Ssid;
use stamp_proto::tlv::access_report::{AccessId, AccessReport, ReturnCode};

use super::kit::*;
use crate::reflector::*;

fn reporting(sequence: u32, value: [u8; 4]) -> Probe {
    Probe::number(sequence).with(&[0x80, 6, 0, 4]).with(&value)
}

#[test]
fn a_report_is_told_when_it_is_news() {
    let mut reflector = reflector(config());
    for (sequence, value) in [[0x10, 2, 0, 0], [0x10, 2, 0, 0], [0x10, 1, 0, 0]].iter().enumerate()
    {
        let probe = reporting(u32::try_from(sequence).unwrap(), *value);
        let reply = answer(&mut reflector, &probe).unwrap();
        assert_eq!(reply[44..48], [0, 6, 0, 4], "echoed each time");
    }
    let _ = answer(&mut reflector, &reporting(3, [0x30, 1, 0, 0])).unwrap();
    let told: Vec<(Ssid, AccessReport)> = core::iter::from_fn(|| reflector.poll_event())
        .map(|event| match event {
            ReflectorEvent::AccessReport { ssid, report, .. } => (ssid, report),
            other => panic!("{other:?}"),
        })
        .collect();
    let access = AccessId::ThreeGpp;
    let codes = [ReturnCode::UNAVAILABLE, ReturnCode::AVAILABLE];
    let ssid = told[0].0;
    assert_eq!(told, codes.map(|code| (ssid, AccessReport { access, code })));
}

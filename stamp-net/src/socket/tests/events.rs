use stamp_proto::time::{StampSource, WallTime};

use super::*;

fn stamps(socket: &UdpSocket) -> Vec<(u32, WallTime)> {
    let mut batch = ErrorBatch::new(64);
    let mut stamps = Vec::new();
    while socket.errors(&mut batch).unwrap() > 0 {
        stamps.extend(batch.iter().filter_map(|event| match event {
            SocketEvent::TransmitStamp { id, stamp } => {
                assert_eq!(stamp.source, StampSource::Kernel);
                Some((id, stamp.time))
            }
            _ => None,
        }));
    }
    stamps
}

fn sent_ids(batch: &SendBatch) -> Vec<u32> {
    let ids = batch.outcomes().filter_map(|outcome| match outcome {
        SendOutcome::Sent { transmit_id } => Some(transmit_id.unwrap()),
        _ => None,
    });
    ids.collect()
}

/// A port on which nothing listens.
fn closed_port() -> SocketAddr {
    open().local_addr()
}

/// Batches with failing datagrams of several kinds between good ones.
fn stamps_belong_to_what_was_sent(near: &UdpSocket) {
    let far = open();
    let mut batch = SendBatch::new(64, 65_508);
    let mut expected = Vec::new();
    let before = clock::wall_now();
    for round in 0..4 {
        batch.clear();
        for index in 0..16 {
            let octets = if index % 5 == round { 65_508 } else { 44 };
            batch.push(Outgoing::new(octets, far.local_addr()));
            let bad = Outgoing {
                from: Some([192, 0, 2, 77].into()),
                ..Outgoing::new(44, far.local_addr())
            };
            if index == 7 {
                batch.push(bad);
            }
        }
        near.send(&mut batch);
        expected.extend(sent_ids(&batch));
    }
    let stamps = stamps(near);
    let after = clock::wall_now();
    let ids: Vec<_> = stamps.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, expected);
    assert!(stamps.is_sorted_by_key(|(_, time)| *time));
    assert!(stamps.iter().all(|(_, time)| (before..=after).contains(time)));
}

#[test]
fn stamps_are_matched_by_ids_that_we_choose() {
    stamps_belong_to_what_was_sent(&stamping());
}

#[test]
fn stamps_are_matched_by_ids_that_the_kernel_counts() {
    let mut near = stamping();
    near.transmit_ids = Some(TransmitIds::counted_by_kernel());
    stamps_belong_to_what_was_sent(&near);
}

#[test]
fn stamps_stay_in_step_while_icmp_errors_come_back() {
    for counted in [false, true] {
        let mut near = stamping();
        if counted {
            near.transmit_ids = Some(TransmitIds::counted_by_kernel());
        }
        let (far, closed) = (open(), closed_port());
        let mut batch = SendBatch::new(8, 8);
        for index in 0..8_u8 {
            let to = if index % 2 == 0 { closed } else { far.local_addr() };
            add(&mut batch, &[index], to, |_| {});
        }
        // The error of one datagram hits the next: it must still leave.
        assert_eq!(near.send(&mut batch), 8);
        assert_eq!(received(&far, 8).len(), 4);
        let ids: Vec<_> = stamps(&near).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, sent_ids(&batch), "counted: {counted}");
    }
}

#[test]
fn without_being_asked_for_there_are_no_stamps() {
    let (near, far) = (open(), open());
    let outcome = send_one(&near, b"probe", far.local_addr());
    assert_eq!(outcome, SendOutcome::Sent { transmit_id: None });
    assert_eq!(stamps(&near), []);
    assert!(!near.transmit_stamps() && stamping().transmit_stamps());
}

#[test]
fn stamps_on_request_are_taken_of_those_that_want_them() {
    for counted in [false, true] {
        let options = SocketOptions { stamps_on_request: true, ..SocketOptions::new(localhost(0)) };
        let mut near = UdpSocket::open(&options).unwrap();
        if counted {
            near.transmit_ids = Some(TransmitIds::counted_by_kernel());
        }
        let far = open();
        let mut batch = SendBatch::new(16, 8);
        for round in 0..3 {
            batch.clear();
            for index in 0..16 {
                add(&mut batch, b"reply", far.local_addr(), |outgoing| {
                    outgoing.wants_stamp = index % 3 == round;
                });
            }
            assert_eq!(near.send(&mut batch), 16);
            let sent = batch.outcomes().map(|outcome| match outcome {
                SendOutcome::Sent { transmit_id } => transmit_id,
                other => panic!("{other:?}"),
            });
            let sent: Vec<_> = sent.collect();
            for (index, id) in sent.iter().enumerate() {
                assert_eq!(id.is_some(), index % 3 == round, "{index}");
            }
            let ids: Vec<_> = stamps(&near).iter().map(|(id, _)| *id).collect();
            assert_eq!(ids, sent.into_iter().flatten().collect::<Vec<_>>(), "counted: {counted}");
            assert_eq!(received(&far, 8).len(), 16);
        }
    }
}

#[test]
fn a_closed_port_is_an_event_that_names_the_probe() {
    let (near, closed) = (open(), closed_port());
    send_one(&near, b"seq of the probe", closed);
    let mut batch = ErrorBatch::new(4);
    assert_eq!(near.errors(&mut batch).unwrap(), 1);
    let Some(SocketEvent::Icmp(error)) = batch.iter().next() else { panic!() };
    assert_eq!(error.kind, IcmpKind::PortUnreachable);
    assert_eq!(error.offender, Some(closed.ip()));
    assert_eq!(error.to, closed);
    assert_eq!(error.payload, b"seq of the probe");
    assert_eq!((error.mtu, error.largest_payload), (None, None));
    assert!(error.from_self && !error.is_no_neighbour());
}

#[test]
fn an_icmp_error_hides_no_datagram_from_the_receiver() {
    let (near, far, closed) = (open(), open(), closed_port());
    send_one(&far, b"reply", near.local_addr());
    send_one(&near, b"probe", closed);
    assert_eq!(payloads(&received(&near, 8)), [b"reply"]);
}

#[test]
fn a_long_quotation_is_cut() {
    let (near, closed) = (open(), closed_port());
    send_one(&near, &[7; 1000], closed);
    let mut batch = ErrorBatch::new(4);
    near.errors(&mut batch).unwrap();
    let Some(SocketEvent::Icmp(error)) = batch.iter().next() else { panic!() };
    assert_eq!(error.payload, [7; 512]);
}

#[test]
fn a_size_that_does_not_fit_is_told_with_its_limit() {
    let (near, far) = (open(), open());
    send_one(&near, &[0; 65_508], far.local_addr());
    let mut batch = ErrorBatch::new(4);
    near.errors(&mut batch).unwrap();
    let Some(SocketEvent::TooBig { to, mtu, largest_payload }) = batch.iter().next() else {
        panic!()
    };
    assert_eq!(to.ip(), far.local_addr().ip());
    assert_eq!((mtu, largest_payload), (near.path_mtu(far.local_addr()).unwrap(), 65_507));
}

#[test]
fn an_empty_error_queue_is_no_error() {
    assert_eq!(open().errors(&mut ErrorBatch::new(4)).unwrap(), 0);
}

#[test]
fn no_more_entries_than_are_expected_are_taken_and_the_rest_stays() {
    let (near, closed) = (open(), closed_port());
    for _ in 0..3 {
        send_one(&near, b"probe", closed);
    }
    let mut batch = ErrorBatch::new(4);
    for (expected, taken) in [(1, 1), (4, 2)] {
        batch.expect(expected);
        assert_eq!(near.errors(&mut batch).unwrap(), taken, "of {expected} that are expected");
    }
}

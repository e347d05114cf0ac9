use stamp_proto::time::StampSource;

use super::*;

#[test]
fn everything_about_a_datagram_is_told() {
    let (near, far) = (open(), open());
    let before = clock::wall_now();
    send_one(&near, b"probe", far.local_addr());
    let after = clock::wall_now();
    let batch = received(&far, 8);
    let datagram = batch.iter().next().unwrap();
    assert_eq!(datagram.octets, b"probe");
    assert_eq!((datagram.from, datagram.to), (near.local_addr(), far.local_addr()));
    assert_eq!(datagram.reply_from, Some(far.local_addr().ip()));
    assert!(datagram.unicast && !datagram.truncated);
    assert_eq!(datagram.interface, crate::interface::index_of("lo").unwrap());
    assert_eq!(datagram.hop_limit, Some(HopLimit::MAX));
    assert_eq!(datagram.traffic_class, Some((Dscp::DEFAULT, Ecn::NotEct)));
    let stamp = datagram.stamp.unwrap();
    assert_eq!(stamp.source, StampSource::Kernel);
    assert!((before..=after).contains(&stamp.time));
}

#[test]
fn each_datagram_has_its_own_traffic_class() {
    let far = open();
    let expedited = (Dscp::from_name("EF").unwrap(), Ecn::Ect0);
    let options = SocketOptions { traffic_class: expedited, ..SocketOptions::new(localhost(0)) };
    let near = UdpSocket::open(&options).unwrap();
    let other = (Dscp::from_name("AF41").unwrap(), Ecn::Ce);
    let best_effort = (Dscp::DEFAULT, Ecn::NotEct);
    let mut batch = SendBatch::new(4, 8);
    for class in [None, Some(other), Some(expedited), Some(best_effort)] {
        add(&mut batch, b"probe", far.local_addr(), |outgoing| outgoing.traffic_class = class);
    }
    assert_eq!(near.send(&mut batch), 4);
    let batch = received(&far, 8);
    let classes: Vec<_> = batch.iter().filter_map(|datagram| datagram.traffic_class).collect();
    assert_eq!(classes, [expedited, other, expedited, best_effort]);
}

#[test]
fn the_hop_limit_is_that_of_the_options() {
    let far = open();
    let options = SocketOptions { hop_limit: HopLimit(3), ..SocketOptions::new(localhost(0)) };
    send_one(&UdpSocket::open(&options).unwrap(), b"probe", far.local_addr());
    let batch = received(&far, 8);
    assert_eq!(batch.iter().next().unwrap().hop_limit, Some(HopLimit(3)));
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let far = UdpSocket::open(&SocketOptions::new(([0, 0, 0, 0], 0).into())).unwrap();
    let near = open();
    let asked = SocketAddr::from(([127, 0, 0, 2], far.local_addr().port()));
    send_one(&near, b"probe", asked);
    let probe = received(&far, 8);
    let probe = probe.iter().next().unwrap();
    assert_eq!(probe.to, asked);
    let mut batch = SendBatch::new(1, 8);
    add(&mut batch, b"reply", probe.from, |outgoing| {
        outgoing.from = probe.reply_from;
        outgoing.interface = probe.interface;
    });
    assert_eq!(far.send(&mut batch), 1);
    assert_eq!(received(&near, 8).iter().next().unwrap().from, asked);
}

#[test]
fn a_source_that_cannot_be_one_is_left_to_the_kernel() {
    let far = open();
    let near = UdpSocket::open(&SocketOptions::new(([0, 0, 0, 0], 0).into())).unwrap();
    let mut batch = SendBatch::new(3, 8);
    for from in [[0, 0, 0, 0], [224, 0, 0, 1], [255, 255, 255, 255]] {
        add(&mut batch, b"probe", far.local_addr(), |outgoing| {
            outgoing.from = Some(from.into());
        });
    }
    assert_eq!(near.send(&mut batch), 3);
    assert_eq!(received(&far, 8).len(), 3);
}

#[test]
fn a_failing_datagram_does_not_hold_up_the_others() {
    let (near, far) = (open(), open());
    let wildcard = UdpSocket::open(&SocketOptions::new(([0, 0, 0, 0], 0).into())).unwrap();
    let to = far.local_addr();
    let mut batch = SendBatch::new(8, 65_508);
    add(&mut batch, b"one", to, |_| {});
    add(&mut batch, &[0; 65_508], to, |_| {});
    add(&mut batch, b"other family", "[::1]:862".parse().unwrap(), |_| {});
    add(&mut batch, b"two", to, |_| {});
    add(&mut batch, b"no such source", to, |outgoing| {
        outgoing.from = Some([192, 0, 2, 77].into());
    });
    add(&mut batch, b"source of the other family", to, |outgoing| {
        outgoing.from = Some("2001:db8::1".parse().unwrap());
    });
    add(&mut batch, b"three", to, |_| {});
    assert_eq!(wildcard.send(&mut batch), 3);
    let mtu = near.path_mtu(to).unwrap();
    let sent = SendOutcome::Sent { transmit_id: None };
    let too_big = SendFailure::TooBig { mtu: Some(mtu), largest_payload: Some(65_507) };
    let family = SendFailure::Other { errno: libc::EAFNOSUPPORT };
    let expected = [
        sent,
        SendOutcome::Failed(too_big),
        SendOutcome::Failed(family),
        sent,
        SendOutcome::Failed(SendFailure::BadSource),
        SendOutcome::Failed(SendFailure::BadSource),
        sent,
    ];
    assert_eq!(batch.outcomes().collect::<Vec<_>>(), expected);
    assert_eq!(payloads(&received(&far, 8)), [&b"one"[..], b"two", b"three"]);
}

#[test]
fn sending_again_sends_nothing_twice() {
    let (near, far) = (open(), open());
    let mut batch = SendBatch::new(2, 8);
    add(&mut batch, b"one", far.local_addr(), |_| {});
    assert_eq!(near.send(&mut batch), 1);
    add(&mut batch, b"two", far.local_addr(), |_| {});
    assert_eq!(near.send(&mut batch), 1);
    assert_eq!(payloads(&received(&far, 8)), [b"one", b"two"]);
}

#[test]
fn a_batch_is_written_in_place_and_to_the_last_moment() {
    let (near, far) = (open(), open());
    let mut batch = SendBatch::new(2, 4);
    assert!(batch.is_empty() && batch.octets_mut(0).is_none());
    for payload in [b"one", b"two"] {
        add(&mut batch, payload, far.local_addr(), |_| {});
    }
    assert!(batch.is_full() && batch.slot().is_none());
    assert_eq!(batch.push(Outgoing::new(1, far.local_addr())), None);
    assert_eq!(batch.outcome(1), SendOutcome::Unsent);
    batch.octets_mut(0).unwrap()[0] = b'O';
    near.send(&mut batch);
    assert_eq!(payloads(&received(&far, 8)), [b"One", b"two"]);
    batch.clear();
    assert_eq!((batch.len(), batch.outcome(0)), (0, SendOutcome::Unsent));
    // A length beyond the slot is cut to it.
    batch.slot().unwrap().copy_from_slice(b"full");
    batch.push(Outgoing::new(5, far.local_addr()));
    near.send(&mut batch);
    assert_eq!(payloads(&received(&far, 8)), [b"full"]);
}

#[test]
fn a_datagram_longer_than_the_buffer_is_marked() {
    let (near, far) = (open(), open());
    send_one(&near, b"longer", far.local_addr());
    send_one(&near, b"fits", far.local_addr());
    let batch = received(&far, 4);
    assert_eq!(payloads(&batch), [b"long", b"fits"]);
    let truncated: Vec<_> = batch.iter().map(|datagram| datagram.truncated).collect();
    assert_eq!(truncated, [true, false]);
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let (near, far) = (open(), open());
    let mut batch = SendBatch::new(1, 8);
    batch.push(Outgoing::new(0, far.local_addr()));
    near.send(&mut batch);
    assert_eq!(payloads(&received(&far, 8)), [b""]);
}

#[test]
fn what_our_own_queue_drops_is_counted() {
    let options = SocketOptions { receive_buffer: Some(4096), ..SocketOptions::new(localhost(0)) };
    let (near, far) = (open(), UdpSocket::open(&options).unwrap());
    assert_eq!(far.queue_drops(), Some(0));
    const SENT: usize = 60;
    for _ in 0..SENT {
        send_one(&near, &[0; 512], far.local_addr());
    }
    let batch = received(&far, 512);
    let dropped = far.queue_drops().unwrap();
    assert!(dropped > 0);
    assert_eq!(batch.len() + dropped as usize, SENT);
    // What waited was queued before the first was dropped; the next one tells.
    assert_eq!(batch.queue_drops(), None);
    send_one(&near, b"probe", far.local_addr());
    assert_eq!(received(&far, 512).queue_drops(), Some(dropped));
}

#[test]
fn an_old_batch_does_not_show_through_an_empty_receive() {
    let (near, far) = (open(), open());
    let mut batch = ReceiveBatch::new(4, 8);
    send_one(&near, b"probe", far.local_addr());
    assert_eq!(far.receive(&mut batch).unwrap(), 1);
    assert_eq!(far.receive(&mut batch).unwrap(), 0);
    assert!(batch.is_empty() && batch.iter().next().is_none());
}

#[test]
fn no_more_than_is_expected_is_taken_and_the_rest_stays() {
    let (near, far) = (open(), open());
    let mut batch = ReceiveBatch::new(8, 8);
    for number in 0..7 {
        send_one(&near, &[number], far.local_addr());
    }
    for (expected, taken) in [(2, 2), (0, 1), (9, 4)] {
        batch.expect(expected);
        assert_eq!(far.receive(&mut batch).unwrap(), taken, "of {expected} that are expected");
    }
    assert_eq!(payloads(&batch), [[3], [4], [5], [6]]);
}

//! Raw frames over a cable: what gets in, when it came, what leaves and what does not.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use caps::CapSet;
use libtest_mimic::Trial;
use stamp_net::capability::Capability;
use stamp_net::{
    Addressee, ErrorBatch, EtherType, Frame, FrameFilter, FrameOptions, FrameSocket, NetError,
    Poller, SendFailure, SendOutcome, SocketEvent, clock,
};
use stamp_proto::time::StampSource;

use crate::network::{Cable, Host};
use crate::packets::{PAYLOAD, ethernet, ipv4, ipv6, labels, mac, open, send, sending, srh, udp};
use crate::traffic::{self, SENT};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_ring_gets_what_its_filter_lets_in_and_nothing_else,
        a_filter_is_changed_while_the_socket_is_open,
        a_frame_has_the_stamp_of_its_datagram,
        a_checksum_left_to_the_card_is_told,
        frames_of_our_own_are_seen_only_when_asked_for,
        a_long_frame_is_cut_and_marked,
        what_found_no_room_in_the_ring_is_counted,
        a_poller_wakes_for_a_frame_and_sleeps_when_it_was_read,
        sent_frames_are_stamped_under_their_ids,
        a_dropping_queue_keeps_stamps_in_step,
        an_interface_that_was_down_is_named_and_forgotten,
        a_frame_beyond_the_link_is_too_big,
        raw_frames_need_a_right,
        loopback_has_an_ethernet_header,
        an_interface_that_does_not_exist_is_named,
    ]
}

const NEAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const FAR_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const NEAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const FAR_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);

fn datagrams() -> FrameFilter {
    FrameFilter::nothing()
        .and_datagrams_to(SocketAddr::new(FAR_V4.into(), 8620))
        .and_datagrams_to(SocketAddr::new(FAR_V6.into(), 8620))
}

/// The probes that `cable` carries in the encapsulations of a segment list, to the far `port`.
fn frames(cable: &Cable, port: u16) -> Vec<Vec<u8>> {
    let (near, far) = (mac(&cable.near, "eth0"), mac(&cable.far, "eth0"));
    let frame = |ether_type, packet: &[u8]| ethernet(near, far, ether_type, packet);
    let udp = udp(port, &PAYLOAD);
    let sid: Ipv6Addr = "fc00:bb::1".parse().unwrap();
    let v4 = ipv4(NEAR_V4, FAR_V4, &udp);
    let v6 = ipv6(NEAR_V6, FAR_V6, 17, &udp);
    let mut frames = vec![
        frame(EtherType::IPV4, &v4),
        frame(EtherType::IPV6, &v6),
        frame(EtherType::MPLS, &labels(&[16_001], &v4)),
        frame(EtherType::MPLS, &labels(&[16_001, 16_002, 15, 240], &v6)),
        frame(EtherType::IPV6, &ipv6(NEAR_V6, sid, 41, &v6)),
    ];
    for passed in 1..=5 {
        let segments = [&vec![sid; passed][..], &[FAR_V6]].concat();
        let behind = srh(&segments, 17, &udp);
        frames.push(frame(EtherType::IPV6, &ipv6(NEAR_V6, FAR_V6, 43, &behind)));
    }
    frames
}

/// What is in the ring.
fn received(socket: &mut FrameSocket) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some(frame) = socket.receive() {
        frames.push(frame.octets.to_vec());
    }
    frames
}

/// Waits for a frame and hands it to `look`.
#[track_caller]
fn receive<T>(socket: &mut FrameSocket, look: impl FnOnce(Frame<'_>) -> T) -> T {
    let mut poller = Poller::new().unwrap();
    poller.add(socket, 0).unwrap();
    let deadline = clock::monotonic_ns() + traffic::PATIENCE_NS;
    assert!(!poller.wait(Some(deadline)).unwrap().timer(), "nothing came");
    look(socket.receive().unwrap())
}

fn a_ring_gets_what_its_filter_lets_in_and_nothing_else() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    let mut far = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let mut labelled = open(
        &cable.far,
        &FrameOptions::new("eth0", FrameFilter::nothing().and_type(EtherType::MPLS)),
    );
    let (ours, others) = (frames(&cable, 8620), frames(&cable, 862));
    for frame in ours.iter().zip(&others).flat_map(|(ours, others)| [ours, others]) {
        assert_eq!(send(&near, std::slice::from_ref(frame)), [SENT]);
    }
    assert_eq!(received(&mut far), ours);
    let expected: Vec<_> = ours[2..4].iter().zip(&others[2..4]).flat_map(|(a, b)| [a, b]).collect();
    assert_eq!(received(&mut labelled).iter().collect::<Vec<_>>(), expected);
}

fn a_filter_is_changed_while_the_socket_is_open() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    let mut far = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let (ours, others) = (frames(&cable, 8620), frames(&cable, 862));
    let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 862);
    far.set_filter(&FrameFilter::nothing().and_datagrams_to(any)).unwrap();
    send(&near, &ours);
    send(&near, &others);
    assert_eq!(received(&mut far), [others[0].clone(), others[2].clone()]);
}

fn a_frame_has_the_stamp_of_its_datagram() {
    let cable = Cable::new();
    let mut ring = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    for (local, to) in [("0.0.0.0:0", "192.0.2.2:8620"), ("[::]:0", "[2001:db8::2]:8620")] {
        let to: SocketAddr = to.parse().unwrap();
        let near = traffic::open(&cable.near, local);
        let far = traffic::open(&cable.far, &to.to_string());
        traffic::send(&near, &PAYLOAD, to);
        let expected = traffic::receive(&far, |datagram| datagram.stamp.unwrap());
        receive(&mut ring, |frame| {
            assert!(frame.octets.ends_with(&PAYLOAD));
            assert_eq!(frame.stamp, Some(expected));
            assert_eq!(frame.addressee, Addressee::Us);
            assert!(!frame.truncated && frame.vlan.is_none());
        });
    }
}

fn a_checksum_left_to_the_card_is_told() {
    let cable = Cable::new();
    let mut ring = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let _far = traffic::open(&cable.far, "[2001:db8::2]:8620");
    let near = traffic::open(&cable.near, "[::]:0");
    traffic::send(&near, &PAYLOAD, "[2001:db8::2]:8620".parse().unwrap());
    receive(&mut ring, |frame| assert!(!frame.checksum_ready, "a veth never computes it"));
    send(&sending(&cable.near, "eth0"), &frames(&cable, 8620)[1..2]);
    receive(&mut ring, |frame| assert!(frame.checksum_ready));
}

fn frames_of_our_own_are_seen_only_when_asked_for() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    let options = FrameOptions::new("eth0", datagrams());
    let mut without = open(&cable.near, &options);
    let mut with = open(&cable.near, &FrameOptions { outgoing: true, ..options });
    send(&near, &frames(&cable, 8620)[..1]);
    assert!(without.receive().is_none());
    receive(&mut with, |frame| assert_eq!(frame.addressee, Addressee::Outgoing));
}

fn a_long_frame_is_cut_and_marked() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    let options = FrameOptions { frame_octets: 400, ..FrameOptions::new("eth0", datagrams()) };
    let mut far = open(&cable.far, &options);
    let (from, to) = (mac(&cable.near, "eth0"), mac(&cable.far, "eth0"));
    let packet = ipv4(NEAR_V4, FAR_V4, &udp(8620, &[7; 1400]));
    let long = ethernet(from, to, EtherType::IPV4, &packet);
    send(&near, &[long.clone(), frames(&cable, 8620)[0].clone()]);
    receive(&mut far, |frame| {
        assert!(frame.truncated && frame.octets.len() >= 400);
        assert!(long.starts_with(frame.octets));
    });
    receive(&mut far, |frame| assert!(!frame.truncated));
}

fn what_found_no_room_in_the_ring_is_counted() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    // The smallest ring there is.
    let options = FrameOptions { ring_frames: 1, ..FrameOptions::new("eth0", datagrams()) };
    let mut far = open(&cable.far, &options);
    assert_eq!(far.dropped(), Some(0));
    let burst = vec![frames(&cable, 8620)[0].clone(); 50];
    let mut kept = 0;
    for round in 1..=2 {
        assert_eq!(send(&near, &burst), [SENT; 50]);
        kept += received(&mut far).len();
        let dropped = far.dropped().unwrap();
        assert!(dropped > 0);
        assert_eq!(kept as u64 + dropped, 50 * round);
    }
    assert_eq!(far.dropped(), Some(100 - kept as u64));
}

fn a_poller_wakes_for_a_frame_and_sleeps_when_it_was_read() {
    let cable = Cable::new();
    let near = sending(&cable.near, "eth0");
    let mut far = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let mut poller = Poller::new().unwrap();
    poller.add(&far, 3).unwrap();
    assert_eq!(poller.wait(Some(0)).unwrap().iter().count(), 0);
    send(&near, &frames(&cable, 8620));
    let deadline = clock::monotonic_ns() + traffic::PATIENCE_NS;
    let ready = poller.wait(Some(deadline)).unwrap().iter().next().unwrap();
    assert!(ready.token == 3 && ready.readable && !ready.error);
    assert_eq!(received(&mut far).len(), 10);
    assert_eq!(poller.wait(Some(0)).unwrap().iter().count(), 0);
}

fn stamping(host: &Host) -> FrameSocket {
    let options = FrameOptions::new("eth0", FrameFilter::nothing());
    open(host, &FrameOptions { transmit_stamps: true, ..options })
}

/// Outcomes as the stamps of the error queue would have them.
fn stamped(socket: &FrameSocket) -> Vec<SendOutcome> {
    let mut batch = ErrorBatch::new(64);
    socket.errors(&mut batch).unwrap();
    let outcomes = batch.iter().map(|event| match event {
        SocketEvent::TransmitStamp { id, .. } => SendOutcome::Sent { transmit_id: Some(id) },
        other => panic!("{other:?}"),
    });
    outcomes.collect()
}

fn sent_frames_are_stamped_under_their_ids() {
    let cable = Cable::new();
    let near = stamping(&cable.near);
    let mut far = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let before = clock::wall_now();
    let outcomes = send(&near, &frames(&cable, 8620));
    let expected: Vec<_> = (0..10).map(|id| SendOutcome::Sent { transmit_id: Some(id) }).collect();
    assert_eq!(outcomes, expected);
    let mut batch = ErrorBatch::new(64);
    assert_eq!(near.errors(&mut batch).unwrap(), 10);
    for (event, expected) in batch.iter().zip(0..) {
        let SocketEvent::TransmitStamp { id, stamp } = event else { panic!("{event:?}") };
        assert_eq!((id, stamp.source), (expected, StampSource::Kernel));
        // One machine, one clock: nothing arrives before it leaves.
        let arrived = receive(&mut far, |frame| frame.stamp.unwrap());
        assert!(before <= stamp.time && stamp.time <= arrived.time);
    }
}

fn a_dropping_queue_keeps_stamps_in_step() {
    let cable = Cable::new();
    let near = stamping(&cable.near);
    let frame = frames(&cable, 8620)[0].clone();
    let huge = vec![7; 1600];
    let mut expected = send(&near, &[frame.clone(), huge, frame.clone()]);
    assert_eq!(expected.len(), 3);
    cable.near.close_queue("eth0");
    let dropped = SendOutcome::Failed(SendFailure::NoBuffers);
    assert_eq!(send(&near, &[frame.clone(), frame.clone()]), [dropped; 2]);
    cable.near.open_queue("eth0");
    expected.extend(send(&near, &[frame]));
    expected.retain(|outcome| matches!(outcome, SendOutcome::Sent { .. }));
    assert_eq!(expected.len(), 3);
    assert_eq!(stamped(&near), expected);
}

fn an_interface_that_was_down_is_named_and_forgotten() {
    let cable = Cable::new();
    // Only one that receives is told of it when it sends nothing.
    let near = open(&cable.near, &FrameOptions::new("eth0", datagrams()));
    let mut far = open(&cable.far, &FrameOptions::new("eth0", datagrams()));
    let frame = [frames(&cable, 8620)[0].clone()];
    cable.near.set_up("eth0", false);
    let down = SendOutcome::Failed(SendFailure::InterfaceDown);
    assert_eq!(send(&near, &[frame[0].clone(), frame[0].clone()]), [down; 2]);
    cable.near.set_up("eth0", false);
    cable.near.set_up("eth0", true);
    assert_eq!(send(&near, &frame), [SENT]);
    receive(&mut far, |seen| assert_eq!(seen.octets, frame[0]));
    // An idle socket learns it by the poller, and sleeps again when it was told.
    let mut poller = Poller::new().unwrap();
    poller.add(&near, 0).unwrap();
    cable.near.set_up("eth0", false);
    let deadline = clock::monotonic_ns() + traffic::PATIENCE_NS;
    assert!(poller.wait(Some(deadline)).unwrap().iter().next().unwrap().error);
    assert_eq!(near.errors(&mut ErrorBatch::new(1)).unwrap(), 0);
    assert_eq!(poller.wait(Some(0)).unwrap().iter().count(), 0);
}

fn a_frame_beyond_the_link_is_too_big() {
    let cable = Cable::new();
    cable.near.set_mtu("eth0", 1300);
    let near = sending(&cable.near, "eth0");
    let (from, to) = (mac(&cable.near, "eth0"), mac(&cable.far, "eth0"));
    let frame = |octets| vec![ethernet(from, to, EtherType::MPLS, &vec![0; octets])];
    assert_eq!(send(&near, &frame(1300)), [SENT]);
    let too_big = SendFailure::TooBig { mtu: Some(1300), largest_payload: None };
    let outcome = cable.near.run(|| send(&near, &frame(1400)));
    assert_eq!(outcome, [SendOutcome::Failed(too_big)]);
}

fn raw_frames_need_a_right() {
    let host = Host::new();
    let options = FrameOptions::new("lo", datagrams());
    let refused = host.run(|| {
        caps::clear(None, CapSet::Effective).unwrap();
        FrameSocket::open(&options)
    });
    let Err(NetError::PermissionDenied { capability, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(capability, Capability::NetRaw);
}

fn loopback_has_an_ethernet_header() {
    let host = Host::new();
    let any = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 8620);
    let filter = FrameFilter::nothing().and_datagrams_to(any);
    let mut ring = open(&host, &FrameOptions::new("lo", filter));
    assert!(ring.has_ethernet_header());
    assert_eq!(ring.interface(), host.index("lo"));
    traffic::send(&traffic::open(&host, "[::1]:0"), &PAYLOAD, any);
    receive(&mut ring, |frame| {
        assert_eq!(frame.octets.len(), 14 + 40 + 8 + PAYLOAD.len());
        assert_eq!(frame.addressee, Addressee::Us);
    });
}

fn an_interface_that_does_not_exist_is_named() {
    let host = Host::new();
    for name in ["eth7", "a-name-that-is-far-too-long"] {
        let refused = host.run(|| FrameSocket::open(&FrameOptions::new(name, datagrams())));
        let Err(NetError::NoSuchInterface { name: named }) = refused else { panic!("{refused:?}") };
        assert_eq!(&*named, name);
    }
}

//! What crosses a link, as a host at its end sees it.

use std::collections::VecDeque;

use stamp_net::{
    Addressee, EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, Poller, clock,
};
use stamp_tests::netns::{Host, PATIENCE};

/// A frame without its link header.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) ether_type: u16,
    pub(super) octets: Vec<u8>,
    pub(super) stamp_ns: i64,
    /// The host of the tap sent it.
    pub(super) outgoing: bool,
}

/// Sees every packet on one interface, in both directions.
pub(super) struct Tap {
    socket: FrameSocket,
    /// Sends; a socket never sees what it sent itself.
    sender: FrameSocket,
    poller: Poller,
    batch: FrameBatch,
    /// Seen while something else was waited for.
    unexpected: VecDeque<Seen>,
}

impl Tap {
    #[track_caller]
    pub(super) fn open(host: &Host, interface: &str) -> Self {
        let filter = FrameFilter::nothing()
            .and_type(EtherType::MPLS)
            .and_type(EtherType::IPV4)
            .and_type(EtherType::IPV6);
        let options = FrameOptions { outgoing: true, ..FrameOptions::new(interface, filter) };
        let silent = FrameOptions::new(interface, FrameFilter::nothing());
        let open = |options| host.run(|| FrameSocket::open(options)).expect("we have the rights");
        let (socket, sender) = (open(&options), open(&silent));
        let poller = Poller::new().expect("a descriptor is left");
        poller.add(&socket, 0).expect("it is watched once");
        let batch = FrameBatch::new(1, 1600);
        Self { socket, sender, poller, batch, unexpected: VecDeque::new() }
    }

    #[track_caller]
    pub(super) fn send(&mut self, to: [u8; 6], from: [u8; 6], ether_type: u16, packet: &[u8]) {
        self.batch.clear();
        let slot = self.batch.slot().expect("the batch is empty");
        slot[..6].copy_from_slice(&to);
        slot[6..12].copy_from_slice(&from);
        slot[12..14].copy_from_slice(&ether_type.to_be_bytes());
        slot[14..14 + packet.len()].copy_from_slice(packet);
        self.batch.push(14 + packet.len());
        assert_eq!(self.sender.send(&mut self.batch), 1, "the frame leaves");
    }

    /// The first frame that `is_it`; the others before it are kept as unexpected.
    #[track_caller]
    pub(super) fn wait_for(&mut self, is_it: impl Fn(&Seen) -> bool) -> Seen {
        if let Some(at) = self.unexpected.iter().position(&is_it) {
            return self.unexpected.remove(at).expect("it is there");
        }
        let patience = u64::try_from(PATIENCE.as_nanos()).expect("it is short");
        let deadline = clock::monotonic_ns() + patience;
        loop {
            while let Some(frame) = self.socket.receive() {
                let seen = Seen {
                    ether_type: u16::from_be_bytes([frame.octets[12], frame.octets[13]]),
                    octets: frame.octets[14..].to_vec(),
                    stamp_ns: frame.stamp.expect("the kernel stamps").time.unix_ns(),
                    outgoing: frame.addressee == Addressee::Outgoing,
                };
                if is_it(&seen) {
                    return seen;
                }
                self.unexpected.push_back(seen);
            }
            let late = self.poller.wait(Some(deadline)).expect("no sandbox is here").timer();
            assert!(!late, "it never came; what came: {:x?}", self.unexpected);
        }
    }

    /// Everything that was not waited for.
    pub(super) fn take_unexpected(&mut self) -> Vec<Seen> {
        self.unexpected.drain(..).collect()
    }
}

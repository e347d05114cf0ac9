//! A packet socket that notes when each probe and reply passed an end of the link.

use std::collections::HashMap;
use std::io::IoSliceMut;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::eventfd::EventFd;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};
use stamp_proto::packet::AuthenticationMode;
use stamp_tests::netns::Host;

/// How often the queue of a tap is emptied.
const PAUSE_MS: u8 = 100;

/// When a probe and its reply passed, in ns since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) probe: Option<i64>,
    pub(crate) reply: Option<i64>,
}

pub(crate) struct Tap {
    over: Arc<EventFd>,
    thread: JoinHandle<HashMap<u32, Seen>>,
}

impl Tap {
    /// Sees every frame of the host from now on; `reflector` tells probes from replies.
    pub(crate) fn start(host: &Host, reflector: SocketAddr, mode: AuthenticationMode) -> Self {
        /// `ETH_P_ALL`, in network order: outgoing frames too.
        const EVERYTHING: i32 = 0x0003_u16.to_be() as i32;
        /// What many frames need when the reader has to wait for its turn.
        const BUFFER: usize = 4 << 20;
        let socket = host.run(|| {
            let protocol = Some(Protocol::from(EVERYTHING));
            let socket = Socket::new(Domain::PACKET, Type::RAW, protocol)?;
            socket.set_recv_buffer_size(BUFFER)?;
            Ok::<_, std::io::Error>(socket)
        });
        let socket = socket.expect("a packet socket");
        setsockopt(&socket.as_fd(), sockopt::ReceiveTimestampns, &true).expect("its stamps");
        let over = Arc::new(EventFd::new().expect("an event"));
        let reader = Reader { socket, port: reflector.port(), mode, over: Arc::clone(&over) };
        Self { over, thread: std::thread::spawn(move || reader.read()) }
    }

    /// What it has seen, by the Sequence Number of the probe.
    pub(crate) fn stop(self) -> HashMap<u32, Seen> {
        self.over.write(1).expect("a counter with room");
        self.thread.join().expect("the tap ends well")
    }
}

struct Reader {
    socket: Socket,
    port: u16,
    mode: AuthenticationMode,
    over: Arc<EventFd>,
}

impl Reader {
    fn read(self) -> HashMap<u32, Seen> {
        let mut seen = HashMap::<u32, Seen>::new();
        let mut frame = [0; 512];
        let mut control = cmsg_space!(TimeSpec);
        let mut over = false;
        loop {
            let Some((octets, at)) = self.next(&mut frame, &mut control) else {
                if over {
                    return seen;
                }
                // Not a wait for frames: waking a reader takes longer than the delays measured, and
                // happens between the stamp of the tap and the driver.
                let mut end = [PollFd::new(self.over.as_fd(), PollFlags::POLLIN)];
                over = poll(&mut end, PAUSE_MS).expect("a usable event") > 0;
                continue;
            };
            match self.parse(&frame[..octets.min(512)]) {
                Some((sequence, true)) => seen.entry(sequence).or_default().probe = Some(at),
                Some((sequence, false)) => seen.entry(sequence).or_default().reply = Some(at),
                None => {}
            }
        }
    }

    /// The next frame's length and stamp; `None` when there is none.
    fn next(&self, frame: &mut [u8], control: &mut [u8]) -> Option<(usize, i64)> {
        let mut vector = [IoSliceMut::new(frame)];
        let descriptor = self.socket.as_raw_fd();
        let message =
            recvmsg::<()>(descriptor, &mut vector, Some(control), MsgFlags::MSG_DONTWAIT).ok()?;
        let stamp = message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(time) => Some(time),
            _ => None,
        })?;
        Some((message.bytes, stamp.tv_sec() * 1_000_000_000 + stamp.tv_nsec()))
    }

    /// Sequence Number of the probe, and whether this is the probe itself.
    fn parse(&self, frame: &[u8]) -> Option<(u32, bool)> {
        const ETHERNET: usize = 14;
        const UDP: u8 = 17;
        let (protocol, header) = match frame.get(12..ETHERNET)? {
            [0x08, 0x00] => (*frame.get(ETHERNET + 9)?, 20),
            [0x86, 0xDD] => (*frame.get(ETHERNET + 6)?, 40),
            _ => return None,
        };
        let udp = frame.get(ETHERNET + header..).filter(|_| protocol == UDP)?;
        let word = |offset: usize| udp.get(offset..)?.first_chunk().map(|o| u16::from_be_bytes(*o));
        let sequence_at = match (word(0)? == self.port, word(2)? == self.port, self.mode) {
            (false, true, _) => 0,
            (true, false, AuthenticationMode::Unauthenticated) => 24,
            (true, false, AuthenticationMode::Authenticated) => 48,
            _ => return None,
        };
        let octets = udp.get(8 + sequence_at..)?.first_chunk()?;
        Some((u32::from_be_bytes(*octets), sequence_at == 0))
    }
}

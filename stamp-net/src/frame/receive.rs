//! Reading frames where the kernel has written them.

use stamp_proto::time::{Stamp, StampSource, WallTime};

use super::FrameSocket;

/// Octets of the ring in front of a frame, at most: the kernel's header and the link-layer address
/// behind it (`TPACKET2_HDRLEN`), aligned, with room for the link header.
pub(super) const HEADROOM: usize = 96;

/// One frame as it arrived, in the ring.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'r> {
    /// The frame from its link header on, or its beginning.
    pub octets: &'r [u8],
    /// When the kernel or the network card received it.
    ///
    /// Of a frame of our own, see [`Addressee::Outgoing`], when it passed on its way out.
    pub stamp: Option<Stamp>,
    /// Whom it was addressed to on the link.
    pub addressee: Addressee,
    /// The checksum of what it carries is filled in. Where the sender is on this machine, behind a
    /// virtual cable, it may hold the sum of the pseudo-header alone, to be finished by a card that
    /// never comes: it must then not be checked, and be computed anew where the frame goes on.
    pub checksum_ready: bool,
    /// It was longer than what is kept of a frame.
    pub truncated: bool,
    /// Others found no room in the ring since [`FrameSocket::dropped`] was last asked.
    pub after_loss: bool,
    /// The VLAN tag that was taken off it.
    pub vlan: Option<VlanTag>,
}

/// Whom a frame was addressed to on its link.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Addressee {
    /// This host.
    Us,
    /// Everybody.
    Broadcast,
    /// A group.
    Group,
    /// Another host; seen because the interface listens to everything.
    Other,
    /// This host sent it.
    Outgoing,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct VlanTag {
    /// Priority, drop eligibility and number of the VLAN.
    pub control: u16,
    /// What stood in the place of the type, 0x8100 unless the kernel says otherwise.
    pub protocol: u16,
}

impl FrameSocket {
    /// The next frame that has arrived; `None` when there is none.
    ///
    /// It stays in the ring until this is called again, and its place is free for another then. To
    /// be called until it gives nothing, or a poller stays awake.
    #[inline]
    pub fn receive(&mut self) -> Option<Frame<'_>> {
        let (status, octets) = self.ring.as_mut()?.next()?;
        Some(Frame::read(status, octets))
    }
}

impl<'r> Frame<'r> {
    /// Reads `struct tpacket2_hdr` behind its status word, `struct sockaddr_ll`, and the frame.
    #[inline]
    fn read(status: u32, octets: &'r [u8]) -> Self {
        let header = Header(octets);
        let length = header.word(0);
        let kept = header.word(4);
        // The kernel counts from the status word on.
        let start = usize::from(header.half(8)).saturating_sub(size_of::<u32>());
        let has = |flag| status & flag != 0;
        Self {
            octets: octets.get(start..).and_then(|rest| rest.get(..kept as usize)).unwrap_or(&[]),
            stamp: stamp(header.word(12), header.word(16), has(libc::TP_STATUS_TS_RAW_HARDWARE)),
            addressee: Addressee::read(header.octet(38)),
            checksum_ready: !has(libc::TP_STATUS_CSUMNOTREADY),
            truncated: kept < length,
            after_loss: has(libc::TP_STATUS_LOSING),
            vlan: has(libc::TP_STATUS_VLAN_VALID).then(|| {
                let known = has(libc::TP_STATUS_VLAN_TPID_VALID);
                VlanTag {
                    control: header.half(20),
                    protocol: if known { header.half(22) } else { 0x8100 },
                }
            }),
        }
    }
}

/// The kernel's header, without its first word.
#[derive(Clone, Copy)]
struct Header<'r>(&'r [u8]);

impl Header<'_> {
    fn array<const N: usize>(self, offset: usize) -> [u8; N] {
        let octets = self.0.get(offset..).and_then(|rest| rest.first_chunk());
        octets.copied().unwrap_or([0; N])
    }

    fn word(self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.array(offset))
    }

    fn half(self, offset: usize) -> u16 {
        u16::from_ne_bytes(self.array(offset))
    }

    fn octet(self, offset: usize) -> u8 {
        let [octet] = self.array(offset);
        octet
    }
}

/// Without a flag the time is that of the copy into the ring, which is the kernel's too, a little
/// later than that of the frame's arrival.
fn stamp(seconds: u32, nanoseconds: u32, hardware: bool) -> Option<Stamp> {
    if (seconds, nanoseconds) == (0, 0) {
        return None;
    }
    let ns = i64::from(seconds) * 1_000_000_000 + i64::from(nanoseconds);
    let source = if hardware { StampSource::Hardware } else { StampSource::Kernel };
    Some(Stamp { time: WallTime::from_unix_ns(ns), source })
}

impl Addressee {
    const fn read(kind: u8) -> Self {
        match kind {
            libc::PACKET_HOST => Self::Us,
            libc::PACKET_BROADCAST => Self::Broadcast,
            libc::PACKET_MULTICAST => Self::Group,
            libc::PACKET_OUTGOING => Self::Outgoing,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of four octets at place 66, of which `kept` are kept.
    fn written(kept: u32) -> Vec<u8> {
        let mut octets = vec![0; 66];
        octets[4..8].copy_from_slice(&4_u32.to_ne_bytes());
        octets[8..12].copy_from_slice(&kept.to_ne_bytes());
        octets[12..14].copy_from_slice(&66_u16.to_ne_bytes());
        octets[16..20].copy_from_slice(&7_u32.to_ne_bytes());
        octets[20..24].copy_from_slice(&9_u32.to_ne_bytes());
        octets[24..26].copy_from_slice(&0x2007_u16.to_ne_bytes());
        octets[26..28].copy_from_slice(&0x88a8_u16.to_ne_bytes());
        octets[42] = 3;
        octets.extend(b"abcd");
        octets
    }

    fn read(status: u32, octets: &[u8]) -> Frame<'_> {
        Frame::read(status, &octets[4..])
    }

    #[test]
    fn every_field_is_read() {
        let octets = written(4);
        let frame = read(libc::TP_STATUS_USER, &octets);
        assert_eq!(frame.octets, b"abcd");
        let stamp = frame.stamp.unwrap();
        assert_eq!((stamp.time.unix_ns(), stamp.source), (7_000_000_009, StampSource::Kernel));
        assert_eq!(frame.addressee, Addressee::Other);
        assert!(frame.checksum_ready && !frame.truncated);
        assert_eq!(frame.vlan, None);
    }

    #[test]
    fn every_flag_is_read() {
        let octets = written(4);
        let hardware = read(libc::TP_STATUS_TS_RAW_HARDWARE, &octets);
        assert_eq!(hardware.stamp.unwrap().source, StampSource::Hardware);
        assert!(!read(libc::TP_STATUS_CSUMNOTREADY, &octets).checksum_ready);
        assert!(read(libc::TP_STATUS_LOSING, &octets).after_loss && !hardware.after_loss);
        let tag = |protocol| Some(VlanTag { control: 0x2007, protocol });
        assert_eq!(read(libc::TP_STATUS_VLAN_VALID, &octets).vlan, tag(0x8100));
        let known = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        assert_eq!(read(known, &octets).vlan, tag(0x88a8));
    }

    #[test]
    fn a_frame_that_was_cut_is_marked() {
        let octets = written(3);
        let frame = read(libc::TP_STATUS_USER, &octets);
        assert!(frame.truncated);
        assert_eq!(frame.octets, b"abc");
    }

    #[test]
    fn a_header_that_lies_about_its_frame_is_never_read_past() {
        let octets = written(5);
        assert_eq!(read(libc::TP_STATUS_USER, &octets).octets, b"");
        assert_eq!(read(libc::TP_STATUS_USER, &octets[..20]).octets, b"");
    }

    #[test]
    fn addressees_are_told_apart() {
        let expected = [Addressee::Us, Addressee::Broadcast, Addressee::Group, Addressee::Other];
        assert_eq!([0, 1, 2, 3].map(Addressee::read), expected);
        assert_eq!(Addressee::read(4), Addressee::Outgoing);
    }
}

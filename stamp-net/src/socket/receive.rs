//! Receiving a batch of datagrams with everything the kernel knows about each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use stamp_proto::ip::{Dscp, Ecn, HopLimit, split_traffic_class};
use stamp_proto::time::{Stamp, StampSource, WallTime};

use super::control::{Control, Controls};
use super::failure::retries;
use super::{UdpSocket, address, segments};
use crate::error::NetError;
use crate::sys::message::{BATCH, CONTROL_OCTETS, Filled, NAME_OCTETS, ReceiveBuffers, receive};

/// Errors of earlier datagrams that one receive skips before it leaves the rest to the next.
const PENDING: usize = 16;

/// One datagram as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'b> {
    /// UDP payload, or its beginning.
    pub octets: &'b [u8],
    /// Source address and port.
    pub from: SocketAddr,
    /// Destination in its IP header, and our port.
    pub to: SocketAddr,
    /// Address that an answer can leave from; `None` leaves the choice to the kernel.
    ///
    /// Differs from `to` for what was sent to a broadcast address or a group.
    pub reply_from: Option<IpAddr>,
    /// Sent to this host alone, not to a broadcast address or a group.
    pub unicast: bool,
    /// Index of the interface it came in on; 0 when unknown.
    pub interface: u32,
    /// When the kernel or the network card received it.
    pub stamp: Option<Stamp>,
    /// Its TTL or Hop Limit.
    pub hop_limit: Option<HopLimit>,
    /// Its DSCP and ECN.
    pub traffic_class: Option<(Dscp, Ecn)>,
    /// It was longer than the buffer.
    pub truncated: bool,
    /// All that the kernel told.
    pub(super) controls: Controls<'b>,
}

/// Buffers for the datagrams of one [`UdpSocket::receive`], allocated once.
#[derive(Debug)]
pub struct ReceiveBatch {
    octets: usize,
    payload: Box<[u8]>,
    slots: Box<[Slot]>,
    filled: Box<[Filled]>,
    len: usize,
    expected: usize,
    context: Context,
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    name: [u8; NAME_OCTETS],
    control: Box<[u8]>,
}

impl Slot {
    pub(super) fn many(count: usize) -> Box<[Self]> {
        vec![Self { name: [0; NAME_OCTETS], control: Box::new([0; CONTROL_OCTETS]) }; count].into()
    }

    /// Makes room for extension headers among the control messages.
    fn widen(&mut self) {
        if self.control.len() < CONTROL_OCTETS + segments::LARGEST_CONTROL {
            self.control = vec![0; CONTROL_OCTETS + segments::LARGEST_CONTROL].into();
        }
    }

    pub(super) fn name(&self, filled: &Filled) -> &[u8] {
        self.name.get(..filled.name).unwrap_or_default()
    }

    pub(super) fn controls(&self, filled: &Filled) -> Controls<'_> {
        Controls::new(self.control.get(..filled.control).unwrap_or_default())
    }

    pub(super) fn buffers<'a>(&'a mut self, payload: &'a mut [u8]) -> ReceiveBuffers<'a> {
        ReceiveBuffers { payload, name: &mut self.name, control: &mut self.control }
    }
}

/// What all datagrams of a batch share.
#[derive(Clone, Copy, Debug)]
struct Context {
    local: SocketAddr,
    hardware_stamps: bool,
}

impl ReceiveBatch {
    /// Room for `count` datagrams (1 to 64) of up to `octets` octets of payload.
    #[must_use]
    pub fn new(count: usize, octets: usize) -> Self {
        let (count, octets) = (count.clamp(1, BATCH), octets.max(1));
        let local = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            octets,
            payload: vec![0; count * octets].into(),
            slots: Slot::many(count),
            filled: vec![Filled::default(); count].into(),
            len: 0,
            expected: count,
            context: Context { local, hardware_stamps: false },
        }
    }

    /// How many datagrams it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// From now on a receive takes no more than `count` datagrams (at least 1, at most all that it
    /// can hold).
    ///
    /// It saves the kernel from looking for one behind the last that is expected, which costs half as
    /// much as to receive one. Whatever else there is keeps a poller awake.
    pub fn expect(&mut self, count: usize) {
        self.expected = count.clamp(1, self.capacity());
    }

    /// How many datagrams the last receive brought.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The last receive brought nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all datagrams.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// The datagrams in the order of their arrival.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        let payloads = self.payload.chunks_exact(self.octets);
        let parts = payloads.zip(&self.slots).zip(&self.filled).take(self.len);
        parts.filter_map(|((payload, slot), filled)| decode(self.context, payload, slot, filled))
    }

    /// How many datagrams the socket had dropped for want of buffer space when the last one of
    /// this batch was queued; `None` while there were none. The count is that of the socket.
    #[must_use]
    pub fn queue_drops(&self) -> Option<u32> {
        let parts = self.slots.iter().zip(&self.filled).take(self.len);
        parts.filter_map(|(slot, filled)| drops(slot.controls(filled))).next_back()
    }

    fn fill(&mut self, socket: &UdpSocket) -> std::io::Result<usize> {
        self.len = 0;
        if socket.headers {
            self.slots.iter_mut().for_each(Slot::widen);
        }
        self.context = Context { local: socket.local, hardware_stamps: socket.hardware_stamps };
        let payloads = self.payload.chunks_exact_mut(self.octets);
        let buffers = payloads.zip(&mut self.slots).map(|(payload, slot)| slot.buffers(payload));
        let filled = self.filled.split_at_mut(self.expected).0;
        self.len = receive(socket.as_fd(), 0, buffers, filled)?;
        Ok(self.len)
    }
}

impl UdpSocket {
    /// Takes what has arrived, as much as fits into `batch`, and returns how many it is.
    ///
    /// An ICMP error that came back for something sent earlier does not get in the way; it is
    /// on the error queue ([`Self::errors`]).
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn receive(&self, batch: &mut ReceiveBatch) -> Result<usize, NetError> {
        let mut pending = 0;
        loop {
            let error = match batch.fill(self) {
                Ok(count) => return Ok(count),
                Err(error) => error,
            };
            match error.raw_os_error() {
                Some(libc::EAGAIN) => return Ok(0),
                Some(libc::EINTR) => {}
                // Nothing of the kind is about receiving: it is always about something sent.
                Some(errno) if retries(errno) > 0 && pending < PENDING => pending += 1,
                Some(errno) if retries(errno) > 0 => return Ok(0),
                _ => return Err(NetError::call("recvmmsg")(error)),
            }
        }
    }
}

#[inline]
fn decode<'b>(
    context: Context,
    payload: &'b [u8],
    slot: &'b Slot,
    filled: &Filled,
) -> Option<Datagram<'b>> {
    let mut datagram = Datagram {
        octets: payload.get(..filled.payload)?,
        from: address::parse(slot.name(filled))?,
        to: context.local,
        reply_from: None,
        unicast: true,
        interface: 0,
        stamp: None,
        hop_limit: None,
        traffic_class: None,
        truncated: filled.flags & libc::MSG_TRUNC != 0,
        controls: slot.controls(filled),
    };
    for control in slot.controls(filled) {
        apply(context, &mut datagram, control);
    }
    Some(datagram)
}

#[inline]
fn apply<'b>(context: Context, datagram: &mut Datagram<'b>, control: Control<'b>) {
    match (control.level, control.kind) {
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
            datagram.stamp = stamp(control, context.hardware_stamps);
        }
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            let Some(info) = PacketInfo::ipv4(control) else { return };
            info.apply(context, datagram);
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let Some(info) = PacketInfo::ipv6(control) else { return };
            info.apply(context, datagram);
        }
        (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
            datagram.hop_limit = control.octet().map(HopLimit);
        }
        (libc::IPPROTO_IP, libc::IP_TOS) | (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
            datagram.traffic_class = control.octet().map(split_traffic_class);
        }
        _ => {}
    }
}

/// `IP_PKTINFO` or `IPV6_PKTINFO`.
pub(super) struct PacketInfo {
    pub(super) interface: u32,
    /// Destination in the IP header.
    pub(super) to: IpAddr,
    /// Where an answer can leave from.
    reply_from: Option<IpAddr>,
}

impl PacketInfo {
    pub(super) fn ipv4(control: Control<'_>) -> Option<Self> {
        let interface = u32::from_ne_bytes(control.array(0)?);
        let reply_from = Ipv4Addr::from(control.array::<4>(4)?);
        let to = Ipv4Addr::from(control.array::<4>(8)?);
        Some(Self { interface, to: to.into(), reply_from: Some(reply_from.into()) })
    }

    pub(super) fn ipv6(control: Control<'_>) -> Option<Self> {
        let to = Ipv6Addr::from(control.array::<16>(0)?);
        let interface = u32::from_ne_bytes(control.array(16)?);
        let reply_from = (!to.is_multicast()).then_some(to.into());
        Some(Self { interface, to: to.into(), reply_from })
    }

    #[inline]
    fn apply(self, context: Context, datagram: &mut Datagram<'_>) {
        datagram.interface = self.interface;
        datagram.to = address::scoped(self.to, context.local.port(), self.interface);
        // For a datagram sent to a broadcast address or a group the kernel names another one.
        datagram.unicast = self.reply_from == Some(self.to);
        datagram.reply_from = self.reply_from.filter(|from| address::can_be_source(*from));
    }
}

/// Reads `SCM_TIMESTAMPING`: software, nothing, hardware.
#[inline]
pub(super) fn stamp(control: Control<'_>, hardware: bool) -> Option<Stamp> {
    let read = |index, source| {
        let time = WallTime::from_unix_ns(control.timespec_ns(index)?);
        Some(Stamp { time, source })
    };
    let from_card = if hardware { read(2, StampSource::Hardware) } else { None };
    from_card.or_else(|| read(0, StampSource::Kernel))
}

fn drops(mut controls: Controls<'_>) -> Option<u32> {
    let control = controls
        .find(|control| (control.level, control.kind) == (libc::SOL_SOCKET, libc::SO_RXQ_OVFL))?;
    control.array(0).map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamping(software: i64, hardware: i64) -> [u8; 48] {
        let mut data = [0; 48];
        data[8..16].copy_from_slice(&software.to_ne_bytes());
        data[40..48].copy_from_slice(&hardware.to_ne_bytes());
        data
    }

    fn read(data: &[u8], hardware: bool) -> Option<(i64, StampSource)> {
        let stamp = stamp(Control { level: 0, kind: 0, data }, hardware)?;
        Some((stamp.time.unix_ns(), stamp.source))
    }

    #[test]
    fn the_network_card_is_preferred_when_asked_for() {
        let both = timestamping(7, 9);
        assert_eq!(read(&both, true), Some((9, StampSource::Hardware)));
        assert_eq!(read(&both, false), Some((7, StampSource::Kernel)));
    }

    #[test]
    fn without_the_network_card_the_kernel_stamps() {
        assert_eq!(read(&timestamping(7, 0), true), Some((7, StampSource::Kernel)));
        assert_eq!(read(&timestamping(0, 9), false), None);
        assert_eq!(read(&timestamping(0, 0), true), None);
    }

    #[test]
    fn a_broadcast_is_answered_from_the_address_the_kernel_names() {
        let mut data = [0; 12];
        data[..4].copy_from_slice(&5_u32.to_ne_bytes());
        data[4..8].copy_from_slice(&[192, 0, 2, 1]);
        data[8..].copy_from_slice(&[192, 0, 2, 255]);
        let info = PacketInfo::ipv4(Control { level: 0, kind: 0, data: &data }).unwrap();
        assert_eq!(info.interface, 5);
        assert_eq!(info.to, IpAddr::from([192, 0, 2, 255]));
        assert_eq!(info.reply_from, Some(IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn a_group_of_ipv6_is_no_address_to_answer_from() {
        let mut data = [0; 20];
        data[..16].copy_from_slice(&"ff02::1".parse::<Ipv6Addr>().unwrap().octets());
        let info = PacketInfo::ipv6(Control { level: 0, kind: 0, data: &data }).unwrap();
        assert_eq!(info.reply_from, None);
    }

    #[test]
    fn short_packet_information_is_ignored() {
        assert!(PacketInfo::ipv4(Control { level: 0, kind: 0, data: &[0; 11] }).is_none());
        assert!(PacketInfo::ipv6(Control { level: 0, kind: 0, data: &[0; 19] }).is_none());
    }

    #[test]
    fn sizes_are_kept_within_what_one_call_moves() {
        assert_eq!(ReceiveBatch::new(0, 0).capacity(), 1);
        assert_eq!(ReceiveBatch::new(1000, 44).capacity(), BATCH);
    }
}

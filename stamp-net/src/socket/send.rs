//! Sending a batch of datagrams, each with its own source address and traffic class.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::address::{Name, can_be_source, is_link_local};
use super::batch::{Addressed, Outgoing, SendBatch};
use super::control::ControlBuffer;
use super::failure::{SendFailure, retries};
use super::transmit::TransmitIds;
use super::{UdpSocket, octet};
use crate::batch::{SendOutcome, Slot};
use crate::departure::Outlet;
use crate::error::NetError;
use crate::interface;

impl UdpSocket {
    /// Sends every datagram of `batch` that still waits and returns how many left.
    ///
    /// One that fails does not hold up the others; [`SendBatch::outcome`] tells the fate of each.
    pub fn send(&self, batch: &mut SendBatch) -> usize {
        for slot in batch.held_mut() {
            if slot.outcome == SendOutcome::Unsent
                && let Err(failure) = self.encode(slot)
            {
                slot.outcome = SendOutcome::Failed(failure);
            }
        }
        self.depart(batch)
    }

    /// Writes address and control messages of one datagram as the kernel wants them.
    #[inline]
    fn encode(&self, slot: &mut Slot<Addressed>) -> Result<(), SendFailure> {
        let Outgoing { to, from, interface, keeps_link, traffic_class, .. } = slot.about.outgoing;
        if to.is_ipv6() != self.is_ipv6() {
            return Err(SendFailure::Other { errno: libc::EAFNOSUPPORT });
        }
        slot.control.clear();
        let stamped = self.transmit_ids(&slot.about);
        if stamped.is_some() && self.stamp_request != 0 {
            let request = self.stamp_request.to_ne_bytes();
            slot.control.push(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, request);
        }
        slot.chosen_id = stamped.and_then(|ids| ids.choose(&mut slot.control));
        let on_link = keeps_link || is_link_local(to.ip()) || from.is_some_and(is_link_local);
        let interface = if on_link { interface } else { 0 };
        slot.about.name = match to {
            _ if self.peer == Some(to) => Name::NONE,
            SocketAddr::V6(mut v6) if v6.scope_id() == 0 && v6.ip().is_unicast_link_local() => {
                v6.set_scope_id(interface);
                Name::new(&v6.into())
            }
            _ => Name::new(&to),
        };
        let from = from.filter(|from| can_be_source(*from) && self.fixed_source() != Some(*from));
        if from.is_some() || interface != 0 {
            self.push_source(&mut slot.control, from, interface)?;
        }
        if let Some(class) = traffic_class.map(octet).filter(|class| *class != self.traffic_class) {
            let (level, kind) = if self.is_ipv6() {
                (libc::IPPROTO_IPV6, libc::IPV6_TCLASS)
            } else {
                (libc::IPPROTO_IP, libc::IP_TOS)
            };
            slot.control.push(level, kind, i32::from(class).to_ne_bytes());
        }
        Ok(())
    }

    #[inline]
    fn push_source(
        &self,
        control: &mut ControlBuffer,
        from: Option<IpAddr>,
        interface: u32,
    ) -> Result<(), SendFailure> {
        let family = if self.is_ipv6() {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        };
        match (from.unwrap_or(family), self.is_ipv6()) {
            (IpAddr::V4(address), false) => {
                let mut info = [0; 12];
                info[..4].copy_from_slice(&interface.to_ne_bytes());
                info[4..8].copy_from_slice(&address.octets());
                control.push(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
                Ok(())
            }
            (IpAddr::V6(address), true) => {
                let mut info = [0; 20];
                info[..16].copy_from_slice(&address.octets());
                info[16..].copy_from_slice(&interface.to_ne_bytes());
                control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
                Ok(())
            }
            _ => Err(SendFailure::BadSource),
        }
    }

    /// The kernel says the same when the interface is down or the source cannot be used.
    fn classify_no_route(&self, to: SocketAddr, from: Option<IpAddr>) -> SendFailure {
        let is_down = |name: &str| matches!(interface::is_up(name), Ok(false));
        if self.interface.as_deref().is_some_and(is_down) {
            return SendFailure::InterfaceDown;
        }
        match self.path_mtu_from(to, from) {
            Err(NetError::AddressNotAvailable { .. }) => SendFailure::BadSource,
            _ => SendFailure::NoRoute,
        }
    }
}

impl Outlet<Addressed> for UdpSocket {
    fn name(about: &Addressed) -> &[u8] {
        about.name.octets()
    }

    fn retries(&self, errno: i32) -> usize {
        retries(errno)
    }

    fn transmit_ids(&self, about: &Addressed) -> Option<&TransmitIds> {
        let is_stamped = self.stamp_request == 0 || about.outgoing.wants_stamp;
        self.transmit_ids.as_ref().filter(|_| is_stamped)
    }

    #[cold]
    fn classify(&self, errno: i32, about: &Addressed) -> SendFailure {
        let outgoing = &about.outgoing;
        let from = outgoing.from.filter(|from| can_be_source(*from));
        let with_source = from.is_some();
        let from = from.or(self.fixed_source());
        match SendFailure::from_errno(errno, with_source) {
            SendFailure::TooBig { .. } => {
                let mtu = self.path_mtu_from(outgoing.to, from).ok();
                let fits = mtu.map(|mtu| self.payload_within(mtu, outgoing.to.ip()));
                SendFailure::TooBig { mtu, largest_payload: fits }
            }
            SendFailure::NoRoute => self.classify_no_route(outgoing.to, from),
            failure => failure,
        }
    }
}

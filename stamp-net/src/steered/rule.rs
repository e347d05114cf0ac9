//! Rules that lead packets to a table.

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, Nla as _,
};
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use stamp_proto::ip::Dscp;

use super::{Maker, is_so, refused};
use crate::error::NetError;
use crate::netlink::{self, Refusal};

/// A rule that leads packets to a table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SteeringRule {
    /// Rules of lower numbers are looked at before.
    pub priority: u32,
    /// Of IPv6 packets, or of IPv4 packets.
    pub ipv6: bool,
    /// Which of them.
    pub selector: Selector,
    /// Where they are led.
    pub table: u32,
}

/// Which packets a rule is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Selector {
    /// All of them.
    All,
    /// Those with this DSCP.
    Dscp(Dscp),
    /// Those with this firewall mark.
    Mark(u32),
    /// It was read, and is none that this program makes.
    Other,
}

/// `FRA_DSCP`: all six bits, for both families, since Linux 6.13.
const FRA_DSCP: u16 = 25;

impl SteeringRule {
    /// Every rule of that maker.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] and [`NetError::Netlink`] when the kernel does not tell.
    pub fn all(maker: Maker) -> Result<Vec<Self>, NetError> {
        let mut rules = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut question = RuleMessage::default();
            question.header.family = family;
            let told = netlink::dump(RouteNetlinkMessage::GetRule(question))?;
            rules.extend(told.into_iter().filter_map(|message| match message {
                RouteNetlinkMessage::NewRule(rule) => read(&rule, maker),
                _ => None,
            }));
        }
        Ok(rules)
    }

    /// Puts it there; one that is there already is no error.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_ADMIN`, [`NetError::Call`] for whatever else the
    /// kernel says.
    pub fn put(&self, maker: Maker) -> Result<(), NetError> {
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        match netlink::change(RouteNetlinkMessage::NewRule(self.message(maker)), flags) {
            Err(Refusal::Kernel(source)) if is_so(&source, libc::EEXIST) => Ok(()),
            done => done.map_err(refused),
        }
    }

    /// Takes it away; one that is gone is no error.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    pub fn take(&self, maker: Maker) -> Result<(), NetError> {
        let wish = RouteNetlinkMessage::DelRule(self.message(maker));
        match netlink::change(wish, NLM_F_REQUEST | NLM_F_ACK) {
            Err(Refusal::Kernel(source)) if is_so(&source, libc::ENOENT) => Ok(()),
            done => done.map_err(refused),
        }
    }

    /// Old kernels have no rule for all six bits of a DSCP but where it is the traffic class of IPv6,
    /// and then not for zero, which means any.
    #[must_use]
    pub fn is_of_old_kernels(&self) -> bool {
        match self.selector {
            Selector::Dscp(dscp) => self.ipv6 && dscp.value() != 0,
            _ => true,
        }
    }

    /// The kernel compares all bits of a DSCP. One that does not know the selector would leave it out,
    /// and so lead every packet there.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    pub fn kernel_compares_dscp() -> Result<bool, NetError> {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet;
        // To nowhere, which is refused in any case, but after a value that is too large.
        message.header.action = RuleAction::Goto;
        message.attributes = vec![RuleAttribute::Other(DefaultNla::new(FRA_DSCP, vec![64]))];
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        match netlink::change(RouteNetlinkMessage::NewRule(message), flags) {
            Err(Refusal::Kernel(source)) if is_so(&source, libc::ERANGE) => Ok(true),
            Err(Refusal::Kernel(source)) if is_so(&source, libc::EINVAL) => Ok(false),
            done => done.map(|()| false).map_err(refused),
        }
    }

    fn message(&self, maker: Maker) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = if self.ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        message.header.action = RuleAction::ToTable;
        message.attributes = vec![
            RuleAttribute::Priority(self.priority),
            RuleAttribute::Table(self.table),
            RuleAttribute::Protocol(RouteProtocol::from(maker.0)),
        ];
        match self.selector {
            Selector::All | Selector::Other => {}
            Selector::Dscp(dscp) if self.is_of_old_kernels() => {
                message.header.tos = dscp.value() << 2;
            }
            Selector::Dscp(dscp) => {
                let dscp = DefaultNla::new(FRA_DSCP, vec![dscp.value()]);
                message.attributes.push(RuleAttribute::Other(dscp));
            }
            Selector::Mark(mark) => message.attributes.push(RuleAttribute::FwMark(mark)),
        }
        message
    }
}

/// A rule of that maker, if it is one.
fn read(message: &RuleMessage, maker: Maker) -> Option<SteeringRule> {
    let ours = RuleAttribute::Protocol(RouteProtocol::from(maker.0));
    if !message.attributes.contains(&ours) {
        return None;
    }
    let header = &message.header;
    let (mut priority, mut table) = (0, u32::from(header.table));
    let mut selector = match (header.tos, header.dst_len, header.src_len) {
        (0, 0, 0) if header.action == RuleAction::ToTable => Selector::All,
        (tos, 0, 0) => Dscp::new(tos >> 2).map_or(Selector::Other, Selector::Dscp),
        _ => Selector::Other,
    };
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Priority(number) => priority = *number,
            RuleAttribute::Table(number) => table = *number,
            RuleAttribute::FwMark(mark) => selector = Selector::Mark(*mark),
            RuleAttribute::Other(other) if other.kind() == FRA_DSCP => {
                let mut octets = vec![0; other.value_len()];
                other.emit_value(&mut octets);
                let dscp = octets.first().and_then(|value| Dscp::new(*value));
                selector = dscp.map_or(Selector::Other, Selector::Dscp);
            }
            // What limits it further is none of what this program asks for.
            RuleAttribute::Iifname(_) | RuleAttribute::Oifname(_) => selector = Selector::Other,
            _ => {}
        }
    }
    Some(SteeringRule { priority, ipv6: header.family == AddressFamily::Inet6, selector, table })
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{Emitable, Parseable};

    use super::*;

    #[test]
    fn every_form_is_read_as_it_was_written() {
        let af41 = Dscp::from_name("AF41").unwrap();
        let selectors = [
            Selector::All,
            Selector::Dscp(af41),
            Selector::Dscp(Dscp::new(0).unwrap()),
            Selector::Mark(0x5354_4d50),
        ];
        for (selector, ipv6) in selectors.into_iter().flat_map(|it| [(it, false), (it, true)]) {
            let rule = SteeringRule { priority: 8300, ipv6, selector, table: 8334 };
            let message = rule.message(Maker(84));
            let mut octets = vec![0; message.buffer_len()];
            message.emit(&mut octets);
            let again = RuleMessage::parse(&octets[..]).unwrap();
            assert_eq!(read(&again, Maker(84)), Some(rule));
            assert_eq!(read(&again, Maker(4)), None, "of another");
        }
    }

    #[test]
    fn a_dscp_of_ipv6_is_its_traffic_class_where_that_says_it() {
        let rule = |ipv6, value| {
            let selector = Selector::Dscp(Dscp::new(value).unwrap());
            SteeringRule { priority: 1, ipv6, selector, table: 2 }
        };
        assert_eq!(rule(true, 34).message(Maker(84)).header.tos, 0x88);
        let flags =
            [rule(true, 34), rule(true, 0), rule(false, 34)].map(|it| it.is_of_old_kernels());
        assert_eq!(flags, [true, false, false]);
    }
}

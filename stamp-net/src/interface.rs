//! Interfaces of this network namespace and their addresses.

mod link;
mod traffic;

use std::io;
use std::iter::successors;
use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVrf, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::error::NetError;
use crate::netlink::{self, Refusal};

pub use link::{LinkLayer, MacAddress};
pub use traffic::{InterfacePackets, packets};

/// One interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// Its number, as in scopes and packet information.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Largest IP packet it takes, in octets.
    pub mtu: u32,
    /// Switched on by the operator.
    pub up: bool,
    /// Ready to carry packets.
    pub running: bool,
    /// Loops back to this host.
    pub loopback: bool,
    /// What sort it is.
    pub kind: InterfaceKind,
    /// What stands in front of its packets.
    pub link_layer: LinkLayer,
    /// Number of the VRF, bond or bridge it belongs to.
    pub master: Option<u32>,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<InterfaceAddress>,
}

/// What sort an interface is, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InterfaceKind {
    /// A device, physical or virtual, without interfaces below.
    Plain,
    /// A VRF.
    Vrf {
        /// Its routing table.
        table: u32,
    },
    /// Several links as one.
    Bond,
    /// A switch.
    Bridge,
}

/// One address of an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of its prefix in bits.
    pub prefix_length: u8,
    /// Packets can leave from it: not still being checked for duplicates, not found to be one.
    pub usable: bool,
}

/// All interfaces with their addresses, by number.
///
/// # Errors
///
/// [`NetError::Call`] or [`NetError::Netlink`] when the kernel does not tell.
pub fn list() -> Result<Vec<Interface>, NetError> {
    let links = netlink::dump(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
    let mut interfaces: Vec<Interface> = links
        .into_iter()
        .filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => read_link(link),
            _ => None,
        })
        .collect();
    interfaces.sort_by_key(|interface| interface.index);
    let addresses = netlink::dump(RouteNetlinkMessage::GetAddress(AddressMessage::default()))?;
    for answer in addresses {
        let RouteNetlinkMessage::NewAddress(message) = answer else { continue };
        let index = message.header.index;
        let place = interfaces.binary_search_by_key(&index, |interface| interface.index);
        if let (Ok(place), Some(address)) = (place, read_address(&message)) {
            interfaces[place].addresses.push(address);
        }
    }
    Ok(interfaces)
}

/// The interface called `name`.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or those of [`list`].
pub fn by_name(name: &str) -> Result<Interface, NetError> {
    let found = list()?.into_iter().find(|interface| interface.name == name);
    found.ok_or_else(|| NetError::NoSuchInterface { name: name.into() })
}

/// The links that `name` stands for: the members of a bond, by number; of anything else itself.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or those of [`list`].
pub fn members(name: &str) -> Result<Vec<Interface>, NetError> {
    let all = list()?;
    let found = all.iter().find(|interface| interface.name == name);
    let named = found.ok_or_else(|| NetError::NoSuchInterface { name: name.into() })?;
    if named.kind != InterfaceKind::Bond {
        return Ok(vec![named.clone()]);
    }
    let index = named.index;
    Ok(all.into_iter().filter(|interface| interface.master == Some(index)).collect())
}

/// The VRF called `name`.
///
/// # Errors
///
/// [`NetError::NotVrf`], or those of [`by_name`].
pub fn vrf(name: &str) -> Result<Interface, NetError> {
    let interface = by_name(name)?;
    match interface.kind {
        InterfaceKind::Vrf { .. } => Ok(interface),
        _ => Err(NetError::NotVrf { name: name.into() }),
    }
}

/// The VRF that an interface of `all` is, or belongs to, itself or by a bridge or bond.
#[must_use]
pub fn vrf_of<'i>(link: &'i Interface, all: &'i [Interface]) -> Option<&'i Interface> {
    let above = |link: &&Interface| all.iter().find(|other| Some(other.index) == link.master);
    // No more masters than interfaces, whatever the kernel says.
    let mut masters = successors(Some(link), above).take(all.len() + 1);
    masters.find(|link| matches!(link.kind, InterfaceKind::Vrf { .. }))
}

/// Number of the interface called `name`, for scopes of link-local addresses.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`].
pub fn index_of(name: &str) -> Result<u32, NetError> {
    nix::net::if_::if_nametoindex(name).map_err(|_| NetError::NoSuchInterface { name: name.into() })
}

/// Largest IP packet in octets that the interface with this number takes.
pub(crate) fn mtu(index: u32) -> Result<u32, NetError> {
    let mut question = LinkMessage::default();
    question.header.index = index;
    Ok(ask(question)?.mtu)
}

/// Whether the interface called `name` is switched on.
pub(crate) fn is_up(name: &str) -> Result<bool, NetError> {
    link(name).map(|interface| interface.up)
}

/// The interface called `name`, without its addresses.
pub(crate) fn link(name: &str) -> Result<Interface, NetError> {
    ask(question_for(name)?).map_err(|refusal| missing(name, refusal))
}

/// What to ask the kernel about the interface called `name`.
fn question_for(name: &str) -> Result<LinkMessage, NetError> {
    // The kernel takes a longer name for no name.
    if name.len() >= libc::IFNAMSIZ {
        return Err(NetError::NoSuchInterface { name: name.into() });
    }
    let mut question = LinkMessage::default();
    question.attributes.push(LinkAttribute::IfName(name.to_owned()));
    Ok(question)
}

fn missing(name: &str, refusal: Refusal) -> NetError {
    match refusal {
        Refusal::Kernel(source) if source.raw_os_error() == Some(libc::ENODEV) => {
            NetError::NoSuchInterface { name: name.into() }
        }
        refusal => refusal.into(),
    }
}

/// The interface with this number, without its addresses; `None` when there is none.
pub(crate) fn link_at(index: u32) -> Result<Option<Interface>, NetError> {
    let mut question = LinkMessage::default();
    question.header.index = index;
    match ask(question) {
        Ok(interface) => Ok(Some(interface)),
        Err(Refusal::Kernel(source)) if is_gone(&source) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENODEV | libc::EINVAL))
}

/// Asks for one interface, without its addresses.
fn ask(question: LinkMessage) -> Result<Interface, Refusal> {
    match netlink::get(RouteNetlinkMessage::GetLink(question))? {
        RouteNetlinkMessage::NewLink(link) => read_link(link).ok_or(Refusal::Unreadable),
        _ => Err(Refusal::Unreadable),
    }
}

/// Every address of this host: a packet from one of them is our own.
///
/// # Errors
///
/// Those of [`list`].
pub fn local_addresses() -> Result<Vec<IpAddr>, NetError> {
    let interfaces = list()?;
    let addresses = interfaces.iter().flat_map(|interface| &interface.addresses);
    Ok(addresses.map(|address| address.address).collect())
}

fn read_link(message: LinkMessage) -> Option<Interface> {
    let flags = message.header.flags;
    let mut name = None;
    let mut interface = Interface {
        index: message.header.index,
        name: String::new(),
        mtu: 0,
        up: flags.contains(LinkFlags::Up),
        running: flags.contains(LinkFlags::Running),
        loopback: flags.contains(LinkFlags::Loopback),
        kind: InterfaceKind::Plain,
        link_layer: LinkLayer::Bare,
        master: None,
        addresses: Vec::new(),
    };
    let mut address = None;
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text),
            LinkAttribute::Mtu(mtu) => interface.mtu = mtu,
            LinkAttribute::Address(octets) => address = Some(octets),
            LinkAttribute::Controller(index) => interface.master = Some(index),
            LinkAttribute::LinkInfo(infos) => interface.kind = read_kind(&infos),
            _ => {}
        }
    }
    interface.link_layer = LinkLayer::read(message.header.link_layer_type, address.as_deref());
    interface.name = name?;
    Some(interface)
}

fn read_kind(infos: &[LinkInfo]) -> InterfaceKind {
    let table = infos.iter().find_map(|info| match info {
        LinkInfo::Data(InfoData::Vrf(data)) => data.iter().find_map(|vrf| match vrf {
            InfoVrf::TableId(table) => Some(*table),
            _ => None,
        }),
        _ => None,
    });
    let kind = infos.iter().find_map(|info| match info {
        LinkInfo::Kind(kind) => Some(kind),
        _ => None,
    });
    match kind {
        Some(InfoKind::Vrf) => InterfaceKind::Vrf { table: table.unwrap_or(0) },
        Some(InfoKind::Bond) => InterfaceKind::Bond,
        Some(InfoKind::Bridge) => InterfaceKind::Bridge,
        _ => InterfaceKind::Plain,
    }
}

fn read_address(message: &AddressMessage) -> Option<InterfaceAddress> {
    let mut local = None;
    let mut address = None;
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    for attribute in &message.attributes {
        match attribute {
            // On a point-to-point link `Address` is the other end's.
            AddressAttribute::Local(own) => local = Some(*own),
            AddressAttribute::Address(own) => address = Some(*own),
            AddressAttribute::Flags(all) => flags = *all,
            _ => {}
        }
    }
    let unusable = AddressFlags::Tentative | AddressFlags::Dadfailed;
    // An optimistic address may be used while it is still being checked.
    let optimistic = flags.contains(AddressFlags::Optimistic);
    Some(InterfaceAddress {
        address: local.or(address)?,
        prefix_length: message.header.prefix_len,
        usable: !flags.intersects(unusable) || optimistic,
    })
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::AddressFamily;
    use netlink_packet_route::address::AddressHeaderFlags;

    use super::*;

    fn address_message(attributes: Vec<AddressAttribute>) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = 31;
        message.attributes = attributes;
        message
    }

    #[test]
    fn loopback_is_listed_with_its_address() {
        let lo = by_name("lo").unwrap();
        assert!(lo.loopback && lo.index > 0 && lo.mtu > 0);
        assert_eq!(lo.kind, InterfaceKind::Plain);
        assert_eq!(index_of("lo").unwrap(), lo.index);
        let own = lo.addresses.iter().find(|own| own.address.is_ipv4());
        let expected = InterfaceAddress {
            address: "127.0.0.1".parse().unwrap(),
            prefix_length: 8,
            usable: true,
        };
        assert_eq!(own, Some(&expected));
        assert!(local_addresses().unwrap().contains(&expected.address));
    }

    #[test]
    fn a_name_that_nothing_bears_has_its_own_error() {
        for name in ["no-such-one", "a-name-that-is-far-too-long-for-any", ""] {
            assert!(matches!(by_name(name), Err(NetError::NoSuchInterface { .. })), "{name}");
            assert!(matches!(index_of(name), Err(NetError::NoSuchInterface { .. })), "{name}");
        }
    }

    #[test]
    fn loopback_is_no_vrf() {
        assert!(matches!(vrf("lo"), Err(NetError::NotVrf { .. })));
    }

    #[test]
    fn a_vrf_is_recognised_with_its_table() {
        let mut message = LinkMessage::default();
        message.header.index = 9;
        message.attributes = vec![
            LinkAttribute::IfName("red".into()),
            LinkAttribute::Mtu(65_575),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Vrf),
                LinkInfo::Data(InfoData::Vrf(vec![InfoVrf::TableId(100)])),
            ]),
        ];
        let interface = read_link(message).unwrap();
        assert_eq!(interface.kind, InterfaceKind::Vrf { table: 100 });
        assert_eq!((interface.name.as_str(), interface.up), ("red", false));
    }

    #[test]
    fn an_interface_is_in_the_vrf_of_its_bridge() {
        let link = |index, kind, master| Interface {
            index,
            kind,
            master,
            ..by_name("lo").expect("every host has it")
        };
        let all = [
            link(2, InterfaceKind::Plain, Some(3)),
            link(3, InterfaceKind::Bridge, Some(4)),
            link(4, InterfaceKind::Vrf { table: 10 }, None),
            link(5, InterfaceKind::Plain, None),
            link(6, InterfaceKind::Bridge, Some(6)),
        ];
        let vrfs = all.each_ref().map(|link| vrf_of(link, &all).map(|vrf| vrf.index));
        assert_eq!(vrfs, [Some(4), Some(4), Some(4), None, None]);
    }

    #[test]
    fn membership_and_other_kinds_are_recognised() {
        for (kind, expected) in [
            (InfoKind::Bond, InterfaceKind::Bond),
            (InfoKind::Bridge, InterfaceKind::Bridge),
            (InfoKind::Veth, InterfaceKind::Plain),
        ] {
            let mut message = LinkMessage::default();
            message.attributes = vec![
                LinkAttribute::IfName("eth0".into()),
                LinkAttribute::Controller(7),
                LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]),
            ];
            let interface = read_link(message).unwrap();
            assert_eq!((interface.kind, interface.master), (expected, Some(7)));
        }
    }

    #[test]
    fn on_a_point_to_point_link_our_own_end_is_taken() {
        let message = address_message(vec![
            AddressAttribute::Address("192.0.2.2".parse().unwrap()),
            AddressAttribute::Local("192.0.2.1".parse().unwrap()),
        ]);
        let address = read_address(&message).unwrap();
        assert_eq!(address.address, IpAddr::from([192, 0, 2, 1]));
        assert_eq!(address.prefix_length, 31);
    }

    #[test]
    fn an_address_that_is_still_being_checked_is_not_usable() {
        let address = AddressAttribute::Address("2001:db8::1".parse().unwrap());
        for (flags, usable) in [
            (AddressFlags::Permanent, true),
            (AddressFlags::Tentative, false),
            (AddressFlags::Tentative | AddressFlags::Optimistic, true),
            (AddressFlags::Dadfailed, false),
        ] {
            let message = address_message(vec![address.clone(), AddressAttribute::Flags(flags)]);
            assert_eq!(read_address(&message).unwrap().usable, usable, "{flags:?}");
        }
        let mut message = address_message(vec![address]);
        message.header.flags = AddressHeaderFlags::Tentative;
        assert!(!read_address(&message).unwrap().usable);
    }
}

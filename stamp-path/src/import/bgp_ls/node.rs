//! What routes say of nodes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::BgpLsError;
use super::field::Field;

/// Who a node is. Areas and levels are left out: a node is one, however many it is in.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct NodeKey {
    pub(super) autonomous_system: u32,
    /// BGP-LS identifier.
    pub(super) instance: u32,
    /// As the interior protocol knows it, or else BGP.
    pub(super) router: String,
    /// Known by its BGP identifier alone.
    pub(super) by_bgp: bool,
}

impl NodeKey {
    /// A network that several nodes share, and not a router: both protocols write two parts.
    pub(super) fn is_shared(&self) -> bool {
        self.router.contains(['-', ':'])
    }

    /// OSPF and BGP know routers by addresses.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        self.router.parse().ok()
    }
}

/// What a node says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct NodeFacts {
    pub(super) autonomous_system: Option<u32>,
    pub(super) name: Option<String>,
    /// IPv4, then IPv6.
    pub(super) routers: Vec<IpAddr>,
    /// It asks not to be passed.
    pub(super) overload: bool,
    /// First and last label of each range; none where it does not say that it knows Segment Routing.
    pub(super) srgb: Option<Vec<(u32, u32)>>,
}

impl NodeFacts {
    pub(super) fn read(key: &NodeKey, attribute: Option<Field<'_>>) -> Result<Self, BgpLsError> {
        let mut facts = Self {
            autonomous_system: Some(key.autonomous_system).filter(|number| *number > 0),
            ..Self::default()
        };
        let Some(node) = attribute.and_then(|attribute| attribute.get(&["node"])) else {
            return Ok(facts);
        };
        if let Some(name) = node.get(&["name"]) {
            facts.name = Some(name.text()?.to_owned()).filter(|name| !name.is_empty());
        }
        let routers: [&[&'static str]; 2] = [
            &["localRouterId", "local_router_id", "local_router_id_ipv4"],
            &["localRouterIdV6", "local_router_id_v6", "local_router_id_ipv6"],
        ];
        for keys in routers {
            if let Some(router) = node.get(keys) {
                facts.routers.extend(router.parsed::<IpAddr>("an address")?);
            }
        }
        let overload = node.get(&["flags"]).and_then(|flags| flags.get(&["overload"]));
        facts.overload = overload.is_some_and(|overload| overload.value.as_bool() == Some(true));
        if let Some(capabilities) = node.get(&["srCapabilities", "sr_capabilities"]) {
            facts.srgb = Some(ranges(capabilities)?);
        }
        Ok(facts)
    }
}

/// `GoBGP` prints the label behind the last one as the end.
fn ranges(capabilities: Field<'_>) -> Result<Vec<(u32, u32)>, BgpLsError> {
    let Some(ranges) = capabilities.get(&["ranges"]) else { return Ok(Vec::new()) };
    ranges
        .entries()?
        .map(|range| {
            let begin = range.require(&["begin"])?.number()?;
            let end = range.require(&["end"])?.number()?;
            Ok((begin, end.saturating_sub(1)))
        })
        .collect()
}

/// The Prefix-SID of a prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PrefixSid {
    pub(super) index: u32,
    /// Whether neighbours are to leave its label on the packet, where it is told.
    pub(super) no_php: Option<bool>,
}

impl PrefixSid {
    /// That of shortest paths; a SID that is a label of local meaning is none.
    pub(super) fn read(
        key: &NodeKey,
        attribute: Option<Field<'_>>,
    ) -> Result<Option<Self>, BgpLsError> {
        /// V, the same in both protocols (RFC 8667, RFC 8665).
        const VALUE: u32 = 0x08;
        /// P of IS-IS, NP of OSPF.
        const NO_PHP: [u32; 2] = [0x20, 0x40];
        let Some(prefix) = attribute.and_then(|attribute| attribute.get(&["prefix"])) else {
            return Ok(None);
        };
        if let Some(several) = prefix.get(&["srPrefixSids", "sr_prefix_sids"]) {
            for sid in several.entries()? {
                let number = |key: &'static str| match sid.get(&[key]) {
                    Some(field) => field.number(),
                    None => Ok(0),
                };
                let flags = number("flags")?;
                if number("algorithm")? == 0 && flags & VALUE == 0 {
                    let no_php = flags & NO_PHP[usize::from(key.address().is_some())] != 0;
                    return Ok(Some(Self { index: number("sid")?, no_php: Some(no_php) }));
                }
            }
            return Ok(None);
        }
        let Some(sid) = prefix.get(&["srPrefixSid", "sr_prefix_sid"]) else { return Ok(None) };
        Ok(sid.positive()?.map(|index| Self { index, no_php: None }))
    }
}

/// An SRv6 SID of a node (RFC 9514).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct SidFacts {
    pub(super) prefix: Ipv6Net,
    pub(super) behavior: Behavior,
}

/// What a node does at a SID, of that which a topology file knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Behavior {
    End,
    Decapsulate,
    MicroNode,
}

impl SidFacts {
    pub(super) fn read(
        address: Option<Ipv6Addr>,
        attribute: Option<Field<'_>>,
    ) -> Result<Option<Self>, BgpLsError> {
        let Some(told) = attribute.and_then(|told| told.get(&["srv6Sid", "srv6_sid"])) else {
            return Ok(None);
        };
        let keys = ["srv6EndpointBehavior", "srv6_endpoint_behavior"];
        let behavior = told.get(&keys).unwrap_or(told);
        let keys = ["endpointBehavior", "endpoint_behavior"];
        let code = behavior.get(&keys).map(Field::number).transpose()?;
        // Code points that IANA keeps for RFC 8986 and RFC 9800.
        let behavior = match code {
            Some(1..=4 | 28..=31) => Behavior::End,
            Some(18 | 20) => Behavior::Decapsulate,
            Some(43..=50) => Behavior::MicroNode,
            _ => return Ok(None),
        };
        let Some(address) = address else { return Ok(None) };
        let structure = told.get(&["srv6SidStructure", "srv6_sid_structure"]);
        let whole = behavior != Behavior::MicroNode;
        Ok(Some(Self { prefix: located(address, structure, whole)?, behavior }))
    }
}

/// A SID with as many bits as its structure says mean anything; all 128 where nothing is said. A
/// micro-SID ends before its function.
pub(super) fn located(
    address: Ipv6Addr,
    structure: Option<Field<'_>>,
    with_function: bool,
) -> Result<Ipv6Net, BgpLsError> {
    let whole = Ipv6Net::from(address);
    let Some(structure) = structure else { return Ok(whole) };
    let mut bits = 0_u32;
    let mut keys = vec![["localBlock", "local_block"], ["localNode", "local_node"]];
    if with_function {
        keys.push(["localFunc", "local_func"]);
    }
    for key in keys {
        let part = structure.get(&key).map(Field::number).transpose()?.unwrap_or(0);
        bits = bits.saturating_add(part);
    }
    let length = u8::try_from(bits).ok().filter(|length| (16..=128).contains(length));
    let net = length.and_then(|length| Ipv6Net::new(address, length).ok());
    Ok(net.filter(|net| net.trunc() == *net).unwrap_or(whole))
}

//! From documents to what each route says.

use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::{Deserializer, Value};

use super::BgpLsError;
use super::field::Field;
use super::half::{HalfLink, LinkFacts};
use super::node::{NodeFacts, NodeKey, PrefixSid, SidFacts};
use super::printed;

/// What a route says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Node(NodeKey, NodeFacts),
    Link(Box<HalfLink>),
    Prefix(NodeKey, IpNet, Option<PrefixSid>),
    Sid(NodeKey, SidFacts),
}

/// Letters of a route's own name that messages show.
const SHOWN: usize = 120;

/// Every route of the text, in its order.
pub(super) fn read(text: &str) -> Result<Vec<Told>, BgpLsError> {
    let mut told = Vec::new();
    let documents = Deserializer::from_str(text).into_iter::<Value>();
    for (number, document) in documents.enumerate() {
        let document = document.map_err(|error| BgpLsError::Json {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })?;
        let expected = "an object with \"destination\", or with a list of paths for each route";
        let form = BgpLsError::Form { number: number + 1, expected };
        match &document {
            Value::Array(several) => {
                for one in several {
                    table(one, &mut told).ok_or_else(|| form.clone())??;
                }
            }
            one => table(one, &mut told).ok_or(form)??,
        }
    }
    Ok(told)
}

/// Reads one answer of the API or one table of the command line; none where it is neither.
fn table(document: &Value, told: &mut Vec<Told>) -> Option<Result<(), BgpLsError>> {
    let object = document.as_object()?;
    if let Some(destination) = object.get("destination") {
        let name = destination.get("prefix").and_then(Value::as_str).unwrap_or("without a prefix");
        let paths = destination.get("paths").and_then(Value::as_array)?;
        return Some(destination_of(name, paths, told));
    }
    for (name, paths) in object {
        if let Err(error) = destination_of(name, paths.as_array()?, told) {
            return Some(Err(error));
        }
    }
    Some(Ok(()))
}

/// Reads the path that is best, or else the first.
fn destination_of(name: &str, paths: &[Value], told: &mut Vec<Told>) -> Result<(), BgpLsError> {
    let is_set = |path: &&Value, key: &str| path.get(key).and_then(Value::as_bool) == Some(true);
    let gone = |path: &&Value| is_set(path, "isWithdraw") || is_set(path, "withdrawal");
    let there = || paths.iter().filter(|path| !gone(path));
    let Some(path) = there().find(|path| is_set(path, "best")).or_else(|| there().next()) else {
        return Ok(());
    };
    let end = name.char_indices().nth(SHOWN).map_or(name.len(), |(end, _)| end);
    let route = name.get(..end).unwrap_or(name);
    told.extend(path_of(Field { value: path, route, key: "path" })?);
    Ok(())
}

fn path_of(path: Field<'_>) -> Result<Option<Told>, BgpLsError> {
    let hidden = |key| BgpLsError::Hidden { route: path.route.to_owned(), key };
    let nlri = path.get(&["nlri"]).ok_or_else(|| hidden("nlri"))?;
    // What grpcurl has in the place of a message that it was told nothing of.
    if nlri.get(&["@error"]).is_some() {
        return Err(BgpLsError::Unrecognized { route: path.route.to_owned() });
    }
    let nlri = nlri.get(&["lsAddrPrefix", "ls_addr_prefix"]).unwrap_or(nlri);
    let attributes = path.get(&["pattrs", "attrs"]).ok_or_else(|| hidden("attrs"))?;
    let attribute = link_state(attributes)?;
    let Some(inner) = nlri.get(&["nlri"]) else { return Ok(None) };
    if inner.value.is_string() {
        return printed::route(inner, attribute);
    }
    let Some(kind) = nlri.get(&["type"]) else { return Ok(None) };
    let kind = kind.text()?;
    let holds = |word: &str| kind.starts_with("LS_NLRI") && kind.contains(word);
    if holds("NODE") {
        let node = inner.get(&["node"]).unwrap_or(inner);
        let key = descriptor(node.require(&["localNode", "local_node"])?)?;
        Ok(Some(Told::Node(key.clone(), NodeFacts::read(&key, attribute)?)))
    } else if holds("LINK") {
        link(inner.get(&["link"]).unwrap_or(inner), attribute).map(Some)
    } else if holds("PREFIX") {
        let keys = ["prefixV4", "prefix_v4", "prefixV6", "prefix_v6"];
        prefix(inner.get(&keys).unwrap_or(inner), attribute)
    } else if holds("SRV6") {
        let sid = inner.get(&["srv6Sid", "srv6_sid"]).unwrap_or(inner);
        let key = descriptor(sid.require(&["localNode", "local_node"])?)?;
        let told = sid.require(&["srv6SidInformation", "srv6_sid_information"])?;
        let Some(first) = told.get(&["sids"]) else { return Ok(None) };
        let Some(first) = first.entries()?.next() else { return Ok(None) };
        let address = first.parsed("an IPv6 address")?;
        Ok(SidFacts::read(address, attribute)?.map(|facts| Told::Sid(key, facts)))
    } else {
        // Routes of other families, and objects that link state will have one day.
        Ok(None)
    }
}

/// The BGP-LS attribute, where there is one.
fn link_state(attributes: Field<'_>) -> Result<Option<Field<'_>>, BgpLsError> {
    /// Type of the attribute (RFC 9552).
    const BGP_LS: u64 = 29;
    let its = |attribute: Field<'_>| {
        let kind = attribute.get(&["@type"]).and_then(|kind| kind.value.as_str());
        let number = attribute.get(&["type"]).and_then(|kind| kind.value.as_u64());
        kind.is_some_and(|kind| kind.ends_with(".LsAttribute")) || number == Some(BGP_LS)
    };
    let mut entries = attributes.entries()?;
    let found =
        entries.find_map(|entry| entry.get(&["ls"]).or_else(|| Some(entry).filter(|e| its(*e))));
    Ok(found)
}

fn link(link: Field<'_>, attribute: Option<Field<'_>>) -> Result<Told, BgpLsError> {
    let local = descriptor(link.require(&["localNode", "local_node"])?)?;
    let remote = descriptor(link.require(&["remoteNode", "remote_node"])?)?;
    let mut half = HalfLink::between(local, remote, LinkFacts::read(attribute)?);
    if let Some(described) = link.get(&["linkDescriptor", "link_descriptor"]) {
        let address = |keys: [&'static str; 2]| match described.get(&keys) {
            Some(field) => field.parsed::<IpAddr>("an address"),
            None => Ok(None),
        };
        half.near = [
            address(["interfaceAddrIpv4", "interface_addr_ipv4"])?,
            address(["interfaceAddrIpv6", "interface_addr_ipv6"])?,
        ];
        half.far = [
            address(["neighborAddrIpv4", "neighbor_addr_ipv4"])?,
            address(["neighborAddrIpv6", "neighbor_addr_ipv6"])?,
        ];
        let number = |keys: [&'static str; 2]| match described.get(&keys) {
            Some(field) => field.positive(),
            None => Ok(None),
        };
        half.numbers = [
            number(["linkLocalId", "link_local_id"])?,
            number(["linkRemoteId", "link_remote_id"])?,
        ];
    }
    Ok(Told::Link(Box::new(half)))
}

fn prefix(prefix: Field<'_>, attribute: Option<Field<'_>>) -> Result<Option<Told>, BgpLsError> {
    let key = descriptor(prefix.require(&["localNode", "local_node"])?)?;
    let described = prefix.require(&["prefixDescriptor", "prefix_descriptor"])?;
    let reachable = described.require(&["ipReachability", "ip_reachability"])?;
    let Some(first) = reachable.entries()?.next() else { return Ok(None) };
    let Some(net) = first.parsed::<IpNet>("a prefix")? else { return Ok(None) };
    let sid = PrefixSid::read(&key, attribute)?;
    Ok(Some(Told::Prefix(key, net.trunc(), sid)))
}

/// Who a node descriptor (RFC 9552) means.
fn descriptor(node: Field<'_>) -> Result<NodeKey, BgpLsError> {
    let number = |keys: [&'static str; 2]| match node.get(&keys) {
        Some(field) => field.number(),
        None => Ok(0),
    };
    let igp = match node.get(&["igpRouterId", "igp_router_id"]) {
        Some(field) => field.parsed::<String>("text")?,
        None => None,
    };
    let bgp = match node.get(&["bgpRouterId", "bgp_router_id"]) {
        Some(field) => field.parsed::<Ipv4Addr>("an IPv4 address")?,
        None => None,
    };
    let missing = BgpLsError::Missing { route: node.route.to_owned(), key: "igpRouterId" };
    let by_bgp = igp.is_none();
    let router = igp.or_else(|| bgp.map(|router| router.to_string())).ok_or(missing)?;
    Ok(NodeKey {
        autonomous_system: number(["asn", "asn"])?,
        instance: number(["bgpLsId", "bgp_ls_id"])?,
        router,
        by_bgp,
    })
}

//! Routes that the command line shortens to a line of text.
//!
//! Links and prefixes do not say which autonomous system a node is in; nodes are told apart by their
//! router identifiers alone.

use core::net::IpAddr;

use super::BgpLsError;
use super::field::Field;
use super::half::{HalfLink, LinkFacts};
use super::node::{NodeFacts, NodeKey, PrefixSid, SidFacts};
use super::route::Told;

/// What the line says; none where it is of another kind.
pub(super) fn route(
    line: Field<'_>,
    attribute: Option<Field<'_>>,
) -> Result<Option<Told>, BgpLsError> {
    const EXPECTED: &str = "a route as GoBGP prints link state";
    let text = line.text()?;
    let Some(text) = text.strip_prefix("NLRI { ") else { return Ok(None) };
    let wrong = || line.wrong(EXPECTED);
    if let Some(node) = text.strip_prefix("NODE { AS:") {
        let mut words = node.split_whitespace();
        let autonomous_system =
            words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
        // "BGP-LS", "ID:0", then who it is.
        let key = key(words.nth(2).ok_or_else(wrong)?);
        let mut facts = NodeFacts::read(&key, attribute)?;
        facts.autonomous_system = Some(autonomous_system).filter(|number| *number > 0);
        Ok(Some(Told::Node(key, facts)))
    } else if text.starts_with("LINK {") {
        let local = after(text, "LOCAL_NODE: ").ok_or_else(wrong)?;
        let remote = after(text, "REMOTE_NODE: ").ok_or_else(wrong)?;
        let (local, remote) = (key(local), key(remote));
        let mut half = HalfLink::between(local, remote, LinkFacts::read(attribute)?);
        if let Some((near, far)) = after(text, " LINK: ").and_then(|ends| ends.split_once("->")) {
            described(&mut half, near, far);
        }
        Ok(Some(Told::Link(Box::new(half))))
    } else if text.starts_with("PREFIXv") {
        let key = key(after(text, "LOCAL_NODE: ").ok_or_else(wrong)?);
        let net = after(text, "PREFIX: [").and_then(|word| word.split(']').next());
        let net = net.and_then(|net| net.parse().ok()).ok_or_else(wrong)?;
        let sid = PrefixSid::read(&key, attribute)?;
        Ok(Some(Told::Prefix(key, net, sid)))
    } else if text.starts_with("SRv6SID {") {
        let router = after(text, "ROUTER ID: ").ok_or_else(wrong)?;
        let sid = after(text, "{SIDs: ").ok_or_else(wrong)?;
        let sid = sid.trim_end_matches([',', '}']).parse().map_err(|_| wrong())?;
        let key = key(router.trim_end_matches('}'));
        Ok(SidFacts::read(Some(sid), attribute)?.map(|facts| Told::Sid(key, facts)))
    } else {
        Ok(None)
    }
}

/// The word behind `name`.
fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(name)?;
    rest.split([' ', '}']).next().filter(|word| !word.is_empty())
}

fn key(router: &str) -> NodeKey {
    NodeKey { autonomous_system: 0, instance: 0, router: router.to_owned(), by_bgp: false }
}

/// Two addresses or two numbers; numbers may stand behind addresses as well.
fn described(half: &mut HalfLink, near: &str, far: &str) {
    let (far, numbers) = far.split_once('(').unwrap_or((far, ""));
    let place = |address: IpAddr| usize::from(address.is_ipv6());
    for (end, text) in [(&mut half.near, near), (&mut half.far, far)] {
        if let Ok(address) = text.parse::<IpAddr>()
            && let Some(slot) = end.get_mut(place(address))
        {
            *slot = Some(address);
        }
    }
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    half.numbers = match numbers.trim_end_matches(')').split_once(',') {
        Some((near, far)) => {
            [(near, "L:"), (far, "R:")].map(|(text, name)| text.strip_prefix(name).and_then(number))
        }
        None => [number(near), number(far)],
    };
}

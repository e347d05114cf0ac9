//! What is wanted as lines of FRR.

use std::net::IpAddr;

use ipnet::IpNet;
use stamp_proto::sr::mpls::Label;

use super::block::Block;
use super::links::Link;
use crate::writer::table::{ChosenPath, List};

/// Policies that cannot be written, or not wholly, with the reason.
type Refused = Vec<(String, String)>;

/// Everything.
pub(super) fn all(
    links: &[Link],
    paths: &[ChosenPath],
    route_map: &str,
    refused: &mut Refused,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = links.iter().filter_map(link).collect();
    let carrying = || paths.iter().filter(|path| !path.said.lists.is_empty());
    let (mut policies, mut known): (Vec<[Block; 2]>, Vec<(u32, IpAddr)>) = Default::default();
    for path in carrying() {
        let Some(color) = path.said.color else {
            refused.push((path.policy.clone(), "it has no color".to_owned()));
            continue;
        };
        let key = (color, path.said.endpoint);
        if known.contains(&key) {
            let reason = "another policy has its color and endpoint".to_owned();
            refused.push((path.policy.clone(), reason));
            continue;
        }
        known.push(key);
        policies.extend(policy(path, color, refused));
    }
    if !policies.is_empty() {
        let (lists, policies): (Vec<_>, Vec<_>) =
            policies.into_iter().map(|[list, policy]| (list, policy)).unzip();
        let within = lists.into_iter().chain(policies).collect();
        let engineering = Block::of("traffic-eng", within);
        blocks.push(Block::of("segment-routing", vec![engineering]));
    }
    let (mut lists, mut entries) = (Vec::new(), Vec::new());
    for path in carrying() {
        colour(path, plain(route_map).as_str(), (&mut lists, &mut entries), refused);
    }
    if !entries.is_empty() {
        // Routes to everything else stay as they are.
        entries.push(Block::of(format!("route-map {} permit 65535", plain(route_map)), Vec::new()));
    }
    blocks.extend(lists);
    blocks.extend(entries);
    blocks
}

fn link(link: &Link) -> Option<Block> {
    let delay = link.delay_us.map(|[average, min, max]| {
        let average = average.clamp(min, max.max(min));
        format!("delay {average} min {min} max {}", max.max(min))
    });
    let variation = link.variation_us.map(|us| format!("delay-variation {us}"));
    let loss =
        link.loss.map(|share| format!("packet-loss {:.6}", (share * 100.0).clamp(0.0, 50.331_642)));
    let lines: Vec<_> = [delay, variation, loss].into_iter().flatten().map(Block::line).collect();
    let interface = format!("interface {}", plain(&link.interface));
    (!lines.is_empty()).then(|| Block::of(interface, vec![Block::of("link-params", lines)]))
}

/// The list of a policy, and the policy.
fn policy(path: &ChosenPath, color: u32, refused: &mut Refused) -> Option<[Block; 2]> {
    let said = &path.said;
    let mut refuse = |reason: &str| refused.push((path.policy.clone(), reason.to_owned()));
    let heaviest =
        said.lists.iter().filter(|list| labels(list).is_some()).rev().max_by_key(|it| it.weight);
    let Some((list, labels)) = heaviest.and_then(|list| Some((list, labels(list)?))) else {
        refuse("pathd puts labels on packets, and its lists have SIDs");
        return None;
    };
    if said.lists.len() > 1 {
        refuse("a candidate path of pathd has one list: the heaviest is taken");
    }
    let lines = labels.iter().enumerate().map(|(at, label)| {
        Block::line(format!("index {} mpls label {}", 10 * (at + 1), label.value()))
    });
    let name = plain(&list.name);
    let preference = said.preference.unwrap_or(100);
    let candidate = plain(said.active.as_deref().unwrap_or("stamp"));
    let candidate = format!(
        "candidate-path preference {preference} name {candidate} explicit segment-list {name}"
    );
    let lines = (
        Block::of(format!("segment-list {name}"), lines.collect()),
        [Block::line(format!("name {}", plain(&path.policy))), Block::line(candidate)],
    );
    let head = format!("policy color {color} endpoint {}", said.endpoint);
    Some([lines.0, Block::of(head, lines.1.into())])
}

fn labels(list: &List) -> Option<&[Label]> {
    list.labels.as_deref().filter(|labels| !labels.is_empty())
}

/// Colours routes to the prefixes of a path.
fn colour(
    path: &ChosenPath,
    route_map: &str,
    (lists, entries): (&mut Vec<Block>, &mut Vec<Block>),
    refused: &mut Refused,
) {
    let traffic = &path.said.traffic;
    let Some(color) = path.said.color else { return };
    if traffic.prefixes.is_empty() || path.said.lists.iter().all(|list| labels(list).is_none()) {
        return;
    }
    if !traffic.dscp.is_empty() {
        let reason =
            "FRR colours routes, and a route is of every DSCP: its prefixes are not coloured";
        refused.push((path.policy.clone(), reason.to_owned()));
        return;
    }
    for (word, longest, of_ipv6) in [("ip", 32, false), ("ipv6", 128, true)] {
        let is_of = |prefix: &&IpNet| prefix.addr().is_ipv6() == of_ipv6;
        let name = format!("{route_map}-{}", plain(&path.policy));
        let mut number = 0;
        for prefix in traffic.prefixes.iter().filter(is_of) {
            number += 5;
            let shorter = prefix.prefix_len() < longest;
            let longer = if shorter { format!(" le {longest}") } else { String::new() };
            let entry =
                format!("{word} prefix-list {name} seq {number} permit {}{longer}", prefix.trunc());
            lists.push(Block::line(entry));
        }
        if number > 0 {
            let place = 10 * (entries.len() + 1);
            entries.push(Block::of(
                format!("route-map {route_map} permit {place}"),
                vec![
                    Block::line(format!("match {word} address prefix-list {name}")),
                    Block::line(format!("set sr-te color {color}")),
                ],
            ));
        }
    }
}

/// One word, whatever somebody has called a thing.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::block;
    use super::*;
    use crate::writer::table::Table;
    use crate::writer::table::tests::{list, path, table};

    fn labelled(name: &str, weight: u32, labels: &[u32]) -> Value {
        let mut list = list(name, weight, &[]);
        (list["sids"], list["labels"]) = (Value::Null, json!(labels));
        list
    }

    fn rendered(links: &[Link], paths: &[Value]) -> (String, Vec<String>) {
        let table = Table::read(&table(1, paths)).unwrap();
        let mut refused = Vec::new();
        let text = block::text(&all(links, &table.paths, "stamp", &mut refused));
        (text, refused.into_iter().map(|(_, reason)| reason).collect())
    }

    #[test]
    fn links_policies_and_colours_are_what_frr_reads() {
        let link = Link {
            interface: "eth0".to_owned(),
            delay_us: Some([2000, 1900, 2500]),
            variation_us: Some(30),
            loss: Some(0.000_003),
        };
        let bare = Link { interface: "eth1".to_owned(), ..Link::default() };
        let lists = json!([labelled("a b/0", 1, &[16011]), labelled("a b/1", 3, &[16005, 16011])]);
        let mut path = path("gaming to 11", &lists);
        path["traffic"] = json!({ "prefixes": ["198.51.100.0/24", "2001:db8::1/128"], "dscp": [] });
        let (text, refused) = rendered(&[link, bare], &[path]);
        let expected = include_str!("golden.conf");
        assert_eq!(text, expected);
        assert_eq!(refused, ["a candidate path of pathd has one list: the heaviest is taken"]);
        assert_eq!(block::text(&block::read(&text)), text);
    }

    #[test]
    fn what_frr_cannot_do_is_said() {
        let sids = path("a", &json!([list("a", 1, &["fc00::1"])]));
        let mut dscp = path("b", &json!([labelled("b", 1, &[16011])]));
        dscp["color"] = json!(101);
        let mut colourless = path("c", &json!([labelled("c", 1, &[16011])]));
        colourless["color"] = Value::Null;
        let (text, refused) = rendered(&[], &[sids, dscp, colourless, path("d", &json!([]))]);
        let expected = [
            "pathd puts labels on packets, and its lists have SIDs",
            "it has no color",
            "FRR colours routes, and a route is of every DSCP: its prefixes are not coloured",
        ];
        assert_eq!(refused, expected);
        assert!(!text.contains("route-map") && text.contains("policy color 101"), "{text}");
    }
}

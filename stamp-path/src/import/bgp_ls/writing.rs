//! The topology file.

use core::fmt::{Display, Write as _};

use stamp_document::quantity::Bandwidth;

use super::half::LinkFacts;
use super::network::{LinkDraft, Network, NodeDraft, PeerDraft};
use crate::import::Imported;
use crate::topology::Direction;

pub(super) fn written(network: Network) -> Imported {
    let mut text = "# From BGP-LS, as GoBGP tells it.\n".to_owned();
    let common = common_srgb(&network.nodes);
    if let Some(srgb) = common {
        let _ = writeln!(text, "\n[defaults]\nsrgb = {}", ranges(srgb));
    }
    for written in &network.nodes {
        node(&mut text, written, common.is_some());
    }
    let name = |place: usize| network.nodes.get(place).map_or("", |node| node.name.as_str());
    for written in &network.links {
        link(&mut text, written, written.ends.map(name));
    }
    for PeerDraft { at, autonomous_system, label, kind } in &network.peers {
        let at = name(*at);
        let _ =
            writeln!(text, "\n[[peer]]\nat = \"{at}\"\nas = {autonomous_system}\nlabel = {label}");
        let what = match *kind {
            "adjacency" => "# of one adjacency with it (RFC 9086)\n",
            "set" => "# of a set that it is in (RFC 9086)\n",
            _ => "",
        };
        text.push_str(what);
    }
    Imported { text, notes: network.notes }
}

/// The block that every node has which told one.
fn common_srgb(nodes: &[NodeDraft]) -> Option<&[(u32, u32)]> {
    let mut told = nodes.iter().map(|node| node.srgb.as_slice()).filter(|srgb| !srgb.is_empty());
    let first = told.next()?;
    let silent = nodes.iter().any(|node| node.sr && node.srgb.is_empty());
    (!silent && told.all(|srgb| srgb == first)).then_some(first)
}

fn ranges(srgb: &[(u32, u32)]) -> String {
    let ranges: Vec<String> =
        srgb.iter().map(|(first, last)| format!("[{first}, {last}]")).collect();
    format!("[{}]", ranges.join(", "))
}

fn quoted<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    format!("[{}]", values.join(", "))
}

fn node(text: &mut String, node: &NodeDraft, common: bool) {
    let _ = writeln!(text, "\n[[node]]\nname = \"{}\"", node.name);
    if let Some(number) = node.autonomous_system {
        let _ = writeln!(text, "as = {number}");
    }
    if let Some(domain) = &node.domain {
        let _ = writeln!(text, "domain = \"{domain}\"");
    }
    if !node.loopbacks.is_empty() {
        let _ = writeln!(text, "loopbacks = {}", quoted(&node.loopbacks));
    }
    if let Some(index) = node.index {
        let _ = writeln!(text, "index = {index}");
    }
    if !node.anycast.is_empty() {
        let entry = |(net, index): &(ipnet::IpNet, u32)| {
            let is_host = net.prefix_len() == net.max_prefix_len();
            let prefix = if is_host { net.addr().to_string() } else { net.to_string() };
            format!("{{ prefix = \"{prefix}\", index = {index} }}")
        };
        let entries: Vec<String> = node.anycast.iter().map(entry).collect();
        let _ = writeln!(text, "anycast = [{}]", entries.join(", "));
    }
    let sids = [("end", node.end), ("dt6", node.dt6), ("un", node.un)];
    let sids: Vec<String> =
        sids.iter().filter_map(|(key, sid)| Some(format!("{key} = \"{}\"", (*sid)?))).collect();
    if !sids.is_empty() {
        let _ = writeln!(text, "sids = {{ {} }}", sids.join(", "));
    }
    if !node.srgb.is_empty() && !common {
        let _ = writeln!(text, "srgb = {}", ranges(&node.srgb));
    }
    for (key, differs, value) in
        [("php", !node.php, false), ("sr", !node.sr, false), ("drained", node.drained, true)]
    {
        if differs {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
}

fn link(text: &mut String, link: &LinkDraft, [near, far]: [&str; 2]) {
    let _ = writeln!(text, "\n[[link]]\nends = [\"{near}\", \"{far}\"]");
    if let Some(name) = &link.name {
        let _ = writeln!(text, "name = \"{name}\"");
    }
    let [forth, back] = [0, 1].map(|way: usize| direction(&link.ways[way], link.drained[way]));
    for (key, value) in &forth {
        let follows = *key == "te" && forth.first().is_some_and(|(_, igp)| igp == value);
        if !follows && !is_usual(key, value) {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    for (key, pair) in [("adjacency", link.adjacency), ("interfaces", link.interfaces)] {
        if let Some([first, second]) = pair {
            let _ = writeln!(text, "{key} = [{first}, {second}]");
        }
    }
    if let Some(sids) = &link.end_x {
        let _ = writeln!(text, "end-x = {}", quoted(sids));
    }
    let [first, second] = &link.addresses;
    if !first.is_empty() || !second.is_empty() {
        let _ = writeln!(text, "addresses = [{}, {}]", quoted(first), quoted(second));
    }
    // A metric of traffic engineering follows the other one, which makes them one.
    let metrics_differ = forth.iter().zip(&back).take(METRICS).any(|(one, other)| one != other);
    let differing = forth.iter().zip(&back).enumerate().filter(|(number, (one, other))| {
        if *number < METRICS { metrics_differ } else { one != other }
    });
    let back: Vec<String> =
        differing.map(|(_, (_, (key, value)))| format!("{key} = {value}")).collect();
    if !back.is_empty() {
        let _ = writeln!(text, "back = {{ {} }}", back.join(", "));
    }
}

/// How many of the keys of a direction are metrics.
const METRICS: usize = 2;

/// Keys with their values, the same keys for each direction of a link.
fn direction(way: &LinkFacts, drained: bool) -> Vec<(&'static str, String)> {
    let igp = way.igp.unwrap_or(Direction::USUAL_METRIC);
    let mut keys = vec![("igp", igp.to_string()), ("te", way.te.unwrap_or(igp).to_string())];
    // 24 bits of a field (RFC 8571) are the most that a link can tell.
    let time = |us: u32| format!("\"{}us\"", us.min(0xff_ffff));
    keys.extend(way.delay_us.map(|us| ("delay", time(us))));
    keys.extend(way.variation_us.map(|us| ("jitter", time(us))));
    keys.extend(way.bits_per_second.map(|bits| ("bandwidth", format!("\"{}\"", Bandwidth(bits)))));
    let groups: Vec<String> = (0..32)
        .filter(|bit| way.groups & (1 << bit) != 0)
        .map(|bit| format!("group-{bit}"))
        .collect();
    keys.push(("affinities", quoted(&groups)));
    keys.push(("srlgs", format!("{:?}", way.srlgs)));
    keys.push(("drained", drained.to_string()));
    keys
}

/// Whether a file need not say it.
fn is_usual(key: &str, value: &str) -> bool {
    match key {
        "affinities" | "srlgs" => value == "[]",
        "drained" => value == "false",
        _ => false,
    }
}

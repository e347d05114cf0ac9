//! What a lab consists of, for people.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use stamp_config::quantity::{Ratio, print_duration};
use stamp_lab::{Impairment, Lab, Loss};
use stamp_path::Topology;
use stamp_path::topology::{LinkId, NodeId, Side, TimestampLabel};

/// Width of the first column.
const WIDTH: usize = 12;

/// Nodes and links with everything a sender can name.
pub(super) fn of(lab: &Lab) -> String {
    let topology = lab.topology();
    let mut text = String::new();
    for node in topology.ids() {
        node_lines(topology, node, &mut text);
    }
    text.push('\n');
    for plan in &lab.plan().links {
        link_lines(lab, plan.link, &mut text);
    }
    text
}

/// What to try next.
pub(super) fn hints(lab: &Lab) -> String {
    let topology = lab.topology();
    let name = |node: Option<NodeId>| node.map_or("NODE", |node| topology[node].name.as_str());
    let (near, far) = (name(topology.ids().next()), name(topology.ids().nth(1)));
    let mut text = format!(
        "Try:\n  stamp-sender lab exec {far} stamp-reflector --listen :8620 &\n  \
         stamp-sender lab exec {near} stamp-sender {far}:8620 -c 5\n"
    );
    if let Some(plan) = lab.plan().links.first() {
        let link = &topology[plan.link];
        let [from, to] = link.ends.map(|end| &topology[end].name);
        let _infallible = writeln!(
            text,
            "  stamp-sender lab degrade '{}:{from}>{to}' --delay 5ms --loss 1%",
            link.name
        );
    }
    text + "  stamp-sender lab down\n"
}

/// What happens to packets on a link, a line for each direction.
pub(super) fn treatment(lab: &Lab, link: LinkId) -> String {
    let topology = lab.topology();
    let mut text = String::new();
    for side in Side::BOTH {
        let ends = [side, side.opposite()].map(|side| &topology[topology[link].at(side)].name);
        let way = format!("  {} > {}", ends[0], ends[1]);
        let counts = lab.counts(link, side).map_or_else(String::new, |counts| {
            format!("; {} packets, {} lost", counts.seen, counts.lost)
        });
        let treatment = in_words(&lab.impairment(link, side));
        line(&mut text, &way, &format!("{treatment}{counts}"));
    }
    text
}

/// The names of nodes, in the form of `/etc/hosts`.
pub(super) fn hosts(topology: &Topology) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost\n");
    for node in &topology.nodes {
        for address in &node.loopbacks {
            let _infallible = writeln!(text, "{address} {}", node.name);
        }
    }
    text
}

fn node_lines(topology: &Topology, id: NodeId, text: &mut String) {
    let node = &topology[id];
    let addresses: Vec<String> = node.loopbacks.iter().map(IpAddr::to_string).collect();
    line(text, &format!("node {}", node.name), &addresses.join(", "));
    let own = node.index.and_then(|index| Some((index, node.label_of(index)?)));
    if let Some((index, label)) = own.filter(|_| node.sr) {
        line(text, "  label", &format!("{label} here, index {index}"));
    }
    match node.timestamp_label {
        Some(TimestampLabel::Extended { label }) => {
            line(text, "  timestamp", &format!("label {label} below 15"));
        }
        Some(TimestampLabel::Assigned { label, .. }) => {
            line(text, "  timestamp", &format!("label {label}"));
        }
        None => {}
    }
    let sids = [
        ("End", node.sids.end.map(|sid| sid.to_string())),
        ("End.DT6", node.sids.dt6.map(|sid| sid.to_string())),
        ("End.TSF", node.sids.tsf.map(|sid| sid.to_string())),
        ("uN", node.sids.un.map(|sid| sid.to_string())),
    ];
    let sids = sids.into_iter().filter_map(|(kind, sid)| Some(format!("{kind} {}", sid?)));
    let sids: Vec<String> = sids.collect();
    if !sids.is_empty() {
        line(text, "  SIDs", &sids.join(", "));
    }
}

fn link_lines(lab: &Lab, id: LinkId, text: &mut String) {
    let topology = lab.topology();
    let link = &topology[id];
    let names = link.ends.map(|end| topology[end].name.as_str());
    if let Some(plan) = lab.plan().link(id) {
        let ends = Side::BOTH.map(|side| {
            let (end, name) = (plan.end(side), side.choose(names[0], names[1]));
            format!("{name} {} {}", end.ipv4.addr(), end.ipv6.addr())
        });
        line(text, &format!("link {}", link.name), &ends.join(" - "));
    }
    if let Some([first, second]) = link.adjacency {
        let labels = format!("{first} at {}, {second} at {}", names[0], names[1]);
        line(text, "  labels", &labels);
    }
    if let Some([first, second]) = link.end_x {
        line(text, "  End.X", &format!("{first} at {}, {second} at {}", names[0], names[1]));
    }
    text.push_str(&treatment(lab, id));
}

fn line(text: &mut String, what: &str, how: &str) {
    let _infallible = writeln!(text, "{what:WIDTH$} {how}");
}

fn in_words(impairment: &Impairment) -> String {
    let mut words = Vec::new();
    let times = [("delay", impairment.delay), ("jitter", impairment.jitter)];
    for (what, time) in times.into_iter().filter(|(_, time)| *time != Duration::ZERO) {
        words.push(format!("{what} {}", print_duration(time)));
    }
    if let Loss::Share(share) = impairment.loss {
        words.push(format!("loss {share}"));
    }
    if impairment.reordering != Ratio::ZERO {
        words.push(format!("reordering {}", impairment.reordering));
    }
    if words.is_empty() { "as it comes".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_treatment_is_told_in_the_words_of_the_flags() {
        let mut impairment = Impairment::default();
        assert_eq!(in_words(&impairment), "as it comes");
        impairment.delay = Duration::from_micros(1500);
        impairment.loss = Loss::Share(Ratio::from_billionths(15_000_000).unwrap());
        assert_eq!(in_words(&impairment), "delay 1500us, loss 1.5%");
    }

    #[test]
    fn every_address_of_a_node_has_its_name() {
        let text = "[[node]]\nname = \"a\"\nloopbacks = [\"192.0.2.1\", \"2001:db8::1\"]\n";
        let hosts = hosts(&Topology::read("t", text).unwrap());
        assert!(hosts.ends_with("192.0.2.1 a\n2001:db8::1 a\n"), "{hosts}");
    }
}

//! A packet laid open: layer by layer as it leaves, and what each node on the way finds on top.

use std::fmt::Write as _;
use std::iter::Peekable;

use stamp_proto::sr::encapsulation::Template;
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_proto::sr::mpls::{LabelRole, LabelStackEntry};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::sr::srh::Srh;

use super::Plan;
use crate::exit::Failure;

/// Widest name of a layer.
const NAME: usize = 7;

/// The packet that `template` makes of `payload`, as text; `names` stand beside the labels that were
/// made of them.
///
/// # Errors
///
/// [`Failure::Usage`] when the payload does not fit behind the headers.
pub fn show(
    plan: &Plan,
    names: &[(String, String)],
    template: &Template,
    payload: &[u8],
) -> Result<String, Failure> {
    let mut room = vec![0; template.header_octets() + payload.len()];
    let packet = template
        .emit(payload, &mut room)
        .map_err(|error| super::usage("--size", &error.to_string()))?;
    let outermost = match template.ether_type() {
        EtherType::MPLS => Outermost::Mpls,
        _ => Outermost::Ip,
    };
    let mut text = format!(
        "{} {}: {} octets, {} of them for steering\n",
        plan.mode.label(),
        plan.info.encapsulation,
        packet.len(),
        template.overhead()
    );
    let mut names = names.iter().peekable();
    let mut stack = Vec::new();
    let mut header = None;
    for layer in Layers::new(outermost, packet) {
        match layer {
            Ok((offset, layer)) => {
                let (name, mut what) = describe(&layer);
                what.extend(named(&layer, &mut names));
                line(&mut text, offset, name, &what);
                match layer {
                    Layer::Mpls { entry, role } => stack.push((entry, role)),
                    Layer::Srh(srh) => header = header.or(Some(srh)),
                    _ => {}
                }
            }
            Err(error) => line(&mut text, error.offset(), "error", &error.to_string()),
        }
    }
    line(&mut text, template.header_octets(), "STAMP", &format!("probe, {} octets", payload.len()));
    text.push_str(&labels_on_the_way(&stack));
    if let Some(srh) = header {
        text.push_str(&segments_on_the_way(&srh));
    }
    Ok(text)
}

/// What a label was called, in the order of the stack.
fn named<'n>(
    layer: &Layer<'_>,
    names: &mut Peekable<impl Iterator<Item = &'n (String, String)>>,
) -> Option<String> {
    let Layer::Mpls { entry, role: LabelRole::Segment } = layer else { return None };
    let (_, name) = names.next_if(|(label, _)| *label == entry.label.to_string())?;
    Some(format!("  {name}"))
}

fn line(text: &mut String, offset: usize, name: &str, what: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "  {offset:>4}  {name:<NAME$} {what}");
}

fn describe(layer: &Layer<'_>) -> (&'static str, String) {
    match layer {
        Layer::Ethernet { destination, source, ether_type } => {
            ("Eth", format!("{source:02x?} > {destination:02x?}, type {ether_type}"))
        }
        Layer::Vlan { tag, ether_type } => ("VLAN", format!("{tag}, type {ether_type}")),
        Layer::Mpls { entry, role } => ("MPLS", label(entry, *role)),
        Layer::Ipv4 { header, checksum_right } => (
            "IPv4",
            format!(
                "{} > {}, TTL {}, DSCP {}, DF{}",
                header.source,
                header.destination,
                header.ttl.0,
                header.dscp,
                if *checksum_right { "" } else { ", checksum WRONG" }
            ),
        ),
        Layer::Ipv6(header) => (
            "IPv6",
            format!(
                "{} > {}, hop limit {}, DSCP {}, flow label {:#x}, next {}",
                header.source,
                header.destination,
                header.hop_limit.0,
                header.dscp,
                header.flow_label.value(),
                header.next_header
            ),
        ),
        Layer::Srh(srh) => ("SRH", routing(srh)),
        Layer::Extension { kind, octets, .. } => {
            ("Ext", format!("{kind}, {} octets", octets.len()))
        }
        Layer::Fragment { offset, .. } => ("Frag", format!("offset {offset}")),
        Layer::Udp { datagram, .. } => {
            let header = &datagram.header;
            (
                "UDP",
                format!(
                    "{} > {}, length {}, checksum {:#06x}",
                    header.source_port, header.destination_port, header.length, header.checksum
                ),
            )
        }
        Layer::Opaque { octets, .. } => ("?", format!("{} octets", octets.len())),
    }
}

fn label(entry: &LabelStackEntry, role: LabelRole) -> String {
    let name = match role {
        LabelRole::Segment => "segment".to_owned(),
        LabelRole::Special => entry.label.name().unwrap_or("special").to_owned(),
        LabelRole::Extension => "Extension Label".to_owned(),
        LabelRole::Extended => "extended label: writes T2".to_owned(),
        LabelRole::EntropyIndicator => "Entropy Label Indicator".to_owned(),
        LabelRole::Entropy => "entropy".to_owned(),
    };
    let bottom = if entry.bottom { ", bottom" } else { "" };
    format!(
        "{}, TC {}, TTL {}{bottom}  ({name})",
        entry.label,
        entry.traffic_class.value(),
        entry.ttl
    )
}

fn routing(srh: &Srh<'_>) -> String {
    let list: Vec<String> = srh.travel().map(|sid| sid.to_string()).collect();
    format!(
        "segments left {}, last entry {}, in the order of travel {}",
        srh.segments_left,
        srh.list().len().saturating_sub(1),
        list.join(" ")
    )
}

/// What is left of a stack behind each segment.
fn labels_on_the_way(stack: &[(LabelStackEntry, LabelRole)]) -> String {
    if stack.is_empty() {
        return String::new();
    }
    let mut text = "the stack on its way\n".to_owned();
    let rest = |from: usize| {
        let labels: Vec<String> =
            stack.iter().skip(from).map(|(entry, _)| entry.label.to_string()).collect();
        if labels.is_empty() {
            "none: routed by its IP header".to_owned()
        } else {
            labels.join(" ")
        }
    };
    let _ = writeln!(text, "  leaves here with     {}", rest(0));
    for (at, (entry, role)) in stack.iter().enumerate() {
        let by = match role {
            LabelRole::Segment | LabelRole::Special => entry.label.to_string(),
            LabelRole::Extended => format!("15 {}", entry.label),
            _ => continue,
        };
        let _ = writeln!(text, "  behind {by:<13} {}", rest(at + 1));
    }
    text
}

/// Destination address and Segments Left at each node that acts on the header.
fn segments_on_the_way(srh: &Srh<'_>) -> String {
    let mut text = "the header on its way\n".to_owned();
    let list: Vec<_> = srh.list().collect();
    for left in (0..=usize::from(srh.segments_left)).rev() {
        let destination = match list.get(left) {
            Some(sid) => sid.to_string(),
            // A reduced list leaves the first segment to the destination address.
            None => "the destination address above".to_owned(),
        };
        let _ = writeln!(text, "  segments left {left:<3}    {destination}");
    }
    text
}

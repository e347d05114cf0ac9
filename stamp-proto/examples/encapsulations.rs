//! Prints a packet of every encapsulation that a probe can have, for other programs to read.
//!
//! A line each: its number in the table of modes, the EtherType, the octets of the network layer.
//! `tests/interop/cases/encapsulations.py` says what they should be.

use std::net::{IpAddr, Ipv6Addr};

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::csid::NextCsid;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::header::FlowLabel;
use stamp_proto::sr::mpls::{EntropyLabel, Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};
use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::return_path::ReturnPathRequest;
use stamp_proto::writer::Writer;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const S4: &str = "192.0.2.1";
const R4: &str = "192.0.2.11";
const S6: &str = "2001:db8:0:1::1";
const R6: &str = "2001:db8:0:b::1";
const FORWARD: [u32; 2] = [16_005, 16_011];
const REVERSE: [u32; 2] = [16_004, 16_001];
const TIMESTAMP: [u32; 2] = [15, 240];
const OUT: [&str; 2] = ["2001:db8:5:e::", "2001:db8:b:f16::"];
const BACK: [&str; 2] = ["2001:db8:5:e::", "2001:db8:1:e::"];

fn main() -> Outcome {
    labels()?;
    segments()?;
    containers()
}

fn flow(source: &str, destination: &str, port: u16) -> Outcome<Flow> {
    let (source, destination): (IpAddr, IpAddr) = (source.parse()?, destination.parse()?);
    let addresses = AddressPair::new(source, destination).ok_or("two families")?;
    Ok(Flow {
        dscp: Dscp::from_name("EF").ok_or("no such name")?,
        ecn: Ecn::NotEct,
        hop_limit: HopLimit::MAX,
        flow_label: FlowLabel::new(0x1_2345).ok_or("more than 20 bits")?,
        identification: 0x1234,
        ..Flow::new(addresses, 49_200, port)
    })
}

fn probe(tlvs: impl FnOnce(&mut Writer<'_>) -> Outcome) -> Outcome<Vec<u8>> {
    let at = WallTime::from_unix_ns(1_709_210_096_789_012_345);
    let mut octets = [0; 128];
    let mut writer = Writer::new(&mut octets);
    SenderPacket {
        sequence: 1,
        timestamp: Timestamp::from_wall(at, TimestampFormat::Ntp),
        error_estimate: ErrorEstimate::new(1_000, true, TimestampFormat::Ntp),
        ssid: Ssid(0x1234),
    }
    .emit(AuthenticationMode::Unauthenticated, writer.reserve("probe", 44)?)?;
    tlvs(&mut writer)?;
    Ok(writer.into_written().to_vec())
}

fn show(name: &str, wish: Encapsulation<'_>, flow: &Flow, payload: &[u8]) -> Outcome {
    let template = wish.compose(flow, Limits::default())?;
    let mut out = [0; 512];
    let packet = template.emit(payload, &mut out)?;
    let octets: String = packet.iter().map(|octet| format!("{octet:02x}")).collect();
    println!("{name} {:04x} {octets}", template.ether_type().0);
    Ok(())
}

fn stack(parts: &[&[u32]]) -> Outcome<LabelStack> {
    let labels: Option<Vec<Label>> = parts.concat().into_iter().map(Label::new).collect();
    Ok(LabelStack::from_labels(labels.ok_or("more than 20 bits")?)?)
}

/// M1 to M8: a label stack in front of IPv4, and some of IPv6.
fn labels() -> Outcome {
    let plain = probe(|_| Ok(()))?;
    let named = probe(|tlvs| Ok(DestinationNodeAddress(R4.parse()?).emit_request(tlvs)?))?;
    let reverse = stack(&[&REVERSE])?;
    let returned = probe(|tlvs| {
        let request = ReturnPathRequest::Mpls { stack: &reverse, address: None };
        Ok(request.emit_request(tlvs)?)
    })?;
    let named6 = probe(|tlvs| Ok(DestinationNodeAddress(R6.parse()?).emit_request(tlvs)?))?;
    let forward = stack(&[&FORWARD])?;
    let there = stack(&[&FORWARD, &TIMESTAMP])?;
    let back = stack(&[&FORWARD, &REVERSE])?;
    let there_and_back = stack(&[&FORWARD, &TIMESTAMP, &REVERSE])?;
    let binding = stack(&[&FORWARD, &TIMESTAMP, &[24_001]])?;
    let swept = there.with_entropy(1, EntropyLabel::new(100_000).ok_or("no entropy label")?)?;
    let null = stack(&[&FORWARD, &TIMESTAMP, &[2]])?;
    for (name, stack, source, destination, port, payload) in [
        ("M1", &forward, S4, R4, 862, &plain),
        ("M1-ipv6", &forward, S6, R6, 862, &plain),
        ("M2", &forward, S4, "127.0.0.9", 862, &named),
        ("M2-ipv6", &forward, S6, "::1", 862, &named6),
        ("M3", &forward, S4, R4, 862, &returned),
        ("M4", &forward, S4, S4, 49_300, &plain),
        ("M5", &back, S4, S4, 49_300, &plain),
        ("M6", &there, S4, S4, 49_300, &plain),
        ("M6-entropy", &swept, S4, S4, 49_300, &plain),
        ("M6-null", &null, S6, S6, 49_300, &plain),
        ("M7", &there_and_back, S4, S4, 49_300, &plain),
        ("M8", &binding, S4, S4, 49_300, &plain),
    ] {
        show(name, Encapsulation::Mpls(stack), &flow(source, destination, port)?, payload)?;
    }
    Ok(())
}

fn list(sids: &[&str]) -> Outcome<SegmentList> {
    let sids: Result<Vec<Sid>, _> =
        sids.iter().map(|sid| sid.parse::<Ipv6Addr>().map(Sid)).collect();
    SegmentList::new(sids?).ok_or_else(|| "an empty list".into())
}

fn host(path: &Srv6Path, form: SrhForm) -> Encapsulation<'_> {
    Encapsulation::HostSrh { path, form, extras: SrhExtras::default() }
}

fn tunnel(path: &Srv6Path, form: SrhForm) -> Outcome<Encapsulation<'_>> {
    let extras = SrhExtras::default();
    Ok(Encapsulation::Srv6Tunnel { source: S6.parse()?, path, form, extras })
}

/// V1 to V6 and V8: Segment Routing Headers.
fn segments() -> Outcome {
    let plain = probe(|_| Ok(()))?;
    let named = probe(|tlvs| Ok(DestinationNodeAddress(R6.parse()?).emit_request(tlvs)?))?;
    let out = Srv6Path::from(list(&OUT)?);
    let to_reflector = Srv6Path::from(list(&[OUT[0], OUT[1], R6])?);
    let there_and_back = Srv6Path::from(list(&[OUT, BACK].concat())?);
    let binding = Srv6Path::from(list(&[OUT[0], OUT[1], "2001:db8:b:b1d::", BACK[1]])?);
    let (full, reduced) = (SrhForm::Full, SrhForm::Reduced);
    show("V1", tunnel(&out, full)?, &flow(S6, R6, 862)?, &plain)?;
    show("V1-loopback", tunnel(&out, full)?, &flow(S6, "::1", 862)?, &named)?;
    show("V1-ipv4", tunnel(&out, reduced)?, &flow(S4, R4, 862)?, &plain)?;
    show("V2", host(&to_reflector, full), &flow(S6, R6, 862)?, &plain)?;
    show("V2-reduced", host(&to_reflector, reduced), &flow(S6, R6, 862)?, &plain)?;
    show("V3", tunnel(&out, reduced)?, &flow(S6, S6, 49_300)?, &plain)?;
    show("V4", host(&there_and_back, reduced), &flow(S6, BACK[1], 49_300)?, &plain)?;
    show("V5", tunnel(&out, full)?, &flow(S6, S6, 49_300)?, &plain)?;
    show("V6", host(&there_and_back, full), &flow(S6, BACK[1], 49_300)?, &plain)?;
    show("V8", host(&binding, full), &flow(S6, BACK[1], 49_300)?, &plain)
}

/// V7: compressed SIDs, in one container and in two.
fn containers() -> Outcome {
    let plain = probe(|_| Ok(()))?;
    let block = NextCsid::new("fcbb:bb00::".parse()?, 32, 16)?;
    let out = list(&["fcbb:bb00:5::", "fcbb:bb00:b:f016::"])?;
    let long: Vec<String> = (1..=8).map(|node| format!("fcbb:bb00:{node}::")).collect();
    let long = list(&long.iter().map(String::as_str).collect::<Vec<_>>())?;
    let one = Srv6Path::from(block.compress(&out)?);
    let back = one.clone().then(S6.parse()?)?;
    let two = Srv6Path::from(block.compress(&long)?);
    let reduced = SrhForm::Reduced;
    show("V7-tunnel", tunnel(&one, reduced)?, &flow(S6, S6, 49_300)?, &plain)?;
    show("V7-host", host(&one, reduced), &flow(S6, "fcbb:bb00:b:f016::", 862)?, &plain)?;
    show("V7-back", host(&back, reduced), &flow(S6, S6, 49_300)?, &plain)?;
    show("V7-two", tunnel(&two, SrhForm::Full)?, &flow(S6, S6, 49_300)?, &plain)
}

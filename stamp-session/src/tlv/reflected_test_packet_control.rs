//! Reflected Test Packet Control TLV (RFC 10052 §3): how many replies a probe gets, how long and how
//! far apart, as far as its source may have them.

use stamp_proto::tlv::reflected_test_packet_control::{
    AddressGroup, ControlDialect, FIELD_OCTETS, ReflectedPackets, ReflectedTestPacketControl,
    ReflectedTestPacketControlRequest, reflect as reflect_value,
};
use stamp_proto::tlv::{TlvFlags, TlvMut, TlvType, TlvsMut};

use super::{Ask, Exchange, Handler, Kind, Outcome, TlvCounts, Wish, Wishes};
use crate::sender::Told;

pub(super) const HANDLER: Handler = Handler {
    kind: Kind::Assigned(TlvType::REFLECTED_TEST_PACKET_CONTROL),
    governed: true,
    is_valid_length: |octets| octets >= DIALECT.edition.least_value_octets(),
    sub_tlvs_from: Some(FIELD_OCTETS),
    reflect,
    ask: Some(Ask {
        octets: |requests| {
            requests.packets.map_or(0, |packets| request(packets).encoded_octets(DIALECT))
        },
        times: 1,
        emit: |asked, writer| {
            let packets = asked.requests.packets;
            packets.map_or(Ok(()), |packets| request(packets).emit_request(DIALECT, writer))
        },
        take: |granted, value, _, answers| {
            let read = || ReflectedTestPacketControl::parse(value, DIALECT).ok();
            answers.packets = Told::of(granted, || read().map(|control| control.packets));
        },
    }),
};

/// As published, without what drafts would add.
const DIALECT: ControlDialect = ControlDialect {
    edition: stamp_proto::tlv::reflected_test_packet_control::Edition::Published,
    extension_header_control: None,
};

fn request(packets: ReflectedPackets) -> ReflectedTestPacketControlRequest {
    ReflectedTestPacketControlRequest { packets, ..Default::default() }
}

/// In the order that the RFC has: whom it concerns, whether it may be asked, what is too much.
fn reflect(exchange: &Exchange<'_>, tlv: &mut TlvMut<'_>, wishes: &mut Wishes) -> Outcome {
    let Ok(control) = ReflectedTestPacketControl::parse(tlv.value, DIALECT) else {
        // Marks the sub-TLV that is wrong; of an answer there is nothing else.
        let _ = reflect_value(tlv.value, DIALECT, false);
        return Outcome::Malformed;
    };
    let wanted = control.packets;
    let mut groups = control.address_groups().peekable();
    let is_for_others = groups.peek().is_some() && !groups.any(|group| concerns(exchange, &group));
    drop(groups);
    if is_for_others {
        wishes.not_addressed = true;
        return Outcome::Processed;
    }
    let Some(rules) = &exchange.rules.packet_control else { return Outcome::Unrecognized };
    // One is enough, and two contradict each other.
    if core::mem::replace(&mut wishes.packet_control_seen, true) {
        return Outcome::Unrecognized;
    }
    if reflect_value(tlv.value, DIALECT, false).is_err() {
        return Outcome::Malformed;
    }
    if exchange.overtaken {
        // Its number is not above those before it: it may have been held back, or be a copy.
        return Outcome::Unrecognized;
    }
    if wanted.count == 0 {
        wishes.no_packets = true;
        return Outcome::Processed;
    }
    if wishes.way == Wish::NoReply {
        // None and some: the contradiction is told once the way is known to be undone.
        wishes.contradiction = true;
        return Outcome::Unrecognized;
    }
    let octets = wanted.rounded_octets().max(exchange.reply_octets);
    let source = exchange.ends.from.ip();
    let limits = (rules, exchange.packet_control_total);
    let Some(octets_per_second) = exchange.bursts.allow(source, limits, &wanted, octets) else {
        return Outcome::Nonconformant;
    };
    wishes.packets = Some(GrantedPackets { octets, wanted, octets_per_second });
    Outcome::Processed
}

/// No reply and several cannot both be had: there is one, and neither is done (RFC 10052 §3).
pub(super) fn settle(area: &mut [u8], counts: &mut TlvCounts, wishes: &mut Wishes) {
    if wishes.way != Wish::NoReply || !(wishes.packets.is_some() || wishes.contradiction) {
        return;
    }
    let both = [TlvType::RETURN_PATH, TlvType::REFLECTED_TEST_PACKET_CONTROL];
    for mut tlv in TlvsMut::new(area).flatten() {
        if both.contains(&tlv.kind) && !tlv.flags().is_unrecognized() {
            tlv.set_flags(TlvFlags::UNRECOGNIZED);
            counts.processed = counts.processed.saturating_sub(1);
            counts.unrecognized = counts.unrecognized.saturating_add(1);
        }
    }
    (wishes.way, wishes.packets) = (Wish::None, None);
}

/// What a probe gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GrantedPackets {
    /// Octets of each.
    pub(crate) octets: u32,
    /// What was asked for.
    pub(crate) wanted: ReflectedPackets,
    /// What that comes to.
    pub(crate) octets_per_second: u64,
}

fn concerns(exchange: &Exchange<'_>, group: &AddressGroup) -> bool {
    match group {
        AddressGroup::Layer2(group) => {
            exchange.own_links.iter().any(|address| group.contains(address))
        }
        AddressGroup::Layer3(group) => exchange.returns.has_own_in(group.prefix(), group.bits()),
    }
}

//! The maps that tell the program what to do; `bpf/tables.h` is the other side.

use std::net::Ipv6Addr;

use aya::Ebpf;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{Array, HashMap};
use stamp_proto::sr::mpls::Label;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};

use super::{count, refused};
use crate::error::NetError;

/// One timestamp label or End.TSF SID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TcRule {
    /// What a packet carries.
    pub trigger: TcTrigger,
    /// Numbers of the interfaces it is accepted on.
    pub interfaces: Vec<u32>,
    /// Where T2 is written, in octets of the UDP payload.
    pub offset: u16,
    /// How.
    pub format: TimestampFormat,
    /// Whether PTP seconds are UTC or TAI.
    pub ptp_utc_offset: PtpUtcOffset,
    /// UDP destination ports of test packets; none for all.
    pub ports: Vec<u16>,
    /// Packets per second; none for no limit.
    pub rate_limit: Option<u32>,
}

/// What asks for a timestamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TcTrigger {
    /// This label on top.
    Label(Label),
    /// A destination address in this prefix.
    Sid {
        /// Its first address.
        prefix: Ipv6Addr,
        /// Its length.
        bits: u8,
        /// With the NEXT-CSID flavour: bits of the block and of what is shifted out behind it.
        shift: Option<(u8, u8)>,
    },
}

/// `struct rule` of the program.
type Words = [u64; 8];

/// Every interface that something is accepted on, once.
pub(super) fn interfaces(rules: &[TcRule]) -> Vec<u32> {
    let mut all: Vec<u32> = rules.iter().flat_map(|rule| rule.interfaces.clone()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// How many entries each map needs.
pub(super) fn sizes(rules: &[TcRule], interfaces: usize) -> [(&'static str, u32); 7] {
    let labels = rules.iter().filter(|rule| matches!(rule.trigger, TcTrigger::Label(_))).count();
    let ports = rules.iter().map(|rule| rule.ports.len()).sum();
    // A map without room for anything is refused.
    let room = |entries: usize| u32::try_from(entries.max(1)).unwrap_or(u32::MAX);
    [
        ("rules", room(rules.len())),
        ("budgets", room(rules.len())),
        ("sids", room(rules.len() - labels)),
        ("labels", room(labels)),
        ("interfaces", room(interfaces)),
        ("ports", room(ports)),
        ("counters", room(count::counters(rules.len()))),
    ]
}

pub(super) fn fill(kernel: &mut Ebpf, rules: &[TcRule], slots: &[u32]) -> Result<(), NetError> {
    let mut numbers = hash(kernel, "interfaces")?;
    for (interface, slot) in slots.iter().zip(0..) {
        numbers.insert(*interface, slot, 0).map_err(refused)?;
    }
    let mut ports = hash(kernel, "ports")?;
    for (rule, index) in rules.iter().zip(0_u32..) {
        for port in &rule.ports {
            ports.insert(index << 16 | u32::from(*port), 0, 0).map_err(refused)?;
        }
    }
    for (rule, index) in rules.iter().zip(0..) {
        let map = kernel.map_mut("rules").ok_or(NetError::BpfObject)?;
        let mut table = Array::<_, Words>::try_from(map).map_err(refused)?;
        table.set(index, words(rule, slots), 0).map_err(refused)?;
        match rule.trigger {
            TcTrigger::Label(label) => {
                let mut labels = hash(kernel, "labels")?;
                labels.insert(label.value(), index, 0).map_err(refused)?;
            }
            TcTrigger::Sid { prefix, bits, .. } => {
                let map = kernel.map_mut("sids").ok_or(NetError::BpfObject)?;
                let mut sids = LpmTrie::<_, [u8; 16], u32>::try_from(map).map_err(refused)?;
                let key = Key::new(bits.into(), prefix.octets());
                sids.insert(&key, index, 0).map_err(refused)?;
            }
        }
    }
    Ok(())
}

fn hash<'k>(
    kernel: &'k mut Ebpf,
    name: &str,
) -> Result<HashMap<&'k mut aya::maps::MapData, u32, u32>, NetError> {
    let map = kernel.map_mut(name).ok_or(NetError::BpfObject)?;
    HashMap::try_from(map).map_err(refused)
}

fn words(rule: &TcRule, slots: &[u32]) -> Words {
    const SECOND_NS: u64 = 1_000_000_000;
    let bit = |interface: &u32| slots.iter().position(|slot| slot == interface);
    let accepted = rule.interfaces.iter().filter_map(bit).fold(0, |bits, slot| bits | 1 << slot);
    let interval = |limit: u32| SECOND_NS.checked_div(limit.into()).unwrap_or(u64::MAX);
    let (block_bits, own_bits) = match rule.trigger {
        TcTrigger::Sid { shift: Some(widths), .. } => widths,
        TcTrigger::Sid { shift: None, .. } | TcTrigger::Label(_) => (0, 0),
    };
    [
        accepted,
        rule.rate_limit.map_or(0, interval),
        rule.offset.into(),
        i64::from(rule.ptp_utc_offset.seconds()).cast_unsigned(),
        match rule.format {
            TimestampFormat::Ptp => 0,
            TimestampFormat::Ntp => 1,
        },
        u64::from(!rule.ports.is_empty()),
        block_bits.into(),
        own_bits.into(),
    ]
}

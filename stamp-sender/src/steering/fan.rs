//! One host, several sessions: a loop to each segment of a list, or one list over many equal paths.

use std::net::Ipv4Addr;

use stamp_config::steering::Segments;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::sr::header::FlowLabel;
use stamp_proto::sr::mpls::EntropyLabel;

use super::lag::{Member, over_members};
use super::{Plan, Way, usage};
use crate::command_line::{ModeName, SteeringFlags};
use crate::exit::Failure;

/// Entropy labels of a sweep begin here: above what is special, below what many nodes assign.
const FIRST_ENTROPY_LABEL: u32 = 0x000f_0000;
/// Flow labels of a sweep are spread by this, an odd number of 20 bits (2^20 by the golden ratio).
const FLOW_LABEL_STEP: u32 = 0x0009_e377;

/// One of the sessions that a host becomes.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Behind the name of the host; empty when there is one session only.
    pub suffix: String,
    /// Its way.
    pub plan: Plan,
    /// Member link of a LAG that it keeps to.
    pub member: Option<Member>,
}

/// What makes one of several packets of a list take another of equal paths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entropy {
    /// Of every IPv6 header.
    flow_label: FlowLabel,
    /// Below the last label of the way there.
    label: Option<EntropyLabel>,
    /// Added to an address of 127/8, all of which mean the node at the end of the labels.
    address_step: u32,
}

impl Entropy {
    /// Nothing but the ports.
    const PORTS: Self = Self { flow_label: FlowLabel::NONE, label: None, address_step: 0 };
}

/// The sessions that each host becomes.
///
/// # Errors
///
/// [`Failure::Usage`] for what contradicts itself or cannot be built.
pub fn branches(
    flags: &SteeringFlags,
    authentication: AuthenticationMode,
    hosts: &[String],
) -> Result<Vec<Branch>, Failure> {
    over_members(ways(flags, authentication, hosts)?, flags)
}

fn ways(
    flags: &SteeringFlags,
    authentication: AuthenticationMode,
    hosts: &[String],
) -> Result<Vec<Branch>, Failure> {
    if flags.per_segment {
        return per_segment(flags, authentication);
    }
    let plan = Plan::new(flags, authentication)?;
    let Some(count) = flags.entropy_sweep else {
        return Ok(vec![Branch { suffix: String::new(), plan, member: None }]);
    };
    let local = hosts.iter().all(|host| is_local(host));
    (0..u32::from(count)).map(|number| swept(&plan, local, number)).collect()
}

/// A loop to the end of each prefix of the list: the first that is slow or loses shows where.
fn per_segment(
    flags: &SteeringFlags,
    authentication: AuthenticationMode,
) -> Result<Vec<Branch>, Failure> {
    let Some(segments) = flags.segments.as_ref().filter(|_| flags.mode == ModeName::Loopback)
    else {
        return Err(usage("--per-segment", "loops to each of --segments: needs --mode loopback"));
    };
    let prefix = |length: usize| match segments {
        Segments::Labels(labels) => Segments::Labels(labels.iter().take(length).copied().collect()),
        Segments::Sids(sids) => Segments::Sids(sids.iter().take(length).copied().collect()),
    };
    let words = segments.words();
    words
        .iter()
        .zip(1..)
        .map(|(segment, length)| {
            let flags = SteeringFlags { segments: Some(prefix(length)), ..flags.clone() };
            let plan = Plan::new(&flags, authentication)?;
            Ok(Branch { suffix: format!(" to {segment}"), plan, member: None })
        })
        .collect()
}

/// `127.0.0.1`, or another of 127/8, with or without a port.
fn is_local(host: &str) -> bool {
    let address = host.split_once(':').map_or(host, |(address, _)| address);
    address.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// The same list, with other bits for nodes to choose among equal paths by.
///
/// Sessions have ports of their own, which is all that a socket varies; the kernel makes the flow
/// label of what it sends out of them.
fn swept(plan: &Plan, local: bool, number: u32) -> Result<Branch, Failure> {
    let mut plan = plan.clone();
    if let Some(plain) = plan.plain.take() {
        plan.plain = Some(Box::new(swept(&plain, local, number)?.plan));
    }
    let entropy = match &plan.way {
        Way::Plain => Entropy::PORTS,
        // What nodes without entropy labels look at (RFC 9503 §3).
        Way::Mpls(_) if local => Entropy { address_step: number, ..Entropy::PORTS },
        Way::Mpls(_) => Entropy {
            label: EntropyLabel::new(FIRST_ENTROPY_LABEL.saturating_add(number)),
            ..Entropy::PORTS
        },
        Way::Host(..) | Way::Tunnel(..) if !plan.needs_frames() => Entropy::PORTS,
        Way::Host(..) | Way::Tunnel(..) => {
            let bits = number.wrapping_add(1).wrapping_mul(FLOW_LABEL_STEP) & 0x000f_ffff;
            Entropy {
                flow_label: FlowLabel::new(bits).unwrap_or(FlowLabel::NONE),
                ..Entropy::PORTS
            }
        }
    };
    let flow_label = entropy.flow_label.value();
    plan.info.entropy = match entropy.label {
        Some(label) => Some(format!("entropy label {}", label.label())),
        None if local && matches!(plan.way, Way::Mpls(_)) => {
            Some(format!("address of 127/8 +{number}"))
        }
        None if flow_label > 0 => Some(format!("flow label {flow_label:#x}")),
        None => Some("source port".to_owned()),
    };
    if let (Way::Mpls(stack), Some(label)) = (&plan.way, entropy.label) {
        let below = plan.forward_labels.saturating_sub(1);
        let stack = stack
            .with_entropy(below, label)
            .map_err(|error| usage("--entropy-sweep", &error.to_string()))?;
        plan.way = Way::Mpls(stack);
    }
    plan.flow_label = entropy.flow_label;
    plan.address_step = entropy.address_step;
    Ok(Branch { suffix: format!(" #{}", number + 1), plan, member: None })
}

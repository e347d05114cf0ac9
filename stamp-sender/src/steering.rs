//! From flags to the way of a probe: which segments, how they are put into packets, and what that
//! is called.
//!
//! Encapsulations go by the identifiers of `docs/encapsulations.md`: M1 to M8 over SR-MPLS, V1 to
//! V8 over SRv6.

mod compose;
mod fan;
mod lag;
mod open;
mod requests;
mod show;

use std::net::{Ipv4Addr, SocketAddr};

use stamp_config::steering::{Segments, TimestampLabel, TimestampLabelValue};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::sr::csid::NextCsid;
use stamp_proto::sr::encapsulation::{Limits, Srv6Path};
use stamp_proto::sr::header::FlowLabel;
use stamp_proto::sr::mpls::{ExtendedLabel, Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::TimestampFormat;
use stamp_session::sender::{ReturnWish, TimestampPlace};
use stamp_worker::sender::Homecoming;

use crate::command_line::{ModeName, Srv6Name, SteeringFlags};
use crate::exit::Failure;
use crate::happening::SteeringInfo;

pub use compose::Endpoints;
pub use fan::{Branch, branches};
pub use open::{Opened, Request};
pub use requests::words as request_words;
pub use show::show;

/// How the probes of a session are put on their way.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who turns them round.
    pub mode: ModeName,
    /// Where a far node writes its receive timestamp.
    pub place: Option<TimestampPlace>,
    /// What is in front of them.
    pub way: Way,
    /// What is told about it.
    pub info: SteeringInfo,
    /// The way that replies are asked to take.
    pub return_path: Option<ReturnWish>,
    limits: Limits,
    flow_label: FlowLabel,
    /// Added to the address of the host, which is of 127/8 then.
    address_step: u32,
    /// How many labels lead there, what asks for the timestamp left out.
    forward_labels: usize,
    /// The same in plain loopback, for a far node that turns out not to stamp.
    pub plain: Option<Box<Plan>>,
}

/// What is in front of the probes of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// Nothing.
    Plain,
    /// Labels.
    Mpls(LabelStack),
    /// SIDs in the probe's own IPv6 packet; its destination is still to be added to them, unless
    /// they end at one that is this host's own.
    Host(Srv6Path, SrhForm),
    /// SIDs in an IPv6 packet around it.
    Tunnel(Srv6Path, SrhForm),
}

impl Plan {
    /// What the flags ask for.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] for what contradicts itself or cannot be built.
    pub fn new(flags: &SteeringFlags, authentication: AuthenticationMode) -> Result<Self, Failure> {
        check(flags)?;
        let plain = plain(flags, authentication)?;
        let return_path = requests::return_wish(flags)?;
        let place = place(flags, authentication);
        let returns = requests::asked_segments(flags).map_or_else(Vec::new, Segments::words);
        let limit = flags.msd.map(usize::from);
        let (way, encapsulation, segments) = match &flags.segments {
            None => (Way::Plain, "plain", Vec::new()),
            Some(Segments::Labels(labels)) => mpls(flags, labels, authentication)?,
            Some(Segments::Sids(sids)) => srv6(flags, sids)?,
        };
        Ok(Self {
            mode: flags.mode,
            place,
            way,
            info: SteeringInfo {
                segments,
                return_segments: returns,
                toward: flags.named.toward.clone().or_else(|| {
                    // Of a policy's list its address is known.
                    flags.named.first.first().map(ToString::to_string)
                }),
                encapsulation,
                fallback: plain.as_ref().map(|plain| plain.info.encapsulation),
                entropy: None,
            },
            return_path,
            limits: Limits { labels: limit, segments: limit },
            flow_label: FlowLabel::NONE,
            address_step: 0,
            forward_labels: match &flags.segments {
                Some(Segments::Labels(labels)) => labels.len(),
                _ => 0,
            },
            plain,
        })
    }

    /// The host, or another address that means the same at the end of the way.
    #[must_use]
    pub fn end(&self, host: SocketAddr) -> SocketAddr {
        match host {
            SocketAddr::V4(v4) if self.address_step > 0 => {
                let low = v4.ip().to_bits().wrapping_add(self.address_step) & 0x00ff_ffff;
                SocketAddr::new(Ipv4Addr::from_bits(0x7f00_0000 | low).into(), v4.port())
            }
            _ => host,
        }
    }

    /// What a probe has in front of it when it is back.
    #[must_use]
    pub fn homecoming(&self, to: SocketAddr) -> Homecoming {
        let (last_label, last_sid) = match &self.way {
            Way::Plain => (None, None),
            Way::Mpls(stack) => (stack.entries().last().map(|entry| entry.label), None),
            Way::Host(path, _) | Way::Tunnel(path, _) => (None, Some(path.ultimate())),
        };
        Homecoming { to, last_label, last_sid }
    }

    /// Only frames carry it; a socket does for everything else.
    #[must_use]
    pub fn needs_frames(&self) -> bool {
        let plain = self.plain.as_ref().is_some_and(|plain| plain.needs_frames());
        plain
            || match &self.way {
                Way::Plain => false,
                Way::Host(path, form) => *form != SrhForm::Full || path.entries().len() == 0,
                Way::Mpls(_) | Way::Tunnel(..) => true,
            }
    }
}

fn usage(flag: &'static str, problem: &str) -> Failure {
    Failure::Usage { flag, problem: problem.to_owned() }
}

/// What no packet can be made of.
fn check(flags: &SteeringFlags) -> Result<(), Failure> {
    let looped = flags.mode.is_looped();
    let Some(segments) = &flags.segments else {
        return if looped {
            Err(usage(
                "--mode",
                "nothing brings a probe back but --segments; name those of the way there",
            ))
        } else {
            Ok(())
        };
    };
    let is_mpls = matches!(segments, Segments::Labels(_));
    let mixed = match requests::asked_segments(flags).filter(|_| looped) {
        Some(Segments::Labels(_)) => !is_mpls,
        Some(Segments::Sids(_)) => is_mpls,
        None => false,
    };
    if mixed {
        return Err(usage("--return-segments", "of another data plane than --segments"));
    }
    if is_mpls && flags.srv6.is_some() {
        return Err(usage("--srv6", "for SIDs; --segments has labels"));
    }
    let enhanced = flags.mode == ModeName::EnhancedLoopback;
    if flags.timestamp_label.is_some() && !(enhanced && is_mpls) {
        let problem = "asks for a receive timestamp in --mode enhanced-loopback over labels";
        return Err(usage("--timestamp-label", problem));
    }
    if flags.end_tsf.is_some() && (!enhanced || is_mpls) {
        let problem = "asks for a receive timestamp in --mode enhanced-loopback over SIDs";
        return Err(usage("--end-tsf", problem));
    }
    if flags.tsf_fallback && !enhanced {
        return Err(usage(
            "--tsf-fallback",
            "of --mode enhanced-loopback, which asks for timestamps",
        ));
    }
    if flags.tsf_fallback && !is_mpls && flags.end_tsf.is_none() {
        let problem = "needs a way without the SID that asks for timestamps: name that one by \
                       --end-tsf, and another SID of its node as the last of --segments";
        return Err(usage("--tsf-fallback", problem));
    }
    Ok(())
}

/// The same list without what asks for a timestamp: over labels it is left out; over SIDs the one
/// that `--end-tsf` takes the place of is back.
fn plain(
    flags: &SteeringFlags,
    authentication: AuthenticationMode,
) -> Result<Option<Box<Plan>>, Failure> {
    if !flags.tsf_fallback {
        return Ok(None);
    }
    let flags = SteeringFlags {
        mode: ModeName::Loopback,
        timestamp_label: None,
        end_tsf: None,
        tsf_fallback: false,
        ..flags.clone()
    };
    Plan::new(&flags, authentication).map(|plan| Some(Box::new(plan)))
}

fn place(flags: &SteeringFlags, authentication: AuthenticationMode) -> Option<TimestampPlace> {
    if flags.mode != ModeName::EnhancedLoopback {
        return None;
    }
    let usual = TimestampPlace::of(authentication);
    Some(flags.timestamp_label.map_or(usual, |wish| TimestampPlace {
        offset: wish.offset.unwrap_or(usual.offset),
        format: wish.format,
    }))
}

/// The labels there, the timestamp label, the labels back.
fn mpls(
    flags: &SteeringFlags,
    labels: &[Label],
    authentication: AuthenticationMode,
) -> Result<(Way, &'static str, Vec<String>), Failure> {
    let mut stack = labels.to_vec();
    let mut words = Segments::Labels(labels.to_vec()).words();
    if flags.mode == ModeName::EnhancedLoopback {
        let wish = flags.timestamp_label.unwrap_or_else(|| usual_label(authentication));
        stack.extend(wish.label.labels());
        words.push(wish.label.to_string());
    }
    // A reflector puts them before its reply itself.
    let asked = requests::asked_segments(flags);
    let returns = match asked.filter(|_| flags.mode.is_looped()) {
        Some(Segments::Labels(labels)) => labels.as_slice(),
        _ => &[],
    };
    stack.extend(returns);
    let id = match (flags.mode, returns.is_empty()) {
        (ModeName::OneWay | ModeName::TwoWay, _) if asked.is_some() => "M3",
        (ModeName::OneWay | ModeName::TwoWay, _) if flags.destination_node_address.is_some() => {
            "M2"
        }
        (ModeName::OneWay | ModeName::TwoWay, _) => "M1",
        _ if flags.return_binding_sid.is_some() => "M8",
        (ModeName::Loopback, true) => "M4",
        (ModeName::Loopback, false) => "M5",
        (ModeName::EnhancedLoopback, true) => "M6",
        (ModeName::EnhancedLoopback, false) => "M7",
    };
    let stack =
        LabelStack::from_labels(stack).map_err(|error| usage("--segments", &error.to_string()))?;
    Ok((Way::Mpls(stack), id, words))
}

/// Extended special-purpose labels out of the range for experiments; none was ever assigned.
fn usual_label(authentication: AuthenticationMode) -> TimestampLabel {
    let first = ExtendedLabel::FIRST_EXPERIMENTAL;
    let label = match authentication {
        AuthenticationMode::Unauthenticated => first,
        AuthenticationMode::Authenticated => ExtendedLabel::new(first.value() + 1).unwrap_or(first),
    };
    TimestampLabel {
        label: TimestampLabelValue::Extended(label),
        offset: None,
        format: TimestampFormat::Ptp,
    }
}

/// The SIDs there, the one that stamps at their end, the SIDs back.
fn srv6(flags: &SteeringFlags, sids: &[Sid]) -> Result<(Way, &'static str, Vec<String>), Failure> {
    let mut forward = sids.to_vec();
    if let (Some(tsf), Some(last)) = (flags.end_tsf, forward.last_mut()) {
        *last = Sid(tsf);
    }
    let words = Segments::Sids(forward.clone()).words();
    let asked = requests::asked_segments(flags);
    let returns = match asked.filter(|_| flags.mode.is_looped()) {
        Some(Segments::Sids(sids)) => sids.as_slice(),
        _ => &[],
    };
    let list = forward.iter().chain(returns).copied().collect();
    let list = SegmentList::new(list).ok_or_else(|| usage("--segments", "none are named"))?;
    let (two_way, enhanced) = (!flags.mode.is_looped(), flags.mode == ModeName::EnhancedLoopback);
    let by_form = |host, tunnel| if returns.is_empty() { tunnel } else { host };
    let bound = !two_way && flags.return_binding_sid.is_some();
    let (way, id) = match flags.srv6.unwrap_or(Srv6Name::Host) {
        Srv6Name::Host => {
            let id = if two_way {
                "V2"
            } else if bound {
                "V8"
            } else if enhanced {
                "V6"
            } else {
                "V4"
            };
            (Way::Host(list.into(), SrhForm::Full), id)
        }
        form @ (Srv6Name::Encap | Srv6Name::Reduced) => {
            let form = if form == Srv6Name::Encap { SrhForm::Full } else { SrhForm::Reduced };
            let id = match (two_way, enhanced) {
                (true, _) => "V1",
                _ if bound => "V8",
                (_, false) => by_form("V4", "V3"),
                (_, true) => by_form("V6", "V5"),
            };
            (Way::Tunnel(list.into(), form), id)
        }
        Srv6Name::Usid => (usid(flags, &list)?, "V7"),
    };
    Ok((way, id, words))
}

/// Compressed SIDs: around the probe where they only lead there, in its own packet otherwise.
fn usid(flags: &SteeringFlags, list: &SegmentList) -> Result<Way, Failure> {
    let block = flags.usid_block;
    let compressed = NextCsid::new(block.block, block.block_bits, block.csid_bits)
        .and_then(|block| block.compress(list))
        .map_err(|error| usage("--segments", &format!("{error} (--usid-block)")))?;
    let path = compressed.into();
    Ok(if flags.mode.is_looped() && requests::asked_segments(flags).is_none() {
        Way::Tunnel(path, SrhForm::Reduced)
    } else {
        Way::Host(path, SrhForm::Full)
    })
}

#[cfg(test)]
mod tests;

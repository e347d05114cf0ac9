//! A session on each member link of a LAG (RFC 9534 §2).

use stamp_net::interface::{self, Interface, InterfaceKind};
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_session::sender::MicroSession;

use super::{Branch, Way, usage};
use crate::command_line::{ModeName, SteeringFlags};
use crate::exit::Failure;

/// A member link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Name of its interface.
    pub name: String,
    /// What its session tells of it.
    pub session: MicroSession,
    /// Sockets cannot be bound to it: what it receives is the bond's.
    pub is_bonded: bool,
}

/// The same sessions, but each once for every member that is named.
///
/// # Errors
///
/// [`Failure::Usage`] where sessions are steered otherwise, [`Failure::Absent`] for a bond without members, and the first
/// member that is no interface.
pub(super) fn over_members(
    branches: Vec<Branch>,
    flags: &SteeringFlags,
) -> Result<Vec<Branch>, Failure> {
    if flags.lag_members.is_empty() {
        return Ok(branches);
    }
    let is_plain = |branch: &Branch| branch.plan.way == Way::Plain;
    if flags.mode != ModeName::TwoWay || !branches.iter().all(is_plain) {
        let problem = "a member link is all the steering there is: only for --mode two-way without \
                       segments";
        return Err(usage("--lag-members", problem));
    }
    let members = members(&flags.lag_members)?;
    let over = |branch: &Branch, member: &Member| Branch {
        suffix: format!("{} on {}", branch.suffix, member.name),
        plan: branch.plan.clone(),
        member: Some(member.clone()),
    };
    let branches = branches.iter();
    Ok(branches.flat_map(|branch| members.iter().map(move |member| over(branch, member))).collect())
}

/// The links that `names` stand for, numbered from 1 on; a bond stands for its members.
fn members(names: &[String]) -> Result<Vec<Member>, Failure> {
    let all = interface::list()?;
    let mut members = Vec::new();
    for name in names {
        let links = interface::members(name)?;
        if links.is_empty() {
            let problem = format!("the bond {name} has no members");
            return Err(Failure::Absent { flag: "--lag-members", problem });
        }
        for link in links {
            let id = u16::try_from(members.len() + 1).ok().and_then(MemberLinkId::new);
            let id = id.ok_or_else(|| usage("--lag-members", "more than 65535 links"))?;
            let session = MicroSession { id, far: None, interface: link.index };
            let is_bonded = is_bonded(&link, &all);
            members.push(Member { name: link.name, session, is_bonded });
        }
    }
    Ok(members)
}

fn is_bonded(link: &Interface, all: &[Interface]) -> bool {
    let is_bond = |other: &Interface| other.kind == InterfaceKind::Bond;
    all.iter().any(|other| link.master == Some(other.index) && is_bond(other))
}

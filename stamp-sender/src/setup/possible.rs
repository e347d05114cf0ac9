//! What is wrong with flags whatever names, routes and interfaces come to be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    asking, authentication, keys, payload_octets, questions, refuse_what_is_shared, request_to,
    smallest_payload,
};
use crate::command_line::Measure;
use crate::exit::Failure;
use crate::names;
use crate::steering::{self, Plan, Way};

/// Holds flags against what packets can be, as far as no host, file or interface decides.
///
/// # Errors
///
/// [`Failure::Usage`] for what contradicts itself or cannot be built.
pub fn check(measure: &Measure) -> Result<(), Failure> {
    let probe = &measure.probe;
    payload_octets(probe, smallest_payload(probe))?;
    // What names mean is in a file.
    if measure.steering.topology.is_none() {
        let measure = names::resolved(measure)?;
        Plan::new(&measure.steering, authentication(probe))?;
    }
    Ok(())
}

/// Holds flags that [`names::resolved`] made against key files, and against hosts of which the address is written out or
/// in a topology.
///
/// # Errors
///
/// The first host, key or option that cannot be used.
pub fn check_hosts(measure: &Measure) -> Result<(), Failure> {
    let (probe, keys) = (&measure.probe, keys(&measure.probe)?);
    let branches = steering::branches(&measure.steering, authentication(probe), &measure.hosts)?;
    refuse_what_is_shared(probe, measure.hosts.len() * branches.len())?;
    for text in &measure.hosts {
        let Some(address) = names::written_host(measure, text)? else { continue };
        for branch in &branches {
            let plan = &branch.plan;
            let request = request_to(measure, branch, plan.end(address));
            // Which of our own addresses it is, a route decides. Any stands for it (RFC 5737, RFC 3849), but for a
            // list that may end there by itself.
            let own = match (probe.source, plan.last_sid(), request.host.ip()) {
                (Some(own), ..) => own,
                (None, Some(last), _) if plan.mode.is_looped() => last.into(),
                (None, _, IpAddr::V4(_)) => Ipv4Addr::new(192, 0, 2, 1).into(),
                (None, _, IpAddr::V6(_)) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            };
            let ends = request.ends_from(own);
            // What has nothing in front of it the kernel composes.
            let composed = [plan].into_iter().chain(plan.plain.as_deref());
            for plan in composed.filter(|plan| plan.way != Way::Plain) {
                plan.compose(&ends)?;
            }
            let requests = plan.requests(&measure.steering, request.host)?;
            let requests = questions(measure, branch, ends.destination, requests)?;
            asking(probe, ends.destination, keys.as_ref(), requests)?;
        }
    }
    Ok(())
}

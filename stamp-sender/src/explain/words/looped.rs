//! What the far node wrote into probes that come back themselves.

use super::count_of;
use crate::explain::Finding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::Stamping { outcome, count, offset, authenticated } => {
            stamping(outcome, *count, *offset, *authenticated)
        }
        Finding::Fallback { active, label, lost, plain, encapsulation } => {
            let measured = format!(
                "{} {} measured as plain loopback ({encapsulation}), the round trip alone",
                count_of(*plain, "probe"),
                if *plain == 1 { "was" } else { "were" }
            );
            let asks = if *label { "the timestamp label" } else { "the End.TSF SID" };
            let why = if *lost {
                format!("those with {asks} do not come back, so a node on the way drops what it does \
                         not know")
            } else {
                "the far node does not stamp".to_owned()
            };
            let again = if *active { "it is tried again" } else { "it stamps now" };
            (
                format!("{measured}: {why}; {again}."),
                format!("there: stamp-reflector with a [[timestamp]] entry for {asks}"),
            )
        }
        Finding::FarClockUnknown { asked: Some(from) } => (
            format!(
                "No reflector at {from} says anything of the far clock: one-way values are marked and \
                 no truth."
            ),
            "there: stamp-reflector; here: --far-clock learn,HOST:PORT, or synchronized,error=DURATION"
                .to_owned(),
        ),
        Finding::FarClockUnknown { asked: None } => (
            "Nothing in a probe that is forwarded back speaks for the far clock: one-way values are \
             marked and no truth."
                .to_owned(),
            "--far-clock synchronized,error=DURATION, where you know it; or --far-clock learn, where a \
             reflector runs there"
                .to_owned(),
        ),
        _ => return None,
    })
}

fn stamping(
    outcome: &str,
    count: u64,
    offset: Option<u16>,
    authenticated: bool,
) -> (String, String) {
    let probes = count_of(count, "probe");
    match (outcome, offset) {
        ("missing", _) => (
            format!(
                "{probes} came back without a receive timestamp: the far node forwards and does not \
                 stamp, or another node took the segment off before it."
            ),
            "there: stamp-reflector with a [[timestamp]] entry for this label or SID".to_owned(),
        ),
        ("elsewhere", Some(offset)) => (
            format!(
                "{probes} came back with something written at octet {offset} of the payload, where \
                 no receive timestamp belongs in {} mode.",
                if authenticated { "authenticated" } else { "unauthenticated" }
            ),
            "the label or SID of the other mode? there: offset of its [[timestamp]] entry"
                .to_owned(),
        ),
        ("implausible", _) => (
            format!(
                "{probes} came back with a receive timestamp from before they left or after they \
                 returned: the far clock is not what it was declared to be. No delay was made of \
                 it."
            ),
            "there: chronyc tracking; here: --far-clock with its true error".to_owned(),
        ),
        _ => (
            format!("{probes} came back with a receive timestamp that is no instant."),
            "the formats differ? there: format of its [[timestamp]] entry".to_owned(),
        ),
    }
}

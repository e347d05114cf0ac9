//! Words for what the reflector told, or would not tell.

use stamp_proto::ip::Dscp;

use super::{Finding, count_of};

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::Translated { seen, source, changes } => {
            let (from, instead) = match source {
                true => ("from", "the port and address that this host sends from"),
                false => ("to", "the address that this host sends to"),
            };
            let changed = match changes {
                0 => String::new(),
                changes => format!("; it changed {}", count_of(*changes, "time")),
            };
            (
                format!("A NAT is on the way: probes arrive {from} {seen} instead of {instead}{changed}."),
                "replies pass it as long as it remembers; -i below its timeout keeps it awake".to_owned(),
            )
        }
        Finding::NotTold { what, key, count } => (
            format!(
                "{} did not answer the question for {what}: the far end does not know it, or keeps it \
                 to itself.",
                count_of(*count, "reply")
            ),
            match *key {
                "" => "nothing can be asked of it here; it shows in no number above".to_owned(),
                key => format!("there, if it is stamp-reflector: {key}"),
            },
        ),
        Finding::RemarkedForward { count, of, sent, arrived } => (
            format!(
                "{count} of {of} probes arrived with another DSCP than they left with: {} became {}.",
                name(*sent),
                name(*arrived)
            ),
            "a router on the way there remarks; forward delay and loss are those of the other class"
                .to_owned(),
        ),
        Finding::CongestionForward { count, of } => (
            format!("{count} of {of} probes met congestion on the way there (ECN CE)."),
            "a queue on the way there is filling: look for rising forward delay".to_owned(),
        ),
        Finding::ClassRefused { count, wanted } => (
            format!(
                "{} did not get the DSCP that was asked for ({}): they have that which their probe \
                 arrived with.",
                count_of(*count, "reply"),
                name(*wanted)
            ),
            format!("there, if it is stamp-reflector: reply-classes = [\"{}\"]", name(*wanted)),
        ),
        Finding::NoFollowUp { count } => (
            format!(
                "{} asked when the one before left, and the far end knows of none: it is stateless, or \
                 takes no transmit stamps.",
                count_of(*count, "reply")
            ),
            "there, if it is stamp-reflector: stateful = true".to_owned(),
        ),
        Finding::FollowUpImpossible { count, of } => (
            format!(
                "{count} of {of} times at which replies are said to have left are before the reply was \
                 made, or after it arrived: none of them corrects anything."
            ),
            "the far end takes its timestamps by clocks that disagree".to_owned(),
        ),
        _ => return None,
    })
}

fn name(dscp: u8) -> String {
    Dscp::new(dscp).map_or_else(|| dscp.to_string(), |dscp| dscp.to_string())
}

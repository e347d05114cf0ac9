//! What the reflector did not do of what probes asked for.

use super::count_of;
use crate::explain::Finding;

pub(super) fn words(finding: &Finding) -> Option<(String, String)> {
    Some(match finding {
        Finding::WrongReflector { count, node } => (
            format!(
                "{} did not come from {node}: another node answered, or one that cannot say which it \
                 is. They are of another path and in no statistics.",
                count_of(*count, "reply")
            ),
            "the segments lead elsewhere, or the reflector does not know RFC 9503: try \
             --show-packet"
                .to_owned(),
        ),
        Finding::ReturnPathNotHonoured { count, wanted } => (
            format!(
                "{} did not take the way asked for ({wanted}) and came as routing has it: good for \
                 the forward delay alone.",
                count_of(*count, "reply")
            ),
            "there: stamp-reflector --return-path PREFIX with what it may send to and over; labels \
             need CAP_NET_RAW there"
                .to_owned(),
        ),
        Finding::NoReplyAsked { sent } => (
            format!(
                "{} without asking for a reply: what became of them is known at the far end alone.",
                count_of(*sent, "probe")
            ),
            "there: stamp-reflector --one-way-export FILE, or its statistics".to_owned(),
        ),
        _ => return None,
    })
}

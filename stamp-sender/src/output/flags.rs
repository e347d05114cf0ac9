//! What is special about a sample, in words that are the same in every form of output.

use stamp_proto::ip::Ecn;
use stamp_session::sender::{Granted, Sample, TlvOutcome};

/// Words for programs; `unsynchronized` is what people see as `?`.
#[must_use]
pub fn labels(sample: &Sample, late: bool) -> Vec<&'static str> {
    let mut flags = Vec::new();
    if !sample.clock_synchronized {
        flags.push("unsynchronized");
    }
    flags.extend(words(sample, late));
    flags
}

/// Words for the end of a line.
#[must_use]
pub fn words(sample: &Sample, late: bool) -> Vec<&'static str> {
    let congested = sample.traffic_class.is_some_and(|(_, ecn)| ecn == Ecn::Ce);
    let tlvs = match sample.tlvs {
        TlvOutcome::NotAsked | TlvOutcome::Supported | TlvOutcome::Unsupported => None,
        TlvOutcome::Missing => Some("tlv_missing"),
        TlvOutcome::IntegrityFailed => Some("tlv_integrity_failed"),
        TlvOutcome::Unverified => Some("tlv_unverified"),
        TlvOutcome::Malformed => Some("tlv_malformed"),
        TlvOutcome::Unrecognized => Some("tlv_unrecognized"),
        TlvOutcome::Nonconformant => Some("tlv_nonconformant"),
    };
    [
        late.then_some("late"),
        sample.reordered.then_some("reordered"),
        sample.clock_step.then_some("clock_step"),
        sample.remarked.then_some("remarked"),
        congested.then_some("congestion"),
        tlvs,
        (sample.answers.destination_node == Granted::Refused).then_some("wrong_reflector"),
        (sample.answers.return_path == Granted::Refused).then_some("return_path_not_honoured"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

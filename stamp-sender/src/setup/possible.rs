//! What is wrong with flags whatever the host and this machine are.

use super::{authentication, payload_octets, smallest_payload};
use crate::command_line::Measure;
use crate::exit::Failure;
use crate::names;
use crate::steering::Plan;

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

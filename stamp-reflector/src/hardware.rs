//! Arrival times from the network card, when the operator asked for them.

use stamp_net::interface::{self, Interface};
use stamp_net::{NetError, timestamping};

/// Makes the cards stamp what arrives, and says which do; the others leave it to the kernel.
///
/// `devices` are the interfaces that are listened on; none means all of them. A card is changed for
/// everyone on the host, so this is for an operator who asked.
pub(crate) fn prepare(devices: &[&str]) {
    let interfaces = interface::list().unwrap_or_default();
    let wanted = |one: &&Interface| {
        !one.loopback && one.up && (devices.is_empty() || devices.contains(&one.name.as_str()))
    };
    let mut cards = 0;
    for interface in interfaces.iter().filter(wanted) {
        match switch_on(&interface.name) {
            Ok(false) => {}
            Ok(true) => {
                cards += 1;
                tracing::info!(
                    interface = %interface.name,
                    "the card stamps what arrives; its clock has to follow the system's (phc2sys)"
                );
            }
            Err(error) => {
                tracing::warn!(interface = %interface.name, "no hardware stamps: {error}");
            }
        }
    }
    if cards == 0 {
        tracing::warn!("no interface gives hardware stamps: the kernel's are used");
    }
}

/// Whether the card stamps everything that arrives, after it was told to where it can.
fn switch_on(name: &str) -> Result<bool, NetError> {
    if !timestamping::capabilities(name)?.hardware_receive {
        return Ok(false);
    }
    let now = timestamping::hardware_configuration(name)?;
    if !now.is_some_and(|card| card.receives_all) {
        timestamping::configure_hardware(name)?;
    }
    Ok(true)
}

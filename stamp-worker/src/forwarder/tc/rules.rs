//! A set-up as the program reads it.

use stamp_net::tc::{TcRule, TcTrigger};
use stamp_net::{NetError, interface};
use stamp_session::forwarding::Trigger;

use crate::error::WorkerError;
use crate::forwarder::{ForwarderSetup, TimestampSetup};

use super::refusal::TcRefusal;

pub(super) fn of(setup: &ForwarderSetup) -> Result<Vec<TcRule>, WorkerError> {
    setup.timestamps.iter().map(rule).collect()
}

fn rule(entry: &TimestampSetup) -> Result<TcRule, WorkerError> {
    let trigger = match entry.trigger {
        Trigger::Label(label) => TcTrigger::Label(label),
        Trigger::Sid(sid) => {
            TcTrigger::Sid { prefix: sid.prefix(), bits: sid.bits(), shift: sid.shift_bits() }
        }
        Trigger::Extended(label) => return Err(TcRefusal::ExtendedLabel { label }.into()),
    };
    let numbers = entry.interfaces.iter().map(|name| interface::index_of(name));
    Ok(TcRule {
        trigger,
        interfaces: numbers.collect::<Result<_, NetError>>()?,
        offset: entry.place.offset,
        format: entry.place.format,
        ptp_utc_offset: entry.place.ptp_utc_offset,
        ports: entry.ports.clone(),
        rate_limit: entry.rate_limit,
    })
}

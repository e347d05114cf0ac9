//! The rules of a stack that we impose, whoever asked for it.

use super::entry::LabelStackEntry;
use super::label::{Label, LabelRole};
use super::{LabelEntries, StackError};

/// Checks entries from top to bottom and counts them.
///
/// # Errors
///
/// The first rule of [`StackError`] that is broken.
pub fn check(entries: impl IntoIterator<Item = LabelStackEntry>) -> Result<usize, StackError> {
    let mut above = None;
    let mut ended = false;
    let mut position = 0_usize;
    for entry in entries {
        if ended {
            return Err(StackError::BelowBottom { position });
        }
        let role = LabelRole::below(above, entry.label);
        check_entry(role, above, entry, position)?;
        above = Some(role);
        ended = entry.bottom;
        position = position.saturating_add(1);
    }
    match (position, ended) {
        (0, _) => Err(StackError::Empty),
        (_, false) => Err(StackError::NoBottom),
        (count, true) => Ok(count),
    }
}

/// Checks a stack as it stands in octets that hold nothing else.
///
/// # Errors
///
/// As [`check`], and [`StackError::NotWholeEntries`] when the octets are not whole entries.
pub(super) fn check_octets(octets: &[u8]) -> Result<usize, StackError> {
    if !octets.len().is_multiple_of(super::LABEL_STACK_ENTRY_OCTETS) {
        return Err(StackError::NotWholeEntries { octets: octets.len() });
    }
    check(LabelEntries::all(octets))
}

fn check_entry(
    role: LabelRole,
    above: Option<LabelRole>,
    entry: LabelStackEntry,
    position: usize,
) -> Result<(), StackError> {
    let LabelStackEntry { label, bottom, ttl, .. } = entry;
    if role != LabelRole::Entropy && ttl == 0 {
        return Err(StackError::ZeroTtl { position });
    }
    match role {
        LabelRole::Special => check_special(label, bottom, position),
        LabelRole::Extension if bottom => Err(StackError::ExtensionBottom { position }),
        LabelRole::Extended if label.is_special() => {
            Err(StackError::ReservedExtended { label, position })
        }
        LabelRole::Extended if label.value() > 255 => {
            Err(StackError::ExtendedRange { label, position })
        }
        LabelRole::EntropyIndicator if above != Some(LabelRole::Segment) => {
            Err(StackError::EntropyPlace { position })
        }
        LabelRole::EntropyIndicator if bottom => Err(StackError::EntropyMissing { position }),
        LabelRole::Entropy if label.is_special() => {
            Err(StackError::EntropyReserved { label, position })
        }
        LabelRole::Entropy if ttl != 0 => Err(StackError::EntropyTtl { position, ttl }),
        _ => Ok(()),
    }
}

/// An explicit null is legal above other labels too (RFC 4182).
///
/// The others mean that what follows is not what we send: signalling only (3), network actions
/// (4), an associated channel (13), historic (14), unassigned.
const fn check_special(label: Label, bottom: bool, position: usize) -> Result<(), StackError> {
    match label {
        Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL => Ok(()),
        Label::ROUTER_ALERT if bottom => Err(StackError::RouterAlertBottom { position }),
        Label::ROUTER_ALERT => Ok(()),
        _ => Err(StackError::NotImposed { label, position }),
    }
}

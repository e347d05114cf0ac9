//! Extra Padding TLV (RFC 8972 §4.1): makes a test packet larger.
//!
//! The Session-Reflector copies it. Zeros or pseudorandom octets are the Session-Sender's choice.

use super::{TLV_HEADER_OCTETS, TlvFlags, TlvType, emit_header};
use crate::error::ParseError;
use crate::writer::Writer;

/// Writes an Extra Padding TLV of `octets` octets in all, header included, and hands out its value:
/// zeros, to be overwritten by who wants other octets.
///
/// # Errors
///
/// [`ParseError::Truncated`] when `octets` has no room for the header (4) or the writer has no room
/// for `octets`, [`ParseError::ValueTooLong`] when the Length field cannot say it.
pub fn reserve<'w>(writer: &'w mut Writer<'_>, octets: usize) -> Result<&'w mut [u8], ParseError> {
    const FIELD: &str = "Extra Padding TLV";
    let Some(value) = octets.checked_sub(TLV_HEADER_OCTETS) else {
        let needed = TLV_HEADER_OCTETS;
        return Err(ParseError::Truncated { field: FIELD, needed, available: octets });
    };
    if writer.available() < octets {
        let available = writer.available();
        return Err(ParseError::Truncated { field: FIELD, needed: octets, available });
    }
    emit_header(writer, TlvFlags::REQUEST, TlvType::EXTRA_PADDING, value)?;
    writer.reserve(FIELD, value)
}

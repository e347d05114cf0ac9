//! What the two TLVs that bring headers back have in common (draft-ietf-ippm-stamp-ext-hdr).

use stamp_proto::error::ParseError;
use stamp_proto::tlv::{HeaderMatch, HeadersTold, ReceivedHeaders, TlvMut};

use super::{Exchange, Outcome};

/// Reads which header is meant and writes it.
type Reflect = fn(&mut [u8], &mut ReceivedHeaders<'_>) -> Result<HeaderMatch, ParseError>;

/// Headers tell how a packet was treated inside of a network, so they are for sources that may know.
/// A header that is not there, or not seen here, is C and not U: the question was understood.
pub(super) fn tell(
    exchange: &Exchange<'_>,
    tlv: &mut TlvMut<'_>,
    (headers, told): (&[&[u8]], &mut HeadersTold),
    reflect: Reflect,
) -> Outcome {
    if !exchange.rules.headers {
        return Outcome::Unrecognized;
    }
    let mut received = ReceivedHeaders::after(headers, *told);
    let found = reflect(tlv.value, &mut received);
    *told = received.told();
    match found {
        Ok(HeaderMatch::Told) => Outcome::Processed,
        Ok(HeaderMatch::None) => Outcome::Nonconformant,
        Err(_) => Outcome::Malformed,
    }
}

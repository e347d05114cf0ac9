//! Reading octets in order; with [`writer`](crate::writer) the only code that indexes a buffer.

use crate::error::ParseError;

/// Takes fields from the front of a buffer, each under the name an error will carry.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first octet.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { left: octets }
    }

    /// Takes the next `N` octets.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when fewer are left; nothing is taken then.
    #[inline]
    pub const fn take_array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], ParseError> {
        match self.left.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.left = tail;
                Ok(*head)
            }
            None => Err(ParseError::Truncated { field, needed: N, available: self.left.len() }),
        }
    }

    /// Takes one octet.
    ///
    /// # Errors
    ///
    /// As [`Self::take_array`].
    #[inline]
    pub fn take_u8(&mut self, field: &'static str) -> Result<u8, ParseError> {
        self.take_array(field).map(u8::from_be_bytes)
    }

    /// Takes two octets in network order.
    ///
    /// # Errors
    ///
    /// As [`Self::take_array`].
    #[inline]
    pub fn take_u16(&mut self, field: &'static str) -> Result<u16, ParseError> {
        self.take_array(field).map(u16::from_be_bytes)
    }

    /// Takes four octets in network order.
    ///
    /// # Errors
    ///
    /// As [`Self::take_array`].
    #[inline]
    pub fn take_u32(&mut self, field: &'static str) -> Result<u32, ParseError> {
        self.take_array(field).map(u32::from_be_bytes)
    }

    /// Takes the next `count` octets without copying them.
    ///
    /// # Errors
    ///
    /// As [`Self::take_array`].
    #[inline]
    pub const fn take_slice(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<&'a [u8], ParseError> {
        match self.left.split_at_checked(count) {
            Some((head, tail)) => {
                self.left = tail;
                Ok(head)
            }
            None => Err(ParseError::Truncated { field, needed: count, available: self.left.len() }),
        }
    }

    /// Passes over `N` octets whose content does not matter, such as MBZ on receipt.
    ///
    /// # Errors
    ///
    /// As [`Self::take_array`].
    #[inline]
    pub fn skip<const N: usize>(&mut self, field: &'static str) -> Result<(), ParseError> {
        self.take_array::<N>(field).map(|_| ())
    }

    /// Octets not taken yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.left
    }

    /// How many octets are not taken yet.
    #[must_use]
    pub const fn available(&self) -> usize {
        self.left.len()
    }
}

/// Reads `N` octets that start `offset` octets into a buffer.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the buffer ends before that; `needed` then counts from its start.
#[inline]
pub fn peek_array<const N: usize>(
    octets: &[u8],
    offset: usize,
    field: &'static str,
) -> Result<[u8; N], ParseError> {
    octets.get(offset..).and_then(|from| from.first_chunk::<N>()).copied().ok_or(
        ParseError::Truncated { field, needed: offset.saturating_add(N), available: octets.len() },
    )
}

/// The octets of `range` that exist; empty when the buffer ends before them.
#[inline]
#[must_use]
pub fn peek_up_to(octets: &[u8], range: core::ops::Range<usize>) -> &[u8] {
    let end = range.end.min(octets.len());
    octets.get(range.start..end).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_and_in_network_order() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(reader.take_u8("a"), Ok(0x01));
        assert_eq!(reader.take_u16("b"), Ok(0x0203));
        assert_eq!(reader.take_u32("c"), Ok(0x0405_0607));
        assert_eq!(reader.skip::<1>("d"), Ok(()));
        assert_eq!(reader.take_slice("e", 2), Ok(&[9, 10][..]));
        assert_eq!(reader.available(), 1);
        assert_eq!(reader.rest(), &[11]);
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_and_nothing_is_taken() {
        let mut reader = Reader::new(&[1, 2, 3]);
        let truncated = ParseError::Truncated { field: "word", needed: 4, available: 3 };
        assert_eq!(reader.take_u32("word"), Err(truncated));
        assert_eq!(reader.take_slice("word", 4), Err(truncated));
        assert_eq!(reader.rest(), &[1, 2, 3]);
    }

    #[test]
    fn peeking_counts_from_the_start_of_the_buffer() {
        let octets = [0, 1, 2, 3, 4];
        assert_eq!(peek_array(&octets, 3, "tail"), Ok([3, 4]));
        assert_eq!(
            peek_array::<2>(&octets, 4, "tail"),
            Err(ParseError::Truncated { field: "tail", needed: 6, available: 5 })
        );
        assert!(peek_array::<2>(&octets, usize::MAX, "tail").is_err());
    }

    #[test]
    fn peeking_up_to_a_range_stops_at_the_end_of_the_buffer() {
        let octets = [0, 1, 2, 3, 4];
        assert_eq!(peek_up_to(&octets, 1..3), &[1, 2]);
        assert_eq!(peek_up_to(&octets, 3..9), &[3, 4]);
        assert_eq!(peek_up_to(&octets, 6..9), &[] as &[u8]);
    }
}

//! Writing octets in order; with [`reader`](crate::reader) the only code that indexes a buffer.

use crate::error::ParseError;

/// Fills a buffer from its front, each field under the name an error will carry.
#[derive(Debug)]
pub struct Writer<'b> {
    octets: &'b mut [u8],
    position: usize,
}

impl<'b> Writer<'b> {
    /// Starts at the first octet.
    #[must_use]
    pub const fn new(octets: &'b mut [u8]) -> Self {
        Self { octets, position: 0 }
    }

    /// Writes `N` octets.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when fewer are free; nothing is written then.
    #[inline]
    pub fn put<const N: usize>(
        &mut self,
        field: &'static str,
        octets: [u8; N],
    ) -> Result<(), ParseError> {
        let available = self.available();
        let free = self.octets.get_mut(self.position..).unwrap_or_default();
        let Some(place) = free.first_chunk_mut::<N>() else {
            return Err(ParseError::Truncated { field, needed: N, available });
        };
        *place = octets;
        self.position = self.position.saturating_add(N);
        Ok(())
    }

    /// Writes all of `octets`.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    #[inline]
    pub fn put_slice(&mut self, field: &'static str, octets: &[u8]) -> Result<(), ParseError> {
        self.claim(field, octets.len())?.copy_from_slice(octets);
        Ok(())
    }

    /// Writes `N` zero octets, such as MBZ on sending.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    #[inline]
    pub fn put_zeros<const N: usize>(&mut self, field: &'static str) -> Result<(), ParseError> {
        self.put(field, [0; N])
    }

    /// Writes `count` zero octets and hands them out to be filled.
    ///
    /// # Errors
    ///
    /// As [`Self::put`].
    pub fn reserve(&mut self, field: &'static str, count: usize) -> Result<&mut [u8], ParseError> {
        let place = self.claim(field, count)?;
        place.fill(0);
        Ok(place)
    }

    /// Octets still free.
    #[must_use]
    pub const fn available(&self) -> usize {
        self.octets.len().saturating_sub(self.position)
    }

    /// Octets written so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.octets.get(..self.position).unwrap_or_default()
    }

    /// What was written, for as long as the buffer lives.
    #[must_use]
    pub fn into_written(self) -> &'b mut [u8] {
        self.octets.get_mut(..self.position).unwrap_or_default()
    }

    fn claim(&mut self, field: &'static str, count: usize) -> Result<&mut [u8], ParseError> {
        let available = self.available();
        let start = self.position;
        let end = start.saturating_add(count);
        let Some(place) = self.octets.get_mut(start..end) else {
            return Err(ParseError::Truncated { field, needed: count, available });
        };
        self.position = end;
        Ok(place)
    }
}

/// Overwrites `N` octets that start `offset` octets into a buffer.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the buffer ends before that; `needed` then counts from its start.
#[inline]
pub fn patch_array<const N: usize>(
    octets: &mut [u8],
    offset: usize,
    field: &'static str,
    value: [u8; N],
) -> Result<(), ParseError> {
    let truncated =
        ParseError::Truncated { field, needed: offset.saturating_add(N), available: octets.len() };
    let place = octets.get_mut(offset..).and_then(|from| from.first_chunk_mut::<N>());
    *place.ok_or(truncated)? = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_land_one_behind_the_other() {
        let mut buffer = [0xEE; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.put("a", [1, 2]).unwrap();
        writer.put_slice("b", &[3, 4, 5]).unwrap();
        writer.put_zeros::<2>("c").unwrap();
        writer.reserve("d", 1).unwrap().fill(6);
        assert_eq!(writer.position(), 8);
        assert_eq!(writer.available(), 1);
        assert_eq!(writer.written(), &[1, 2, 3, 4, 5, 0, 0, 6]);
        assert_eq!(writer.into_written(), &[1, 2, 3, 4, 5, 0, 0, 6]);
        assert_eq!(buffer[8], 0xEE);
    }

    #[test]
    fn reserved_octets_are_zero_until_filled() {
        let mut buffer = [0xEE; 4];
        assert_eq!(Writer::new(&mut buffer).reserve("padding", 3).unwrap(), &[0, 0, 0]);
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_and_nothing_is_written() {
        let mut buffer = [0xEE; 3];
        let truncated = ParseError::Truncated { field: "word", needed: 4, available: 3 };
        let mut writer = Writer::new(&mut buffer);
        assert_eq!(writer.put("word", [0; 4]), Err(truncated));
        assert_eq!(writer.put_slice("word", &[0; 4]), Err(truncated));
        assert_eq!(writer.put_zeros::<4>("word"), Err(truncated));
        assert_eq!(writer.reserve("word", 4), Err(truncated));
        assert!(writer.reserve("word", usize::MAX).is_err());
        assert_eq!(writer.position(), 0);
        assert_eq!(buffer, [0xEE; 3]);
    }

    #[test]
    fn patching_changes_nothing_else() {
        let mut buffer = [0; 5];
        patch_array(&mut buffer, 2, "middle", [7, 8]).unwrap();
        assert_eq!(buffer, [0, 0, 7, 8, 0]);
        assert_eq!(
            patch_array(&mut buffer, 4, "tail", [1, 1]),
            Err(ParseError::Truncated { field: "tail", needed: 6, available: 5 })
        );
        assert!(patch_array(&mut buffer, usize::MAX, "tail", [1, 1]).is_err());
        assert_eq!(buffer, [0, 0, 7, 8, 0]);
    }
}

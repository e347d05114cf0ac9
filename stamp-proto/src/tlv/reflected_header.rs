//! Headers of a probe as it arrived, for the TLVs that send them back
//! (draft-ietf-ippm-stamp-ext-hdr).

/// Headers that are looked at; no packet that is worth measuring has as many.
const MOST_HEADERS: usize = 64;

/// Headers of a probe as they arrived, outer to inner; each is told once.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedHeaders<'h> {
    headers: &'h [&'h [u8]],
    told: HeadersTold,
}

/// Which headers of a probe its TLVs were told already.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct HeadersTold(
    /// One bit each, the outermost lowest.
    u64,
);

/// Whether there was a header as asked for; without one the TLV gets C.
#[must_use]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HeaderMatch {
    /// It is in the TLV now.
    Told,
    /// The TLV is as it was.
    None,
}

impl<'h> ReceivedHeaders<'h> {
    /// None is told yet; those behind the 64th never are.
    #[must_use]
    pub const fn new(headers: &'h [&'h [u8]]) -> Self {
        Self::after(headers, HeadersTold(0))
    }

    /// The same headers when TLVs before were told some of them.
    #[must_use]
    pub const fn after(headers: &'h [&'h [u8]], told: HeadersTold) -> Self {
        Self { headers, told }
    }

    /// Those that are told by now.
    #[must_use]
    pub const fn told(&self) -> HeadersTold {
        self.told
    }

    /// The first header of so many octets that is not told yet and begins as `requested` says, which
    /// says nothing when it is zero.
    fn take(&mut self, octets: usize, requested: &[u8]) -> Option<&'h [u8]> {
        let any = requested.iter().all(|octet| *octet == 0);
        let mut mark = 1_u64;
        for header in self.headers.iter().take(MOST_HEADERS) {
            let fresh = self.told.0 & mark == 0;
            if fresh && header.len() == octets && (any || header.starts_with(requested)) {
                self.told.0 |= mark;
                return Some(header);
            }
            mark = mark.rotate_left(1);
        }
        None
    }

    /// Puts the rest of the header that the first `N` octets of `value` ask for behind them.
    pub(super) fn tell<const N: usize>(&mut self, value: &mut [u8]) -> HeaderMatch {
        let octets = value.len();
        let Some((requested, reflected)) = value.split_first_chunk_mut::<N>() else {
            return HeaderMatch::None;
        };
        let Some(rest) = self.take(octets, requested).and_then(|header| header.get(N..)) else {
            return HeaderMatch::None;
        };
        reflected.copy_from_slice(rest);
        HeaderMatch::Told
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    const FIRST: &[u8] = &[1, 2, 3, 4];
    const LONGER: &[u8] = &[1, 2, 3, 4, 5];
    const SECOND: &[u8] = &[1, 9, 3, 4];

    #[test]
    fn headers_of_a_size_come_outer_to_inner_and_once() {
        let headers = [FIRST, LONGER, SECOND];
        let mut received = ReceivedHeaders::new(&headers);
        assert_eq!(received.take(4, &[0, 0]), Some(FIRST));
        assert_eq!(received.take(4, &[0, 0]), Some(SECOND));
        assert_eq!(received.take(4, &[0, 0]), None);
        assert_eq!(received.take(5, &[0, 0]), Some(LONGER));
        assert_eq!(received.take(0, &[]), None);
    }

    #[test]
    fn a_header_can_be_named_by_how_it_begins() {
        let headers = [FIRST, LONGER, SECOND];
        let mut received = ReceivedHeaders::new(&headers);
        assert_eq!(received.take(4, &[1, 9]), Some(SECOND));
        assert_eq!(received.take(4, &[1, 9]), None, "told");
        assert_eq!(received.take(4, &[1, 8]), None);
        assert_eq!(received.take(4, &[1, 2]), Some(FIRST));
    }

    #[test]
    fn what_does_not_match_stays_as_it_was() {
        let headers = [FIRST];
        let mut received = ReceivedHeaders::new(&headers);
        let mut value = [7; 5];
        assert_eq!(received.tell::<2>(&mut value[..4]), HeaderMatch::None);
        assert_eq!(received.tell::<2>(&mut value[..1]), HeaderMatch::None);
        assert_eq!(value, [7; 5]);
        value[..2].fill(0);
        assert_eq!(received.tell::<2>(&mut value), HeaderMatch::None);
        assert_eq!(received.tell::<2>(&mut value[..4]), HeaderMatch::Told);
        assert_eq!(value, [0, 0, 3, 4, 7], "what was asked stays");
    }

    #[test]
    fn what_one_tlv_was_told_the_next_is_not() {
        let headers = [FIRST, SECOND];
        let mut received = ReceivedHeaders::new(&headers);
        assert_eq!(received.take(4, &[0]), Some(FIRST));
        let mut next = ReceivedHeaders::after(&headers, received.told());
        assert_eq!(next.take(4, &[0]), Some(SECOND));
        assert_eq!(ReceivedHeaders::after(&headers, next.told()).take(4, &[0]), None);
    }

    #[test]
    fn no_more_than_64_headers_are_looked_at() {
        let headers: Vec<&[u8]> = vec![FIRST; 66];
        let mut received = ReceivedHeaders::new(&headers);
        for _ in 0..64 {
            assert_eq!(received.take(4, &[0]), Some(FIRST));
        }
        assert_eq!(received.take(4, &[0]), None);
    }
}

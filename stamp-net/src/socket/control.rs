//! Control messages: what the kernel tells about a datagram, and what it is told.
//!
//! The octets are read and written as the kernel lays them out (`struct cmsghdr`: length, level,
//! type, each message padded to a machine word), so that no pointer arithmetic is needed.

/// Octets of `struct cmsghdr`.
const HEADER: usize = size_of::<usize>() + 8;

/// One control message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Control<'a> {
    pub(crate) level: i32,
    pub(crate) kind: i32,
    pub(crate) data: &'a [u8],
}

impl<'a> Control<'a> {
    /// `N` octets of the data from `offset` on; `None` when the kernel wrote fewer.
    pub(crate) fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.data.get(offset..)?.first_chunk().copied()
    }

    /// The data as one C `int`.
    pub(crate) fn int(&self) -> Option<i32> {
        self.array(0).map(i32::from_ne_bytes)
    }

    /// The data as one C `int`, or as the single octet that some messages are.
    pub(crate) fn octet(&self) -> Option<u8> {
        match self.data {
            [octet] => Some(*octet),
            _ => self.int().and_then(|value| u8::try_from(value).ok()),
        }
    }

    /// The `timespec` at place `index` in nanoseconds; `None` when it is not filled in.
    pub(crate) fn timespec_ns(&self, index: usize) -> Option<i64> {
        const WORD: usize = size_of::<libc::time_t>();
        let word = |offset| -> Option<i64> {
            #[allow(clippy::useless_conversion, reason = "narrower than 64 bits on some platforms")]
            self.array::<WORD>(offset).map(|octets| libc::time_t::from_ne_bytes(octets).into())
        };
        let seconds = word(index * 2 * WORD)?;
        let nanoseconds = word(index * 2 * WORD + WORD)?;
        if seconds == 0 && nanoseconds == 0 {
            return None;
        }
        seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
    }
}

/// Walks over the control messages of one received datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controls<'a> {
    rest: &'a [u8],
}

impl<'a> Controls<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }
}

impl<'a> Iterator for Controls<'a> {
    type Item = Control<'a>;

    #[inline]
    fn next(&mut self) -> Option<Control<'a>> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (level, rest) = rest.split_first_chunk()?;
        let (kind, _) = rest.split_first_chunk()?;
        let length = usize::from_ne_bytes(*length);
        let data = self.rest.get(HEADER..length)?;
        self.rest = self.rest.get(aligned(length)..).unwrap_or_default();
        Some(Control { level: i32::from_ne_bytes(*level), kind: i32::from_ne_bytes(*kind), data })
    }
}

/// Builds the control messages of one datagram to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlBuffer {
    octets: [u8; Self::CAPACITY],
    used: usize,
}

impl ControlBuffer {
    /// A request for a transmit stamp (24) and its id (24), a source address (40) and a traffic class
    /// (24).
    const CAPACITY: usize = 112;

    pub(crate) const fn new() -> Self {
        Self { octets: [0; Self::CAPACITY], used: 0 }
    }

    pub(crate) const fn clear(&mut self) {
        self.used = 0;
    }

    /// Appends a message. Everything that is ever sent together fits; what would not is left out.
    #[inline]
    pub(crate) fn push<const N: usize>(&mut self, level: i32, kind: i32, data: [u8; N]) {
        let length = HEADER + N;
        let Some(room) = self.octets.get_mut(self.used..self.used + aligned(length)) else {
            debug_assert!(false, "control messages exceed their buffer");
            return;
        };
        let (header, rest) = room.split_at_mut(HEADER);
        let (size, header) = header.split_at_mut(size_of::<usize>());
        size.copy_from_slice(&length.to_ne_bytes());
        let (place, header) = header.split_at_mut(4);
        place.copy_from_slice(&level.to_ne_bytes());
        header.copy_from_slice(&kind.to_ne_bytes());
        rest[..N].copy_from_slice(&data);
        rest[N..].fill(0);
        self.used += aligned(length);
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets[..self.used]
    }
}

const fn aligned(length: usize) -> usize {
    length.next_multiple_of(size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_read_back() {
        let mut buffer = ControlBuffer::new();
        buffer.push(libc::IPPROTO_IP, libc::IP_TOS, [0xB8]);
        buffer.push(libc::SOL_SOCKET, 81, 7_u32.to_ne_bytes());
        let read: Vec<_> = Controls::new(buffer.octets()).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].level, read[0].kind), (libc::IPPROTO_IP, libc::IP_TOS));
        assert_eq!(read[0].octet(), Some(0xB8));
        assert_eq!(read[1].int(), Some(7));
    }

    #[test]
    fn the_layout_is_that_of_the_c_library() {
        let mut buffer = ControlBuffer::new();
        buffer.push(1, 2, [3; 12]);
        assert_eq!(HEADER, size_of::<libc::cmsghdr>());
        // CMSG_LEN(12) in the length field, CMSG_SPACE(12) octets used.
        assert_eq!(buffer.octets()[..size_of::<usize>()], (HEADER + 12).to_ne_bytes());
        assert_eq!(buffer.octets().len(), HEADER + 16);
    }

    #[test]
    fn all_that_is_ever_sent_together_fits() {
        let mut buffer = ControlBuffer::new();
        buffer.push(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, [0; 4]);
        buffer.push(libc::SOL_SOCKET, 81, [0; 4]);
        buffer.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, [0; 20]);
        buffer.push(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, [0; 4]);
        assert_eq!(Controls::new(buffer.octets()).count(), 4);
    }

    #[test]
    fn a_cleared_buffer_is_empty() {
        let mut buffer = ControlBuffer::new();
        buffer.push(1, 2, [3; 4]);
        buffer.clear();
        assert_eq!(buffer.octets(), []);
    }

    #[test]
    fn a_length_that_lies_ends_the_walk() {
        for length in [0, HEADER - 1, HEADER + 9, usize::MAX] {
            let mut octets = [0; HEADER + 8];
            octets[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(Controls::new(&octets).next(), None, "{length}");
        }
    }

    #[test]
    fn a_truncated_header_ends_the_walk() {
        for length in 0..HEADER {
            assert_eq!(Controls::new(&[0xFF; HEADER][..length]).next(), None);
        }
    }

    #[test]
    fn a_missing_padding_behind_the_last_message_is_no_harm() {
        let mut buffer = ControlBuffer::new();
        buffer.push(1, 2, [3]);
        let read: Vec<_> = Controls::new(&buffer.octets()[..HEADER + 1]).collect();
        assert_eq!(read, [Control { level: 1, kind: 2, data: &[3] }]);
    }

    #[test]
    fn an_empty_timespec_is_no_time() {
        let mut data = [0; 48];
        data[32..40].copy_from_slice(&3_i64.to_ne_bytes());
        data[40..48].copy_from_slice(&9_i64.to_ne_bytes());
        let control = Control { level: 0, kind: 0, data: &data };
        assert_eq!(control.timespec_ns(0), None);
        assert_eq!(control.timespec_ns(2), Some(3_000_000_009));
        assert_eq!(control.timespec_ns(3), None);
    }
}

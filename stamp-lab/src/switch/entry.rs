//! Label stack entries.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                Label                  | TC  |S|      TTL      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

/// Octets of an entry.
pub(super) const ENTRY_OCTETS: usize = 4;

/// One label and what stands beside it. Which entry is the last one follows from its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) label: u32,
    pub(super) traffic_class: u8,
    pub(super) ttl: u8,
}

/// The entries at the begin of `octets`, top first, and what is behind them; none when no entry is
/// marked as the last.
pub(super) fn parse(octets: &[u8]) -> Option<(Vec<Entry>, &[u8])> {
    let mut rest = octets;
    let mut entries = Vec::new();
    loop {
        let (word, behind) = rest.split_first_chunk::<ENTRY_OCTETS>()?;
        let word = u32::from_be_bytes(*word);
        let [.., ttl] = word.to_be_bytes();
        let traffic_class = (word >> 9 & 0b111) as u8;
        entries.push(Entry { label: word >> 12, traffic_class, ttl });
        rest = behind;
        if word >> 8 & 1 == 1 {
            return Some((entries, rest));
        }
    }
}

/// Appends the entries, the last one marked.
pub(super) fn emit(entries: &[Entry], octets: &mut Vec<u8>) {
    for (position, entry) in entries.iter().enumerate() {
        let is_last = u32::from(position + 1 == entries.len());
        let class = u32::from(entry.traffic_class) << 9;
        let word = entry.label << 12 | class | is_last << 8 | u32::from(entry.ttl);
        octets.extend(word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_field_has_its_place() {
        let read = |octets: [u8; 4]| parse(&octets).map(|(entries, _)| entries[0]);
        let none = Entry { label: 0, traffic_class: 0, ttl: 0 };
        assert_eq!(read([0xff, 0xff, 0xf1, 0]), Some(Entry { label: 0xf_ffff, ..none }));
        assert_eq!(read([0, 0, 0x0f, 0]), Some(Entry { traffic_class: 7, ..none }));
        assert_eq!(read([0, 0, 1, 255]), Some(Entry { ttl: 255, ..none }));
        assert_eq!(read([0, 0, 0, 255]), None, "no entry is the last");
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed(
            fields in prop::collection::vec((0_u32..1 << 20, 0_u8..8, any::<u8>()), 1..20),
            payload in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let entry = |(label, traffic_class, ttl)| Entry { label, traffic_class, ttl };
            let entries: Vec<Entry> = fields.into_iter().map(entry).collect();
            let mut octets = Vec::new();
            emit(&entries, &mut octets);
            octets.extend(&payload);
            prop_assert_eq!(parse(&octets), Some((entries, &payload[..])));
        }
    }
}

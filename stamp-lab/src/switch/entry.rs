//! Label stacks while they change: which entry is the last one follows from its place.

use stamp_proto::sr::mpls::{LabelEntries, LabelStackEntry};

/// The entries at the begin of `octets`, top first, and what is behind them; none when no entry is
/// marked as the last.
pub(super) fn parse(octets: &[u8]) -> Option<(Vec<LabelStackEntry>, &[u8])> {
    let mut entries = LabelEntries::new(octets);
    let stack: Vec<LabelStackEntry> = entries.by_ref().collect();
    entries.is_at_bottom().then(|| (stack, entries.rest()))
}

/// Appends the entries, the last one marked.
pub(super) fn emit(stack: &[LabelStackEntry], octets: &mut Vec<u8>) {
    for (position, entry) in stack.iter().enumerate() {
        let bottom = position + 1 == stack.len();
        octets.extend(LabelStackEntry { bottom, ..*entry }.octets());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stamp_proto::sr::mpls::{Label, TrafficClass};

    use super::*;

    #[test]
    fn without_a_last_entry_there_is_no_stack() {
        assert_eq!(parse(&[0, 0, 0, 64]), None);
        assert_eq!(parse(&[]), None);
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed(
            fields in prop::collection::vec((0_u32..1 << 20, 0_u8..8, any::<u8>()), 1..20),
            payload in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let entry = |(label, class, ttl)| LabelStackEntry {
                label: Label::new(label).unwrap(),
                traffic_class: TrafficClass::new(class).unwrap(),
                bottom: false,
                ttl,
            };
            let mut stack: Vec<LabelStackEntry> = fields.into_iter().map(entry).collect();
            let mut octets = Vec::new();
            emit(&stack, &mut octets);
            octets.extend(&payload);
            stack.last_mut().unwrap().bottom = true;
            prop_assert_eq!(parse(&octets), Some((stack, &payload[..])));
        }
    }
}

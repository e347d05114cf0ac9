//! Compressed SIDs.

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use crate::reader::Reader;
use crate::sr::csid::{NextCsid, ReplaceCsid};
use crate::sr::segment::{SegmentList, Sid};

/// Widths of block and SIDs (2 octets), the block (16), then addresses of 16 octets each: SIDs to
/// compress, and containers as well.
pub fn lists(octets: &[u8]) {
    let mut reader = Reader::new(octets);
    let (Ok(block_bits), Ok(csid_bits)) = (reader.take_u8("block"), reader.take_u8("SID")) else {
        return;
    };
    let Ok(prefix) = reader.take_array::<16>("prefix") else { return };
    let (addresses, _) = reader.rest().as_chunks::<16>();
    let sids = addresses.iter().take(64).map(|octets| Sid(Ipv6Addr::from(*octets))).collect();
    let Some(list) = SegmentList::new(sids) else { return };
    let prefix = Ipv6Addr::from(prefix);
    if let Ok(block) = NextCsid::new(prefix, block_bits, csid_bits) {
        check_next(&block, &list);
    }
    if let Ok(block) = ReplaceCsid::new(prefix, block_bits, csid_bits) {
        check_replace(&block, &list);
    }
}

/// Containers hold the same SIDs in the same order, and shifting the last one ends at the last SID.
fn check_next(block: &NextCsid, list: &SegmentList) {
    let parts = |list: &SegmentList| -> Option<Vec<_>> {
        let parts: Result<Vec<_>, _> =
            list.segments().iter().map(|sid| block.unpack(*sid)).collect();
        Some(parts.ok()?.concat())
    };
    let compressed = block.compress(list);
    assert_eq!(compressed.is_ok(), parts(list).is_some());
    let Ok(compressed) = compressed else { return };
    assert_eq!(parts(&compressed.containers), parts(list));
    assert!(compressed.containers.len() <= list.len());
    let mut address = compressed.containers.last().0;
    for _ in 0..block.capacity() {
        if address == compressed.ultimate {
            return;
        }
        address = block.shift(address, 1).expect("the last SID is still ahead");
    }
    assert_eq!(address, compressed.ultimate);
}

/// A packed list expands to the same SIDs.
fn check_replace(block: &ReplaceCsid, list: &SegmentList) {
    let compressed = block.compress(list);
    let good = list.segments().iter().all(|sid| block.csid(*sid).is_ok());
    assert_eq!(compressed.is_ok(), good);
    if let Ok(compressed) = compressed {
        assert_eq!(block.expand(&compressed.containers).as_ref(), Ok(list));
        let entries = (list.len() - 1).div_ceil(block.capacity());
        assert_eq!(compressed.containers.len(), entries + 1);
    } else if block.csid(list.first()).is_ok() {
        // As containers, any octets expand to SIDs of the block.
        let expanded = block.expand(list).expect("the first is of the block");
        assert!(expanded.segments().iter().all(|sid| block.csid(*sid).is_ok()));
    }
}

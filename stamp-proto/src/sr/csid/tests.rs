use std::string::ToString;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn sid(text: &str) -> Sid {
    Sid(text.parse().unwrap())
}

fn list(texts: &[&str]) -> SegmentList {
    SegmentList::new(texts.iter().map(|text| sid(text)).collect()).unwrap()
}

fn next(block: &str, block_bits: u8, csid_bits: u8) -> Result<NextCsid, CsidError> {
    NextCsid::new(block.parse().unwrap(), block_bits, csid_bits)
}

fn replace(block: &str, block_bits: u8, csid_bits: u8) -> Result<ReplaceCsid, CsidError> {
    ReplaceCsid::new(block.parse().unwrap(), block_bits, csid_bits)
}

#[test]
fn widths_must_fit_into_an_address() {
    for (block_bits, csid_bits) in [(0, 16), (32, 0), (120, 16), (128, 1), (200, 200)] {
        let refusal = CsidError::Widths { block_bits, csid_bits };
        assert_eq!(next("fc00::", block_bits, csid_bits), Err(refusal));
        assert_eq!(replace("fc00::", block_bits, csid_bits), Err(refusal));
    }
    assert_eq!(next("fcbb:bb00::", 32, 16).unwrap().capacity(), 6);
    assert_eq!(next("2001:db8::", 48, 16).unwrap().capacity(), 5);
    assert_eq!(next("fc00::", 127, 1).unwrap().capacity(), 1);
    assert_eq!(next("fc00::", 40, 24).unwrap().capacity(), 3);
    // The index takes room: three bits for eight places, two for four.
    assert!(replace("fc00::", 109, 16).is_ok());
    assert!(replace("fc00::", 110, 16).is_err());
    assert!(replace("fc00::", 94, 32).is_ok());
    assert!(replace("fc00::", 95, 32).is_err());
    assert_eq!(replace("fc00::", 48, 24).unwrap().capacity(), 5);
}

#[test]
fn a_block_ends_where_it_says() {
    let block = "fc00:0:1::".parse().unwrap();
    let refusal = CsidError::BlockBits { block, block_bits: 32 };
    assert_eq!(next("fc00:0:1::", 32, 16), Err(refusal));
    assert_eq!(replace("fc00:0:1::", 32, 16), Err(refusal));
}

#[test]
fn a_container_is_cut_into_its_sids() {
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    let container = sid("fcbb:bb00:5:b:f016:5:1:0");
    let csids = block.unpack(container).unwrap();
    assert_eq!(csids, [0x5, 0xb, 0xf016, 0x5, 0x1].map(Csid));
    assert_eq!(csids[2].to_string(), "f016");
}

#[test]
fn what_is_no_container_is_refused() {
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    let prefix = "fcbb:bb00::".parse().unwrap();
    let other = |sid| CsidError::OtherBlock { sid, block: prefix, block_bits: 32 };
    for (text, refusal) in [
        ("fcbb:bb01:5::", other(sid("fcbb:bb01:5::"))),
        ("fcbb:bb00::", CsidError::NoCsid { sid: sid("fcbb:bb00::") }),
        ("fcbb:bb00:0:5::", CsidError::TrailingBits { sid: sid("fcbb:bb00:0:5::") }),
        ("fcbb:bb00:5:0:1::", CsidError::TrailingBits { sid: sid("fcbb:bb00:5:0:1::") }),
    ] {
        assert_eq!(block.unpack(sid(text)), Err(refusal), "{text}");
        assert_eq!(block.compress(&list(&["fcbb:bb00:1::", text])), Err(refusal), "{text}");
    }
    // 128 - 40 is three times 24 and 16 bits that hold nothing.
    let odd = next("fc00::", 40, 24).unwrap();
    let trailing = sid("fc00::1");
    assert_eq!(odd.unpack(trailing), Err(CsidError::TrailingBits { sid: trailing }));
}

#[test]
fn a_long_list_goes_into_several_containers() {
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    let texts: Vec<_> = (1..=13).map(|node| std::format!("fcbb:bb00:{node:x}::")).collect();
    let texts: Vec<&str> = texts.iter().map(|text| &text[..]).collect();
    let compressed = block.compress(&list(&texts)).unwrap();
    let expected = list(&["fcbb:bb00:1:2:3:4:5:6", "fcbb:bb00:7:8:9:a:b:c", "fcbb:bb00:d::"]);
    assert_eq!(compressed.containers, expected);
    assert_eq!(compressed.ultimate, sid("fcbb:bb00:d::").0);
}

#[test]
fn node_and_function_stay_in_one_container() {
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    let nodes = ["fcbb:bb00:1:2:3:4:5:0", "fcbb:bb00:b:f016::"];
    let compressed = block.compress(&list(&nodes)).unwrap();
    assert_eq!(compressed.containers, list(&nodes));
    assert_eq!(compressed.ultimate, sid("fcbb:bb00:b:f016::").0);
}

#[test]
fn each_node_shifts_the_container() {
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    let mut address = sid("fcbb:bb00:5:b:f016:5:1:0").0;
    for (parts, expected) in [
        (1, Some("fcbb:bb00:b:f016:5:1::")),
        (2, Some("fcbb:bb00:5:1::")),
        (1, Some("fcbb:bb00:1::")),
        (1, None),
    ] {
        let shifted = block.shift(address, parts);
        assert_eq!(shifted, expected.map(|text| sid(text).0));
        address = shifted.unwrap_or(address);
    }
    assert_eq!(block.shift(sid("fc00::1").0, 1), None);
}

#[test]
fn a_packed_list_is_filled_from_its_least_significant_place() {
    let block = replace("2001:db8::", 48, 32).unwrap();
    let sids: Vec<_> = (1..=7).map(|n| std::format!("2001:db8:0:{n}:{n}::")).collect();
    let sids: Vec<&str> = sids.iter().map(|text| &text[..]).collect();
    let compressed = block.compress(&list(&sids)).unwrap();
    let expected = list(&["2001:db8:0:1:1::", "5:5:4:4:3:3:2:2", "::7:7:6:6"]);
    assert_eq!(compressed.containers, expected);
    assert_eq!(compressed.ultimate, sid("2001:db8:0:7:7::2").0);
    assert_eq!(block.expand(&compressed.containers), Ok(list(&sids)));
    let one = block.compress(&list(&sids[..1])).unwrap();
    assert_eq!((one.containers, one.ultimate), (list(&sids[..1]), sid(sids[0]).0));
}

#[test]
fn an_address_may_follow_where_the_last_entry_has_a_free_place() {
    let block = replace("2001:db8::", 48, 32).unwrap();
    let sids: Vec<_> = (1..=7).map(|n| std::format!("2001:db8:0:{n}:{n}::")).collect();
    let sids: Vec<&str> = sids.iter().map(|text| &text[..]).collect();
    let continues = |count: usize| block.compress(&list(&sids[..count])).unwrap().continues;
    assert_eq!(
        (1..=7).map(continues).collect::<Vec<_>>(),
        [false, true, true, true, false, true, true]
    );
    let block = next("fcbb:bb00::", 32, 16).unwrap();
    assert!(block.compress(&list(&["fcbb:bb00:1:2:3:4:5:6"])).unwrap().continues);
}

#[test]
fn what_has_no_single_csid_is_refused() {
    let block = replace("2001:db8::", 48, 32).unwrap();
    let prefix = "2001:db8::".parse().unwrap();
    let other = |sid| CsidError::OtherBlock { sid, block: prefix, block_bits: 48 };
    for (text, refusal) in [
        ("2001:db9:0:1:1::", other(sid("2001:db9:0:1:1::"))),
        ("2001:db8::", CsidError::NoCsid { sid: sid("2001:db8::") }),
        ("2001:db8:0:1:1::2", CsidError::TrailingBits { sid: sid("2001:db8:0:1:1::2") }),
    ] {
        assert_eq!(block.csid(sid(text)), Err(refusal), "{text}");
        assert_eq!(block.compress(&list(&["2001:db8:0:1::", text])), Err(refusal), "{text}");
        assert_eq!(block.compress(&list(&[text])), Err(refusal), "{text}");
        assert_eq!(block.expand(&list(&[text])), Err(refusal), "{text}");
    }
}

/// What an endpoint of RFC 9800 §4.2 does, as its pseudocode says it: destination, Segments Left
/// and index after each.
fn walk(block: &ReplaceCsid, containers: &SegmentList) -> Vec<(Ipv6Addr, usize, usize)> {
    let entries: Vec<Sid> = containers.segments().iter().skip(1).rev().copied().collect();
    let (mut address, mut left, mut index) = (containers.first().0, entries.len(), 0);
    let mut steps = std::vec![(address, left, index)];
    loop {
        let ended = |index: usize| index == 0 || block.at(entries[0], index - 1).0 == 0;
        if left == 0 && (entries.is_empty() || ended(index)) {
            return steps;
        }
        if index != 0 {
            index -= 1;
            assert_ne!(block.at(entries[left], index).0, 0, "all entries but the last are full");
        } else {
            left -= 1;
            index = block.capacity() - 1;
        }
        address = block.destination(block.at(entries[left], index), index);
        steps.push((address, left, index));
    }
}

#[test]
fn the_nodes_walk_over_a_packed_list_as_the_digest_shows() {
    let block = replace("2001:db8::", 48, 32).unwrap();
    let sids: Vec<_> = (1..=7).map(|n| std::format!("2001:db8:0:{n}:{n}::")).collect();
    let sids: Vec<&str> = sids.iter().map(|text| &text[..]).collect();
    let compressed = block.compress(&list(&sids)).unwrap();
    let expected = [
        ("2001:db8:0:1:1::", 2, 0),
        ("2001:db8:0:2:2::3", 1, 3),
        ("2001:db8:0:3:3::2", 1, 2),
        ("2001:db8:0:4:4::1", 1, 1),
        ("2001:db8:0:5:5::", 1, 0),
        ("2001:db8:0:6:6::3", 0, 3),
        ("2001:db8:0:7:7::2", 0, 2),
    ];
    let steps = walk(&block, &compressed.containers);
    assert_eq!(steps, expected.map(|(text, left, index)| (sid(text).0, left, index)));
}

#[test]
fn messages_say_what_and_where() {
    for (error, message) in [
        (
            CsidError::OtherBlock {
                sid: sid("fc00::1"),
                block: "fcbb:bb00::".parse().unwrap(),
                block_bits: 32,
            },
            "fc00::1 is not in the block fcbb:bb00::/32",
        ),
        (
            CsidError::Widths { block_bits: 120, csid_bits: 16 },
            "a block of 120 bits and SIDs of 16 bits do not fit into an address",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn every_list_survives_containers_of_any_width(
        prefix in any::<u128>(),
        widths in (1_u8..100, 1_u8..40),
        values in prop::collection::vec(any::<u128>(), 1..30),
    ) {
        let (block_bits, csid_bits) = widths;
        let prefix = Ipv6Addr::from_bits(prefix & upper_ones(u32::from(block_bits)));
        let Ok(block) = NextCsid::new(prefix, block_bits, csid_bits) else { return Ok(()) };
        let mask = upper_ones(u32::from(csid_bits)) >> (128 - u32::from(csid_bits));
        let csids: Vec<Csid> = values.iter().map(|value| Csid((value & mask).max(1))).collect();
        let sids: Vec<Sid> = csids.iter().map(|csid| block.container(&[*csid])).collect();
        let list = SegmentList::new(sids).unwrap();
        let compressed = block.compress(&list).unwrap();
        let containers = compressed.containers.segments();
        let unpacked: Vec<Csid> =
            containers.iter().flat_map(|container| block.unpack(*container).unwrap()).collect();
        prop_assert_eq!(&unpacked, &csids);
        prop_assert_eq!(containers.len(), csids.len().div_ceil(block.capacity()));
        // Shifting as often as there are more SIDs leads to the last one.
        let mut address = compressed.containers.last().0;
        while let Some(shifted) = block.shift(address, 1) {
            address = shifted;
        }
        prop_assert_eq!(address, compressed.ultimate);
    }

    #[test]
    fn every_list_survives_packing_and_is_walked_to_its_end(
        widths in (1_u8..90, 1_u8..40),
        values in prop::collection::vec(any::<u128>(), 1..30),
    ) {
        let (block_bits, csid_bits) = widths;
        let Ok(block) = ReplaceCsid::new(Ipv6Addr::UNSPECIFIED, block_bits, csid_bits) else {
            return Ok(());
        };
        let mask = upper_ones(u32::from(csid_bits)) >> (128 - u32::from(csid_bits));
        let sids: Vec<Sid> = values
            .iter()
            .map(|value| Sid(block.destination(Csid((value & mask).max(1)), 0)))
            .collect();
        let list = SegmentList::new(sids).unwrap();
        let compressed = block.compress(&list).unwrap();
        prop_assert_eq!(block.expand(&compressed.containers), Ok(list.clone()));
        let steps = walk(&block, &compressed.containers);
        prop_assert_eq!(steps.len(), list.len());
        prop_assert_eq!(steps.last().unwrap().0, compressed.ultimate);
    }
}

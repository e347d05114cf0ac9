//! The REPLACE-CSID flavour: each node takes the next compressed SID out of the list into the
//! destination address (RFC 9800 §4.2).

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::{Block, Compressed, Csid, CsidError, upper_ones};
use crate::sr::segment::{SegmentList, Sid};

/// A SID block whose nodes understand packed lists.
///
/// The first SID is a whole one, its index zero. Each entry of the list then holds as many
/// compressed SIDs as fit, the first to be used in the least significant place; the index in the
/// lowest bits of the destination address tells the place of the current one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReplaceCsid {
    block: Block,
}

impl ReplaceCsid {
    /// A block of `block_bits` with compressed SIDs of `csid_bits`; 32 is what everybody has.
    ///
    /// # Errors
    ///
    /// [`CsidError::Widths`] also when no room is left for the index, [`CsidError::BlockBits`].
    pub fn new(block: Ipv6Addr, block_bits: u8, csid_bits: u8) -> Result<Self, CsidError> {
        let places = u128::BITS.checked_div(u32::from(csid_bits)).unwrap_or(0);
        let index_bits = places.checked_next_power_of_two().map_or(0, u32::trailing_zeros);
        Block::new(block, block_bits, csid_bits, index_bits).map(|block| Self { block })
    }

    /// How many compressed SIDs one entry of the list holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.block.capacity_of(u128::BITS)
    }

    /// The compressed SID of a whole SID.
    ///
    /// # Errors
    ///
    /// [`CsidError::OtherBlock`], [`CsidError::NoCsid`] when it is zero,
    /// [`CsidError::TrailingBits`] when anything is set behind it.
    pub fn csid(&self, sid: Sid) -> Result<Csid, CsidError> {
        match self.block.split(self.block.behind(sid)?) {
            (Csid(0), _) => Err(CsidError::NoCsid { sid }),
            (csid, 0) => Ok(csid),
            _ => Err(CsidError::TrailingBits { sid }),
        }
    }

    /// Packs a list: the first SID whole, the others into entries.
    ///
    /// # Errors
    ///
    /// As [`Self::csid`], for the first SID of the list that is not of this block.
    pub fn compress(&self, list: &SegmentList) -> Result<Compressed, CsidError> {
        let first = list.first();
        let mut last = (self.csid(first)?, 0);
        let mut containers = Vec::new();
        containers.push(first);
        let mut entry = 0;
        let mut place = self.capacity();
        for sid in list.segments().iter().skip(1) {
            let csid = self.csid(*sid)?;
            place = match place.checked_sub(1) {
                Some(place) => place,
                None => {
                    containers.push(Sid(Ipv6Addr::from_bits(entry)));
                    entry = 0;
                    self.capacity().saturating_sub(1)
                }
            };
            entry |= csid.0.checked_shl(self.shift_of(place)).unwrap_or(0);
            last = (csid, place);
        }
        if entry != 0 {
            containers.push(Sid(Ipv6Addr::from_bits(entry)));
        }
        let containers = SegmentList::new(containers).ok_or(CsidError::NoCsid { sid: first })?;
        // A node leaves packed entries where it finds a zero in one; a full one has none.
        let continues = containers.len() > 1 && last.1 > 0;
        Ok(Compressed { containers, ultimate: self.destination(last.0, last.1), continues })
    }

    /// The whole SIDs of a list as [`Self::compress`] makes it.
    ///
    /// # Errors
    ///
    /// As [`Self::csid`], for the first of the containers.
    pub fn expand(&self, containers: &SegmentList) -> Result<SegmentList, CsidError> {
        let first = containers.first();
        self.csid(first)?;
        let mut found = Vec::new();
        found.push(first);
        for entry in containers.segments().iter().skip(1) {
            for place in (0..self.capacity()).rev() {
                match self.at(*entry, place) {
                    Csid(0) => break,
                    csid => found.push(Sid(self.destination(csid, 0))),
                }
            }
        }
        SegmentList::new(found).ok_or(CsidError::NoCsid { sid: first })
    }

    /// The compressed SID in a place of an entry; zero where the list has ended.
    #[must_use]
    pub fn at(&self, entry: Sid, place: usize) -> Csid {
        let width = u32::from(self.block.csid_bits);
        let mask = upper_ones(width).checked_shr(u128::BITS.saturating_sub(width)).unwrap_or(0);
        let bits = entry.0.to_bits().checked_shr(self.shift_of(place)).unwrap_or(0);
        Csid(bits & mask)
    }

    /// The destination address while the compressed SID in this place is the current one.
    #[must_use]
    pub fn destination(&self, csid: Csid, place: usize) -> Ipv6Addr {
        let width = u32::from(self.block.csid_bits);
        let behind = csid.0.checked_shl(u128::BITS.saturating_sub(width)).unwrap_or(0);
        let index = u128::try_from(place).unwrap_or(0);
        Ipv6Addr::from_bits(self.block.address(behind).to_bits() | index)
    }

    /// How far a compressed SID in this place is from the least significant bit.
    fn shift_of(&self, place: usize) -> u32 {
        let width = u32::from(self.block.csid_bits);
        let from_top = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        u128::BITS.saturating_sub(from_top.saturating_mul(width))
    }
}

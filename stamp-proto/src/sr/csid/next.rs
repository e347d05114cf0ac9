//! The NEXT-CSID flavour, also called uSID: an address that each node shifts (RFC 9800 §4.1).

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::{Block, Compressed, Csid, CsidError};
use crate::sr::segment::{SegmentList, Sid};

/// A SID block whose nodes understand containers: the block, then compressed SIDs in travel order,
/// then zeros.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NextCsid {
    block: Block,
}

impl NextCsid {
    /// A block of `block_bits` with compressed SIDs of `csid_bits`; 32 and 16 are what everybody
    /// has.
    ///
    /// # Errors
    ///
    /// [`CsidError::Widths`], [`CsidError::BlockBits`].
    pub fn new(block: Ipv6Addr, block_bits: u8, csid_bits: u8) -> Result<Self, CsidError> {
        Block::new(block, block_bits, csid_bits, 0).map(|block| Self { block })
    }

    /// Bits of the block.
    #[must_use]
    pub const fn block_bits(&self) -> u8 {
        self.block.block_bits
    }

    /// How many compressed SIDs one container holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let bits = u128::BITS.saturating_sub(u32::from(self.block.block_bits));
        self.block.capacity_of(bits)
    }

    /// The compressed SIDs of a container or of a single SID, first to be used first.
    ///
    /// # Errors
    ///
    /// [`CsidError::OtherBlock`], [`CsidError::NoCsid`] when the first is zero,
    /// [`CsidError::TrailingBits`] when anything is set behind the first that is zero.
    pub fn unpack(&self, container: Sid) -> Result<Vec<Csid>, CsidError> {
        let mut bits = self.block.behind(container)?;
        let mut found = Vec::new();
        for _ in 0..self.capacity() {
            let (csid, rest) = self.block.split(bits);
            if csid.0 == 0 {
                break;
            }
            found.push(csid);
            bits = rest;
        }
        match (found.is_empty(), bits) {
            (false, 0) => Ok(found),
            (true, 0) => Err(CsidError::NoCsid { sid: container }),
            _ => Err(CsidError::TrailingBits { sid: container }),
        }
    }

    /// Puts a list into as few containers as it takes, never changing its order.
    ///
    /// A SID may be of several parts, such as a node and a function that only that node knows; they
    /// stay in one container, because the node looks at them together.
    ///
    /// # Errors
    ///
    /// As [`Self::unpack`], for the first SID of the list that is not of this block.
    pub fn compress(&self, list: &SegmentList) -> Result<Compressed, CsidError> {
        let capacity = self.capacity();
        let mut containers = Vec::new();
        let mut open: Vec<Csid> = Vec::new();
        for sid in list.segments() {
            let parts = self.unpack(*sid)?;
            if open.len().saturating_add(parts.len()) > capacity {
                containers.push(self.container(&open));
                open.clear();
            }
            open.extend(parts);
        }
        containers.push(self.container(&open));
        let last = list.last();
        let containers = SegmentList::new(containers).ok_or(CsidError::NoCsid { sid: last })?;
        Ok(Compressed { containers, ultimate: last.0, continues: true })
    }

    /// What the node of the first compressed SID makes of the address: all others move up by
    /// `parts` places. None when nothing is behind them, so that the node goes on as with any SID.
    #[must_use]
    pub fn shift(&self, address: Ipv6Addr, parts: usize) -> Option<Ipv6Addr> {
        let mut bits = self.block.behind(Sid(address)).ok()?;
        for _ in 0..parts {
            bits = self.block.split(bits).1;
        }
        (bits != 0).then(|| self.block.address(bits))
    }

    pub(super) fn container(&self, csids: &[Csid]) -> Sid {
        let width = u32::from(self.block.csid_bits);
        let mut place = u128::BITS;
        let mut bits = 0;
        for csid in csids {
            place = place.saturating_sub(width);
            bits |= csid.0.checked_shl(place).unwrap_or(0);
        }
        Sid(self.block.address(bits))
    }
}

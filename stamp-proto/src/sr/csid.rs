//! Compressed SIDs: many segments in one IPv6 address (RFC 9800 §4).

mod next;
mod replace;

use core::fmt;
use core::net::Ipv6Addr;

use super::segment::{SegmentList, Sid};

pub use next::NextCsid;
pub use replace::ReplaceCsid;

/// Why SIDs cannot be compressed, or an address is no container of them.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum CsidError {
    #[error("a block of {block_bits} bits and SIDs of {csid_bits} bits do not fit into an address")]
    Widths { block_bits: u8, csid_bits: u8 },
    #[error("{block} has bits set behind its first {block_bits}")]
    BlockBits { block: Ipv6Addr, block_bits: u8 },
    #[error("{sid} is not in the block {block}/{block_bits}")]
    OtherBlock { sid: Sid, block: Ipv6Addr, block_bits: u8 },
    #[error("{sid} has no compressed SID behind its block; zero is none")]
    NoCsid { sid: Sid },
    #[error("{sid} has bits set behind its last compressed SID")]
    TrailingBits { sid: Sid },
}

/// The part of a SID that differs within a block: node and function, right-aligned. Zero is none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Csid(pub u128);

impl fmt::Display for Csid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

/// A list of segments as it goes into addresses and headers, and where it ends.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Compressed {
    /// Destination address and entries of an SRH, in travel order.
    pub containers: SegmentList,
    /// The destination address as its last node receives it, which is what an upper-layer checksum
    /// is made for (RFC 9800 §6).
    pub ultimate: Ipv6Addr,
    /// Another whole address may follow in the header: the last node takes the next entry as one.
    pub continues: bool,
}

/// A SID block and the width of the SIDs in it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Block {
    prefix: u128,
    block_bits: u8,
    csid_bits: u8,
}

impl Block {
    /// The one check of block and widths; `reserved` low bits of an address are not for SIDs.
    fn new(
        block: Ipv6Addr,
        block_bits: u8,
        csid_bits: u8,
        reserved: u32,
    ) -> Result<Self, CsidError> {
        let widths = u32::from(block_bits).saturating_add(u32::from(csid_bits));
        if block_bits == 0 || csid_bits == 0 || widths.saturating_add(reserved) > u128::BITS {
            return Err(CsidError::Widths { block_bits, csid_bits });
        }
        let made = Self { prefix: block.to_bits(), block_bits, csid_bits };
        if made.prefix & !made.block_mask() != 0 {
            return Err(CsidError::BlockBits { block, block_bits });
        }
        Ok(made)
    }

    /// Ones where the block is.
    fn block_mask(self) -> u128 {
        upper_ones(u32::from(self.block_bits))
    }

    /// Takes the block off; what is behind it is at the upper end then.
    fn behind(self, sid: Sid) -> Result<u128, CsidError> {
        let bits = sid.0.to_bits();
        if bits & self.block_mask() != self.prefix {
            let (block, block_bits) = (Ipv6Addr::from_bits(self.prefix), self.block_bits);
            return Err(CsidError::OtherBlock { sid, block, block_bits });
        }
        Ok(bits.checked_shl(u32::from(self.block_bits)).unwrap_or(0))
    }

    /// An address of this block with `behind`, left-aligned, behind it.
    fn address(self, behind: u128) -> Ipv6Addr {
        let behind = behind.checked_shr(u32::from(self.block_bits)).unwrap_or(0);
        Ipv6Addr::from_bits(self.prefix | behind)
    }

    /// The SID at the upper end of `bits`, and what is left when it is taken off.
    fn split(self, bits: u128) -> (Csid, u128) {
        let width = u32::from(self.csid_bits);
        let csid = bits.checked_shr(u128::BITS.saturating_sub(width)).unwrap_or(0);
        (Csid(csid), bits.checked_shl(width).unwrap_or(0))
    }

    /// How many SIDs `bits` bits hold.
    fn capacity_of(self, bits: u32) -> usize {
        let held = bits.checked_div(u32::from(self.csid_bits)).unwrap_or(0);
        usize::try_from(held).unwrap_or(usize::MAX)
    }
}

/// An address whose upper `count` bits are ones.
fn upper_ones(count: u32) -> u128 {
    u128::MAX.checked_shl(u128::BITS.saturating_sub(count)).unwrap_or(0)
}

#[cfg(test)]
mod tests;

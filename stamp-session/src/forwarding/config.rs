//! Which labels and SIDs this node has, and what it does about each.

use core::net::Ipv6Addr;

use stamp_proto::sr::csid::{CsidError, NextCsid};
use stamp_proto::sr::mpls::{ExtendedLabel, Label};
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};

/// Everything a [`Forwarder`](super::Forwarder) acts on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ForwardingConfig {
    /// Where timestamps are written.
    pub timestamps: Vec<TimestampRule>,
    /// Other labels that are acted on.
    pub labels: Vec<LabelRule>,
}

/// A timestamp label or an End.TSF SID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimestampRule {
    /// What a packet carries.
    pub trigger: Trigger,
    /// Numbers of the interfaces it is accepted on.
    pub interfaces: Vec<u32>,
    /// Where and how the timestamp is written.
    pub place: Place,
    /// UDP destination ports of test packets; none for all.
    pub ports: Vec<u16>,
    /// Packets per second; none for no limit.
    pub rate_limit: Option<u32>,
}

/// What asks for a timestamp.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Trigger {
    /// The Extension Label and this label below it.
    Extended(ExtendedLabel),
    /// This label.
    Label(Label),
    /// A destination address in this SID.
    Sid(SidForm),
}

/// An End.TSF SID.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SidForm {
    prefix: Ipv6Addr,
    bits: u8,
    next_csid: Option<(NextCsid, usize)>,
}

/// Where and how T2 is written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// Octets into the UDP payload.
    pub offset: u16,
    /// How the 64 bits are read.
    pub format: TimestampFormat,
    /// Whether PTP seconds are UTC or TAI.
    pub ptp_utc_offset: PtpUtcOffset,
}

impl Place {
    /// Offset of T2 in an unauthenticated packet.
    pub const UNAUTHENTICATED: u16 = 16;
    /// Offset of T2 in an authenticated packet.
    pub const AUTHENTICATED: u16 = 32;
}

/// What this node does with a label that is no timestamp label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelRule {
    /// The label.
    pub label: Label,
    /// Numbers of the interfaces it is accepted on.
    pub interfaces: Vec<u32>,
    /// What happens.
    pub action: Action,
}

/// What happens to a packet with a label on top.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// The label is this node's own: off it goes, and what is below is acted on here.
    PopHere,
    /// Off it goes, and what is below to the next hop, unread.
    Pop(AdjacencyId),
    /// These labels, top first, stand in its place.
    Replace(Vec<Label>, AdjacencyId),
}

/// Names a next hop that the shell knows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AdjacencyId(pub usize);

/// Why a configuration is refused.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ForwardingConfigError {
    #[error("{trigger} stands there twice")]
    Twice { trigger: Trigger },
    #[error("label {label} has a special purpose and cannot be this node's")]
    SpecialLabel { label: Label },
    #[error("label {label} is to be replaced by no label")]
    NoLabels { label: Label },
    #[error("{sid}/{bits} leaves no bit of an address to tell SIDs apart")]
    SidBits { sid: Ipv6Addr, bits: u8 },
    #[error("{sid}/{bits} has bits set behind its first {bits}")]
    SidTail { sid: Ipv6Addr, bits: u8 },
    #[error("{sid}/{bits} is no whole number of compressed SIDs of {csid_bits} bits")]
    CsidWidth { sid: Ipv6Addr, bits: u8, csid_bits: u8 },
    #[error(transparent)]
    Csid(#[from] CsidError),
}

impl SidForm {
    /// The SID whose first `bits` bits are those of `prefix`; arguments may follow.
    ///
    /// # Errors
    ///
    /// [`ForwardingConfigError::SidBits`], [`ForwardingConfigError::SidTail`].
    pub fn new(prefix: Ipv6Addr, bits: u8) -> Result<Self, ForwardingConfigError> {
        if bits == 0 || bits > 128 {
            return Err(ForwardingConfigError::SidBits { sid: prefix, bits });
        }
        let this = Self { prefix, bits, next_csid: None };
        if prefix.to_bits() & !this.mask() != 0 {
            return Err(ForwardingConfigError::SidTail { sid: prefix, bits });
        }
        Ok(this)
    }

    /// The same with the NEXT-CSID flavour (RFC 9800 §4.1): behind a block of `block_bits` the SID
    /// is made of compressed SIDs of `csid_bits`.
    ///
    /// # Errors
    ///
    /// [`ForwardingConfigError::Csid`] and [`ForwardingConfigError::CsidWidth`].
    pub fn with_next_csid(
        self,
        block_bits: u8,
        csid_bits: u8,
    ) -> Result<Self, ForwardingConfigError> {
        let (sid, bits) = (self.prefix, self.bits);
        let refused = ForwardingConfigError::CsidWidth { sid, bits, csid_bits };
        let own = bits.checked_sub(block_bits).filter(|own| *own > 0).ok_or(refused)?;
        if csid_bits == 0 || !own.is_multiple_of(csid_bits) {
            return Err(refused);
        }
        let shift = 128_u32.saturating_sub(block_bits.into());
        let block = self.prefix.to_bits().checked_shr(shift).unwrap_or(0);
        let block = Ipv6Addr::from_bits(block.checked_shl(shift).unwrap_or(0));
        let parts = usize::from(own.checked_div(csid_bits).unwrap_or(0));
        let next_csid = Some((NextCsid::new(block, block_bits, csid_bits)?, parts));
        Ok(Self { next_csid, ..self })
    }

    /// Its first address.
    #[must_use]
    pub const fn prefix(&self) -> Ipv6Addr {
        self.prefix
    }

    /// How many bits of an address are the SID.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// With the NEXT-CSID flavour: bits of the block, and bits behind it that are this SID and
    /// make room for those that follow.
    #[must_use]
    pub fn shift_bits(&self) -> Option<(u8, u8)> {
        let (csids, _) = self.next_csid?;
        let block = csids.block_bits();
        Some((block, self.bits.saturating_sub(block)))
    }

    /// The address is in this SID.
    #[must_use]
    pub fn holds(&self, address: Ipv6Addr) -> bool {
        address.to_bits() & self.mask() == self.prefix.to_bits()
    }

    /// What the flavour makes of the address, if anything is behind this SID.
    pub(super) fn shifted(&self, address: Ipv6Addr) -> Option<Ipv6Addr> {
        let (csids, parts) = self.next_csid?;
        csids.shift(address, parts)
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128_u32.saturating_sub(self.bits.into())).unwrap_or(0)
    }
}

impl core::fmt::Display for Trigger {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Extended(label) => write!(f, "extended label {label}"),
            Self::Label(label) => write!(f, "label {label}"),
            Self::Sid(sid) => write!(f, "SID {}/{}", sid.prefix, sid.bits),
        }
    }
}

impl ForwardingConfig {
    /// What asks for a timestamp, rule by rule.
    pub(super) fn triggers(&self) -> Vec<Trigger> {
        self.timestamps.iter().map(|rule| rule.trigger).collect()
    }

    /// # Errors
    ///
    /// The first contradiction.
    pub(super) fn check(&self) -> Result<(), ForwardingConfigError> {
        let plain = self.labels.iter().map(|rule| Trigger::Label(rule.label));
        let all: Vec<Trigger> =
            self.timestamps.iter().map(|rule| rule.trigger).chain(plain).collect();
        for (index, trigger) in all.iter().enumerate() {
            if let Trigger::Label(label) = *trigger
                && label.is_special()
            {
                return Err(ForwardingConfigError::SpecialLabel { label });
            }
            if all.iter().take(index).any(|other| other.is_same(trigger)) {
                return Err(ForwardingConfigError::Twice { trigger: *trigger });
            }
        }
        for LabelRule { label, action, .. } in &self.labels {
            if let Action::Replace(labels, _) = action
                && labels.is_empty()
            {
                return Err(ForwardingConfigError::NoLabels { label: *label });
            }
        }
        Ok(())
    }
}

impl Trigger {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sid(one), Self::Sid(other)) => {
                (one.prefix, one.bits) == (other.prefix, other.bits)
            }
            _ => self == other,
        }
    }
}

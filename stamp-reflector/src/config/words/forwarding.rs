//! Words for labels and SIDs.

use core::fmt;
use core::net::Ipv6Addr;
use core::ops::RangeInclusive;

use stamp_config::{Form, Setting};
use stamp_proto::sr::mpls::{ExtendedLabel, Label};

choice!(
    /// What happens to a label.
    ActionWord, "pop, swap or push",
    {
        /// It is taken off.
        Pop = "pop",
        /// Another label takes its place.
        Swap = "swap",
        /// Several labels take its place, as those of a policy do for its Binding SID.
        Push = "push",
    }
);
choice!(
    /// How packets of a [[timestamp]] are reached.
    ShellWord, "auto, packet or tc",
    {
        /// The fastest that can do everything that is configured.
        Auto = "auto",
        /// Packet sockets.
        Packet = "packet",
        /// A program at the ingress.
        Tc = "tc",
    }
);
number!(
    /// Octets from the start of a UDP payload.
    PayloadOffset(u16), "octets from 0 to 9000", (0..=9_000)
);

/// An extended special-purpose label.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ExtendedWord(pub(crate) ExtendedLabel);

impl Setting for ExtendedWord {
    const EXPECTED: &'static str =
        "an extended special-purpose label from 16 to 255; 240 to 255 are for experiments";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().and_then(ExtendedLabel::new).map(Self)
    }
}

/// A label that has no special purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LabelWord(pub(crate) Label);

impl Setting for LabelWord {
    const EXPECTED: &'static str = "a label from 16 to 1048575";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        let label = text.parse().ok().and_then(Label::new)?;
        (!label.is_special()).then_some(Self(label))
    }
}

/// A label to impose: explicit nulls may stand there too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ImposedWord(pub(crate) Label);

impl Setting for ImposedWord {
    const EXPECTED: &'static str = "a label from 16 to 1048575, or 0 or 2 for an explicit null";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        let label = text.parse().ok().and_then(Label::new)?;
        let null = matches!(label, Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL);
        (null || !label.is_special()).then_some(Self(label))
    }
}

/// A timestamp label: one that a controller gave, or one of our own range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TimestampLabelWord {
    /// This one.
    Given(Label),
    /// One that is taken from the range and kept.
    Auto,
}

impl Setting for TimestampLabelWord {
    const EXPECTED: &'static str = "a label from 16 to 1048575, or \"auto\"";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            _ => LabelWord::read(text).map(|label| Self::Given(label.0)),
        }
    }
}

/// Labels that this node may take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LabelRange(pub(crate) RangeInclusive<u32>);

impl Setting for LabelRange {
    const EXPECTED: &'static str = "FIRST-LAST, two labels from 16 to 1048575, such as 15000-15999";
    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let read = |text| LabelWord::read(text).map(|label| label.0.value());
        let (first, last) = (read(first)?, read(last)?);
        (first <= last).then_some(Self(first..=last))
    }
}

/// A SID: a prefix of IPv6 addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SidWord {
    pub(crate) prefix: Ipv6Addr,
    pub(crate) bits: u8,
}

impl Setting for SidWord {
    const EXPECTED: &'static str =
        "an IPv6 prefix such as fc00:bb:2:f::/64 with no bits set behind its length";
    fn read(text: &str) -> Option<Self> {
        let net: ipnet::Ipv6Net = match text.parse::<Ipv6Addr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse().ok()?,
        };
        let whole = net.addr() == net.network() && net.prefix_len() > 0;
        whole.then_some(Self { prefix: net.addr(), bits: net.prefix_len() })
    }
}

impl fmt::Display for SidWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.prefix, self.bits)
    }
}

/// Widths of a block and of the compressed SIDs in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CsidWidths {
    pub(crate) block_bits: u8,
    pub(crate) csid_bits: u8,
}

impl Setting for CsidWidths {
    const EXPECTED: &'static str =
        "BLOCK/CSID, the bits of the block and of a compressed SID, such as 32/16";
    fn read(text: &str) -> Option<Self> {
        let (block, csid) = text.split_once('/')?;
        let (block_bits, csid_bits) = (block.parse().ok()?, csid.parse().ok()?);
        let fit =
            block_bits > 0 && csid_bits > 0 && u16::from(block_bits) + u16::from(csid_bits) <= 128;
        fit.then_some(Self { block_bits, csid_bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_sids_have_their_ranges() {
        assert!(ExtendedWord::read("15").is_none() && ExtendedWord::read("256").is_none());
        assert!(LabelWord::read("15").is_none() && LabelWord::read("1048576").is_none());
        assert!(ImposedWord::read("0").is_some() && ImposedWord::read("3").is_none());
        assert_eq!(TimestampLabelWord::read("auto"), Some(TimestampLabelWord::Auto));
        assert_eq!(LabelRange::read("16-17").unwrap().0.count(), 2);
        for wrong in ["17-16", "15-20", "16", "16-", "-16"] {
            assert!(LabelRange::read(wrong).is_none(), "{wrong}");
        }
        assert_eq!(SidWord::read("fc00::/16").unwrap().to_string(), "fc00::/16");
        for wrong in ["fc00::1/64", "::/0", "192.0.2.0/24"] {
            assert!(SidWord::read(wrong).is_none(), "{wrong}");
        }
        assert!(CsidWidths::read("32/16").is_some());
        for wrong in ["0/16", "32/0", "120/16", "32", "300/16"] {
            assert!(CsidWidths::read(wrong).is_none(), "{wrong}");
        }
    }
}

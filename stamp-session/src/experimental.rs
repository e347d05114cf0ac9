//! Types that nobody has assigned yet, and so have to be agreed on by both ends.

use stamp_proto::tlv::{
    TlvType, reflected_fixed_header_data, reflected_ipv6_extension_header_data,
};

/// The types of TLVs that exist in drafts alone (RFC 8972 §5.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ExperimentalTypes {
    /// Reflected Fixed Header Data.
    pub fixed_header: TlvType,
    /// Reflected IPv6 Extension Header Data.
    pub extension_header: TlvType,
}

impl ExperimentalTypes {
    /// Those that other implementations use.
    pub const USUAL: Self = Self {
        fixed_header: reflected_fixed_header_data::EXPERIMENTAL_TYPE,
        extension_header: reflected_ipv6_extension_header_data::EXPERIMENTAL_TYPE,
    };

    /// Two types, one each; `None` unless both are for experiments and different.
    #[must_use]
    pub fn new(fixed_header: TlvType, extension_header: TlvType) -> Option<Self> {
        let types = Self { fixed_header, extension_header };
        let experimental = fixed_header.is_experimental() && extension_header.is_experimental();
        (experimental && fixed_header != extension_header).then_some(types)
    }
}

impl Default for ExperimentalTypes {
    fn default() -> Self {
        Self::USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_two_of_those_for_experiments() {
        let types = |one, other| ExperimentalTypes::new(TlvType(one), TlvType(other));
        assert_eq!(types(247, 246), Some(ExperimentalTypes::USUAL));
        assert!(types(240, 251).is_some());
        for (one, other) in [(247, 247), (239, 246), (247, 252), (2, 3)] {
            assert_eq!(types(one, other), None, "{one} {other}");
        }
    }
}

//! Words of the operator that only the reflector knows.

use core::fmt;
use std::path::PathBuf;

use ipnet::IpNet;
use stamp_config::steering::Segment;

use stamp_config::{Form, Setting};
use stamp_proto::auth::KeyId;
use stamp_proto::ip::Dscp;
use stamp_proto::time::PtpUtcOffset;
use stamp_service::log::{LevelFilter, LineFormat};
use stamp_service::sandbox::Mode;
use stamp_session::reflector::{ReplyDscp, SamePort, TlvMode};

/// A closed choice of words: the enum, its [`Setting`] and the list for shells to complete.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $expected:literal,
     { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every word, for completion.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            fn read(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

choice!(
    /// Which probes with the source port of a reflector are answered.
    SamePortWord, "strict, zero-only or allow",
    {
        /// None.
        Strict = "strict",
        /// Those whose reserved octets are zero, as a proper sender writes them.
        ZeroOnly = "zero-only",
        /// All.
        Allow = "allow",
    }
);
choice!(
    /// How the octets behind the base packet are read.
    TlvModeWord, "auto, on or off",
    {
        /// As TLVs when they look like TLVs.
        Auto = "auto",
        /// Always as TLVs.
        On = "on",
        /// Never: as padding.
        Off = "off",
    }
);
choice!(
    /// What happens to sources that no rule names.
    UnknownSources, "answer or deny",
    {
        /// They are answered within the limits for unknown sources.
        Answer = "answer",
        /// They get no reply.
        Deny = "deny",
    }
);
choice!(
    /// Who may have a session.
    AdmissionWord, "promiscuous or provisioned",
    {
        /// Whoever may be answered at all.
        Promiscuous = "promiscuous",
        /// Only the sessions of the file.
        Provisioned = "provisioned",
    }
);
choice!(
    /// How much is logged.
    LogLevel, "error, warn, info or debug",
    {
        /// What ends the program.
        Error = "error",
        /// What an operator should look at.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// What a developer wants.
        Debug = "debug",
    }
);
choice!(
    /// Form of a log line.
    LogFormat, "text or json",
    {
        /// `key=value` pairs.
        Text = "text",
        /// A JSON object a line.
        Json = "json",
    }
);

impl From<SamePortWord> for SamePort {
    fn from(word: SamePortWord) -> Self {
        match word {
            SamePortWord::Strict => Self::Strict,
            SamePortWord::ZeroOnly => Self::ZeroOnly,
            SamePortWord::Allow => Self::Allow,
        }
    }
}

impl From<TlvModeWord> for TlvMode {
    fn from(word: TlvModeWord) -> Self {
        match word {
            TlvModeWord::Auto => Self::Auto,
            TlvModeWord::On => Self::On,
            TlvModeWord::Off => Self::Off,
        }
    }
}

/// DSCP of replies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyDscpWord(pub(crate) ReplyDscp);

impl Setting for ReplyDscpWord {
    const EXPECTED: &'static str = "copy, a DSCP by name (CS0-CS7, AF11-AF43, EF, VA, LE), 0 to 63 \
                                    or 0x00 to 0x3f";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        match text {
            "copy" => Some(Self(ReplyDscp::Copy)),
            _ => Dscp::read(text).map(|dscp| Self(ReplyDscp::Fixed(dscp))),
        }
    }
}

/// One of the places replies may be sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ReturnPathWord {
    /// The source of the probe alone.
    SourceOnly,
    /// Addresses of a prefix.
    Prefix(IpNet),
}

impl Setting for ReturnPathWord {
    const EXPECTED: &'static str = "source-only, or prefixes such as 192.0.2.0/24 or 2001:db8::/32 \
                                    with no bits set behind their length";
    fn read(text: &str) -> Option<Self> {
        match text {
            "source-only" => Some(Self::SourceOnly),
            _ => IpNet::read(text).map(Self::Prefix),
        }
    }
}

impl fmt::Display for ReturnPathWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceOnly => f.write_str("source-only"),
            Self::Prefix(net) => fmt::Display::fmt(net, f),
        }
    }
}

/// One segment of the way of replies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ReturnSegment(pub(crate) Segment);

impl Setting for ReturnSegment {
    const EXPECTED: &'static str = Segment::EXPECTED;
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        Segment::read(text).map(Self)
    }
}

/// A bare number within a range.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($value:ty), $expected:literal, $range:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) struct $name(pub(crate) $value);

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            const FORM: Form = Form::Number;
            fn read(text: &str) -> Option<Self> {
                text.parse().ok().filter(|number| $range.contains(number)).map(Self)
            }
        }
    };
}

number!(
    /// Packet threads.
    Workers(usize), "a number of threads from 1 to 256", (1..=256)
);
number!(
    /// Sessions a stateful reflector keeps.
    SessionCap(usize), "a number of sessions from 1 to 1048576", (1..=1_048_576)
);
number!(
    /// Probes missing in a row.
    LossCount(u32), "a number of probes from 1 to 1000", (1..=1000)
);
number!(
    /// A UDP port.
    Port(u16), "a UDP port from 1 to 65535", (1..=u16::MAX)
);
number!(
    /// An ID of the key file.
    KeyNumber(u32), "an ID of the key file, from 0 to 4294967295", (0..=u32::MAX)
);
number!(
    /// Seconds that PTP timestamps are ahead of UTC.
    PtpSeconds(i16), "seconds from -3600 to 3600 (37 where PTP counts TAI)", (-3600..=3600)
);

number!(
    /// Octets a second.
    OctetRate(u64), "octets per second from 1 to 10000000000", (1..=10_000_000_000)
);

impl From<KeyNumber> for KeyId {
    fn from(number: KeyNumber) -> Self {
        Self(number.0)
    }
}

impl From<PtpSeconds> for PtpUtcOffset {
    fn from(seconds: PtpSeconds) -> Self {
        Self::from_seconds(seconds.0)
    }
}

mod answers;
mod forwarding;
mod tlv_policy;

pub(crate) use answers::{ClockSourceWord, LocationWord, ReplyClassWord};

pub(crate) use tlv_policy::TlvPolicyWord;

pub(crate) use forwarding::{
    ActionWord, CsidWidths, ExtendedWord, ImposedWord, LabelRange, LabelWord, PayloadOffset,
    ShellWord, SidWord, TimestampLabelWord,
};

/// A file, named by its path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FilePath(pub(crate) PathBuf);

impl Setting for FilePath {
    const EXPECTED: &'static str = "the path of a file";
    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

/// What the process gives away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SandboxWord(pub(crate) Mode);

impl Setting for SandboxWord {
    const EXPECTED: &'static str = "require, best-effort or off";
    fn read(text: &str) -> Option<Self> {
        Mode::read(text).map(Self)
    }
}

/// Name of a network interface or VRF.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct InterfaceName(pub(crate) String);

impl Setting for InterfaceName {
    const EXPECTED: &'static str =
        "the name of an interface: 1 to 15 octets, no blank and no slash";
    fn read(text: &str) -> Option<Self> {
        let fits = (1..=15).contains(&text.len());
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
        (fits && plain).then(|| Self(text.to_owned()))
    }
}

impl LogLevel {
    /// What is let through.
    pub(crate) const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

impl LogFormat {
    /// How lines are written.
    pub(crate) const fn lines(self) -> LineFormat {
        match self {
            Self::Text => LineFormat::Text,
            Self::Json => LineFormat::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_choice_is_read_and_printed_alike() {
        for word in SamePortWord::WORDS {
            assert_eq!(SamePortWord::read(word).unwrap().to_string(), *word);
        }
        for word in LogLevel::WORDS {
            assert_eq!(LogLevel::read(word).unwrap().to_string(), *word);
        }
        assert_eq!(SamePortWord::read("zero_only"), None);
        assert_eq!(LogFormat::read("JSON"), None);
    }

    #[test]
    fn numbers_keep_their_range() {
        assert_eq!(Workers::read("256"), Some(Workers(256)));
        assert_eq!(Workers::read("0"), None);
        assert_eq!(Port::read("65536"), None);
        assert_eq!(SessionCap::read("1048577"), None);
        assert_eq!(PtpSeconds::read("-3600"), Some(PtpSeconds(-3600)));
    }

    #[test]
    fn an_interface_name_is_one_the_kernel_could_have() {
        assert!(InterfaceName::read("eth0.100").is_some());
        assert!(InterfaceName::read("an-interface-too-long").is_none());
        assert!(InterfaceName::read("eth 0").is_none());
        assert!(InterfaceName::read("../lo").is_none());
    }

    #[test]
    fn a_dscp_is_copied_or_fixed() {
        assert!(matches!(ReplyDscpWord::read("copy"), Some(ReplyDscpWord(ReplyDscp::Copy))));
        let Some(ReplyDscpWord(ReplyDscp::Fixed(dscp))) = ReplyDscpWord::read("EF") else {
            panic!("EF is a DSCP")
        };
        assert_eq!(dscp.value(), 46);
        assert!(ReplyDscpWord::read("64").is_none());
    }
}

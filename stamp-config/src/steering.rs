//! How an operator writes the way of a probe: segments, timestamp labels, the first hop.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

use stamp_document::Setting;
use stamp_proto::sr::mpls::{ExtendedLabel, Label};
use stamp_proto::sr::segment::Sid;
use stamp_proto::time::TimestampFormat;

/// One segment: a label of SR-MPLS or a SID of SRv6.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Segment {
    /// A label.
    Label(Label),
    /// A SID.
    Sid(Sid),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => fmt::Display::fmt(label, f),
            Self::Sid(sid) => fmt::Display::fmt(sid, f),
        }
    }
}

impl Setting for Segment {
    const EXPECTED: &'static str = "a label from 16 to 1048575 or 0 to 2, or an SRv6 SID such as \
                                    fc00:bb:2:1::";
    fn read(text: &str) -> Option<Self> {
        if let Ok(sid) = Ipv6Addr::from_str(text) {
            let routable = !sid.is_unspecified() && !sid.is_loopback() && !sid.is_multicast();
            return routable.then_some(Self::Sid(Sid(sid)));
        }
        if !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let label = Label::new(text.parse().ok()?)?;
        // Others of the special labels stand for something else than a segment; pairs with an
        // indicator are made where they are wanted.
        let plain = matches!(label, Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL);
        (plain || !label.is_special()).then_some(Self::Label(label))
    }
}

/// A list of segments in the order of travel, all of one data plane.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Segments {
    /// Labels, the first one on top.
    Labels(Vec<Label>),
    /// SIDs, the first to visit first.
    Sids(Vec<Sid>),
}

impl Segments {
    /// Nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Labels(labels) => labels.is_empty(),
            Self::Sids(sids) => sids.is_empty(),
        }
    }

    /// As they were written.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Labels(labels) => labels.iter().map(ToString::to_string).collect(),
            Self::Sids(sids) => sids.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Setting for Segments {
    const EXPECTED: &'static str = "labels (16 to 1048575; 0 and 2 are explicit nulls) or SRv6 SIDs, \
                                    separated by commas and not mixed, such as 16005,16011 or \
                                    fc00:bb:1:1::,fc00:bb:2:1::";
    fn read(text: &str) -> Option<Self> {
        let segments: Vec<Segment> =
            text.split(',').map(|word| Segment::read(word.trim())).collect::<Option<_>>()?;
        let label = |segment: &Segment| match segment {
            Segment::Label(label) => Some(*label),
            Segment::Sid(_) => None,
        };
        let sid = |segment: &Segment| match segment {
            Segment::Sid(sid) => Some(*sid),
            Segment::Label(_) => None,
        };
        segments
            .iter()
            .map(label)
            .collect::<Option<_>>()
            .map(Self::Labels)
            .or_else(|| segments.iter().map(sid).collect::<Option<_>>().map(Self::Sids))
    }
}

/// One word of a list of segments, where names may stand.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SegmentWord {
    /// A label or SID.
    Segment(Segment),
    /// What may be a node or link of a topology.
    Name(String),
}

impl fmt::Display for SegmentWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(segment) => fmt::Display::fmt(segment, f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A list of segments as it is written, names included.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SegmentWords(pub Vec<SegmentWord>);

impl SegmentWords {
    /// The list, if no name is in it.
    #[must_use]
    pub fn plain(&self) -> Option<Segments> {
        let words: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        Segments::read(&words.join(","))
    }
}

impl Setting for SegmentWords {
    const EXPECTED: &'static str = "labels (16 to 1048575; 0 and 2 are explicit nulls) or SRv6 SIDs, \
                                    separated by commas and not mixed, such as 16005,16011 or \
                                    fc00:bb:1:1::,fc00:bb:2:1::; with --topology names of nodes and \
                                    links too";
    fn read(text: &str) -> Option<Self> {
        let is_name = |word: &str| {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !word.is_empty() && word.chars().all(is_letter)
        };
        let word = |word: &str| match Segment::read(word) {
            Some(segment) => Some(SegmentWord::Segment(segment)),
            None => is_name(word).then(|| SegmentWord::Name(word.to_owned())),
        };
        let words: Vec<SegmentWord> =
            text.split(',').map(|text| word(text.trim())).collect::<Option<_>>()?;
        let is_sid = |word: &&SegmentWord| matches!(word, SegmentWord::Segment(Segment::Sid(_)));
        let is_label =
            |word: &&SegmentWord| matches!(word, SegmentWord::Segment(Segment::Label(_)));
        let mixed =
            words.iter().any(|word| is_sid(&word)) && words.iter().any(|word| is_label(&word));
        (!mixed).then_some(Self(words))
    }
}

/// One segment that stands for the whole way from its node on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BindingSid(pub Segments);

impl Setting for BindingSid {
    const EXPECTED: &'static str =
        "one label (16 to 1048575) or one SRv6 SID, such as 17005 or fc00:bb:2:b6::";
    fn read(text: &str) -> Option<Self> {
        let bound = match Segment::read(text)? {
            Segment::Label(label) => {
                Segments::Labels((!label.is_special()).then_some(vec![label])?)
            }
            Segment::Sid(sid) => Segments::Sids(vec![sid]),
        };
        Some(Self(bound))
    }
}

/// The same as it is written: a node may be named to which the way leads.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum BindingWord {
    /// The SID.
    Sid(BindingSid),
    /// What may be a node of a topology.
    Node(String),
}

impl Setting for BindingWord {
    const EXPECTED: &'static str = "one label (16 to 1048575) or one SRv6 SID, such as 17005 or \
                                    fc00:bb:2:b6::; with --topology the node at the end of a \
                                    [[tunnel]] of the far node too";
    fn read(text: &str) -> Option<Self> {
        match SegmentWords::read(text)?.0.as_slice() {
            [SegmentWord::Name(name)] => Some(Self::Node(name.clone())),
            _ => BindingSid::read(text).map(Self::Sid),
        }
    }
}

/// The way that a reply is to take.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ReturnPath {
    /// There is to be no reply.
    None,
    /// Out of the link on which the probe came in.
    SameLink,
    /// To another address.
    Address(IpAddr),
    /// Over these segments.
    Segments(Segments),
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::SameLink => f.write_str("same-link"),
            Self::Address(address) => fmt::Display::fmt(address, f),
            Self::Segments(segments) => f.write_str(&segments.words().join(",")),
        }
    }
}

/// The same as it is written, names included.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum ReturnPathWords {
    /// No segments, so that there is nothing to name.
    Plain(ReturnPath),
    /// Over these segments.
    Segments(SegmentWords),
}

impl Setting for ReturnPathWords {
    const EXPECTED: &'static str = "same-link, none, one address that replies are to go to, or a list \
                                    of labels or SRv6 SIDs such as 16004,16001 or \
                                    fc00:bb:1:1::,fc00:bb:2:1::; with --topology names of nodes and \
                                    links too";
    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::Plain(ReturnPath::None)),
            "same-link" => Some(Self::Plain(ReturnPath::SameLink)),
            _ => match IpAddr::from_str(text) {
                Ok(address) if address.is_unspecified() || address.is_multicast() => None,
                Ok(address) => Some(Self::Plain(ReturnPath::Address(address))),
                Err(_) => SegmentWords::read(text).map(Self::Segments),
            },
        }
    }
}

/// The label that asks a node for its receive timestamp, and what that node writes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TimestampLabel {
    /// Which label.
    pub label: TimestampLabelValue,
    /// Octet of the UDP payload; 16, or 32 in authenticated mode, unless given.
    pub offset: Option<u16>,
    /// Format; PTPv2 unless given.
    pub format: TimestampFormat,
}

/// How the label is written into a stack.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TimestampLabelValue {
    /// An extended special-purpose label, below the Extension Label.
    Extended(ExtendedLabel),
    /// An ordinary label that the node or a controller assigned.
    Assigned(Label),
}

impl TimestampLabelValue {
    /// Its entries, top first.
    #[must_use]
    pub fn labels(self) -> Vec<Label> {
        match self {
            Self::Extended(label) => label.composite().to_vec(),
            Self::Assigned(label) => vec![label],
        }
    }
}

impl fmt::Display for TimestampLabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extended(label) => write!(f, "extended:{label}"),
            Self::Assigned(label) => fmt::Display::fmt(label, f),
        }
    }
}

impl fmt::Display for TimestampLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.label, f)?;
        if let Some(offset) = self.offset {
            write!(f, ",offset={offset}")?;
        }
        match self.format {
            TimestampFormat::Ptp => Ok(()),
            TimestampFormat::Ntp => f.write_str(",format=ntp"),
        }
    }
}

impl Setting for TimestampLabel {
    const EXPECTED: &'static str = "extended:LABEL (16 to 255) or LABEL (16 to 1048575), and behind a \
                                    comma offset=OCTETS or format=ptp|ntp, such as \
                                    15001,offset=16,format=ptp";
    fn read(text: &str) -> Option<Self> {
        let (mut label, mut offset, mut format) = (None, None, None);
        for word in text.split(',').map(str::trim) {
            // A table of a file says `extended = 240` and `label = 15001`.
            let (key, value) = word
                .split_once(['=', ':'])
                .or_else(|| label.is_none().then_some(("label", word)))?;
            match key {
                "extended" if label.is_none() => {
                    let value = ExtendedLabel::new(value.parse().ok()?)?;
                    label = Some(TimestampLabelValue::Extended(value));
                }
                "label" if label.is_none() => {
                    let value = Label::new(value.parse().ok()?);
                    let value = value.filter(|label| !label.is_special())?;
                    label = Some(TimestampLabelValue::Assigned(value));
                }
                "offset" if offset.is_none() => offset = Some(value.parse().ok()?),
                "format" if format.is_none() => format = Some(TimestampFormat::read(value)?),
                _ => return None,
            }
        }
        Some(Self { label: label?, offset, format: format.unwrap_or(TimestampFormat::Ptp) })
    }
}

/// Through which interface frames leave, and to which neighbour.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Via {
    /// Name of the interface.
    pub interface: String,
    /// The neighbour; left out on links of two.
    pub next_hop: Option<IpAddr>,
}

impl Setting for Via {
    const EXPECTED: &'static str =
        "an interface, and behind a comma the address of the next hop, such as eth1,192.0.2.1";
    fn read(text: &str) -> Option<Self> {
        let (interface, next_hop) = match text.split_once(',') {
            Some((interface, hop)) => (interface, Some(hop.trim().parse().ok()?)),
            None => (text, None),
        };
        let interface = interface.trim();
        // `IFNAMSIZ` with its final zero.
        let is_name = (1..16).contains(&interface.len())
            && !interface.contains(|c: char| c == '/' || c.is_whitespace());
        is_name.then(|| Self { interface: interface.to_owned(), next_hop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_of_one_data_plane() {
        let labels = Segments::read("16005, 16011,2").unwrap();
        assert_eq!(labels.words(), ["16005", "16011", "2"]);
        let sids = Segments::read("fc00:bb:1:1::,fc00:bb:2:1::").unwrap();
        assert_eq!(sids.words(), ["fc00:bb:1:1::", "fc00:bb:2:1::"]);
        for text in [
            "",
            "16005,fc00::1",
            "16005,",
            "3",
            "15",
            "1048576",
            "-1",
            "+16",
            "::",
            "ff02::1",
            "1.2",
        ] {
            assert_eq!(Segments::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_label_is_extended_or_assigned() {
        let extended = TimestampLabel::read("extended:240").unwrap();
        assert_eq!(
            extended.label.labels().iter().map(|l| l.value()).collect::<Vec<_>>(),
            [15, 240]
        );
        assert_eq!((extended.offset, extended.format), (None, TimestampFormat::Ptp));
        let assigned = TimestampLabel::read("15001,offset=24,format=ntp").unwrap();
        assert_eq!(assigned.label.to_string(), "15001");
        assert_eq!((assigned.offset, assigned.format), (Some(24), TimestampFormat::Ntp));
        for label in [extended, assigned] {
            assert_eq!(TimestampLabel::read(&label.to_string()), Some(label));
        }
        for text in ["extended:15", "extended:256", "7", "15001,offset", "15001,depth=1", "", "x"] {
            assert_eq!(TimestampLabel::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_first_hop_is_an_interface_with_or_without_neighbour() {
        let via = Via::read("eth1").unwrap();
        assert_eq!((via.interface.as_str(), via.next_hop), ("eth1", None));
        let via = Via::read("eth1,fe80::1").unwrap();
        assert_eq!(via.next_hop, Some("fe80::1".parse().unwrap()));
        for text in ["", "a/b", "eth1,", "eth1,host", "sixteen-letters-x"] {
            assert_eq!(Via::read(text), None, "{text}");
        }
    }

    #[test]
    fn names_may_stand_among_segments() {
        let words = |text| {
            SegmentWords::read(text).map(|list| {
                list.0
                    .iter()
                    .map(|word| (word.to_string(), matches!(word, SegmentWord::Name(_))))
                    .collect()
            })
        };
        let list: Option<Vec<(String, bool)>> = words("ams, 16005,5,lon-par_2.x");
        let expected = [("ams", true), ("16005", false), ("5", true), ("lon-par_2.x", true)];
        assert_eq!(list, Some(expected.map(|(word, name)| (word.to_owned(), name)).to_vec()));
        for text in ["", "a,,b", "a b", "16005,fc00:bb:1:1::", "ams,16005,fc00:bb:1:1::", "a/b"] {
            assert_eq!(SegmentWords::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_without_names_is_plain() {
        let plain = |text| SegmentWords::read(text).unwrap().plain();
        assert_eq!(plain("16005,0"), Segments::read("16005,0"));
        assert_eq!(plain("fc00:bb:1:1::"), Segments::read("fc00:bb:1:1::"));
        assert_eq!((plain("16005,ams"), plain("5")), (None, None));
    }

    #[test]
    fn a_binding_sid_is_one_segment() {
        let label = |value| Label::new(value).unwrap();
        assert_eq!(
            BindingSid::read("17005"),
            Some(BindingSid(Segments::Labels(vec![label(17_005)])))
        );
        assert!(BindingSid::read("fc00:bb:2:b6::").is_some());
        for text in ["0", "17005,16001", "ams", ""] {
            assert_eq!(BindingSid::read(text), None, "{text}");
        }
    }
}

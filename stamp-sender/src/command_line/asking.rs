//! Flags that make probes ask something of their reflector.

use clap::Args;
use clap::builder::BoolishValueParser;
use stamp_config::asking::{
    CounterSource, HeaderTypes, ReportedAccess, WantedClass, WantedPackets,
};
use stamp_config::quantity::Timeout;
use stamp_config::{Setting, parse};
use stamp_session::sender::{AccessReporting, Malformation};

/// What probes ask for beside a reply. A reflector that does not know a question says so.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Asking the reflector")]
pub struct AskingFlags {
    /// Ask what probes look like when they arrive: a NAT on the way shows (RFC 8972 §4.2).
    #[arg(long, env = "STAMP_ASK_LOCATION", value_parser = BoolishValueParser::new())]
    pub ask_location: bool,
    /// Ask what sets the far clock, and who takes its timestamps (RFC 8972 §4.3).
    #[arg(long, env = "STAMP_ASK_TIMESTAMP_INFO", value_parser = BoolishValueParser::new())]
    pub ask_timestamp_info: bool,
    /// Ask for replies with this DSCP, and ECN, and with which ones probes arrive (RFC 8972 §4.4).
    /// Where ECT is used, a mark of congestion on either way doubles the time between probes, up to
    /// 64 times; 16 replies without one halve it again.
    #[arg(long, value_name = "DSCP[,ECN]", env = "STAMP_ASK_COS", value_parser = parse::<WantedClass>)]
    pub ask_cos: Option<WantedClass>,
    /// Ask when replies really left, each told by the next: a better backward delay (RFC 8972 §4.7).
    #[arg(long, env = "STAMP_ASK_FOLLOW_UP", value_parser = BoolishValueParser::new())]
    pub ask_follow_up: bool,
    /// Ask for the far end's counters of real traffic, which with those of an interface here, test
    /// packets among them, or of a command that prints packets sent and received, tell how much of it
    /// is lost each way (RFC 8972 §4.5).
    #[arg(long, value_name = "IF|cmd:COMMAND", env = "STAMP_ASK_DIRECT", value_parser = parse::<CounterSource>)]
    pub ask_direct: Option<CounterSource>,
    /// Ask for the headers that probes arrive with, the Segment Routing Header among them, and for
    /// their DSCP (draft-ietf-ippm-stamp-ext-hdr).
    #[arg(long, env = "STAMP_ASK_HEADERS", value_parser = BoolishValueParser::new())]
    pub ask_headers: bool,
    /// Types of the TLVs that ask for headers, as the reflector has them: nobody has assigned any yet
    #[arg(long, value_name = "FIXED,EXTENSION", env = "STAMP_HEADER_TYPES", default_value = "247,246", value_parser = parse::<HeaderTypes>)]
    pub header_types: HeaderTypes,
    /// Ask for so many replies to each probe, of so many octets, with such a time between two: what the
    /// way back does to a burst (RFC 10052).
    #[arg(long, value_name = "PACKETS,OCTETS,TIME", env = "STAMP_ASK_PACKETS", value_parser = parse::<WantedPackets>)]
    pub ask_packets: Option<WantedPackets>,
    /// Tell the far end that an access network is there or not, again and again until it has
    /// acknowledged it (RFC 8972 §4.6).
    #[arg(long, value_name = "NETWORK,STATE", env = "STAMP_ACCESS_REPORT", value_parser = parse::<ReportedAccess>)]
    pub access_report: Option<ReportedAccess>,
    /// Send --access-report again, with the next probe, when it was not acknowledged for this long.
    #[arg(long, value_name = "TIME", env = "STAMP_ACCESS_REPORT_TIMER", default_value = "3s", value_parser = parse::<Timeout>)]
    pub access_report_timer: Timeout,
    /// Send --access-report again no more often than this.
    #[arg(long, value_name = "N", env = "STAMP_ACCESS_REPORT_RETRIES", default_value_t = 4)]
    pub access_report_retries: u8,
    /// Test a far end: send TLVs that are wrong on purpose, and tell whether it answers them as the
    /// RFC asks; status 1 when it does not. `list` tells the kinds, `all` sends all that can be sent.
    #[arg(long, value_name = "KIND,..|all|list", value_delimiter = ',', value_parser = parse::<MalformedWord>)]
    pub send_malformed: Vec<MalformedWord>,
    /// The one that is sent now.
    #[arg(skip)]
    pub malformed: Option<Malformation>,
}

/// What --send-malformed takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MalformedWord {
    /// Print the kinds, send nothing.
    List,
    /// All that can be sent.
    All,
    /// This one.
    Kind(Malformation),
}

impl Setting for MalformedWord {
    const EXPECTED: &'static str = "the name of a kind, all, or list to see what there is";
    fn read(text: &str) -> Option<Self> {
        match text {
            "list" => Some(Self::List),
            "all" => Some(Self::All),
            _ => Malformation::named(text).map(Self::Kind),
        }
    }
}

impl AskingFlags {
    /// What is reported of an access network.
    #[must_use]
    pub fn reporting(&self) -> Option<AccessReporting> {
        let report = self.access_report?.0;
        let (timer, retransmissions) = (self.access_report_timer.0, self.access_report_retries);
        Some(AccessReporting { report, timer, retransmissions })
    }

    /// The first that was given.
    #[must_use]
    pub fn first(&self) -> Option<&'static str> {
        if self.ask_location {
            Some("--ask-location")
        } else if self.ask_timestamp_info {
            Some("--ask-timestamp-info")
        } else if self.ask_cos.is_some() {
            Some("--ask-cos")
        } else if self.ask_follow_up {
            Some("--ask-follow-up")
        } else if self.ask_direct.is_some() {
            Some("--ask-direct")
        } else if self.access_report.is_some() {
            Some("--access-report")
        } else if !self.send_malformed.is_empty() {
            Some("--send-malformed")
        } else if self.ask_headers {
            Some("--ask-headers")
        } else if self.ask_packets.is_some() {
            Some("--ask-packets")
        } else {
            None
        }
    }
}

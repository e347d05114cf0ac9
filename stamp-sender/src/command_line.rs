//! The command line: every flag is defined here once; help, man page and completions follow.

mod asking;
mod check;
pub mod daemon;
mod departure;
#[cfg(test)]
mod flags;
pub mod lab;
pub mod path;
mod select;
mod steering;
mod write;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{
    ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
};
use stamp_config::clock::{DeclaredClock, FarClock};
use stamp_config::parse;
use stamp_config::quantity::{Count, Interval, RunDuration};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::Ssid;
use stamp_proto::time::TimestampFormat;

use crate::wait::Wait;

pub use asking::{AskingFlags, MalformedWord};
pub use check::Check;
pub use departure::Departure;
pub use select::Select;
pub use steering::{ModeName, Srv6Name, SteeringFlags};
pub use write::Write;

/// Measures delay and loss in both directions between this host and a STAMP reflector.
#[derive(Debug, Parser)]
#[command(
    name = "stamp-sender",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit status: 0 every host answered, 1 some host never answered, 2 a name or a \
                  route is missing,\n3 usage, configuration or input file, 4 permission, port \
                  taken or system call,\n130 interrupted before the first reply."
)]
pub struct CommandLine {
    /// What to do when it is not to measure now.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Measure now.
    #[command(flatten)]
    pub measure: Measure,
}

/// The command with everything in it.
pub fn command() -> clap::Command {
    // Whoever asks for a verdict waits for it.
    let soon = |verb: clap::Command, count: &'static str, interval: &'static str| {
        verb.mut_arg("count", |it| it.default_value(count))
            .mut_arg("interval", |it| it.default_value(interval))
    };
    CommandLine::command()
        .mut_subcommand("check", |check| soon(check, "10", "100ms"))
        .mut_subcommand("path", |path| {
            path.mut_subcommand("probe", |probe| soon(probe, "100", "10ms"))
                .mut_subcommand("locate", |locate| soon(locate, "200", "10ms"))
        })
}

/// What the user typed.
///
/// # Errors
///
/// What clap has to say, help and version among it.
pub fn parsed() -> Result<CommandLine, clap::Error> {
    CommandLine::from_arg_matches(&command().try_get_matches()?)
}

/// What `stamp-sender` can do besides measuring now.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Many sessions from a file, for as long as it runs: events, thresholds, reload by SIGHUP.
    #[command(alias = "probe")]
    Run(daemon::Run),
    /// The configuration file of `run`.
    #[command(subcommand)]
    Config(daemon::Config),
    /// One verdict for a monitoring system: status 0 ok, 1 warning, 2 critical, 3 unknown.
    Check(Box<Check>),
    /// A network on this machine, measured over labels and over SIDs while one of its ways gets worse.
    Demo(Demo),
    /// A network to try things on: namespaces, links with delay and loss, SIDs and labels.
    Lab(lab::Lab),
    /// Ways through the network of a topology file: the best, the next best, disjoint ones.
    #[command(subcommand)]
    Path(path::Path),
    /// What this machine can do and what stands in the way; what a far end is, or why it is silent.
    Doctor(Box<Doctor>),
    /// Render a saved run (--json or --ndjson) again, with a histogram and an SVG plot.
    Report(Report),
    /// Decide for all policies of a file over what many senders measured, as Prometheus knows it.
    Select(Select),
    /// Carry the paths that a running `run` has chosen to routers: routes of this host, FRR, files, servers.
    Write(Write),
    /// Print a completion script.
    Completions {
        /// The shell it is for.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man {
        /// Write it and the pages of all verbs into this folder instead, which is there.
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
    },
    /// Print the JSON Schema of a machine format.
    Schema {
        /// The format.
        format: SchemaFormat,
    },
}

/// Machine formats that have a JSON Schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum SchemaFormat {
    /// The document of --json.
    Json,
    /// One line of --ndjson.
    Ndjson,
    /// The document of --send-malformed with --json.
    Malformed,
    /// What a webhook of `run` is sent.
    Webhook,
    /// The document of path compute with --json.
    Path,
    /// The table of paths of `run`, /api/v1/paths.
    Paths,
    /// The document of path locate with --json.
    Locate,
    /// The document of path probe with --json.
    Probe,
}

/// An ad hoc run.
#[derive(Args, Clone, Debug)]
pub struct Measure {
    /// Far ends: HOST, HOST:PORT or [ADDRESS]:PORT.
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "send_malformed")]
    pub hosts: Vec<String>,
    /// Probing: what is sent, when and how.
    #[command(flatten)]
    pub probe: Probe,
    /// Steering: which way probes take.
    #[command(flatten)]
    pub steering: SteeringFlags,
    /// Asking: what the reflector is to tell.
    #[command(flatten)]
    pub asking: AskingFlags,
    /// Printing: what is shown and in which form.
    #[command(flatten)]
    pub output: Output,
}

/// What is sent, when and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Probing")]
pub struct Probe {
    /// UDP port of the reflectors.
    #[arg(short, long, default_value_t = 862, env = "STAMP_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Probes to send to each host; 0 until stopped.
    #[arg(short, long, value_name = "N", default_value = "0", env = "STAMP_COUNT", value_parser = parse::<Count>)]
    pub count: Count,
    /// Stop sending after this time.
    #[arg(short, long, env = "STAMP_DURATION", value_parser = parse::<RunDuration>)]
    pub duration: Option<RunDuration>,
    /// Time between two probes, or its mean with --schedule poisson.
    #[arg(short, long, default_value = "1s", env = "STAMP_INTERVAL", value_parser = parse::<Interval>)]
    pub interval: Interval,
    /// Departure of probes: `fixed`, evenly; `poisson`, at random as a Poisson process (RFC 7679 §3);
    /// or `burst=N,every=TIME`, N probes in a row and then a pause.
    #[arg(long, value_name = "KIND", default_value = "fixed", env = "STAMP_SCHEDULE", value_parser = parse::<Departure>)]
    pub schedule: Departure,
    /// A probe is lost when no reply came within this time. `3x2s`: the same 2 s, but the end of
    /// the run waits no longer than 3 times the longest round trip seen.
    /// Default: three intervals, but 1s at least and 10m at most.
    #[arg(short = 'W', long, value_name = "TIME", env = "STAMP_TIMEOUT", value_parser = parse::<Wait>)]
    pub timeout: Option<Wait>,
    /// UDP payload in octets: 44 (112 with --auth), or 4 or more above that.
    #[arg(short, long, value_name = "OCTETS", env = "STAMP_SIZE")]
    pub size: Option<u16>,
    /// What the padding of larger probes holds.
    #[arg(long, value_enum, default_value_t = Padding::Random, env = "STAMP_PADDING")]
    pub padding: Padding,
    /// DSCP of probes by name or number; the reflector answers with the same.
    #[arg(long, default_value = "CS0", env = "STAMP_DSCP", value_parser = parse::<Dscp>)]
    pub dscp: Dscp,
    /// ECN codepoint of probes.
    #[arg(long, value_enum, default_value_t = EcnName::NotEct, env = "STAMP_ECN")]
    pub ecn: EcnName,
    /// TTL or hop limit of probes.
    #[arg(long, default_value = "255", env = "STAMP_TTL", value_parser = parse::<HopLimit>)]
    pub ttl: HopLimit,
    /// IPv4 only.
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// IPv6 only.
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Source address of probes.
    #[arg(short = 'S', long, value_name = "ADDRESS", env = "STAMP_SOURCE")]
    pub source: Option<IpAddr>,
    /// Source port of probes; default: a random one for each host.
    #[arg(long, value_name = "PORT", env = "STAMP_SOURCE_PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub source_port: Option<u16>,
    /// Send and receive on this interface only.
    #[arg(short = 'I', long, value_name = "NAME", env = "STAMP_INTERFACE", conflicts_with = "vrf")]
    pub interface: Option<String>,
    /// Send and receive in this VRF.
    #[arg(long, value_name = "NAME", env = "STAMP_VRF")]
    pub vrf: Option<String>,
    /// Firewall mark of probes (needs CAP_NET_ADMIN or CAP_NET_RAW).
    #[arg(long, value_name = "MARK", env = "STAMP_FWMARK")]
    pub fwmark: Option<u32>,
    /// Fail when a far end is not a stateful reflector.
    #[arg(long, env = "STAMP_STATEFUL", value_parser = BoolishValueParser::new())]
    pub stateful: bool,
    /// Probes lost in a row that mean DOWN.
    #[arg(long, value_name = "N", default_value_t = 3, env = "STAMP_PACKET_LOSS_COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub packet_loss_count: u32,
    /// STAMP Session Identifier; default: a random one for each host.
    #[arg(long, env = "STAMP_SSID", value_parser = parse::<Ssid>)]
    pub ssid: Option<Ssid>,
    /// What to do when the far end returns no SSID (RFC 8972 §3).
    #[arg(long, value_enum, default_value_t = ZeroSsidName::ContinueWithSsid, env = "STAMP_ZERO_SSID")]
    pub zero_ssid: ZeroSsidName,
    /// Authenticated mode (RFC 8762 §4.4); the far end must be told too.
    #[arg(long, requires = "key_file", env = "STAMP_AUTH", value_parser = BoolishValueParser::new())]
    pub auth: bool,
    /// File with keys, one a line: `ID HEX` or `ID base64:…`; not readable by others.
    #[arg(long, value_name = "FILE", env = "STAMP_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// The key that signs; default: the first of the file.
    #[arg(long, value_name = "ID", requires = "key_file", env = "STAMP_KEY_ID")]
    pub key_id: Option<u32>,
    /// Add an HMAC TLV, which protects the other TLVs in both modes (RFC 8972 §4.8).
    #[arg(long, requires = "key_file", env = "STAMP_TLV_HMAC", value_parser = BoolishValueParser::new())]
    pub tlv_hmac: bool,
    /// Format of the timestamps in probes.
    #[arg(long, value_name = "FORMAT", default_value = "ntp", env = "STAMP_TIMESTAMP_FORMAT", value_parser = parse::<TimestampFormat>)]
    pub timestamp_format: TimestampFormat,
    /// Seconds that PTP timestamps of both ends are ahead of UTC (37 where they count TAI).
    #[arg(long, value_name = "SECONDS", default_value_t = 0, env = "STAMP_PTP_UTC_OFFSET", value_parser = clap::value_parser!(i16).range(-3600..=3600), allow_hyphen_values = true)]
    pub ptp_utc_offset: i16,
    /// This host's clock, where the kernel cannot know: synchronized,error=DURATION.
    #[arg(long, env = "STAMP_CLOCK", value_parser = parse::<DeclaredClock>)]
    pub clock: Option<DeclaredClock>,
    /// The far ends' clock, where their packets do not tell: synchronized,error=DURATION; or in
    /// enhanced loopback `learn`, from a slow session with the reflector of HOST, or of
    /// `learn,HOST[:PORT]`, which is another address of the far node.
    #[arg(long, value_name = "CLOCK", env = "STAMP_FAR_CLOCK", value_parser = parse::<FarClock>)]
    pub far_clock: Option<FarClock>,
    /// Take timestamps from the network card where it offers them.
    #[arg(long, env = "STAMP_HARDWARE_STAMPS", value_parser = BoolishValueParser::new())]
    pub hardware_stamps: bool,
}

/// What is shown and in which form.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// One JSON document at the end.
    #[arg(short = 'J', long, group = "form")]
    pub json: bool,
    /// A JSON object a line as things happen.
    #[arg(long, alias = "json-stream", group = "form")]
    pub ndjson: bool,
    /// A line of comma-separated values for each sample.
    #[arg(long, group = "form")]
    pub csv: bool,
    /// No line for each sample; twice: the exit status only.
    #[arg(short, long, action = ArgAction::Count)]
    pub quiet: u8,
    /// Put the time (RFC 3339, nanoseconds) in front of each line.
    #[arg(short = 'D', long)]
    pub timestamps: bool,
    /// Print a summary of the last period this often.
    #[arg(long, value_name = "TIME", value_parser = parse::<RunDuration>)]
    pub report: Option<RunDuration>,
    /// Percentiles in the table.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "50,95,99,99.9", value_parser = crate::percentile::parse_percentile)]
    pub percentiles: Vec<f64>,
    /// Log level of messages on standard error.
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        default_value = "warn",
        env = "STAMP_LOG_LEVEL",
        value_enum
    )]
    pub log_level: LogLevel,
}

impl Output {
    /// Text for a person, and not so little that only the status is wanted.
    #[must_use]
    pub const fn is_for_people(&self) -> bool {
        !self.json && !self.ndjson && !self.csv && self.quiet < 2
    }
}

/// `stamp-sender demo`.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// Probes to send in each session.
    #[arg(short, long, value_name = "N", default_value = "200", value_parser = parse::<Count>)]
    pub count: Count,
    /// Time between two probes.
    #[arg(short, long, default_value = "30ms", value_parser = parse::<Interval>)]
    pub interval: Interval,
    /// No network: a reflector and a sender on loopback, an open and an authenticated session.
    /// Without user namespaces this is what there is.
    #[arg(long)]
    pub loopback: bool,
    /// Leave the files of the last act in this folder: the network, and what chooses and writes in it.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["loopback", "json", "csv"])]
    pub keep: Option<PathBuf>,
    /// Printing.
    #[command(flatten)]
    pub output: Output,
}

/// `stamp-sender doctor`.
#[derive(Args, Clone, Debug)]
pub struct Doctor {
    /// A far end to examine too.
    #[arg(value_name = "HOST[:PORT]")]
    pub host: Option<String>,
    /// How to reach it.
    #[command(flatten)]
    pub probe: Probe,
    /// One JSON document instead of text.
    #[arg(short = 'J', long)]
    pub json: bool,
    /// Log level of messages on standard error.
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        default_value = "warn",
        env = "STAMP_LOG_LEVEL",
        value_enum
    )]
    pub log_level: LogLevel,
}

/// `stamp-sender report`.
#[derive(Args, Clone, Debug)]
pub struct Report {
    /// The saved run: a --json document or a --ndjson stream; `-` for standard input.
    pub file: PathBuf,
    /// Write delay over time as an SVG picture here.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Content of Extra Padding.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Padding {
    /// Pseudorandom octets.
    Random,
    /// Zeros.
    Zero,
}

/// ECN codepoints by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum EcnName {
    /// 00
    NotEct,
    /// 10
    Ect0,
    /// 01
    Ect1,
    /// 11
    Ce,
}

impl From<EcnName> for Ecn {
    fn from(name: EcnName) -> Self {
        match name {
            EcnName::NotEct => Self::NotEct,
            EcnName::Ect0 => Self::Ect0,
            EcnName::Ect1 => Self::Ect1,
            EcnName::Ce => Self::Ce,
        }
    }
}

/// Reaction to a reply without SSID.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum ZeroSsidName {
    /// End the session.
    Stop,
    /// Go on, and go on sending the SSID.
    ContinueWithSsid,
    /// Go on without SSID.
    ContinueBase,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogLevel {
    /// What ends the program.
    Error,
    /// What an operator should see.
    Warn,
    /// What happened.
    Info,
    /// What a developer wants.
    Debug,
}

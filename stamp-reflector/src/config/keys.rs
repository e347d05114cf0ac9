//! Every key, once. Flags, environment variables, help, man page, template and checks follow.

pub(crate) mod forward;
pub(crate) mod headers;
pub(crate) mod lag;
pub(crate) mod packets;
pub(crate) mod service;
pub(crate) mod timestamp;
pub(crate) mod tlvs;
pub(crate) mod traffic;
pub(crate) mod web;

use ipnet::IpNet;
use stamp_config::clock::DeclaredClock;
use stamp_config::quantity::{Expiry, RateLimit, Timeout};
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::Ssid;
use stamp_proto::time::TimestampFormat;
use std::net::IpAddr;

use super::key::{Definition, Key};
use super::listener::ListenerSpec;
use super::words::{
    AdmissionWord, ClockSourceWord, FilePath, InterfaceName, KeyNumber, LocationWord, LossCount,
    Port, PtpSeconds, ReplyClassWord, ReplyDscpWord, ReturnPathWord, ReturnSegment, SamePortWord,
    SessionCap, TlvModeWord, UnknownSources, Workers,
};

const LISTENING: &str = "Listening";
const ANSWERING: &str = "Answering";
const ADMISSION_: &str = "Who is answered";
const AUTHENTICATION: &str = "Authentication";
const CLOCKS: &str = "Clock and timestamps";

/// Where to listen.
pub(crate) const LISTEN: Key<ListenerSpec> = Key::new(
    "listen",
    LISTENING,
    "Address and port to answer on; repeatable. :PORT is every address of both families. In a \
     file also { address = \"ADDRESS:PORT\", interface = \"NAME\", vrf = \"NAME\" }.",
)
.value("ADDR:PORT")
.default("[\"[::]:862\", \"0.0.0.0:862\"]")
.many();

/// Interface of every listener that names none.
pub(crate) const INTERFACE: Key<InterfaceName> =
    Key::new("interface", LISTENING, "Answer only what arrives on this interface.")
        .value("NAME")
        .otherwise("every interface", "\"eth0\"");

/// VRF of every listener that names none.
pub(crate) const VRF: Key<InterfaceName> =
    Key::new("vrf", LISTENING, "Answer only what arrives in this VRF.")
        .value("NAME")
        .otherwise("the default VRF", "\"blue\"");

/// Packet threads.
pub(crate) const WORKERS: Key<Workers> = Key::new(
    "workers",
    LISTENING,
    "Packet threads; a flow stays on its thread. Changes with a restart only.",
)
.value("N")
.otherwise("one per core", "2");

/// Stamps of the network card.
pub(crate) const HARDWARE_STAMPS: Key<bool> = Key::new(
    "hardware-stamps",
    LISTENING,
    "Take arrival times from the network card where it offers them. Changes with a restart only.",
)
.default("false");

/// Stateful reflector.
pub(crate) const STATEFUL: Key<bool> = Key::new(
    "stateful",
    ANSWERING,
    "Number replies in each session, so that senders know the direction of a loss (RFC 8762 §4.2).",
)
.default("false");

/// Sessions of a stateful reflector.
pub(crate) const SESSION_CAP: Key<SessionCap> = Key::new(
    "session-cap",
    ANSWERING,
    "Sessions that a stateful reflector keeps; one source may have a quarter of them.",
)
.value("N")
.default("65536");

/// Expiry of sessions.
pub(crate) const SESSION_EXPIRY: Key<Expiry> =
    Key::new("session-expiry", ANSWERING, "A session that was silent for this long is forgotten.")
        .value("TIME")
        .default("\"15m\"");

/// Missing probes that mean down.
pub(crate) const PACKET_LOSS_COUNT: Key<LossCount> = Key::new(
    "packet-loss-count",
    ANSWERING,
    "Tell when the way here of a session is down: this many probes missing in a row, or no probe for \
     as long as they would take. Needs stateful.",
)
.value("N")
.otherwise("nobody watches", "3");

/// Lines about sessions going down and up.
pub(crate) const EVENT_EXPORT: Key<FilePath> = Key::new(
    "event-export",
    ANSWERING,
    "Write a JSON line each time packet-loss-count tells that the way here of a session is down, or \
     up again; - is standard output. Changes with a restart only.",
)
.value("FILE|-")
.otherwise("the log alone tells", "\"events.ndjson\"");

/// DSCP of replies.
pub(crate) const DSCP: Key<ReplyDscpWord> = Key::new(
    "dscp",
    ANSWERING,
    "DSCP of replies: copy that of the probe, or always the one named here.",
)
.value("copy|NAME")
.default("\"copy\"");

/// Reading of what follows the base packet.
pub(crate) const TLV_MODE: Key<TlvModeWord> = Key::new(
    "tlv-mode",
    ANSWERING,
    "Read what follows the base packet as TLVs (RFC 8972): when it looks like them, always, never.",
)
.value("MODE")
.default("\"auto\"")
.words(TlvModeWord::WORDS);

/// Lines about one-way probes.
pub(crate) const ONE_WAY_EXPORT: Key<FilePath> = Key::new(
    "one-way-export",
    ANSWERING,
    "Write a JSON line for each probe that wants no reply (RFC 9503 §4.1.1): its times, session and \
     addresses; - is standard output. Changes with a restart only.",
)
.value("FILE|-")
.otherwise("they are only counted", "\"one-way.ndjson\"");

/// Probes whose source port is a reflector's.
pub(crate) const SAME_PORT: Key<SamePortWord> = Key::new(
    "same-port",
    ANSWERING,
    "Probes sent from the port of a reflector (862, our own, reflector-ports) may be replies going \
     round in a loop: answer none of them, only those whose reserved octets are zero, or all.",
)
.value("RULE")
.default("\"zero-only\"")
.words(SamePortWord::WORDS);

/// Further ports of reflectors.
pub(crate) const REFLECTOR_PORTS: Key<Port> = Key::file_only(
    "reflector-ports",
    ANSWERING,
    "Ports of other reflectors, for same-port; below 1024 only these and 862 are answered.",
)
.default("[]")
.many();

/// Where replies may go when a probe asks for it.
pub(crate) const RETURN_PATH: Key<ReturnPathWord> = Key::new(
    "return-path",
    ADMISSION_,
    "Where replies may go when a probe asks for it (RFC 9503 §4): source-only, or prefixes of the \
     addresses and SIDs they may be sent to and over. Labels are put before replies that end in \
     one of the prefixes. With a key file, a wish has to be signed.",
)
.value("PREFIX|source-only")
.default("\"source-only\"")
.many();

/// What sources that no rule names are told.
pub(crate) const LOCATION: Key<LocationWord> = Key::new(
    "location",
    ADMISSION_,
    "What a probe that asks is told of its arrival (RFC 8972 §4.2): ports, source, destination, or \
     all. Behind a NAT that is what only the inside knows. A prefix has its own with [[allow]].",
)
.value("FIELD")
.default("[]")
.many()
.words(LocationWord::WORDS);

/// Classes of service that sources that no rule names are given.
pub(crate) const REPLY_CLASSES: Key<ReplyClassWord> = Key::new(
    "reply-classes",
    ADMISSION_,
    "DSCPs that replies are given when a probe asks for them (RFC 8972 §4.4), or any; that of the \
     probe is always given. A prefix has its own with [[allow]].",
)
.value("DSCP|any")
.default("[]")
.many();

/// Limit for sources that no rule names.
pub(crate) const RATE_LIMIT: Key<RateLimit> = Key::new(
    "rate-limit",
    ADMISSION_,
    "Packets per second answered to one source (IPv4 address, IPv6 /64), with bursts of twice as \
     many; off for no limit. A prefix gets a limit of its own with [[allow]].",
)
.value("PPS|off")
.default("2000");

/// Limit for all sources together.
pub(crate) const TOTAL_RATE_LIMIT: Key<RateLimit> = Key::new(
    "total-rate-limit",
    ADMISSION_,
    "Packets per second answered to all sources together, to protect this host; off for no limit.",
)
.value("PPS|off")
.default("\"off\"");

/// Sources that no rule names.
pub(crate) const UNKNOWN_SOURCES: Key<UnknownSources> = Key::new(
    "unknown-sources",
    ADMISSION_,
    "What happens to sources that no [[allow]] names: answer or deny.",
)
.value("RULE")
.otherwise("deny when there is an [[allow]], else answer", "\"answer\"")
.words(UnknownSources::WORDS);

/// Floor of the arriving TTL.
pub(crate) const TTL_FLOOR: Key<HopLimit> = Key::new(
    "ttl-floor",
    ADMISSION_,
    "Probes with a smaller TTL or hop limit are dropped: 255 is for neighbours only (RFC 5082).",
)
.value("N")
.otherwise("every TTL is fine", "255");

/// Who may have a session.
pub(crate) const ADMISSION: Key<AdmissionWord> = Key::file_only(
    "admission",
    ADMISSION_,
    "promiscuous answers every session of a source that may be answered; provisioned those in [[session]].",
)
.otherwise("provisioned when there is a [[session]], else promiscuous", "\"promiscuous\"")
.words(AdmissionWord::WORDS);

/// Authenticated mode.
pub(crate) const AUTH_REQUIRED: Key<bool> = Key::new(
    "auth.required",
    AUTHENTICATION,
    "Answer authenticated probes only (RFC 8762 §4.4); needs a key file.",
)
.flag("auth")
.default("false");

/// The keys.
pub(crate) const AUTH_KEY_FILE: Key<FilePath> = Key::new(
    "auth.key-file",
    AUTHENTICATION,
    "File with keys, one a line: ID HEX or ID base64:…; the first signs, all verify; not readable \
     by others. A path in a file counts from the folder of that file.",
)
.flag("key-file")
.value("FILE")
.otherwise("no keys", "\"keys\"");

/// Age at which an authenticated probe is a replay.
pub(crate) const AUTH_TIME_WINDOW: Key<Timeout> = Key::file_only(
    "auth.time-window",
    AUTHENTICATION,
    "An authenticated probe whose own time is further than this from ours is a replay. Needs good \
     clocks on both ends.",
)
.otherwise("time is not looked at", "\"1s\"");

/// Quality of the clock, declared.
pub(crate) const CLOCK: Key<DeclaredClock> = Key::new(
    "clock",
    CLOCKS,
    "Quality of this host's clock, where the kernel cannot know it: \
     synchronized,error=DURATION or unsynchronized. In a file also { synchronized = true, error = \
     \"1us\" }.",
)
.value("STATE")
.otherwise("read from the kernel every second", "{ synchronized = true, error = \"1us\" }");

/// What sets the clock.
pub(crate) const CLOCK_SOURCE: Key<ClockSourceWord> = Key::new(
    "clock-source",
    CLOCKS,
    "What sets this host's clock, for senders that ask (RFC 8972 §4.3); a clock that is not \
     synchronized is told as running free.",
)
.value("SOURCE")
.otherwise("not told", "\"ptp\"")
.words(ClockSourceWord::WORDS);

/// Timestamp format of replies.
pub(crate) const TIMESTAMP_FORMAT: Key<TimestampFormat> =
    Key::new("timestamp-format", CLOCKS, "Format of the timestamps in replies.")
        .value("FORMAT")
        .default("\"ntp\"")
        .words(&["ntp", "ptp"]);

/// TAI or UTC in PTP timestamps.
pub(crate) const PTP_UTC_OFFSET: Key<PtpSeconds> =
    Key::new("ptp-utc-offset", CLOCKS, "Seconds that PTP timestamps in replies are ahead of UTC.")
        .value("SECONDS")
        .default("0");

/// Keys of the root table in the order of help and template.
pub(crate) const ROOT: &[Definition] = &[
    LISTEN.definition,
    INTERFACE.definition,
    VRF.definition,
    WORKERS.definition,
    HARDWARE_STAMPS.definition,
    STATEFUL.definition,
    SESSION_CAP.definition,
    SESSION_EXPIRY.definition,
    PACKET_LOSS_COUNT.definition,
    EVENT_EXPORT.definition,
    DSCP.definition,
    TLV_MODE.definition,
    ONE_WAY_EXPORT.definition,
    SAME_PORT.definition,
    REFLECTOR_PORTS.definition,
    lag::LAG_MEMBERS.definition,
    RATE_LIMIT.definition,
    TOTAL_RATE_LIMIT.definition,
    UNKNOWN_SOURCES.definition,
    TTL_FLOOR.definition,
    ADMISSION.definition,
    RETURN_PATH.definition,
    tlvs::TLV_POLICY.definition,
    LOCATION.definition,
    REPLY_CLASSES.definition,
    traffic::DIRECT_MEASUREMENT.definition,
    headers::REFLECT_HEADERS.definition,
    headers::HEADER_TYPES.definition,
    packets::PACKET_CONTROL.definition,
    packets::PACKET_CONTROL_TOTAL.definition,
    AUTH_REQUIRED.definition,
    AUTH_KEY_FILE.definition,
    AUTH_TIME_WINDOW.definition,
    CLOCK.definition,
    CLOCK_SOURCE.definition,
    TIMESTAMP_FORMAT.definition,
    PTP_UTC_OFFSET.definition,
    timestamp::TIMESTAMP_SHELL.definition,
    timestamp::LABEL_RANGE.definition,
    timestamp::LABEL_FILE.definition,
    web::LISTEN.definition,
    web::CONFIG_FILE.definition,
    web::CONTROL_TOKEN_FILE.definition,
    web::ENABLE_LIFECYCLE.definition,
    service::LOG_LEVEL.definition,
    service::LOG_FORMAT.definition,
    service::SANDBOX.definition,
];

/// Keys of one `[[allow]]`.
pub(crate) mod allow {
    use super::*;

    const HEADING: &str = "[[allow]]";

    pub(crate) const PREFIX: Key<IpNet> = Key::file_only(
        "prefix",
        HEADING,
        "Sources this is about; the longest prefix that holds a source decides.",
    )
    .otherwise("has to be there", "\"2001:db8::/32\"");

    pub(crate) const RATE_LIMIT: Key<RateLimit> = Key::file_only(
        "rate-limit",
        HEADING,
        "Packets per second answered to one source of the prefix, or off.",
    )
    .default("\"off\"");

    pub(crate) const AUTH: Key<bool> =
        Key::file_only("auth", HEADING, "Answer authenticated probes only, or open ones only.")
            .otherwise("what auth.required says", "true");

    pub(crate) const KEY_IDS: Key<KeyNumber> =
        Key::file_only("key-ids", HEADING, "Keys that these sources may use.")
            .otherwise("every key of the file", "[1, 2]")
            .many();

    pub(crate) const SHORT_PROBES: Key<bool> = Key::file_only(
        "short-probes",
        HEADING,
        "Answer TWAMP Light probes of 14 to 43 octets; the reply is larger than they are.",
    )
    .default("true");

    pub(crate) const COPY_PADDING: Key<bool> = Key::file_only(
        "copy-padding",
        HEADING,
        "Return padding that is no TLV as it came instead of zeros.",
    )
    .default("true");

    pub(crate) const TTL_FLOOR: Key<HopLimit> =
        Key::file_only("ttl-floor", HEADING, "Smallest TTL or hop limit that is answered.")
            .otherwise("what the top level says", "254");

    pub(crate) const SESSION_CAP: Key<SessionCap> =
        Key::file_only("session-cap", HEADING, "Sessions that one source may have.")
            .otherwise("as many as there are in all", "100");

    pub(crate) const RETURN_SEGMENTS: Key<ReturnSegment> = Key::file_only(
        "return-segments",
        HEADING,
        "Labels or SRv6 SIDs that replies to these sources pass, first to visit first, when the \
         probe asks for no way of its own. Labels need CAP_NET_RAW.",
    )
    .otherwise("replies go as routing says", "[\"fc00:bb:1:1::\"]")
    .many();

    pub(crate) const LOCATION: Key<LocationWord> = Key::file_only(
        "location",
        HEADING,
        "What probes of these sources that ask are told of their arrival (RFC 8972 §4.2): ports, \
         source, destination, or all.",
    )
    .default("[\"all\"]")
    .many();

    pub(crate) const REPLY_CLASSES: Key<ReplyClassWord> = Key::file_only(
        "reply-classes",
        HEADING,
        "DSCPs that replies to these sources are given when a probe asks (RFC 8972 §4.4), or any.",
    )
    .default("[\"any\"]")
    .many();

    /// In the order of the template.
    pub(crate) const ALL: &[Definition] = &[
        PREFIX.definition,
        RATE_LIMIT.definition,
        AUTH.definition,
        KEY_IDS.definition,
        SHORT_PROBES.definition,
        COPY_PADDING.definition,
        TTL_FLOOR.definition,
        SESSION_CAP.definition,
        RETURN_SEGMENTS.definition,
        tlvs::OF_PREFIX.definition,
        LOCATION.definition,
        REPLY_CLASSES.definition,
        traffic::TOLD.definition,
        headers::TOLD.definition,
        packets::ALLOWED.definition,
    ];
}

/// Keys of one `[[session]]`.
pub(crate) mod session {
    use super::*;

    const HEADING: &str = "[[session]]";

    pub(crate) const ADDRESS: Key<IpAddr> =
        Key::file_only("address", HEADING, "Source address of the sender.")
            .otherwise("any", "\"192.0.2.1\"");

    pub(crate) const PORT: Key<Port> =
        Key::file_only("port", HEADING, "Source port of the sender.").otherwise("any", "50000");

    pub(crate) const SSID: Key<Ssid> =
        Key::file_only("ssid", HEADING, "STAMP Session Identifier of the sender (RFC 8972 §3).")
            .otherwise("any", "7");

    /// In the order of the template.
    pub(crate) const ALL: &[Definition] = &[ADDRESS.definition, PORT.definition, SSID.definition];
}

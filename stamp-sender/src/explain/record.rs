//! How findings are written: their names, and how much they matter.

use super::{Finding, TrafficFinding};
use crate::output::record::{FindingRecord, Severity};

impl Finding {
    /// As it is written to files.
    #[must_use]
    pub fn record(&self) -> FindingRecord {
        FindingRecord {
            kind: self.kind().to_owned(),
            severity: self.severity(),
            text: self.text(),
            remedy: self.remedy(),
        }
    }

    /// Name for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TooEarly { .. } => "too_early",
            Self::Silent { .. } => "silent",
            Self::SilentCause(_) => "silent_cause",
            Self::Icmp { .. } => "icmp",
            Self::Rejected { .. } => "rejected",
            Self::Unsent { .. } => "unsent",
            Self::TooBig { .. } => "too_big",
            Self::LocalDrop { .. } => "local_drop",
            Self::Down { .. } => "down",
            Self::LossOneWay { .. } => "loss_one_way",
            Self::LossBothWays { .. } => "loss_both_ways",
            Self::LossDirectionUnknown { .. } => "loss_direction_unknown",
            Self::LossBursts { .. } => "loss_bursts",
            Self::LossEven { .. } => "loss_even",
            Self::Policed { .. } => "policed",
            Self::Late { .. } => "late",
            Self::NegativeDelay { .. } => "negative_delay",
            Self::ClockStep { .. } => "clock_step",
            Self::TaiOffset { .. } => "tai_offset",
            Self::MixedFormats => "mixed_formats",
            Self::Unsynchronized { .. } => "unsynchronized",
            Self::StampsApart { .. } => "stamps_apart",
            Self::ZeroSsid => "zero_ssid",
            Self::Restart { .. } => "restart",
            Self::Tlvs { .. } => "tlvs",
            Self::WrongReflector { .. } => "wrong_reflector",
            Self::ReturnPathNotHonoured { .. } => "return_path_not_honoured",
            Self::NoReplyAsked { .. } => "no_reply_asked",
            Self::Remarked { .. } => "remarked",
            Self::Congestion { .. } => "congestion",
            Self::PathChanged { .. } => "path_changed",
            Self::Stamping { .. } => "stamping",
            Self::Fallback { .. } => "fallback",
            Self::FarClockUnknown { .. } => "far_clock_unknown",
            Self::Translated { .. } => "translated",
            Self::NotTold { .. } => "not_told",
            Self::RemarkedForward { .. } => "remarked_forward",
            Self::CongestionForward { .. } => "congestion_forward",
            Self::ClassRefused { .. } => "class_refused",
            Self::NoFollowUp { .. } => "no_follow_up",
            Self::FollowUpImpossible { .. } => "follow_up_impossible",
            Self::Traffic(traffic) => traffic.kind(),
            Self::Access(access) => access.kind(),
            Self::Headers(headers) => headers.kind(),
            Self::Lag(lag) => lag.kind(),
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Silent { .. } | Self::Down { .. } => Severity::Error,
            Self::Icmp { answered, .. } | Self::Rejected { answered, .. } if !*answered => {
                Severity::Error
            }
            Self::Unsent { all: true, .. } | Self::TooBig { .. } => Severity::Error,
            Self::TooEarly { .. }
            | Self::SilentCause(_)
            | Self::LossDirectionUnknown { .. }
            | Self::MixedFormats
            | Self::Unsynchronized { .. }
            | Self::ZeroSsid
            | Self::Tlvs { .. }
            | Self::NoReplyAsked { .. }
            | Self::Fallback { active: false, .. }
            | Self::FarClockUnknown { .. }
            | Self::Translated { .. }
            | Self::NotTold { .. }
            | Self::RemarkedForward { .. }
            | Self::ClassRefused { .. }
            | Self::NoFollowUp { .. }
            | Self::Traffic(TrafficFinding::Differs { .. } | TrafficFinding::Restart { .. })
            | Self::Remarked { .. }
            | Self::PathChanged { .. } => Severity::Note,
            _ => Severity::Warning,
        }
    }
}

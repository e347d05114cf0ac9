//! `stamp-sender check`: one verdict for a monitoring system, by the rules of its plugins.
//!
//! Statuses are 0 ok, 1 warning, 2 critical, 3 unknown; one line says why, and behind a bar stand
//! values with their limits for whoever draws them.

pub mod limit;
pub mod textfile;

use std::io::{self, Write as _};

use stamp_session::snapshot::SessionSnapshot;

use crate::Ended;
use crate::command_line::Check;
use crate::exit::{Failure, Status};
use crate::happening::SessionInfo;
use crate::output::Silence;
use crate::run::Stage;
use crate::setup::{self, Sessions};
use crate::{companion, log, names, stateful};
use limit::{Direction, Limits, Statistic, Subject};

/// What a check finds, the worst last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Every limit is kept.
    Ok,
    /// A limit of `--warning` is broken.
    Warning,
    /// It cannot be told.
    Unknown,
    /// A limit of `--critical` is broken, or nobody answered.
    Critical,
}

impl Verdict {
    /// The exit status.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Measures and judges.
///
/// # Errors
///
/// When standard output cannot be written; everything else is a verdict.
pub fn run(check: &Check) -> Ended {
    log::init(check.measure.output.log_level);
    let judged = check.limits();
    let measured = match judged.contradiction() {
        Some(problem) => Err(Failure::Usage { flag: "--critical", problem }),
        None => measured(check),
    };
    let written = check.textfile.as_ref().map(|path| {
        let sessions = match &measured {
            Ok(sessions) => {
                sessions.iter().map(|(info, it)| textfile::measured(info, it)).collect()
            }
            // What was measured before must not stand there any longer.
            Err(_) => check.measure.hosts.iter().map(|host| textfile::unmeasured(host)).collect(),
        };
        textfile::write(path, sessions).map_err(|error| format!("{}: {error}", path.display()))
    });
    let (verdict, line) = match (measured, written) {
        (Ok(_), Some(Err(failure))) => (Verdict::Unknown, failure),
        (Ok(sessions), _) => judge(&sessions, &judged),
        (Err(failure), _) => (Verdict::Unknown, failure.to_string().replace('\n', "; ")),
    };
    let line = format!("STAMP {} - {line}\n", verdict.word());
    io::stdout().write_all(line.as_bytes()).map_err(Failure::Output)?;
    Ok(Status::Verdict(verdict))
}

fn measured(check: &Check) -> Result<Vec<(SessionInfo, SessionSnapshot)>, Failure> {
    let measure = &names::resolved(&check.measure)?;
    let stage = Stage::open()?;
    let Sessions { mut setups, mut infos, missing } = setup::sessions(measure)?;
    if let Some(failure) = missing.into_iter().next() {
        return Err(failure);
    }
    let stage = stage.with_companions(companion::open(measure, &mut infos)?);
    if !measure.steering.mode.is_looped() {
        stateful::settle(&measure.probe, &mut setups, &infos)?;
    }
    let (_, sessions) = stage.run(setups, &infos, &mut Silence)?;
    Ok(infos.into_iter().zip(sessions).collect())
}

/// What is held against limits.
pub struct Judged {
    /// From here on it is a warning.
    pub warning: Limits,
    /// From here on it is critical.
    pub critical: Limits,
}

impl Judged {
    /// Delays and loss are told in any case, and whatever has a limit.
    fn subjects(&self) -> Vec<Subject> {
        let always = [
            Subject::Delay(Direction::Forward, Statistic::P50),
            Subject::Delay(Direction::Backward, Statistic::P50),
            Subject::Delay(Direction::RoundTrip, Statistic::P50),
            Subject::Loss(Direction::RoundTrip),
        ];
        let limited = self.warning.subjects().chain(self.critical.subjects());
        let mut subjects: Vec<Subject> = always.into_iter().chain(limited).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// What would be critical before it is a warning: no warning would ever be seen.
    fn contradiction(&self) -> Option<String> {
        self.critical.subjects().find_map(|subject| {
            let (warning, critical) = (self.warning.of(subject)?, self.critical.of(subject)?);
            let words = (subject.words(critical), subject.words(warning));
            (critical < warning)
                .then(|| format!("{subject} {} is below that of --warning, {}", words.0, words.1))
        })
    }

    fn verdict(&self, subject: Subject, value: Option<f64>) -> Verdict {
        let (warning, critical) = (self.warning.of(subject), self.critical.of(subject));
        match value {
            None if warning.or(critical).is_some() => Verdict::Unknown,
            None => Verdict::Ok,
            Some(value) if critical.is_some_and(|limit| value > limit) => Verdict::Critical,
            Some(value) if warning.is_some_and(|limit| value > limit) => Verdict::Warning,
            Some(_) => Verdict::Ok,
        }
    }
}

/// The verdict over all sessions, and the line that says why.
fn judge(sessions: &[(SessionInfo, SessionSnapshot)], judged: &Judged) -> (Verdict, String) {
    let mut worst = Verdict::Ok;
    let (mut reasons, mut data) = (Vec::new(), Vec::new());
    for (info, session) in sessions {
        if session.packets.received == 0 {
            worst = worst.max(Verdict::Critical);
            reasons.push(format!("{} never answered {} probes", info.name, session.packets.sent));
        }
        for subject in judged.subjects() {
            let value = subject.measured(session);
            let verdict = judged.verdict(subject, value);
            // Who never answers is critical, and that nothing is known of it no news.
            if verdict != Verdict::Ok && session.packets.received > 0 {
                worst = worst.max(verdict);
                reasons.push(reason(info, subject, value, judged));
            }
            data.extend(value.map(|value| perfdata(info, subject, value, judged)));
        }
    }
    let text = if reasons.is_empty() { summary(sessions) } else { reasons.join("; ") };
    (worst, format!("{} | {}", text.replace('|', "/"), data.join(" ")))
}

fn reason(info: &SessionInfo, subject: Subject, value: Option<f64>, judged: &Judged) -> String {
    let Some(value) = value else {
        return format!("{} {subject} is unknown: {}", info.name, subject.unknown_because());
    };
    let critical = judged.critical.of(subject).filter(|limit| value > *limit);
    let limit = critical.or(judged.warning.of(subject)).unwrap_or_default();
    let (value, limit) = (subject.words(value), subject.words(limit));
    format!("{} {subject} {value} is above {limit}", info.name)
}

fn summary(sessions: &[(SessionInfo, SessionSnapshot)]) -> String {
    let told = sessions.iter().map(|(info, session)| {
        let subject = Subject::Delay(Direction::RoundTrip, Statistic::P50);
        let delay = subject.measured(session).map_or_else(String::new, |it| subject.words(it));
        let (received, sent) = (session.packets.received, session.packets.sent);
        format!("{}: {received} of {sent} answered, round trip {delay}", info.name)
    });
    told.collect::<Vec<_>>().join("; ")
}

/// `'label'=value[unit];warning;critical`, as plugins write it.
fn perfdata(info: &SessionInfo, subject: Subject, value: f64, judged: &Judged) -> String {
    let label = format!("{} {subject}", info.name).replace(['\'', '='], "_");
    let limit = |limits: &Limits| {
        limits.of(subject).map_or_else(String::new, |limit| number(subject.in_unit(limit)))
    };
    let (value, unit) = (number(subject.in_unit(value)), subject.unit());
    let data =
        format!("'{label}'={value}{unit};{};{}", limit(&judged.warning), limit(&judged.critical));
    data.trim_end_matches(';').to_owned()
}

/// To the nanosecond, without zeros behind.
fn number(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;

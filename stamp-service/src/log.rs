//! Messages on standard error: `key=value` text or JSON, one line each.

use core::fmt;
use std::io;

use tracing::field::{Field, Visit};
pub use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Form of a log line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LineFormat {
    /// `key=value` pairs.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl fmt::Display for LineFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// The running log, whose level a reload may change.
#[derive(Debug)]
pub struct Log {
    level: Handle<LevelFilter, Registry>,
}

impl Log {
    /// Sends messages of `level` and above to standard error from now on.
    #[must_use]
    pub fn start(level: LevelFilter, format: LineFormat) -> Self {
        let (filter, level) = reload::Layer::new(level);
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(false)
            // A reader of standard error that is gone must not end the service.
            .log_internal_errors(false);
        let registry = tracing_subscriber::registry().with(filter);
        // A log that was started before (in a test) stays.
        let _ = match format {
            LineFormat::Text => registry.with(layer.event_format(Logfmt)).try_init(),
            LineFormat::Json => {
                let layer = layer.json().flatten_event(true).with_target(false);
                registry.with(layer.with_current_span(false).with_span_list(false)).try_init()
            }
        };
        Self { level }
    }

    /// Changes the least important level.
    pub fn set_level(&self, level: LevelFilter) {
        // Fails only when the subscriber is gone, and then nothing is logged anyway.
        let _ = self.level.modify(|current| *current = level);
    }
}

/// `time=… level=… msg="…" key=value`, for people and for whatever reads logfmt.
struct Logfmt;

impl<S, N> FormatEvent<S, N> for Logfmt
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("time=")?;
        SystemTime.format_time(&mut writer)?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = level_name(*event.metadata().level());
        writeln!(writer, " level={level} msg={}{}", value(&fields.message), fields.others)
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, text: &str) {
        if field.name() == "message" {
            self.message.push_str(text);
        } else {
            self.others.push_str(&format!(" {}={}", field.name(), value(text)));
        }
    }

    fn record_debug(&mut self, field: &Field, debug: &dyn fmt::Debug) {
        self.record_str(field, &format!("{debug:?}"));
    }
}

/// A value that stays one value and one line, whatever is in it.
fn value(text: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && c != '"' && c != '=' && c != '\\';
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() || is_direction_mark(c) => quoted.extend(c.escape_default()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Marks that reorder what a terminal shows.
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_time_level_message_and_fields() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Logfmt)
            .with_writer(move || writer.clone())
            .with_ansi(false);
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::warn!(source = %"[::1]:862", limit = 7, "too many");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("time=20"), "{text}");
        assert!(
            text.ends_with("Z level=warn msg=\"too many\" source=[::1]:862 limit=7\n"),
            "{text}"
        );
    }

    #[test]
    fn what_a_stranger_wrote_stays_one_value() {
        assert_eq!(value("eth0"), "eth0");
        assert_eq!(value(""), "\"\"");
        assert_eq!(value("a b"), "\"a b\"");
        assert_eq!(value("a\nlevel=error \"x\""), "\"a\\nlevel=error \\\"x\\\"\"");
        assert_eq!(value("\u{1b}[2J\u{202e}"), "\"\\u{1b}[2J\\u{202e}\"");
    }
}

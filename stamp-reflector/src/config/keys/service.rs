//! Keys about the process itself.

use stamp_service::sandbox::Mode;

use super::super::key::Key;
use super::super::words::{LogFormat, LogLevel, SandboxWord};

const PROCESS: &str = "The process";

/// How much is logged.
pub(crate) const LOG_LEVEL: Key<LogLevel> =
    Key::new("log.level", PROCESS, "Least important messages that are written.")
        .value("LEVEL")
        .default("\"info\"")
        .words(LogLevel::WORDS);

/// Form of a log line.
pub(crate) const LOG_FORMAT: Key<LogFormat> = Key::new(
    "log.format",
    PROCESS,
    "Form of messages: key=value text or a JSON object a line. Changes with a restart only.",
)
.value("FORM")
.default("\"text\"")
.words(LogFormat::WORDS);

/// What the process gives away.
pub(crate) const SANDBOX: Key<SandboxWord> =
    Key::new("sandbox", PROCESS, "Give up rights, files and system calls before the first probe.")
        .value("MODE")
        .default("\"best-effort\"")
        .words(Mode::WORDS);

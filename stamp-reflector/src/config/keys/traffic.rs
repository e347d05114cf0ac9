//! Keys for counters of real traffic.

use stamp_config::asking::CounterSource;

use super::super::key::Key;

/// Where they are.
pub(crate) const DIRECT_MEASUREMENT: Key<CounterSource> = Key::new(
    "direct-measurement",
    super::ADMISSION_,
    "Tell probes that ask how many packets of real traffic this host received and sent \
     (RFC 8972 §4.5): those of an interface, test packets among them, read every 5 ms; or with cmd: \
     those that a command prints, a line of two numbers, sent and received, either each time it is \
     run (again 100 ms after its end) or whenever they change.",
)
.value("IF|cmd:COMMAND")
.otherwise("not told", "\"eth0\"");

/// Whether the sources of an `[[allow]]` are told.
pub(crate) const TOLD: Key<bool> = Key::file_only(
    "direct-measurement",
    "[[allow]]",
    "Whether these sources are told the counters of direct-measurement, where there are any.",
)
.default("true");

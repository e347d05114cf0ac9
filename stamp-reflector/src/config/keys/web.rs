//! Keys for metrics over HTTP.

use stamp_config::web::Listen;

use super::super::key::Key;
use super::super::words::FilePath;

const HEADING: &str = "Metrics";

/// Where they are told.
pub(crate) const LISTEN: Key<Listen> = Key::new(
    "web.listen",
    HEADING,
    "Address and port to tell metrics over HTTP on, for Prometheus (/metrics) and others (/-/ready); \
     repeatable; off is nowhere. Changes with a restart only.",
)
.flag("web.listen-address")
.value("ADDR:PORT|off")
.otherwise("127.0.0.1:9863 with a configuration file, else nowhere", "[\"127.0.0.1:9863\"]")
.many();

/// TLS and users.
pub(crate) const CONFIG_FILE: Key<FilePath> = Key::new(
    "web.config-file",
    HEADING,
    "TLS and users for it, in the form of the Prometheus exporters; read again when it changes.",
)
.flag("web.config.file")
.value("FILE")
.otherwise("everybody, unencrypted", "\"web.yml\"");

/// Whoever may change something.
pub(crate) const CONTROL_TOKEN_FILE: Key<FilePath> = Key::file_only(
    "web.control-token-file",
    HEADING,
    "Whoever shows the token in this file may change things over HTTP (PUT /api/v1/config).",
)
.otherwise("nothing can be changed over HTTP", "\"token\"");

/// Reload over HTTP.
pub(crate) const ENABLE_LIFECYCLE: Key<bool> = Key::new(
    "web.enable-lifecycle",
    HEADING,
    "Let a POST to /-/reload read the configuration again.",
)
.default("false");

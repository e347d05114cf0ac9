//! The file that says who gets in, in the form of the Prometheus exporters: what they take is taken
//! here, and a key that nobody knows is refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;

/// Why a file of this kind cannot be used.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    #[error("{}: {error}", .path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{}: {}", .path.display(), .error)]
    Syntax { path: PathBuf, error: Box<serde_saphyr::Error> },
    #[error("{}: {key}: {problem}", .path.display())]
    Value { path: PathBuf, key: String, problem: String },
}

/// What a file says.
#[derive(Default)]
pub(super) struct WebConfig {
    pub(super) tls: Option<TlsConfig>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Hashes of passwords by user.
    pub(super) users: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    tls_server_config: Option<TlsConfig>,
    http_server_config: HttpConfig,
    basic_auth_users: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpConfig {
    /// There is no HTTP/2 here, whatever it says.
    #[serde(rename = "http2")]
    _http2: Option<bool>,
    headers: BTreeMap<String, String>,
}

/// `tls_server_config`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsConfig {
    pub(super) cert: Option<String>,
    pub(super) key: Option<String>,
    pub(super) client_ca: Option<String>,
    pub(super) cert_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) client_ca_file: Option<PathBuf>,
    pub(super) client_auth_type: Option<String>,
    pub(super) client_allowed_sans: Vec<String>,
    pub(super) cipher_suites: Vec<String>,
    pub(super) curve_preferences: Vec<String>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    /// It is always so.
    #[serde(rename = "prefer_server_cipher_suites")]
    _prefer_server_cipher_suites: Option<bool>,
}

/// Headers that a file may set, and the values of those that have few.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-XSS-Protection", &[]),
    ("Strict-Transport-Security", &[]),
];

impl WebConfig {
    pub(super) fn load(path: &Path, stamp: &mut Stamp) -> Result<Self, WebConfigError> {
        let text = stamp.read(path)?;
        let file: File = if text.trim().is_empty() {
            File::default()
        } else {
            serde_saphyr::from_str(&text).map_err(|error| WebConfigError::Syntax {
                path: path.to_owned(),
                error: Box::new(error),
            })?
        };
        let wrong = |key: String, problem: String| {
            let path = path.to_owned();
            WebConfigError::Value { path, key, problem }
        };
        let mut headers = Vec::new();
        for (name, value) in &file.http_server_config.headers {
            let header = header(name, value);
            let key = || format!("http_server_config.headers.{name}");
            headers.push(header.map_err(|problem| wrong(key(), problem))?);
        }
        for (user, hash) in &file.basic_auth_users {
            let key = || format!("basic_auth_users.{user}");
            if user.contains(':') {
                return Err(wrong(key(), "a name with a colon cannot be sent".to_owned()));
            }
            hash.parse::<bcrypt::HashParts>()
                .map_err(|error| wrong(key(), format!("not a bcrypt hash: {error}")))?;
        }
        Ok(Self { tls: file.tls_server_config, headers, users: file.basic_auth_users })
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let known = HEADERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let Some((_, values)) = known else {
        let known: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
        return Err(format!("cannot be set; known: {}", known.join(", ")));
    };
    let fits = |known: &&str| known.eq_ignore_ascii_case(value);
    if !values.is_empty() && !values.iter().any(fits) {
        return Err(format!("expected {}", values.join(" or ")));
    }
    let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
    match parsed {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err("not a header".to_owned()),
    }
}

/// Files as they were when they were read.
#[derive(Default)]
pub(super) struct Stamp(Vec<(PathBuf, Option<Print>)>);

/// What tells a file from what it was before.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Print {
    device: u64,
    inode: u64,
    octets: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// Reads a file, and takes note of how it is.
    pub(super) fn read(&mut self, path: &Path) -> Result<String, WebConfigError> {
        self.0.push((path.to_owned(), print(path)));
        fs::read_to_string(path)
            .map_err(|error| WebConfigError::Read { path: path.to_owned(), error })
    }

    /// No file is another than it was.
    pub(super) fn is_current(&self) -> bool {
        self.0.iter().all(|(path, then)| print(path) == *then)
    }

    /// Takes note of them as they are now.
    pub(super) fn renew(&mut self) {
        for (path, then) in &mut self.0 {
            *then = print(path);
        }
    }
}

fn print(path: &Path) -> Option<Print> {
    let metadata = fs::metadata(path).ok()?;
    Some(Print {
        device: metadata.dev(),
        inode: metadata.ino(),
        octets: metadata.len(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests;

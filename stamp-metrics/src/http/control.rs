//! Orders: whatever changes something, for whoever shows the control token.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::body::Outgoing;
use super::route::{Router, broken, text};

/// Octets of a document.
const MOST: usize = 16 << 20;
/// How long a client may take to send one.
const TIME: Duration = Duration::from_secs(30);
/// Shortest token that is one.
const SHORTEST: usize = 16;

/// To whoever sends an order, and so the token, over a network that can read it.
const UNSECURED: &str = "orders are taken over TLS (tls_server_config in the web configuration file), or from this \
     host itself; whoever shows a token otherwise should choose another one\n";

/// What is done to the thing at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Put this in its place.
    Put,
    /// Take it away.
    Delete,
}

/// What somebody wants changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// What is to be done.
    pub verb: Verb,
    /// To what.
    pub path: String,
    /// To which of it: what stands behind the `?`.
    pub query: String,
    /// The document.
    pub text: String,
}

/// What became of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Done {
    /// It was done; words about it.
    Done(String),
    /// It was not, and this is what is wrong with it.
    Refused(String),
    /// There is nothing of the kind.
    Unknown,
}

/// Whether a request is an order.
pub(super) fn is_order(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::DELETE)
}

impl Router {
    /// Does what is wanted, for whoever may want it and tells nobody else the token by it: sessions
    /// are managed over a secured transport (RFC 8762 §7), or from this host.
    pub(super) async fn obey(&self, request: Request<Incoming>) -> Response<Outgoing> {
        if !self.is_private {
            return text(StatusCode::FORBIDDEN, UNSECURED);
        }
        let shown = request.headers().get(AUTHORIZATION).cloned();
        let allowed = self.wait(move |site| allows(site.control_token_file(), shown.as_ref()));
        match allowed.await {
            Some(Ok(true)) => {}
            Some(Ok(false)) => {
                let mut response = text(StatusCode::UNAUTHORIZED, "the control token is wanted\n");
                let challenge = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                return response;
            }
            Some(Err(reason)) => return text(StatusCode::FORBIDDEN, reason + "\n"),
            None => return broken(),
        }
        let verb = if request.method() == Method::PUT { Verb::Put } else { Verb::Delete };
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let document = match timeout(TIME, collect(request.into_body())).await {
            Ok(Ok(document)) => document,
            Ok(Err((status, reason))) => return text(status, reason),
            Err(_) => return text(StatusCode::REQUEST_TIMEOUT, "the document did not come\n"),
        };
        let order = Order { verb, path, query, text: document };
        match self.wait(move |site| site.obey(order)).await {
            Some(Done::Done(words)) => text(StatusCode::OK, words + "\n"),
            Some(Done::Refused(reason)) => text(StatusCode::BAD_REQUEST, reason + "\n"),
            Some(Done::Unknown) => text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n"),
            None => broken(),
        }
    }
}

async fn collect(mut body: Incoming) -> Result<String, (StatusCode, String)> {
    let too_long = || {
        let reason = format!("a document has {MOST} octets at most\n");
        (StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > MOST as u64 {
        return Err(too_long());
    }
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))?;
        let Ok(data) = frame.into_data() else { continue };
        if octets.len() + data.len() > MOST {
            return Err(too_long());
        }
        octets.extend_from_slice(&data);
    }
    String::from_utf8(octets)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("no text: {error}\n")))
}

/// Whether what was shown is the token. It is read each time, so that it can be changed.
fn allows(file: Option<&Path>, shown: Option<&HeaderValue>) -> Result<bool, String> {
    let file = file.ok_or("nothing can be changed over HTTP: control-token-file is not set")?;
    // Its place on this host is nothing to tell to a stranger.
    let token = read_token(file).map_err(|error| format!("control-token-file: {error}"))?;
    let shown = shown.and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
    Ok(shown.is_some_and(|shown| is_token(shown, &token)))
}

/// Whether what was shown is the token.
pub(super) fn is_token(shown: &str, token: &str) -> bool {
    // Of digests nobody learns anything by the time that comparing takes.
    let digest = |text: &str| Sha256::digest(text.trim().as_bytes());
    digest(shown) == digest(token)
}

/// The token that a file holds, which others must not be able to read.
pub(super) fn read_token(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_file() && about.mode() & 0o007 != 0 {
        return Err(io::Error::other("every user can read it; chmod o-rwx it"));
    }
    let mut token = String::new();
    file.take(4_096).read_to_string(&mut token)?;
    if token.trim().len() < SHORTEST {
        return Err(io::Error::other(format!("a token has {SHORTEST} octets at least")));
    }
    Ok(token)
}

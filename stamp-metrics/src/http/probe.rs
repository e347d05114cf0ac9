//! `/probe?target=HOST&profile=NAME`: whoever asks has something measured once, as exporters of that kind do.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};

use super::body::Outgoing;
use super::query::Query;
use super::route::{Router, broken, page, text};
use super::{Page, Pieces};
use crate::exposition::TEXT_FORMAT;

/// Where it is.
pub(super) const PATH: &str = "/probe";
/// How long Prometheus waits, where it says so.
const PATIENCE: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");
/// Seconds until there may be a place.
const FULL_PAUSE: HeaderValue = HeaderValue::from_static("1");

/// What somebody wants measured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Probe {
    /// What.
    pub target: String,
    /// How, if not as usual.
    pub profile: Option<String>,
    /// For how long the answer is waited for, if that is known.
    pub within: Option<Duration>,
}

/// What came of it.
pub enum Probed {
    /// Nobody may ask for it here.
    Unknown,
    /// This cannot be, or may not be.
    Refused(String),
    /// So many are under way that there is no place now.
    Busy,
    /// What was measured.
    Metrics(Pieces),
}

/// What is asked for, answered.
pub(super) async fn answer(router: &Router, request: &Request<Incoming>) -> Response<Outgoing> {
    let query = Query::of(request.uri());
    let Some(target) = query.first("target").filter(|target| !target.is_empty()) else {
        return text(StatusCode::BAD_REQUEST, "target is missing\n");
    };
    let patience = request.headers().get(PATIENCE).and_then(|it| it.to_str().ok()?.parse().ok());
    let probe = Probe {
        target: target.to_owned(),
        profile: query.first("profile").map(str::to_owned),
        within: patience.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    match router.wait(move |site| site.probe(&probe)).await {
        None => broken(),
        Some(Probed::Unknown) => text(StatusCode::NOT_FOUND, "not found\n"),
        Some(Probed::Refused(reason)) => text(StatusCode::BAD_REQUEST, reason + "\n"),
        Some(Probed::Busy) => {
            let mut full = text(StatusCode::SERVICE_UNAVAILABLE, "too much is measured already\n");
            full.headers_mut().insert(RETRY_AFTER, FULL_PAUSE);
            full
        }
        Some(Probed::Metrics(pieces)) => {
            page(Page { content_type: TEXT_FORMAT, pieces }, request.headers())
        }
    }
}

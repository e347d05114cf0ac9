//! `/api/v1/events`: the latest events as JSON, or all that come as server-sent events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::Outgoing;
use super::clients::Claim;
use super::query::Query;
use super::route::{page, text};
use super::{Page, Pieces};
use crate::feed::{Feed, Listener, Told, Wanted};
use crate::table::Follower;

/// Where they are.
pub(super) const PATH: &str = "/api/v1/events";
/// Listeners at a time; they take no place of those who ask and go.
const LISTENERS: usize = 64;
/// Events of a JSON document unless told otherwise.
const LATEST: usize = 100;
/// Seconds until another listener may be let in.
const FULL_PAUSE: HeaderValue = HeaderValue::from_static("5");

/// The places of listeners.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LISTENERS)))
    }
}

/// A connection, which may become a listener's.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) places: Places,
    pub(super) listens: Arc<AtomicBool>,
}

/// A place that is taken as long as this is there.
struct Taken {
    listens: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl Seat {
    /// Takes a place, if there is one.
    fn take(&self) -> Option<Taken> {
        let place = Arc::clone(&self.places.0).try_acquire_owned().ok()?;
        self.listens.store(true, Ordering::Relaxed);
        Some(Taken { listens: Arc::clone(&self.listens), _place: place })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.listens.store(false, Ordering::Relaxed);
    }
}

/// What goes on for as long as somebody listens.
pub(super) struct Live {
    next: Pin<Box<dyn Future<Output = Option<Next>> + Send>>,
    _taken: Taken,
}

/// A piece, and whoever makes the one after it.
type Next = (Stream, String);

/// What somebody listens to.
pub(super) enum Stream {
    /// Events as they are told.
    Events(Listener),
    /// A table as it changes, for as long as whoever follows it may.
    Table(Follower, Option<Claim>),
}

impl Stream {
    /// What to send next; nothing more to whoever may not listen any longer.
    async fn next(self) -> Option<Next> {
        match self {
            Self::Events(listener) => {
                let (listener, text) = listener.next().await;
                Some((Self::Events(listener), text))
            }
            Self::Table(follower, claim) => {
                let (follower, text) = follower.next().await;
                if let Some(claim) = &claim
                    && !claim.holds().await
                {
                    return None;
                }
                Some((Self::Table(follower, claim), text))
            }
        }
    }
}

impl Live {
    /// The next piece; none when it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.next.as_mut().poll(cx).map(|next| {
            let (stream, text) = next?;
            self.next = Box::pin(stream.next());
            Some(text.into())
        })
    }
}

/// What somebody listens to, if there is a place for that; `stream` is made only then.
pub(super) fn live(
    request: &Request<Incoming>,
    seat: &Seat,
    stream: impl FnOnce() -> Stream,
) -> Response<Outgoing> {
    let content_type = HeaderValue::from_static("text/event-stream");
    if request.method() == Method::HEAD {
        let mut response = Response::new(Outgoing::text(""));
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        return response;
    }
    let Some(taken) = seat.take() else {
        let mut full = text(StatusCode::SERVICE_UNAVAILABLE, "too many listeners\n");
        full.headers_mut().insert(RETRY_AFTER, FULL_PAUSE);
        return full;
    };
    let live = Live { next: Box::pin(stream().next()), _taken: taken };
    let mut response = Response::new(Outgoing::Live(live));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// What is asked for, answered.
pub(super) fn answer(
    feed: &Arc<Feed>,
    request: &Request<Incoming>,
    seat: &Seat,
) -> Response<Outgoing> {
    let headers = request.headers();
    let query = Query::of(request.uri());
    let wanted = Wanted { sessions: query.all("session"), kinds: query.all("type") };
    if wants_json(headers) {
        let most = query.first("last").map_or(Ok(LATEST), |count| count.parse());
        let Ok(most) = most else {
            return text(StatusCode::BAD_REQUEST, "last is a count\n");
        };
        let (latest, id) = feed.latest(&wanted, most);
        let pieces = document(latest, &id);
        return page(Page { content_type: "application/json", pieces }, headers);
    }
    let last = headers.get(HeaderName::from_static("last-event-id"));
    let last = last.and_then(|id| id.to_str().ok()).or_else(|| query.first("after"));
    live(request, seat, || Stream::Events(feed.listen(wanted, last)))
}

/// Whether a client asks for a document, and not for a stream.
fn wants_json(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|accepted| accepted.contains("application/json"))
}

fn document(latest: Vec<Arc<Told>>, id: &str) -> Pieces {
    let head = format!("{{\"schema_version\":1,\"last_id\":\"{id}\",\"events\":[");
    let lines = latest.into_iter().enumerate().map(|(index, told)| {
        let separator = if index == 0 { "" } else { ",\n" };
        format!("{separator}{}", told.line).into_bytes()
    });
    let head = std::iter::once(head.into_bytes());
    Box::new(head.chain(lines).chain(std::iter::once(b"]}\n".to_vec())))
}

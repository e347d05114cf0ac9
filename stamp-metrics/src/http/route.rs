//! Which answer a request gets.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::task::spawn_blocking;

use super::access::Access;
use super::body::{Never, Outgoing};
use super::clients::Claim;
use super::events::{self, Seat};
use super::{Page, Query, Site, clients, control, paths, probe};
use crate::exposition::TEXT_FORMAT;

const PLAIN: &str = "text/plain; charset=utf-8";

/// Knows what is where, and who may see it.
pub(super) struct Router {
    pub(super) access: Arc<Access>,
    pub(super) site: Arc<dyn Site>,
    /// Of the connection that requests come over.
    pub(super) seat: Seat,
    /// Nobody else reads what that connection carries.
    pub(super) is_private: bool,
}

impl Router {
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Never> {
        self.access.refresh(&*self.site);
        let mut response = if control::is_order(request.method()) {
            // Whoever has the token needs no password besides.
            self.obey(request).await
        } else if let Some(token) = self.client_token(&request) {
            self.serve(&request, token).await
        } else if self.access.lets_in(request.headers().get(AUTHORIZATION)).await {
            self.find(&request).await
        } else {
            let mut response = text(StatusCode::UNAUTHORIZED, "unauthorized\n");
            let challenge = HeaderValue::from_static("Basic");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            response
        };
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.access.headers() {
            headers.insert(name, value);
        }
        Ok(response)
    }

    async fn find(&self, request: &Request<Incoming>) -> Response<Outgoing> {
        let path = request.uri().path();
        let wanted = if path == "/-/reload" { &Method::POST } else { &Method::GET };
        let method = request.method();
        if method != wanted && !(wanted == Method::GET && method == Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
            let allowed = if wanted == Method::GET { "GET, HEAD" } else { "POST" };
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return response;
        }
        match path {
            "/-/healthy" => text(StatusCode::OK, "healthy\n"),
            "/-/ready" => match self.wait(|site| site.unready()).await {
                Some(None) => text(StatusCode::OK, "ready\n"),
                Some(Some(reason)) => text(StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
                None => broken(),
            },
            "/-/reload" => self.reload(request.headers()).await,
            "/metrics" => match self.wait(|site| site.metrics()).await {
                Some(pieces) => page(Page { content_type: TEXT_FORMAT, pieces }, request.headers()),
                None => broken(),
            },
            events::PATH => match self.site.feed() {
                Some(feed) => events::answer(&feed, request, &self.seat),
                None => text(StatusCode::NOT_FOUND, "not found\n"),
            },
            probe::PATH => probe::answer(self, request).await,
            paths::PATH => self.paths(request, None),
            path => {
                let (path, query) = (path.to_owned(), Query::of(request.uri()));
                match self.wait(move |site| site.page(&path, &query)).await {
                    Some(Some(found)) => page(found, request.headers()),
                    Some(None) => text(StatusCode::NOT_FOUND, "not found\n"),
                    None => broken(),
                }
            }
        }
    }

    /// What a request for paths shows, where clients have tokens: they need no password besides.
    fn client_token(&self, request: &Request<Incoming>) -> Option<String> {
        let is_asked = request.uri().path() == paths::PATH && request.method() == Method::GET;
        let has_clients = is_asked && !self.site.clients().is_empty();
        has_clients.then(|| clients::shown(request.headers())).flatten()
    }

    /// Answers a client, if it is one.
    async fn serve(&self, request: &Request<Incoming>, token: String) -> Response<Outgoing> {
        let shown = token.clone();
        match self.wait(move |site| clients::scope_of(site, &shown)).await {
            Some(Some(scope)) => {
                let site = Arc::clone(&self.site);
                self.paths(request, Some(Claim { site, token, scope }))
            }
            Some(None) => {
                let mut response = text(StatusCode::UNAUTHORIZED, "no client has this token\n");
                let challenge = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
            None => broken(),
        }
    }

    fn paths(&self, request: &Request<Incoming>, client: Option<Claim>) -> Response<Outgoing> {
        match self.site.paths() {
            Some(table) => paths::answer(&table, request, &self.seat, client),
            None => text(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    async fn reload(&self, headers: &HeaderMap) -> Response<Outgoing> {
        // A page of somebody else in the operator's browser may not ask for it.
        let site = headers.get(HeaderName::from_static("sec-fetch-site"));
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return text(StatusCode::FORBIDDEN, "not from another site\n");
        }
        match self.wait(|site| site.reload()).await {
            Some(Some(Ok(()))) => text(StatusCode::OK, "reloaded\n"),
            Some(Some(Err(reason))) => text(StatusCode::INTERNAL_SERVER_ERROR, reason + "\n"),
            Some(None) => text(StatusCode::FORBIDDEN, "reload over HTTP is not enabled\n"),
            None => broken(),
        }
    }

    /// Asks on a thread that may wait; `None` when that broke down.
    pub(super) async fn wait<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Site) -> T + Send + 'static,
    ) -> Option<T> {
        let site = Arc::clone(&self.site);
        spawn_blocking(move || ask(&*site)).await.ok()
    }
}

pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::text(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PLAIN));
    response
}

pub(super) fn broken() -> Response<Outgoing> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "this page broke down\n")
}

pub(super) fn page(page: Page, asked: &HeaderMap) -> Response<Outgoing> {
    let gzip = takes_gzip(asked);
    let mut response = Response::new(Outgoing::pieces(page.pieces, gzip));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Whether a client says that it understands gzip, and not that it wants none.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").and_then(|text| text.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && quality != Some(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        for (asked, takes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, identity", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, asked.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}

//! `/api/v1/paths`: which paths carry traffic, as JSON or, for whoever follows them, as server-sent events.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::{Request, Response, StatusCode};
use ipnet::IpNet;

use super::Page;
use super::body::Outgoing;
use super::clients::Claim;
use super::events::{Seat, Stream, live};
use super::query::Query;
use super::route::{page, text};
use crate::table::{Asked, Table};

/// Where they are.
pub(super) const PATH: &str = "/api/v1/paths";

/// What is asked for, answered; to a client what it may see.
pub(super) fn answer(
    table: &Arc<Table>,
    request: &Request<Incoming>,
    seat: &Seat,
    client: Option<Claim>,
) -> Response<Outgoing> {
    let query = Query::of(request.uri());
    let to = query.first("to").map(prefix);
    let Some(to) = to.map_or(Some(None), |to| to.map(Some)) else {
        return text(StatusCode::BAD_REQUEST, "to is an address or a prefix\n");
    };
    let scope = client.as_ref().map(|client| Arc::clone(&client.scope));
    if scope.as_ref().is_some_and(|scope| to.is_some_and(|to| !scope.covers(to))) {
        return text(StatusCode::FORBIDDEN, "to is not among the prefixes of this client\n");
    }
    let asked = Asked { to, class: query.first("class").map(str::to_owned), scope };
    let mut accepted = request.headers().get_all(ACCEPT).iter();
    let is_stream = |value: &str| value.contains("text/event-stream");
    if accepted.any(|value| value.to_str().is_ok_and(is_stream)) {
        return live(request, seat, || Stream::Table(table.follow(asked), client));
    }
    let document = table.document(&asked) + "\n";
    page(Page::whole("application/json", document), request.headers())
}

/// An address stands for itself alone.
fn prefix(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

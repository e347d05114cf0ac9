//! BGP-LS (RFC 9552) as `GoBGP` prints its table in JSON.
//!
//! Two forms are known. One is what its API answers: `ListPath` of versions 3 and 4, as any client
//! for gRPC prints messages, one after another. The other is `gobgp global rib -a ls -j`, which
//! shortens routes to a line of text each and knows less: of its versions before 3.11 nothing but that there are routes.

mod field;
mod half;
mod network;
mod node;
mod printed;
mod route;
mod writing;

use super::Imported;
use network::Network;

/// Why a text tells no network.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BgpLsError {
    #[error("line {line}, column {column}: no JSON: {reason}")]
    Json { line: usize, column: usize, reason: String },
    #[error("document {number} is not what GoBGP prints of a table: {expected}")]
    Form { number: usize, expected: &'static str },
    #[error("there is no route of link state: was it told by a neighbour, of the family \"ls\"?")]
    NoLinkState,
    #[error(
        "route {route}: {key} is null: the command line of GoBGP before 3.11 prints no link state; ask its API"
    )]
    Hidden { route: String, key: &'static str },
    #[error(
        "route {route}: whoever asked did not know the message within the answer: give it attribute.proto of GoBGP as well"
    )]
    Unrecognized { route: String },
    #[error("route {route}: there is no {key}")]
    Missing { route: String, key: &'static str },
    #[error("route {route}: {key} is {value}, not {expected}")]
    Value { route: String, key: &'static str, value: String, expected: &'static str },
}

/// The network that a table of link state tells.
///
/// Links are those that both ends tell; a network that several nodes share becomes a link between
/// every two of them. Where a node tells several Prefix-SIDs, the one of its first address is its index.
///
/// # Errors
///
/// When the text is not what `GoBGP` prints, or a route of it cannot be made sense of.
pub fn bgp_ls(text: &str) -> Result<Imported, BgpLsError> {
    let told = route::read(text)?;
    if told.is_empty() {
        return Err(BgpLsError::NoLinkState);
    }
    Ok(writing::written(Network::of(told)))
}

#[cfg(test)]
mod tests;

//! `/api/v1/drain`: what somebody works on carries nothing meanwhile.

use percent_encoding::percent_decode_str;
use stamp_metrics::http::{Done, Order, Verb};

use super::Drain;

/// Where that is ordered.
pub const PATH: &str = "/api/v1/drain";

/// What becomes of an order for [`PATH`]. `put_in_force` is told what is to be drained, and whether or no
/// longer, and says what is wrong with that.
pub fn obey(order: &Order, put_in_force: impl FnOnce(Drain, bool) -> Result<(), String>) -> Done {
    let Some(drain) = read(&order.query) else {
        return Done::Refused("link=NAME or node=NAME is wanted".to_owned());
    };
    let is_drained = order.verb == Verb::Put;
    match put_in_force(drain, is_drained) {
        Ok(()) if is_drained => Done::Done("drained until a restart or DELETE".to_owned()),
        Ok(()) => Done::Done("no longer drained".to_owned()),
        Err(reason) => Done::Refused(reason),
    }
}

/// What is to be drained.
fn read(query: &str) -> Option<Drain> {
    let (key, name) = query.split_once('=')?;
    let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
    match key {
        "link" => Some(Drain::Link(name)),
        "node" => Some(Drain::Node(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_drained_at_a_time() {
        for (query, wanted) in [
            ("link=a-b", Some(Drain::Link("a-b".to_owned()))),
            ("node=a%20b", Some(Drain::Node("a b".to_owned()))),
            ("edge=a", None),
            ("link", None),
            ("", None),
        ] {
            assert_eq!(read(query), wanted, "{query}");
        }
    }
}

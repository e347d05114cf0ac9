//! What stands behind the `?` of a request.

use hyper::Uri;

/// Names and values, in the order of the request.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// That of a request.
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&');
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self(pairs.filter(|pair| !pair.is_empty()).map(pair).collect())
    }

    /// The first value of a name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let of_name = self.0.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| value.clone()).collect()
    }
}

/// Text without `%41` and `+`; what is no such thing is left as it is.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        (rest, _) = match (first, escaped) {
            (_, Some((high, low))) => (&tail[2..], octets.push(high << 4 | low)),
            (b'+', None) => (tail, octets.push(b' ')),
            (octet, None) => (tail, octets.push(*octet)),
        };
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_was_meant() {
        let uri = "/x?session=a%2Fb+c&type=state&type=&&session=%zz%4".parse().unwrap();
        let query = Query::of(&uri);
        assert_eq!(query.all("session"), ["a/b c", "%zz%4"]);
        assert_eq!((query.first("type"), query.first("none")), (Some("state"), None));
        assert!(Query::of(&"/x".parse().unwrap()).0.is_empty());
    }
}

//! Where another server is, as an operator writes it.

use stamp_config::Setting;
use stamp_metrics::http::client::Url;

/// An address of http or https; of its port and path the usual ones may be left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerUrl(pub Url);

impl Setting for ServerUrl {
    const EXPECTED: &'static str =
        "http://HOST:PORT/PATH or https://HOST:PORT/PATH, without a user in it";
    fn read(text: &str) -> Option<Self> {
        Url::read(text).map(Self)
    }
}

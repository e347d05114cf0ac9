//! What a daemon announces of links, for path computation.

use std::collections::BTreeMap;

use stamp_metrics::catalogue;
use stamp_metrics::http::client::Client;

use crate::writer::config::Source;
use crate::writer::follow::{self, FollowError};

/// What is announced of one link, in the units of RFC 8570; nothing where nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Link {
    pub(super) interface: String,
    /// Average, smallest and largest delay in microseconds.
    pub(super) delay_us: Option<[u32; 3]>,
    /// Variation of delay in microseconds.
    pub(super) variation_us: Option<u32>,
    /// Loss as a share of all.
    pub(super) loss: Option<f64>,
}

/// Octets of an answer: ten thousand sessions.
const ANSWER: usize = 256 << 20;

/// What a daemon tells of the sessions over `links`: each an interface and a session.
pub(super) async fn announced(
    links: &[(String, String)],
    source: &Source,
) -> Result<Vec<Link>, FollowError> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let client = Client { octets: ANSWER, ..follow::client(source)? };
    let octets = client.get(&source.url.below("/metrics"), "text/plain").await?;
    Ok(read(links, &String::from_utf8_lossy(&octets)))
}

fn read(links: &[(String, String)], text: &str) -> Vec<Link> {
    let mut values: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("stamp_te_")) {
        let series = line.split_once("{session=\"").and_then(|(name, rest)| {
            let (session, value) = rest.split_once('"')?;
            let value = value.rsplit_once(' ')?.1.parse().ok()?;
            Some(((name, session), value))
        });
        values.extend(series);
    }
    let link = |(interface, session): &(String, String)| {
        let value =
            |metric: &catalogue::Metric| values.get(&(metric.name, session.as_str())).copied();
        let us = |metric| value(metric).map(micros);
        let delays =
            [&catalogue::TE_DELAY_AVG, &catalogue::TE_DELAY_MIN, &catalogue::TE_DELAY_MAX].map(us);
        let delay_us = match delays {
            [Some(average), Some(min), Some(max)] => Some([average, min, max]),
            _ => None,
        };
        Link {
            interface: interface.clone(),
            delay_us,
            variation_us: us(&catalogue::TE_VARIATION),
            loss: value(&catalogue::TE_LOSS),
        }
    };
    links.iter().map(link).collect()
}

/// The field has 24 bits.
fn micros(seconds: f64) -> u32 {
    const LARGEST: f64 = 16_777_215.0;
    (seconds * 1e6).round().clamp(0.0, LARGEST) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_has_the_values_of_its_session() {
        let text = "# HELP stamp_te_delay_avg_seconds x\n\
                    stamp_te_delay_avg_seconds{session=\"r1-r2\",site=\"ams\"} 0.0020004\n\
                    stamp_te_delay_min_seconds{session=\"r1-r2\"} 0.0019\n\
                    stamp_te_delay_max_seconds{session=\"r1-r2\"} 99\n\
                    stamp_te_loss_ratio{session=\"r1-r2\"} 0.000003\n\
                    stamp_te_delay_avg_seconds{session=\"r1-r3\"} 1\n";
        let links =
            [("eth0", "r1-r2"), ("eth1", "r1-r3")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let [first, second] = &read(&links, text)[..] else { panic!() };
        assert_eq!(first.delay_us, Some([2000, 1900, 16_777_215]));
        assert_eq!((first.variation_us, first.loss), (None, Some(0.000_003)));
        assert_eq!(second.delay_us, None, "not all three are announced");
    }
}

//! Whatever stands in the document, it is refused or a topology.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::routes::{Form, link, node, peer, prefix, sid, table};
use crate::Topology;
use crate::import::{BgpLsError, bgp_ls};

/// Keys that mean something, so that nonsense gets deep into the reader.
const KEYS: [&str; 14] = [
    "destination",
    "paths",
    "nlri",
    "attrs",
    "pattrs",
    "type",
    "lsAddrPrefix",
    "localNode",
    "igpRouterId",
    "ls",
    "link",
    "node",
    "srCapabilities",
    "ranges",
];

fn nonsense() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "LS_NLRI_NODE",
        "LS_NLRI_LINK",
        "NLRI { LINK {",
        "192.0.2.1",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(KEYS.to_vec()), inner, 0..5).prop_map(
                |map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            ),
        ]
    })
}

/// Numbers from few, so that routes contradict each other.
fn route(form: Form) -> impl Strategy<Value = Value> {
    let few = 0_u32..4;
    let net = prop::sample::select(vec![
        "192.0.2.1/32",
        "192.0.2.2/32",
        "192.0.2.2/31",
        "2001:db8::1/128",
        "fc00:bb:1:1::/128",
        "224.0.0.1/32",
    ]);
    let router = prop::sample::select(vec!["192.0.2.1", "192.0.2.2", "127.0.0.1"]);
    let metric = prop::sample::select(vec![0, 1, 65_535, 16_777_215, u32::MAX]);
    let label = prop::sample::select(vec![0, 3, 16, 900, 16_001, 24_000, 1_048_575, 1_048_576]);
    (few.clone(), few, 0_u8..6, net, router, metric, label, "\\PC{0,80}").prop_map(
        move |(one, two, kind, net, router, metric, label, name)| match kind {
            0 => node(form, one, json!({
                "name": name, "ipv4": router, "ranges": [[label, metric], [16_000, 24_000]], "asn": 65_000 + two,
            })),
            1 | 2 => link(form, [one, two], [two, one], json!({
                "igp": metric, "te": label, "sid": label, "groups": metric, "srlgs": [metric], "octets": f64::from(metric),
                "least": metric, "end_x": "fc00:bb:1:1::",
            })),
            3 => prefix(form, one, net, json!({ "sid": label })),
            4 if form == Form::MessageOf3 => {
                peer([65_000 + one, 65_000 + two], [router, "192.0.2.2"], "bgpPeerNodeSid", json!(label))
            }
            _ => sid(form, one, "fc00:bb:1:1::", two * 14 + 1, [32, 16, metric.min(99)]),
        },
    )
}

proptest! {
    #[test]
    fn nonsense_is_refused_or_a_topology(documents in prop::collection::vec(nonsense(), 0..4)) {
        let text: String = documents.iter().map(Value::to_string).collect();
        if let Ok(imported) = bgp_ls(&text) {
            let read = Topology::read("net.toml", &imported.text);
            prop_assert!(read.is_ok(), "{}\n{}", read.unwrap_err(), imported.text);
        }
    }

    #[test]
    fn octets_are_refused_or_a_topology(text in "[\\[\\]{}\":,a-z0-9 ]{0,64}") {
        prop_assert!(bgp_ls(&text).is_err() || text.contains("destination"));
    }

    #[test]
    fn what_is_imported_can_be_read(
        routes in prop::sample::select(Form::ALL.to_vec())
            .prop_flat_map(|form| (Just(form), prop::collection::vec(route(form), 1..24))),
    ) {
        let (form, routes) = routes;
        let imported = match bgp_ls(&table(form, &routes)) {
            Ok(imported) => imported,
            // Nothing but SIDs of kinds that a file does not know.
            Err(error) => {
                prop_assert_eq!(error, BgpLsError::NoLinkState);
                return Ok(());
            }
        };
        let read = Topology::read("net.toml", &imported.text);
        prop_assert!(read.is_ok(), "{}\n{}", read.unwrap_err(), imported.text);
    }
}

use core::net::IpAddr;
use core::time::Duration;

use proptest::prelude::*;
use stamp_document::quantity::{Bandwidth, Ratio};

use super::*;

const REFERENCE: &str = include_str!("../../reference/topology.toml");

fn reference() -> Topology {
    Topology::read("topology.toml", REFERENCE).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is wrong with `text`, a line each, without the name of the file.
fn errors(text: &str) -> Vec<String> {
    match Topology::read("t", text) {
        Ok(_) => Vec::new(),
        Err(errors) => {
            let line = |error: &document::ConfigError| error.to_string().split_off("t:".len());
            errors.0.iter().map(line).collect()
        }
    }
}

/// Two nodes and a link, and what a test adds to each.
fn pair(first: &str, second: &str, link: &str) -> String {
    format!(
        "[[node]]\nname = \"a\"\n{first}\n[[node]]\nname = \"b\"\n{second}\n\
         [[link]]\nends = [\"a\", \"b\"]\n{link}\n"
    )
}

/// The one mistake of a text.
#[track_caller]
fn error(text: &str) -> String {
    let found = errors(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn the_reference_is_read_with_every_key() {
    let topology = reference();
    let counts = [topology.nodes.len(), topology.links.len(), topology.domains.len()];
    assert_eq!(counts, [4, 4, 2]);
    let one = &topology.nodes[0];
    assert_eq!((one.autonomous_system, one.domain.as_deref()), (Some(65001), Some("dc1")));
    assert_eq!(one.ipv4(), Some([192, 0, 2, 1].into()));
    assert_eq!(one.ipv6(), "2001:db8::1".parse().ok());
    assert_eq!(one.label_of(1).map(Label::value), Some(16001));
    assert_eq!(one.sids.un.map(UsidPrefix::block_bits), Some(32));
    assert_eq!(one.sids.tsf.map(|sid| sid.to_string()), Some("fc00:bb:1:f::/64".into()));
    assert_eq!(
        one.timestamp_label,
        Some(TimestampLabel::Extended { label: ExtendedLabel::new(240).unwrap() })
    );
    assert_eq!(one.msd, Msd { impose: Some(10), erld: Some(16), srh: Some(8) });
    let [_, two, three, four] = &topology.nodes[..] else { panic!("four nodes") };
    assert!(one.php && !two.php && three.drained && three.sr && !four.sr && three.ip && !four.ip);
    assert_eq!(two.sids.end.map(|sid| sid.to_string()), Some("fc00:bb:2:1::".into()));
    assert_eq!(three.label_of(120).map(Label::value), Some(1020));
    assert_eq!(four.learned[0].label.value(), 12345);
    assert_eq!((two.anycast[0], three.anycast[0].index), (three.anycast[0], 20));
}

#[test]
fn the_reference_is_read_with_every_key_of_links_and_borders() {
    let topology = reference();
    let link = &topology.links[0];
    assert_eq!((link.name.as_str(), link.kind), ("1-2", LinkKind::Physical));
    let [forth, back] = link.directions.map_ref(Clone::clone);
    assert_eq!([&forth, &back].map(|way| way.delay.as_micros()), [100, 110]);
    assert_eq!([&forth, &back].map(|way| way.loss.to_string()), ["0.1%", "0%"]);
    assert_eq!((forth.igp, forth.te, back.te), (10, 15, 15));
    assert_eq!(forth.jitter, Duration::from_micros(10));
    assert_eq!(forth.bandwidth, Some(Bandwidth(10_000_000_000)));
    assert_eq!((&forth.affinities[..], &back.srlgs[..]), (&["satellite".into()][..], &[7][..]));
    assert_eq!(link.adjacency_of(Side::Second).map(Label::value), Some(24021));
    assert_eq!(
        link.end_x_of(Side::First).map(|sid| sid.to_string()).as_deref(),
        Some("fc00:bb:1:a2::/64")
    );
    assert_eq!(link.interface_of(Side::Second), Some(7));
    let addresses = ["198.51.100.1", "2001:db8:12::1"];
    let addresses = addresses.map(|text| text.parse::<IpAddr>().unwrap());
    assert_eq!(link.addresses_of(Side::Second), addresses);
    assert_eq!(topology.links[1].name, "second-wire");
    assert!(topology.links[1].addresses_of(Side::First).is_empty());
    assert_eq!(topology.links[1].from(Side::First).reordering, Ratio::ZERO);
    assert_eq!(topology.links[3].kind, LinkKind::Lsp);
    let [peer] = topology.peers[..] else { panic!("one peer") };
    assert_eq!((peer.at.position(), peer.label.value()), (1, 9999));
    let [tunnel, spreads] = &topology.tunnels[..] else { panic!("two tunnels") };
    let routes = |tunnel: &Tunnel| {
        tunnel.routes().map(|(via, weight)| (via.len(), weight)).collect::<Vec<_>>()
    };
    assert_eq!((routes(tunnel), routes(spreads)), (vec![(2, 1)], vec![(2, 3), (2, 1)]));
    let via = [Hop::Node(NodeId(1)), Hop::Link(LinkId(2))];
    assert_eq!((&tunnel.via[..], tunnel.delay), (&via[..], Some(Duration::from_micros(210))));
    let bindings = topology.gateways[0].prefixes.iter().map(|prefix| prefix.binding.clone());
    let labels = [302, 305].map(|label| Label::new(label).unwrap()).to_vec();
    assert_eq!(
        bindings.collect::<Vec<_>>(),
        [Binding::Ip, Binding::Index(77), Binding::Labels(labels)]
    );
    let seen: Vec<_> = topology.domains.iter().map(|one| (one.shows, one.imposes)).collect();
    assert_eq!(seen, [(Visibility::Full, false), (Visibility::Reachability, true)]);
}

/// Every key that the reader asks for stands in the reference: an unknown one is suggested from.
#[test]
fn what_is_no_key_is_told_in_every_table() {
    for table in ["node", "link", "peer", "tunnel", "gateway", "domain"] {
        let found = errors(&format!("[[{table}]]\nnonsense = 1\n"));
        let expected = format!("{table}[0].nonsense: unknown key");
        assert!(found.iter().any(|error| error.contains(&expected)), "{found:?}");
    }
    let inner = pair(
        "sids = { x = 1 }\nmsd = { x = 1 }\nanycast = [{ x = 1 }]\nlearned = [{ x = 1 }]",
        "timestamp-label = { x = 1 }",
        "back = { kind = \"lsp\" }",
    );
    let unknown = errors(&inner).iter().filter(|error| error.contains("unknown key")).count();
    assert_eq!(unknown, 6);
}

#[test]
fn all_mistakes_are_told_at_once_with_their_place() {
    let text =
        "[[node]]\nname = \"a b\"\nas = 0\n[[link]]\nends = [\"a\"]\ndelay = 5\nloss = \"2\"\n";
    let found = errors(text);
    let places: Vec<&str> = found.iter().filter_map(|error| error.split(' ').next()).collect();
    assert_eq!(places, ["2:8:", "3:6:", "5:9:", "6:9:", "7:8:"]);
    assert!(found[1].contains("node[0].as = 0: expected a number of an autonomous system from 1"));
    assert!(found[2].ends_with("link[0].ends = \"a\": no [[node]] has this name"), "{found:?}");
    assert!(found[3].contains("a bare number has no unit"), "{found:?}");
}

#[test]
fn names_are_unique_and_links_join_two_nodes() {
    let twice = error("[[node]]\nname = \"a\"\n[[node]]\nname = \"a\"\n");
    assert!(twice.contains("4:8: node[1].name = \"a\": an earlier [[node]] has this name"));
    let again = "[[link]]\nends = [\"a\", \"b\"]\n";
    let parallel = error(&(pair("", "", "") + again));
    assert!(parallel.contains("a link is named after its ends: give this one a name"));
    let named = pair("", "", "name = \"x\"") + again + "name = \"x\"\n";
    assert!(error(&named).contains("link[1].name = \"x\": an earlier [[link]]"));
    assert!(
        error("[[node]]\nname=\"a\"\n[[link]]\nends=[\"a\", \"a\"]\n").contains("two different")
    );
    let three = "[[node]]\nname=\"a\"\n[[link]]\nends=[\"a\", \"a\", \"a\"]\n";
    assert!(error(three).contains("3 names; a link has two ends"));
    assert!(error("[[link]]\n").contains("link[0].ends: missing"));
}

#[test]
fn addresses_and_sids_belong_to_one_node() {
    let same = "loopbacks = [\"192.0.2.1\"]";
    assert!(error(&pair(same, same, "")).contains("192.0.2.1 belongs to node \"a\" already"));
    let end = "sids = { end = \"fc00::1:0/112\" }";
    assert!(error(&pair(end, end, "")).contains("fc00::1:0/112 belongs to node \"a\" already"));
    let address = "loopbacks = [\"fc00::1:5\"]";
    assert!(error(&pair(end, address, "")).contains("holds an address of node \"b\""));
    let adjacency = "end-x = [\"fc00::1:0/112\", \"fc00::2\"]";
    let taken = error(&pair(end, "", adjacency));
    assert!(taken.contains("link[0].end-x = \"fc00::1:0/112\": the SID"), "{taken}");
}

#[test]
fn interfaces_have_numbers_and_addresses_of_their_own() {
    let again = "[[link]]\nname = \"x\"\nends = [\"b\", \"a\"]\ninterfaces = [2, 7]\n";
    let taken = error(&(pair("", "", "interfaces = [7, 3]") + again));
    assert!(taken.contains("interfaces = 7: node \"a\" has another interface of"), "{taken}");
    let none = error(&pair("", "", "interfaces = [0, 3]"));
    assert!(none.contains("expected a number of an interface from 1"), "{none}");
    let address = "addresses = [[\"192.0.2.1\"], [\"198.51.100.1\"]]";
    let taken = error(&pair("loopbacks = [\"192.0.2.1\"]", "", address));
    assert!(taken.contains("192.0.2.1 belongs to node \"a\" already"), "{taken}");
    let one = error(&pair("", "", "addresses = [[\"198.51.100.1\"]]"));
    assert!(one.contains("1 entries; one for each end"), "{one}");
}

#[test]
fn a_sid_outside_any_sense_is_refused() {
    for sid in ["::", "::1", "ff02::1", "fe80::1", "::ffff:1.2.3.4", "192.0.2.1", "fc00::1/64", "x"]
    {
        let found = error(&pair(&format!("sids = {{ end = \"{sid}\" }}"), "", ""));
        assert!(found.contains("expected a SID such as"), "{sid}: {found}");
    }
    for un in ["fcbb:bb00:5::", "fcbb:bb00:5::/47", "fc00::/16", "fcbb:bb00:5::1/48"] {
        let found = error(&pair(&format!("sids = {{ un = \"{un}\" }}"), "", ""));
        assert!(found.contains("expected a prefix of 24 to 112 bits"), "{un}: {found}");
    }
}

#[test]
fn labels_mean_one_thing_at_a_node() {
    let label_at_a = "timestamp-label = { label = 24000 }";
    let taken = error(&pair(label_at_a, "", "adjacency = [24000, 24000]"));
    assert!(taken.contains("adjacency = 24000: label 24000 means something else at node \"a\""));
    let inside = error(&pair("", "", "adjacency = [24000, 16000]"));
    assert!(inside.contains("label 16000 lies in the SRGB of node \"b\" (16000 to 23999)"));
    assert!(errors(&pair("", "sr = false", "adjacency = [24000, 16000]")).is_empty());
    let special = error(&pair("", "", "adjacency = [15, 24000]"));
    assert!(special.contains("adjacency = 15: expected a label from 16 to 1048575"), "{special}");
    assert!(error(&pair("", "", "adjacency = [24000]")).contains("1 entries; one for each end"));
}

#[test]
fn indexes_are_unique_and_fit_every_block() {
    let [a, b] = [1, 2].map(|n| format!("loopbacks = [\"192.0.2.{n}\"]\nindex = 5"));
    assert!(error(&pair(&a, &b, "")).contains("index 5 belongs to node \"a\" already"));
    let elsewhere = format!("domain = \"x\"\n{b}");
    assert!(errors(&pair(&a, &elsewhere, "")).is_empty(), "another domain counts for itself");
    let small = "srgb = [[100, 104]]";
    let outside = error(&pair(&a, small, ""));
    assert!(outside.starts_with("4:9: "), "{outside}");
    assert!(outside.contains("SRGB of node \"b\", which has room for 0 to 4"), "{outside}");
    assert!(errors(&pair(&a, &format!("sr = false\n{small}"), "")).is_empty());
    assert!(error(&pair("index = 1", "", "")).contains("a Prefix-SID needs a prefix"));
    let any = |index| format!("anycast = [{{ prefix = \"192.0.2.9\", index = {index} }}]");
    assert!(errors(&pair(&any(9), &any(9), "")).is_empty());
    assert!(error(&pair(&any(9), &any(8), "")).contains("192.0.2.9/32 has index 9 already"));
}

#[test]
fn a_block_has_ranges_that_begin_before_they_end() {
    let block = |ranges: &str| error(&format!("[defaults]\nsrgb = {ranges}\n"));
    assert!(block("[[100, 99]]").contains("[100, 99] ends before it begins"));
    assert!(block("[[100]]").contains("1 numbers; a range is"));
    assert!(block("[[100, 199], [150, 160]]").contains("100 to 199 and 150 to 160 overlap"));
    assert!(block("[[0, 199]]").contains("expected a label from 16"));
    assert!(block("[]").contains("holds no label"));
    assert!(block("[16000]").contains("expected a list"));
}

#[test]
fn borders_name_what_exists() {
    let base = pair("", "", "");
    let found = errors(&format!(
        "{base}[[peer]]\nat = \"x\"\nas = 1\nlabel = 99\n\
         [[tunnel]]\nfrom = \"a\"\nto = \"a\"\nvia = [\"b\", \"a-b\", \"y\"]\nlabel = 98\n\
         ways = [{{ via = [\"z\"], weight = 0 }}]\n\
         [[gateway]]\ndomain = \"d\"\nnodes = [\"z\"]\nprefixes = [{{ prefix = \"192.0.2.0/24\" }}]\n"
    ));
    for expected in [
        "peer[0].at = \"x\": no [[node]]",
        "tunnel[0].to = \"a\": a tunnel leads to another",
        "tunnel[0].via = \"y\": no [[node]] and no [[link]]",
        "tunnel[0].ways[0].via = \"z\": no [[node]] and no [[link]]",
        "tunnel[0].ways[0].weight = 0: expected a weight from 1",
        "weight = 0 }]: give exactly one of via and ways",
        "gateway[0].domain = \"d\": no [[domain]]",
        "gateway[0].nodes = \"z\": no [[node]]",
        "gateway[0].prefixes[0].index: give exactly one of index, labels and accepts",
    ] {
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(found.len(), 9);
}

#[test]
fn a_timestamp_label_is_extended_or_assigned() {
    let label = |inner: &str| error(&pair(&format!("timestamp-label = {{ {inner} }}"), "", ""));
    assert!(label("").contains("give exactly one of extended and label"));
    assert!(label("extended = 240, label = 99").contains("give exactly one of"));
    assert!(label("extended = 15").contains("special-purpose label from 16 to 255"));
    assert!(label("extended = 240, offset = 16").contains("needs label as well"));
    assert!(label("label = 99, format = \"tai\"").contains("expected ntp or ptp"));
}

#[test]
fn an_index_by_metric_follows_in_each_direction() {
    let topology = Topology::read("t", &pair("", "", "igp = 7\nback = { igp = 9 }")).unwrap();
    let metrics = topology.links[0].directions.map_ref(|way| (way.igp, way.te));
    assert_eq!(metrics, [(7, 7), (9, 9)]);
    let topology = Topology::read("t", &pair("", "", "te = 3\nback = { igp = 9 }")).unwrap();
    let metrics = topology.links[0].directions.map_ref(|way| (way.igp, way.te));
    assert_eq!(metrics, [(10, 3), (9, 3)]);
}

proptest! {
    /// Whatever is cut from or put into a good file is read or told, never more.
    #[test]
    fn a_damaged_reference_makes_no_panic(
        start in 0..REFERENCE.len(),
        length in 0_usize..40,
        put in "[ -~\\n]{0,12}",
    ) {
        let text: String = REFERENCE.chars().take(start)
            .chain(put.chars())
            .chain(REFERENCE.chars().skip(start + length))
            .collect();
        let read = Topology::read("t", &text);
        prop_assert!(read.is_ok() || !read.unwrap_err().0.is_empty());
    }

    #[test]
    fn no_text_makes_a_panic(text in "\\PC{0,200}") {
        let _either = Topology::read("t", &text);
    }
}

/// Files of others are written in these words. What changes in them is told in CHANGELOG.md;
/// `STAMP_GOLDEN=write cargo test` writes the list anew.
#[test]
fn the_list_of_keys_is_what_was_promised() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/topology-keys.txt");
    let text: String = Topology::outline().keys().map(|key| format!("{key}\n")).collect();
    if std::env::var_os("STAMP_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(path, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text == wanted, "{path} differs: tell it in CHANGELOG.md; it is now:\n{text}");
}

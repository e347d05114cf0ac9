use super::*;

const SQUARE: &str = r#"
[[node]]
name = "a"
loopbacks = ["192.0.2.1", "2001:db8::1"]
sids = { end = "fc00:bb:1:1::/64", dt6 = "fc00:bb:1:d6::/64", tsf = "fc00:bb:1:f::/64", un = "fcbb:bb00:1::/48" }
[[node]]
name = "b"
anycast = [{ prefix = "192.0.2.20", index = 20 }]
[[node]]
name = "c"
anycast = [{ prefix = "192.0.2.20", index = 20 }]
[[node]]
name = "d"
loopbacks = ["192.0.2.4"]
[[link]]
ends = ["a", "b"]
end-x = ["fc00:bb:1:a2::/64", "fc00:bb:2:a1::/64"]
delay = "2ms"
back = { delay = "0s" }
[[link]]
ends = ["a", "c"]
igp = 11
[[link]]
ends = ["b", "d"]
igp = 11
name = "longer-than-a-kernel-takes"
[[link]]
ends = ["c", "d"]
[[link]]
ends = ["a", "d"]
kind = "lsp"
"#;

fn square() -> (Topology, Plan) {
    let topology = Topology::read("t", SQUARE).unwrap_or_else(|errors| panic!("{errors}"));
    let plan = Plan::of(&topology).unwrap();
    (topology, plan)
}

/// The ways of a node to a prefix, each as the address of the neighbour.
fn ways(topology: &Topology, plan: &Plan, from: &str, to: &str) -> Vec<String> {
    let from = topology.node_id(from).unwrap();
    let to: IpNet = to.parse().unwrap();
    let routes = &plan.nodes[from.position()].routes;
    let route = routes.iter().find(|route| route.prefix == to);
    route.map_or(vec![], |route| route.hops.iter().map(|hop| hop.via.to_string()).collect())
}

#[test]
fn links_have_numbers_names_and_addresses_of_their_own() {
    let (_, plan) = square();
    assert_eq!(plan.links.len(), 4, "an LSP is no wire");
    let [first, second] = &plan.links[0].ends;
    assert_eq!(plan.links[0].interface, "a-b");
    assert_eq!(plan.links[2].interface, "#3");
    assert_eq!(first.ipv4.to_string(), "10.0.1.1/24");
    assert_eq!(second.ipv6.to_string(), "fd00:1ab:0:1::2/64");
    let ends = plan.links.iter().flat_map(|link| link.ends.map(|end| end.index));
    let mut numbers: Vec<u32> =
        ends.chain(plan.links.iter().flat_map(|link| link.middle)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 16);
}

#[test]
fn packets_take_all_shortest_ways() {
    let (topology, plan) = square();
    assert_eq!(ways(&topology, &plan, "a", "192.0.2.4/32"), ["10.0.1.2", "10.0.2.2"]);
    assert_eq!(ways(&topology, &plan, "d", "192.0.2.1/32"), ["10.0.3.1", "10.0.4.1"]);
    assert_eq!(ways(&topology, &plan, "b", "fcbb:bb00:1::/48"), ["fd00:1ab:0:1::1"]);
    assert_eq!(ways(&topology, &plan, "a", "192.0.2.1/32"), [""; 0]);
}

#[test]
fn an_anycast_prefix_leads_to_the_nearest() {
    let (topology, plan) = square();
    assert_eq!(ways(&topology, &plan, "a", "192.0.2.20/32"), ["10.0.1.2"]);
    assert_eq!(ways(&topology, &plan, "d", "192.0.2.20/32"), ["10.0.4.1"]);
    assert_eq!(ways(&topology, &plan, "b", "192.0.2.20/32"), [""; 0]);
    let own = plan.nodes[1].loopbacks.iter().map(ToString::to_string);
    assert_eq!(own.collect::<Vec<_>>(), ["192.0.2.20"]);
}

#[test]
fn links_elsewhere_and_adjacency_sids_are_reachable() {
    let (topology, plan) = square();
    assert_eq!(ways(&topology, &plan, "a", "10.0.4.0/24"), ["10.0.2.2"]);
    assert_eq!(ways(&topology, &plan, "a", "fd00:1ab:0:1::/64"), [""; 0]);
    assert_eq!(ways(&topology, &plan, "c", "fc00:bb:1:a2::/64"), ["fd00:1ab:0:2::1"]);
}

#[test]
fn a_node_that_forwards_labels_alone_has_no_routes() {
    let mut topology = square().0;
    topology.nodes[1].ip = false;
    let plan = Plan::of(&topology).unwrap();
    assert!(plan.nodes[1].routes.is_empty() && !plan.nodes[2].routes.is_empty());
}

#[test]
fn routes_name_the_address_of_the_node() {
    let (topology, plan) = square();
    let sources = |name: &str| {
        let node = topology.node_id(name).unwrap().position();
        let route = plan.nodes[node].routes.iter().find(|route| route.prefix.addr().is_ipv4());
        route.and_then(|route| route.source).map(|source| source.to_string())
    };
    assert_eq!(sources("a").as_deref(), Some("192.0.2.1"));
    assert_eq!(sources("b"), None);
}

#[test]
fn a_node_answers_to_its_sids_but_not_for_a_timestamp() {
    let (_, plan) = square();
    let segments = &plan.nodes[0].segments;
    let behaviours: Vec<Behaviour> = segments.iter().map(|segment| segment.behaviour).collect();
    let next = "fd00:1ab:0:1::2".parse().unwrap();
    let un = Behaviour::Un { block_bits: 32, node_bits: 16 };
    assert_eq!(behaviours, [Behaviour::End, Behaviour::EndDt6, un, Behaviour::EndX { next }]);
    assert_eq!(segments[0].interface, plan.links[0].ends[0].index);
    assert_eq!(plan.nodes[1].segments.len(), 1);
}

#[test]
fn only_what_is_impaired_passes_through_the_labs_hands() {
    let (_, plan) = square();
    let impaired: Vec<bool> = plan.links.iter().map(LinkPlan::is_impaired).collect();
    assert_eq!(impaired, [true, false, false, false]);
}

#[test]
fn addresses_of_the_labs_links_are_refused() {
    for address in ["10.1.2.3", "fd00:1ab::7"] {
        let text = format!("[[node]]\nname = \"a\"\nloopbacks = [\"{address}\"]\n");
        let refused = Plan::of(&Topology::read("t", &text).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("of node \"a\" lies in"), "{refused}");
    }
}

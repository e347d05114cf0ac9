//! Routes in the forms that `GoBGP` has, from the little that a test says.

use serde_json::{Value, json};

/// What prints.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// The API of version 3: messages within messages say their types.
    MessageOf3,
    /// The API of version 4: messages say which of several they hold.
    MessageOf4,
    /// `gobgp global rib -a ls -j` of version 4.
    CommandLine,
}

impl Form {
    pub(super) const ALL: [Self; 3] = [Self::MessageOf3, Self::MessageOf4, Self::CommandLine];
}

pub(super) const ROUTER: &str = "0000.0000.000";

/// The document of routes.
pub(super) fn table(form: Form, routes: &[Value]) -> String {
    if form == Form::CommandLine {
        let entries = routes.iter().filter_map(Value::as_object).flatten();
        let object: serde_json::Map<String, Value> =
            entries.map(|(name, paths)| (name.clone(), paths.clone())).collect();
        return Value::Object(object).to_string();
    }
    routes.iter().map(|route| format!("{route:#}\n")).collect()
}

/// What the API of version 3 answers for one route.
pub(super) fn destination(name: &str, nlri: &Value, attribute: &Value) -> Value {
    let mut attribute = attribute.clone();
    attribute["@type"] = json!("type.googleapis.com/apipb.LsAttribute");
    let origin = json!({ "@type": "type.googleapis.com/apipb.OriginAttribute" });
    let path = json!({ "nlri": nlri, "pattrs": [origin, attribute], "best": true });
    json!({ "destination": { "prefix": name, "paths": [path] } })
}

fn route(form: Form, kind: &str, line: &str, inner: Value, attribute: Value) -> Value {
    let name = format!("NLRI {{ {line} }}");
    match form {
        Form::MessageOf3 => {
            let nlri = json!({
                "@type": "type.googleapis.com/apipb.LsAddrPrefix",
                "type": format!("LS_NLRI_{kind}"), "nlri": inner, "length": 31, "protocolId": "LS_PROTOCOL_ISIS_L2",
            });
            destination(&name, &nlri, &attribute)
        }
        Form::MessageOf4 => {
            let key = match kind {
                "NODE" => "node",
                "LINK" => "link",
                "PREFIX_V4" => "prefixV4",
                "PREFIX_V6" => "prefixV6",
                _ => "srv6Sid",
            };
            let nlri = json!({ "lsAddrPrefix": { "type": format!("LS_NLRI_TYPE_{kind}"), "nlri": { key: inner } } });
            let path = json!({ "nlri": nlri, "pattrs": [{ "origin": {} }, { "ls": attribute }], "best": true });
            json!({ "destination": { "prefix": name, "paths": [path] } })
        }
        Form::CommandLine => {
            let mut attribute = attribute;
            attribute["type"] = json!(29);
            let nlri = json!({ "type": 1, "length": 31, "nlri": name });
            json!({ name: [{ "nlri": nlri, "attrs": [{ "type": 1, "value": 0 }, attribute], "best": true }] })
        }
    }
}

fn message(router: &str) -> Value {
    json!({ "asn": 65_000, "igpRouterId": router, "bgpRouterId": "<nil>" })
}

/// Only what is given, under the name that the form has for it.
fn chosen(form: Form, given: &Value, names: &[(&str, &str, &str)]) -> Value {
    let mut object = json!({});
    for (name, message, line) in names {
        if let Some(value) = given.get(*name) {
            object[if form == Form::CommandLine { *line } else { *message }] = value.clone();
        }
    }
    object
}

pub(super) fn node(form: Form, number: u32, given: Value) -> Value {
    let router = format!("{ROUTER}{number}");
    let asn = given.get("asn").cloned().unwrap_or(json!(65_000));
    let line = format!("NODE {{ AS:{asn} BGP-LS ID:0 {router} ISIS-L2:0 }}");
    let names = [
        ("name", "name", "name"),
        ("ipv4", "localRouterId", "local_router_id_ipv4"),
        ("ipv6", "localRouterIdV6", "local_router_id_ipv6"),
    ];
    let mut facts = chosen(form, &given, &names);
    if let Some(Value::Array(ranges)) = given.get("ranges") {
        let range = |range: &Value| json!({ "begin": range[0], "end": range[1] });
        let ranges: Vec<Value> = ranges.iter().map(range).collect();
        let key = if form == Form::CommandLine { "sr_capabilities" } else { "srCapabilities" };
        facts[key] = json!({ "ranges": ranges });
    }
    if let Some(overload) = given.get("overload") {
        facts["flags"] = json!({ "overload": overload });
    }
    let mut local = message(&router);
    local["asn"] = asn;
    route(form, "NODE", &line, json!({ "localNode": local }), json!({ "node": facts, "link": {} }))
}

pub(super) fn prefix(form: Form, number: u32, prefix: &str, given: Value) -> Value {
    let router = format!("{ROUTER}{number}");
    let is_v4 = prefix.contains('.');
    let (kind, word) = if is_v4 { ("PREFIX_V4", "v4") } else { ("PREFIX_V6", "v6") };
    let line = format!("PREFIX{word} {{ LOCAL_NODE: {router} PREFIX: [{prefix}]  ISIS-L2:0}}");
    let inner = json!({ "localNode": message(&router), "prefixDescriptor": { "ipReachability": [prefix] } });
    let facts = match (form, given.get("sid")) {
        (_, None) => json!({}),
        (Form::MessageOf3, Some(sid)) => json!({ "srPrefixSid": sid }),
        (form, Some(sid)) => {
            let flags = given.get("flags").cloned().unwrap_or(json!(0));
            let entry = json!({ "algorithm": 0, "flags": flags, "sid": sid });
            let flexible = json!({ "algorithm": 128, "sid": 4000 });
            let key = if form == Form::CommandLine { "sr_prefix_sids" } else { "srPrefixSids" };
            json!({ key: [flexible, entry] })
        }
    };
    route(form, kind, &line, inner, json!({ "prefix": facts }))
}

pub(super) fn link(form: Form, nodes: [u32; 2], numbers: [u32; 2], given: Value) -> Value {
    let routers = nodes.map(|number| format!("{ROUTER}{number}"));
    between(form, routers.each_ref().map(String::as_str), numbers, given)
}

pub(super) fn between(form: Form, routers: [&str; 2], numbers: [u32; 2], given: Value) -> Value {
    let [local, remote] = routers;
    let [near, far] = numbers;
    let line = format!(
        "LINK {{ LOCAL_NODE: {local} REMOTE_NODE: {remote} LINK: {near}->{far} ISIS-L2:0}}"
    );
    let inner = json!({
        "localNode": message(local), "remoteNode": message(remote),
        "linkDescriptor": { "linkLocalId": near, "linkRemoteId": far },
    });
    let names = [
        ("igp", "igpMetric", "igp_metric"),
        ("te", "defaultTeMetric", "default_te_metric"),
        ("sid", "srAdjacencySid", "adjacency_sid"),
        ("groups", "adminGroup", "admin_group"),
        ("srlgs", "srlgs", "srlgs"),
        ("octets", "bandwidth", "bandwidth"),
        ("variation", "unidirectionalDelayVariation", "unidirectional_delay_variation"),
    ];
    let mut facts = chosen(form, &given, &names);
    let is_message = form != Form::CommandLine;
    if let Some(average) = given.get("average") {
        if is_message {
            facts["unidirectionalLinkDelay"] = average.clone();
        } else {
            facts["unidirectional_link_delay"] = json!({ "flags": {}, "delay": average });
        }
    }
    if let Some(least) = given.get("least") {
        if is_message {
            facts["minUnidirectionalLinkDelay"] = least.clone();
        } else {
            let both = json!({ "flags": {}, "min_delay": least, "max_delay": 99_999 });
            facts["min_max_unidirectional_link_delay"] = both;
        }
    }
    if let Some(sid) = given.get("end_x") {
        if is_message {
            let structure = json!({ "localBlock": 32, "localNode": 16, "localFunc": 16 });
            facts["srv6EndXSid"] = json!({ "sids": [sid], "srv6SidStructure": structure });
        } else {
            let structure =
                json!({ "local_block": 32, "local_node": 16, "local_func": 16, "local_arg": 0 });
            facts["srv6_end_x_sid"] = json!({ "sids": [sid], "sid_structure": structure });
        }
    }
    route(form, "LINK", &line, inner, json!({ "node": {}, "link": facts }))
}

/// A link of egress peer engineering, as the API of version 3 tells it.
pub(super) fn peer(systems: [u32; 2], routers: [&str; 2], key: &str, sid: Value) -> Value {
    let end = |place: usize| json!({ "asn": systems[place], "bgpRouterId": routers[place] });
    let inner = json!({
        "localNode": end(0), "remoteNode": end(1),
        "linkDescriptor": { "interfaceAddrIpv4": routers[0], "neighborAddrIpv4": routers[1] },
    });
    route(Form::MessageOf3, "LINK", "LINK", inner, json!({ "bgpPeerSegment": { key: sid } }))
}

pub(super) fn sid(form: Form, number: u32, address: &str, behavior: u32, bits: [u32; 3]) -> Value {
    let router = format!("{ROUTER}{number}");
    let [block, node, function] = bits;
    let line = format!(
        "SRv6SID {{ LOCAL_NODE: {{ASN: 65000, BGP LS ID: 0, OSPF AREA: 0, IGP ROUTER ID: {router}}} \
         SRv6_SID: {{SIDs: {address}}}}}"
    );
    let inner =
        json!({ "localNode": message(&router), "srv6SidInformation": { "sids": [address] } });
    let told = if form == Form::CommandLine {
        json!({
            "srv6_endpoint_behavior": { "endpoint_behavior": behavior },
            "srv6_sid_structure": { "local_block": block, "local_node": node, "local_func": function },
        })
    } else {
        json!({
            "srv6EndpointBehavior": { "endpointBehavior": behavior },
            "srv6SidStructure": { "localBlock": block, "localNode": node, "localFunc": function },
        })
    };
    let key = if form == Form::CommandLine { "srv6_sid" } else { "srv6Sid" };
    route(form, "SRV6_SID", &line, inner, json!({ key: told }))
}

/// A route of version 3 by a node of another autonomous system.
pub(super) fn of(system: u32, mut route: Value) -> Value {
    let node = "/destination/paths/0/nlri/nlri/localNode/asn";
    if let Some(asn) = route.pointer_mut(node) {
        *asn = json!(system);
    }
    route
}

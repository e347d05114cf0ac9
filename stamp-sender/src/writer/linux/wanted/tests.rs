use serde_json::{Value, json};

use super::*;
use crate::daemon::Paths;
use crate::writer::config::{Beside, Writers};
use crate::writer::table::Table;
use crate::writer::table::tests::{list, path, table};

/// A host with one neighbour, whose kernel is old or not.
struct Host {
    is_new: bool,
}

impl Answers for Host {
    fn way_out(&self, list: &List, _: bool) -> Result<(IpAddr, u32), String> {
        match &list.interface {
            Some(name) => Err(format!("there is no interface {name:?}")),
            None => Ok((list.next_hop.unwrap_or_else(|| "fd00::2".parse().unwrap()), 7)),
        }
    }

    fn compares_dscp(&self) -> bool {
        self.is_new
    }
}

pub(in super::super) fn config() -> Linux {
    let text = "[[writer]]\nkind = \"linux\"\nfrom = \"http://127.0.0.1:9862\"\n";
    let web = stamp_config::web::Web::on_loopback(9862);
    let paths = Paths::default();
    let beside = Beside { web: &web, topology: None, paths: &paths };
    let folder = std::path::Path::new("/etc/stamp");
    let read = stamp_config::document::read("f", text, |root| Writers::read(root, folder, beside));
    let Ok([writer]) = read.map(|read| <[_; 1]>::try_from(read.writers).unwrap()) else { panic!() };
    let crate::writer::config::Target::Linux(linux) = writer.target else { panic!() };
    linux
}

fn wanted(paths: &[Value], is_new: bool) -> Wanted {
    let table = Table::read(&table(1, paths)).unwrap();
    assert_eq!(table.unreadable, []);
    of(&table.paths, &config(), &Host { is_new })
}

fn with(mut path: Value, key: &str, value: Value) -> Value {
    path["traffic"][key] = value;
    path
}

fn two() -> Value {
    json!([list("a/0", 300, &["fc00:a::1", "fc00:b::1"]), list("a/1", 100, &["fc00:b::1"])])
}

/// Reasons of refusals.
fn reasons(wanted: &Wanted) -> Vec<&str> {
    wanted.refused.iter().map(|(_, reason)| reason.as_str()).collect()
}

#[test]
fn traffic_of_a_dscp_has_a_table_a_rule_and_shares_of_lists() {
    let wanted = wanted(&[path("a", &two())], false);
    assert_eq!(wanted.refused, []);
    let [route] = &wanted.state.routes.iter().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!((route.table, route.prefix.to_string().as_str()), (8335, "2001:db8:9::/48"));
    assert_eq!(route.hops.iter().map(|hop| hop.weight).collect::<Vec<_>>(), [256, 85]);
    let af41 = Selector::Dscp(Dscp::from_name("AF41").unwrap());
    let rule = |priority, selector, table| SteeringRule { priority, ipv6: true, selector, table };
    let rules = [rule(8300, Selector::Mark(OWN_QUESTIONS), 254), rule(8301, af41, 8335)];
    assert_eq!(wanted.state.rules, rules.into());
    assert_eq!(wanted.policies[&(8335, route.prefix)], "a");
}

#[test]
fn traffic_without_words_is_what_goes_to_the_endpoint() {
    let any = with(with(path("a", &two()), "dscp", json!([])), "prefixes", json!([]));
    let wanted = wanted(&[any], false);
    let route = wanted.state.routes.first().unwrap();
    assert_eq!((route.table, route.prefix.to_string().as_str()), (8300, "2001:db8::11/128"));
    let rule = wanted.state.rules.last().unwrap();
    assert_eq!((rule.priority, rule.selector), (8302, Selector::All));
}

#[test]
fn a_dscp_that_the_kernel_cannot_tell_is_refused_alone() {
    let both = json!(["198.51.100.0/24", "2001:db8:9::/48"]);
    let paths = [with(path("a", &two()), "prefixes", both)];
    let old = wanted(&paths, false);
    assert_eq!((old.state.routes.len(), reasons(&old).len()), (1, 1));
    assert_eq!(reasons(&old), ["this kernel has no rule for such a DSCP: Linux 6.13 has"]);
    let new = wanted(&paths, true);
    assert_eq!((new.state.routes.len(), new.state.rules.len(), reasons(&new).len()), (2, 4, 0));
}

#[test]
fn packets_are_never_led_around_in_this_host() {
    let own = with(path("a", &two()), "prefixes", json!(["fc00:a::/32"]));
    let others = with(path("b", &two()), "prefixes", json!(["::/0", "2001:db8:7::/48"]));
    let wanted = wanted(&[own, others], true);
    let expected = ["fc00:a::/32", "::/0"]
        .map(|it| format!("packets to the segment fc00:a::1 would be of {it} again"));
    assert_eq!(reasons(&wanted), expected);
    assert_eq!(wanted.state.routes.len(), 1);
}

#[test]
fn a_list_that_cannot_be_used_leaves_its_traffic_to_the_others() {
    let mut lists = two();
    lists[0]["interface"] = json!("eth9");
    let one = wanted(&[path("a", &lists)], true);
    assert_eq!(reasons(&one), ["a/0: there is no interface \"eth9\""]);
    assert_eq!(one.state.routes.first().unwrap().hops[0].weight, 1, "alone");
    lists[1]["sids"] = json!([]);
    let none = wanted(&[path("a", &lists)], true);
    assert_eq!(
        (&none.state, reasons(&none)[1]),
        (&State::default(), "a/1 has neither labels nor SIDs")
    );
}

#[test]
fn a_prefix_is_of_one_policy() {
    let wanted = wanted(&[path("a", &two()), path("b", &two())], true);
    assert_eq!(wanted.state.routes.len(), 1);
    assert_eq!(wanted.refused, [("b".into(), "2001:db8:9::/48 is of policy a already".into())]);
}

#[test]
fn labels_go_to_a_neighbour_of_the_family_that_the_kernel_takes() {
    let mut lists = json!([list("a/0", 1, &[])]);
    lists[0]["sids"] = Value::Null;
    lists[0]["labels"] = json!([16005, 16011]);
    lists[0]["next_hop"] = json!("192.0.2.2");
    let both = json!(["198.51.100.0/24", "2001:db8:9::/48"]);
    let wanted =
        wanted(&[with(with(path("a", &lists), "prefixes", both), "dscp", json!([]))], false);
    assert_eq!(reasons(&wanted), ["2001:db8:9::/48 is of IPv6, and a next hop of IPv4"]);
    let route = wanted.state.routes.first().unwrap();
    assert!(matches!(&route.hops[0].onto, Onto::Labels(labels) if labels.len() == 2), "{route:?}");
}

#[test]
fn without_lists_there_is_nothing() {
    assert_eq!(wanted(&[path("a", &json!([]))], true), Wanted::default());
}

use clap::Parser;

use super::*;
use crate::command_line::CommandLine;

/// s and r, three ways between them; each node has a block of its own.
const TOPOLOGY: &str = r#"
[[node]]
name = "s"
loopbacks = ["203.0.113.1", "2001:db8:77::1"]
index = 1
srgb = [[1000, 1999]]
sids = { end = "fc00:bb:1:1::/64", dt6 = "fc00:bb:1:d6::/64", un = "fcbb:bb00:1::/48" }
[[node]]
name = "r"
loopbacks = ["203.0.113.2", "2001:db8:77::2"]
index = 2
srgb = [[2000, 2999]]
sids = { end = "fc00:bb:2:1::/64", dt6 = "fc00:bb:2:d6::/64", tsf = "fc00:bb:2:f::/64", un = "fcbb:bb00:2::/48" }
timestamp-label = { label = 15001, offset = 24 }
[[node]]
name = "a"
loopbacks = ["203.0.113.11", "2001:db8:77::11"]
index = 11
srgb = [[11000, 11999]]
sids = { end = "fc00:bb:11:1::/64", un = "fcbb:bb00:11::/48" }
[[node]]
name = "c"
loopbacks = ["203.0.113.13"]
index = 13
srgb = [[13000, 13999]]
php = false
sids = { end = "fc00:bb:13:1::/64", un = "fcbb:bb00:13::/48" }
[[link]]
ends = ["s", "a"]
adjacency = [15111, 15121]
[[link]]
ends = ["a", "r"]
adjacency = [15112, 15122]
end-x = ["fc00:bb:11:a2::/64", "fc00:bb:2:a11::/64"]
[[link]]
ends = ["s", "c"]
igp = 100
[[link]]
ends = ["c", "r"]
igp = 100
[[tunnel]]
from = "r"
to = "s"
via = ["c"]
label = 17005
"#;

/// The flags of a line, with the topology of these tests in place of `NET`.
fn steering(line: &str) -> Result<SteeringFlags, String> {
    let measured = measure(line)?;
    Ok(measured.steering)
}

fn measure(line: &str) -> Result<Measure, String> {
    let file = tempfile();
    let line = line.replace("NET", &format!("--topology {}", file.0.display()));
    let words = ["stamp-sender"].into_iter().chain(line.split_whitespace());
    let measure = CommandLine::try_parse_from(words).map_err(|error| error.to_string())?.measure;
    resolved(&measure).map_err(|error| error.to_string())
}

struct File(std::path::PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

fn tempfile() -> File {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("stamp-names-{}-{number}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, TOPOLOGY).unwrap();
    File(path)
}

fn lists(line: &str) -> (String, String) {
    let flags = steering(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let words = |list: Option<Segments>| list.map_or_else(Vec::new, |list| list.words()).join(" ");
    (words(flags.segments), words(flags.return_segments))
}

#[test]
fn each_label_is_that_of_its_reader() {
    for (line, there, back) in [
        // a takes nothing off: its neighbours have done it.
        ("--segments a,r", "11002", ""),
        ("--segments r", "11002", ""),
        ("--segments c,r", "13013 13002", ""),
        ("--segments a,a-r", "15112", ""),
        ("--segments a,16999", "16999", ""),
        ("--mode loopback --segments a,r --return-segments c,s", "11002", "2013 13001"),
        ("--mode loopback --segments a,11002 --return-segments c,s", "11002", "2013 13001"),
        ("--mode loopback --segments c,r --return-segments a-r,s", "13013 13002", "15122 11001"),
        // A reflector is no neighbour of its own.
        ("--segments a,r --return-segments a,s", "11002", "11001"),
        ("--return-segments c,s", "", "13013 13001"),
    ] {
        let expected = (there.to_owned(), back.to_owned());
        assert_eq!(lists(&format!("r NET --from s {line}")), expected, "{line}");
    }
    assert_eq!(lists("r NET --behind a --segments c,r").0, "11013 13002");
}

#[test]
fn the_way_of_replies_is_named_behind_either_flag() {
    for (line, back) in [
        ("--return-path c,s", "13013 13001"),
        ("--return-path s", "11001"),
        ("--segments a,r --return-path c,s", "13013 13001"),
        ("--srv6 encap --segments a,r --return-path c", "fc00:bb:13:1::"),
        ("--return-path same-link", "same-link"),
        ("--return-path 203.0.113.1", "203.0.113.1"),
        ("--return-path 16004,16001", "16004,16001"),
    ] {
        let flags = steering(&format!("r NET --from s {line}")).unwrap();
        let asked = flags.return_path.unwrap().to_string();
        assert_eq!(asked, back.replace(' ', ","), "{line}");
        assert_eq!(flags.return_segments, None, "{line}");
    }
}

#[test]
fn a_binding_sid_is_named_by_where_it_leads() {
    for line in [
        "--return-binding-sid s",
        "--segments a,r --return-binding-sid s",
        "--return-binding-sid 17005",
        "--mode loopback --segments a,r --return-binding-sid s",
    ] {
        let flags = steering(&format!("r NET --from s {line}")).unwrap();
        assert_eq!(flags.return_binding_sid.unwrap().0.words(), ["17005"], "{line}");
    }
}

#[test]
fn the_node_that_stamps_says_by_which_label_and_sid() {
    let flags = steering("r NET --from s --mode enhanced-loopback --segments a,r").unwrap();
    let label = flags.timestamp_label.unwrap();
    assert_eq!((label.label.to_string().as_str(), label.offset), ("15001", Some(24)));
    let flags =
        steering("r NET --from s --mode enhanced-loopback --segments a,r --srv6 host").unwrap();
    assert_eq!(flags.end_tsf, "fc00:bb:2:f::".parse().ok());
    let other = "r NET --from s --mode enhanced-loopback --srv6 host --segments a,c";
    assert_eq!(steering(other).unwrap_err(), "--segments: node c has no End.TSF SID");
}

#[test]
fn each_sid_is_of_the_kind_its_place_asks_for() {
    for (line, there, back) in [
        // Its own address follows where a header leads to it.
        ("--srv6 host --segments a,r", "fc00:bb:11:1::", ""),
        ("--srv6 encap --segments a,r", "fc00:bb:11:1:: fc00:bb:2:d6::", ""),
        ("--srv6 host --segments a,a-r", "fc00:bb:11:1:: fc00:bb:11:a2::", ""),
        (
            "--srv6 host --mode loopback --segments a,r --return-segments c,s",
            "fc00:bb:11:1:: fc00:bb:2:1::",
            "fc00:bb:13:1::",
        ),
        (
            "--srv6 encap --mode loopback --segments a,r --return-segments c,s",
            "fc00:bb:11:1:: fc00:bb:2:1::",
            "fc00:bb:13:1:: fc00:bb:1:d6::",
        ),
        ("--srv6 encap --mode loopback --segments a,r", "fc00:bb:11:1:: fc00:bb:2:d6::", ""),
        ("--srv6 usid --mode loopback --segments a,r", "fcbb:bb00:11:: fcbb:bb00:2::", ""),
        ("--mode loopback --segments fc00:bb:99::,r", "fc00:bb:99:: fc00:bb:2:1::", ""),
    ] {
        let expected = (there.to_owned(), back.to_owned());
        assert_eq!(lists(&format!("r NET --from s {line}")), expected, "{line}");
    }
}

#[test]
fn a_host_that_is_a_node_has_its_address() {
    for (line, expected) in [
        ("r NET --from s --segments a,r", "203.0.113.2:862"),
        ("r:8620 NET --from s --segments a,r -6", "[2001:db8:77::2]:8620"),
        ("r NET --from s --srv6 encap --segments a,r", "[2001:db8:77::2]:862"),
        ("203.0.113.77 NET --from s --segments a,r", "203.0.113.77:862"),
    ] {
        let measure = measure(line).unwrap();
        let text = measure.hosts[0].clone();
        assert_eq!(host(&measure, &text, 0).unwrap().to_string(), expected, "{line}");
    }
    let refused = measure("c NET --from s --srv6 host --segments a,c").unwrap_err();
    assert!(refused.contains("node c has no address of the family"), "{refused}");
}

#[test]
fn what_nobody_can_resolve_is_told_by_its_name() {
    for (line, words) in [
        (
            "r --segments a,r",
            "--segments: \"a\" is no label (16 to 1048575) and no SID; names need",
        ),
        ("r NET --from s --segments aa,r", "no node or link \"aa\"; there is a"),
        ("r NET --from x --segments a,r", "--from: the topology has no node or link \"x\""),
        ("r NET --segments a,r", "--topology: this host has no address of a node there: --from"),
        ("r NET --from s --segments a", "--segments: a neighbour wants no label"),
        ("r NET --from s --segments s-a,r", "--via: the list begins with link s-a of this host"),
        ("203.0.113.9 NET --from s --return-segments c,s", "--return-segments: HOST is no node"),
        ("r NET --from s --segments a,r --srv6 host --return-segments a,99999", "label among SIDs"),
        ("r --from s --segments 16005", "--topology <FILE>"),
        ("r --return-path c,s", "--return-path: \"c\" is no label"),
        (
            "r NET --from s --return-path cc,s",
            "--return-path: the topology has no node or link \"cc\"",
        ),
        ("203.0.113.9 NET --from s --return-path c,s", "--return-path: HOST is no node"),
        ("r --return-binding-sid s", "--return-binding-sid: \"s\" is no label"),
        ("r NET --from s --return-binding-sid a", "node r has no [[tunnel]] to a"),
        (
            "203.0.113.9 NET --from s --return-binding-sid s",
            "--return-binding-sid: HOST is no node",
        ),
        (
            "r NET --from s --srv6 host --segments a,r --return-binding-sid s",
            "the [[tunnel]] from r to s has a label and no SID",
        ),
    ] {
        let refused = steering(line).expect_err(line);
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

#[test]
fn numbers_need_no_place_to_begin_at_and_stay_as_they_are() {
    assert_eq!(lists("r NET --segments 16005,16011").0, "16005 16011");
    assert_eq!(lists("r --segments 16005,16011").0, "16005 16011");
    assert_eq!(lists("203.0.113.9 NET --from s --segments c,17000").0, "13013 17000");
}

#[test]
fn what_is_resolved_is_not_resolved_again() {
    let once = measure("r NET --from s --segments a,r").unwrap();
    let twice = resolved(&once).unwrap();
    assert_eq!(twice.steering.segments, once.steering.segments);
    let named = [("11002".to_owned(), "r".to_owned())];
    assert_eq!(twice.steering.named.labels, named);
    assert_eq!(twice.steering.named.first.len(), 2, "towards a");
}

use stamp_proto::sr::mpls::Label;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::{Place, Trigger};

use super::{mistakes, read};
use crate::config::show;

const ON: &str = "interfaces = [\"eth1\"]\n";

#[test]
fn without_a_table_nothing_is_forwarded() {
    let config = read("label-range = \"16-17\"\nlabel-file = \"labels\"\n");
    assert!(config.forwarding.timestamps.is_empty() && config.forwarding.labels.is_empty());
}

#[test]
fn a_shell_is_chosen_unless_it_is_named() {
    use stamp_worker::forwarder::{Shell, ShellWish};
    let shell = |text: &str| read(text).forwarding.shell;
    assert_eq!(shell(""), ShellWish::Auto);
    assert_eq!(shell("timestamp-shell = \"auto\"\n"), ShellWish::Auto);
    assert_eq!(shell("timestamp-shell = \"packet\"\n"), Shell::Packet.into());
    assert_eq!(shell("timestamp-shell = \"tc\"\n"), Shell::Tc.into());
    let [mistake] = &mistakes("timestamp-shell = \"xdp\"\n")[..] else { panic!("one mistake") };
    assert!(mistake.contains("expected auto, packet or tc"), "{mistake}");
}

#[test]
fn a_place_is_the_usual_one_unless_it_is_given() {
    let place =
        |text: &str| read(&format!("[[timestamp]]\n{ON}{text}")).forwarding.timestamps[0].place;
    let usual =
        Place { offset: 16, format: TimestampFormat::Ptp, ptp_utc_offset: PtpUtcOffset::UTC };
    assert_eq!(place("extended = 240"), usual);
    let authenticated = place("extended = 240\nauthenticated = true");
    assert_eq!(authenticated, Place { offset: 32, ..usual });
    let own = place("label = 15001\nauthenticated = true\noffset = 40\nformat = \"ntp\"");
    assert_eq!(own, Place { offset: 40, format: TimestampFormat::Ntp, ..usual });
}

#[test]
fn ptp_stamps_count_as_those_of_replies() {
    let config = read(&format!("ptp-utc-offset = 37\n[[timestamp]]\nextended = 240\n{ON}"));
    assert_eq!(config.forwarding.timestamps[0].place.ptp_utc_offset, PtpUtcOffset::TAI);
}

#[test]
fn a_forward_is_accepted_where_timestamps_are() {
    let text = format!(
        "[[timestamp]]\nextended = 240\n{ON}[[timestamp]]\nextended = 241\n\
         interfaces = [\"eth0\", \"eth1\"]\n[[forward]]\nlabel = 16004\naction = \"pop\"\n\
         [[forward]]\nlabel = 16005\naction = \"push\"\nlabels = [16004, 2]\n\
         next-hop = \"192.0.2.1\"\naccept-on = [\"eth2\"]\n"
    );
    let config = read(&text);
    let [own, binding] = &config.forwarding.labels[..] else { panic!("two labels") };
    assert_eq!((own.next_hop.is_none(), binding.interfaces.len()), (true, 1));
    assert_eq!(binding.replaced_by.last(), Label::new(2).as_ref());
    let mut on = own.interfaces.clone();
    on.dedup();
    assert!(on.contains(&"eth0".to_owned()) && on.contains(&"eth1".to_owned()));
}

#[test]
fn a_label_of_our_own_is_taken_later() {
    let text = "label-range = \"15000-15001\"\nlabel-file = \"labels\"\n";
    let config = read(&format!("{text}[[timestamp]]\nlabel = \"auto\"\n{ON}"));
    assert_eq!(config.forwarding.timestamps[0].trigger, None);
    assert_eq!(config.forwarding.own.unwrap().range, 15_000..=15_001);
}

#[test]
fn what_is_shown_gives_the_same_labels_and_sids() {
    let text = format!(
        "[[timestamp]]\nsid = \"fcbb:bb00:2:f::/64\"\nnext-csid = \"32/16\"\nports = [49300]\n\
         rate-limit = 5\n{ON}[[forward]]\nlabel = 16004\naction = \"swap\"\nlabels = [16001]\n\
         interface = \"eth0\"\nnext-hop = \"192.0.2.1\"\n"
    );
    let config = read(&text);
    let Some(Trigger::Sid(sid)) = config.forwarding.timestamps[0].trigger else { panic!("no SID") };
    assert_eq!(sid.bits(), 64);
    let again = read(&show(&config));
    assert_eq!(again.forwarding, config.forwarding);
}

#[test]
fn each_mistake_has_its_message() {
    let timestamp = |rest: &str| format!("[[timestamp]]\n{ON}{rest}");
    let forward = |rest: &str| format!("[[forward]]\naccept-on = [\"eth1\"]\n{rest}");
    for (text, expected) in [
        (timestamp(""), "r.toml:1:1: timestamp[0].extended: missing; expected one of extended, "),
        (
            timestamp("extended = 15"),
            "r.toml:3:12: timestamp[0].extended = 15: expected an extended",
        ),
        (timestamp("label = 3"), "r.toml:3:9: timestamp[0].label = 3: expected a label from 16"),
        (
            timestamp("extended = 240\nsid = \"fc00::/16\""),
            "r.toml:4:7: timestamp[0].sid = \"fc00::/16\": cannot stand together with extended",
        ),
        (
            timestamp("label = \"auto\""),
            "r.toml:3:9: timestamp[0].label = \"auto\": needs label-range as well",
        ),
        (
            timestamp("sid = \"fc00::/16\"\nnext-csid = \"32/16\""),
            "r.toml:4:13: timestamp[0].next-csid = \"32/16\": fc00::/16 is no whole number",
        ),
        (
            timestamp("extended = 240\nnext-csid = \"32/16\""),
            "r.toml:4:13: timestamp[0].next-csid = \"32/16\": needs sid as well",
        ),
        (
            timestamp("extended = 240\noffset = 9001"),
            "r.toml:4:10: timestamp[0].offset = 9001: expected octets from 0 to 9000",
        ),
        (
            "[[timestamp]]\nextended = 240".to_owned(),
            "r.toml:1:1: timestamp[0].interfaces: missing; expected the names of interfaces",
        ),
        (
            timestamp(&format!("extended = 240\n[[timestamp]]\nextended = 240\n{ON}")),
            "r.toml:5:12: timestamp[1].extended = 240: an earlier [[timestamp]] is the same",
        ),
        (
            forward("label = 16004\naction = \"swap\"\nnext-hop = \"192.0.2.1\""),
            "r.toml:4:10: forward[0].action = \"swap\": swap needs one of labels",
        ),
        (
            forward("label = 16004\naction = \"pop\"\nlabels = [16]\nnext-hop = \"192.0.2.1\""),
            "r.toml:5:10: forward[0].labels = [16]: pop puts no label in the place of another",
        ),
        (
            forward("label = 16004\naction = \"push\"\nlabels = [16]"),
            "r.toml:4:10: forward[0].action = \"push\": needs next-hop as well",
        ),
        (
            forward("label = 16004\naction = \"pop\"\ninterface = \"eth1\""),
            "r.toml:5:13: forward[0].interface = \"eth1\": needs next-hop as well",
        ),
        (
            "[[forward]]\nlabel = 16004\naction = \"pop\"".to_owned(),
            "r.toml:2:9: forward[0].label = 16004: needs accept-on, or a [[timestamp]] with",
        ),
        (
            "label-range = \"17-16\"".to_owned(),
            "r.toml:1:15: label-range = \"17-16\": expected FIRST",
        ),
    ] {
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(expected), "{text}: {found:?}");
    }
}

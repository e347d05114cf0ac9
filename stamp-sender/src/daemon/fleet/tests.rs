//! Sessions while time passes as a test says.

use std::path::Path;

use super::*;

/// The first is known by its name.
fn sessions(far: &str) -> Vec<Arc<SessionSpec>> {
    let text = format!(
        "[[session]]\nname = \"named\"\ntarget = \"{far}\"\n\
         [[session]]\nname = \"other\"\ntarget = \"127.0.0.1\"\n"
    );
    read(&text)
}

fn read(text: &str) -> Vec<Arc<SessionSpec>> {
    let read = Configuration::read("f", text, Path::new(""));
    read.unwrap_or_else(|errors| panic!("{errors}")).sessions
}

const SESSION: &str = "[[session]]\nname = \"a\"\ntarget = \"127.0.0.1\"\n";

/// Runs a test with a fleet of one packet thread.
fn with_a_fleet(test: impl AsyncFnOnce(Fleet)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (notices, _noticed) = unbounded_channel();
        test(Fleet::new(1, &notices, Board::default()).unwrap()).await;
    });
}

/// Where the sessions probe, and under which numbers.
fn whereabouts(fleet: &Fleet) -> Vec<(IpAddr, std::ops::Range<usize>)> {
    let running = fleet.members().filter_map(Member::running);
    running.map(|running| (running.target.ip(), running.numbers.clone())).collect()
}

#[test]
fn a_name_is_looked_up_each_minute_and_what_has_moved_begins_anew() {
    const MINUTE: Duration = Duration::from_secs(60);
    with_a_fleet(async |mut fleet| {
        let change = Change::between(&Known::new(), &sessions("localhost"));
        // It has had another address until now.
        let before = change.opened.iter().cloned().zip(sessions("127.0.0.2"));
        let opened = before.map(|(spec, before)| (spec, Some(opening::open(&before)))).collect();
        let began = Instant::now();
        fleet.put_in_force(change, opened, unbounded_channel().1);
        let [named, other] = whereabouts(&fleet).try_into().unwrap();
        assert_eq!(named.0, IpAddr::from([127, 0, 0, 2]));
        let due = fleet.next_due().unwrap();
        assert!(due >= began + MINUTE && due <= Instant::now() + MINUTE);
        fleet.tend(due.checked_sub(Duration::from_millis(1)).unwrap());
        assert_eq!(fleet.next_due(), Some(due), "before its minute nothing is looked up");
        fleet.tend(due);
        fleet.attempted().await;
        let [moved, same] = whereabouts(&fleet).try_into().unwrap();
        assert!(moved.0.is_loopback() && moved.0 != named.0, "{moved:?}");
        assert_ne!(moved.1, named.1, "another session");
        assert_eq!(same, other, "its neighbour goes on");
        assert_eq!(fleet.take_ended(), ["named"]);
        // The next time it is where it was.
        let due = fleet.next_due().unwrap();
        fleet.tend(due);
        fleet.attempted().await;
        assert_eq!(whereabouts(&fleet), [moved, other]);
        assert!(fleet.next_due().unwrap() >= began + MINUTE && fleet.take_ended().is_empty());
    });
}

/// A session that the fleet is told of, and that is being opened from then on.
fn opening(fleet: &mut Fleet, text: &str) -> Arc<SessionSpec> {
    let [spec] = read(text).try_into().unwrap();
    let change = Change::between(&Known::new(), &[Arc::clone(&spec)]);
    fleet.put_in_force(change, Vec::new(), unbounded_channel().1);
    spec
}

#[test]
fn what_is_told_otherwise_while_it_is_opened_is_opened_as_it_is_then() {
    with_a_fleet(async |mut fleet| {
        let before = opening(&mut fleet, SESSION);
        let [spec] = read(&format!("{SESSION}window = \"20s\"\n")).try_into().unwrap();
        let change = Change::between(&fleet.known(), &[spec]);
        assert_eq!((change.summary().tuned, change.summary().sessions()), (1, 1));
        fleet.put_in_force(change, Vec::new(), unbounded_channel().1);
        // What was under way ends first.
        fleet.settle(Arc::clone(&before), Some(opening::open(&before)));
        assert!(whereabouts(&fleet).is_empty(), "it has another window now");
        fleet.attempted().await;
        assert_eq!(whereabouts(&fleet).len(), 1);
        let window = fleet.members().map(|member| member.spec.window).next();
        assert_eq!(window, Some(Duration::from_secs(20)));
    });
}

#[test]
fn a_session_knows_where_it_stands_after_a_reload_and_is_opened_once() {
    with_a_fleet(async |mut fleet| {
        let before = opening(&mut fleet, SESSION);
        let reload = |fleet: &mut Fleet| {
            let [spec] = read(&format!("# A line more.\n{SESSION}")).try_into().unwrap();
            let change = Change::between(&fleet.known(), &[spec]);
            assert_eq!(change.summary().kept, 1);
            fleet.put_in_force(change, Vec::new(), unbounded_channel().1);
            let told = |member: &Member| {
                let failure = Failure::Topology("gone".to_owned());
                let target = Failure::Usage { flag: "HOST", problem: "none".to_owned() };
                assert!(member.spec.refused(failure).to_string().starts_with("session a: "));
                member.spec.refused(target).to_string()
            };
            fleet.members().map(told).next().unwrap()
        };
        assert!(reload(&mut fleet).starts_with("f:3:10: "), "it is opened as it was");
        fleet.settle(Arc::clone(&before), Some(opening::open(&before)));
        assert_eq!(whereabouts(&fleet).len(), 1);
        assert!(reload(&mut fleet).starts_with("f:4:10: session[0].target"));
        assert_eq!(whereabouts(&fleet).len(), 1);
    });
}

#[test]
fn what_was_read_from_another_file_is_not_taken_though_nothing_else_has_changed() {
    let folder = std::env::temp_dir().join(format!("fleet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let keys = folder.join("keys");
    let put = |secret: &str| std::fs::write(&keys, format!("1 {}\n", secret.repeat(32))).unwrap();
    put("5a");
    let mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&keys, mine).unwrap();
    let text = format!("{SESSION}key-file = {keys:?}\nauth = true\n");
    with_a_fleet(async |mut fleet| {
        let before = opening(&mut fleet, &text);
        put("a5");
        // What is found or computed brings the sessions of the file along as they are.
        let change = Change::between(&fleet.known(), &[Arc::clone(&before)]);
        let [now] = change.opened.clone().try_into().unwrap();
        fleet.put_in_force(change, Vec::new(), unbounded_channel().1);
        fleet.settle(Arc::clone(&before), Some(opening::open(&before)));
        assert!(whereabouts(&fleet).is_empty(), "it has another key now");
        fleet.settle(Arc::clone(&now), Some(opening::open(&now)));
        assert_eq!(whereabouts(&fleet).len(), 1);
    });
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_look_up_that_ends_late_keeps_no_session_from_being_opened_anew() {
    with_a_fleet(async |mut fleet| {
        let change = Change::between(&Known::new(), &sessions("localhost"));
        let specs = change.opened.clone();
        let opened = specs.iter().map(|spec| (Arc::clone(spec), Some(opening::open(spec))));
        let opened = opened.collect();
        fleet.put_in_force(change, opened, unbounded_channel().1);
        let due = fleet.next_due().unwrap();
        let member = fleet.members.get_mut("named").unwrap();
        assert!(member.take_due(due).is_some_and(|(_, attempt)| attempt.known.is_some()));
        member.reconsider(due);
        let anew = fleet.next_due().unwrap();
        fleet.settle(Arc::clone(&specs[0]), None);
        assert_eq!(fleet.next_due(), Some(anew));
        // And while it is being opened anew another look-up ends.
        let member = fleet.members.get_mut("named").unwrap();
        assert!(member.take_due(anew).is_some_and(|(_, attempt)| attempt.known.is_none()));
        fleet.settle(Arc::clone(&specs[0]), None);
        let member = fleet.members.get_mut("named").unwrap();
        assert_eq!(member.under_way(), Some(UnderWay { known: None }));
    });
}

#[test]
fn a_session_that_waits_for_a_file_to_be_mended_says_where() {
    with_a_fleet(async |mut fleet| {
        let text = "[[session]]\nname = \"a\"\ntarget = \"N1\"\ntopology = \"/nowhere/net.toml\"\n";
        let spec = opening(&mut fleet, text);
        fleet.settle(Arc::clone(&spec), Some(opening::open(&spec)));
        let reason = fleet.members().find_map(Member::waiting).unwrap().reason.clone();
        let told =
            "f:4:12: session[0].topology = \"/nowhere/net.toml\": /nowhere/net.toml: No such";
        assert!(reason.starts_with(told), "{reason}");
    });
}

//! What listeners hear, and what they are told when they do not hear it.

use super::*;

fn feed(capacity: usize) -> Arc<Feed> {
    Arc::new(Feed::new(capacity, |count| format!("{{\"missing\":{count}}}")))
}

fn tell(feed: &Feed, session: &str, count: u64) {
    for _ in 0..count {
        feed.tell("state", Some(session.to_owned()), "{}".to_owned());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// The numbers of the events in a text, and what else is in it.
fn heard(text: &str) -> Vec<&str> {
    let words = text.lines().filter_map(|line| {
        line.strip_prefix("id: ")
            .and_then(|id| id.split_once('-'))
            .map(|(_, number)| number)
            .or_else(|| line.strip_prefix("data: ").filter(|data| data.contains("missing")))
            .or_else(|| (line == ":").then_some("heartbeat"))
    });
    words.collect()
}

/// Listens for so many pieces; silence is told at once.
fn listen(mut listener: Listener, pieces: usize) -> (Listener, Vec<String>) {
    listener.heartbeat = std::time::Duration::ZERO;
    runtime().block_on(async {
        let (mut listener, mut texts) = (listener, Vec::new());
        for _ in 0..pieces {
            let (next, text) = listener.next().await;
            listener = next;
            texts.push(text);
        }
        (listener, texts)
    })
}

#[test]
fn who_listens_hears_what_is_told_from_then_on_and_heartbeats_between() {
    let feed = feed(10);
    tell(&feed, "a", 3);
    let (listener, first) = listen(feed.listen(Wanted::default(), None), 1);
    assert!(first[0].starts_with("retry: 2000\nid: "), "{first:?}");
    assert_eq!(heard(&first[0]), ["3"], "where to go on from");
    tell(&feed, "a", 2);
    let (_, texts) = listen(listener, 2);
    let event = format!("id: {}\nevent: state\ndata: {{}}\n\n", feed.id(4));
    assert!(texts[0].starts_with(&event), "{texts:?}");
    assert_eq!((heard(&texts[0]), heard(&texts[1])), (vec!["4", "5"], vec!["heartbeat"]));
}

#[test]
fn who_comes_back_hears_what_was_told_meanwhile() {
    let feed = feed(10);
    tell(&feed, "a", 5);
    let (_, texts) = listen(feed.listen(Wanted::default(), Some(&feed.id(3))), 2);
    assert_eq!((heard(&texts[0]), heard(&texts[1])), (vec!["3"], vec!["4", "5"]));
    for other in ["1-3", "nonsense"] {
        let (_, texts) = listen(feed.listen(Wanted::default(), Some(other)), 2);
        assert_eq!(heard(&texts[1]), ["1", "2", "3", "4", "5"], "{other}");
    }
}

#[test]
fn who_falls_behind_is_told_how_much_is_missing_and_it_is_counted() {
    let feed = feed(4);
    let (listener, _) = listen(feed.listen(Wanted::default(), None), 1);
    tell(&feed, "a", 10);
    let counted = || {
        let Sink { delivered, dropped, queued, .. } = feed.sink();
        (delivered, dropped, queued)
    };
    assert_eq!(counted(), (0, 0, 10));
    let (listener, texts) = listen(listener, 1);
    assert_eq!(heard(&texts[0]), ["{\"missing\":6}", "7", "8", "9", "10"]);
    assert_eq!(counted(), (4, 6, 0));
    drop(listener);
    tell(&feed, "a", 1);
    assert_eq!(feed.sink().queued, 0, "nobody listens any more");
}

#[test]
fn only_what_is_wanted_is_heard() {
    let feed = feed(10_000);
    let wanted = Wanted { sessions: vec!["b".to_owned()], kinds: vec!["state".to_owned()] };
    let (listener, _) = listen(feed.listen(wanted.clone(), None), 1);
    tell(&feed, "a", 9_000);
    feed.tell("delay", Some("b".to_owned()), "{}".to_owned());
    feed.tell("config", None, "{}".to_owned());
    tell(&feed, "b", 1);
    let (_, texts) = listen(listener, 2);
    assert_eq!((heard(&texts[0]), heard(&texts[1])), (vec!["9003"], vec!["heartbeat"]));
    let (latest, id) = feed.latest(&wanted, 5);
    assert_eq!(latest.iter().map(|told| told.number).collect::<Vec<_>>(), [9_003]);
    assert_eq!(id, feed.id(9_003));
}

#[test]
fn a_flood_is_handed_over_in_portions_and_is_complete() {
    let feed = feed(20_000);
    let (mut listener, _) = listen(feed.listen(Wanted::default(), None), 1);
    tell(&feed, "a", 20_000);
    let mut numbers = Vec::new();
    while numbers.len() < 20_000 {
        let (next, texts) = listen(listener, 1);
        listener = next;
        assert!(texts[0].len() < 70_000, "{}", texts[0].len());
        numbers.extend(heard(&texts[0]).iter().map(|it| it.parse::<u64>().unwrap()));
    }
    assert!(numbers.iter().copied().eq(1..=20_000));
    assert_eq!(feed.sink().dropped, 0);
}

#[test]
fn fewer_are_kept_when_told_so() {
    let feed = feed(10);
    tell(&feed, "a", 10);
    feed.keep(2);
    let (latest, _) = feed.latest(&Wanted::default(), 100);
    assert_eq!(latest.iter().map(|told| told.number).collect::<Vec<_>>(), [9, 10]);
}

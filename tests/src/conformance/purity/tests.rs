use super::*;

fn messages(path: &str, source: &str) -> Vec<String> {
    let findings = check(&[File::imagined(path, source)]);
    findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.message)).collect()
}

fn count(path: &str, source: &str) -> usize {
    messages(path, source).len()
}

#[test]
fn unsafe_is_found_outside_of_the_system_calls() {
    let source = "fn f() {\n    unsafe { g() }\n}\nunsafe fn h() {}\nunsafe impl Send for X {}\n";
    let found = messages("stamp-worker/src/lib.rs", source);
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], "2: `unsafe` outside of stamp-net/src/sys");
    assert_eq!(count("stamp-net/src/sys/batch.rs", source), 0);
    assert_eq!(count("stamp-net/src/sys.rs", source), 0);
    assert_eq!(count("stamp-net/src/system.rs", source), 3);
}

#[test]
fn the_word_alone_is_harmless() {
    let source = "#![forbid(unsafe_code)]\n// unsafe\nconst A: &str = \"unsafe { }\";\n";
    assert_eq!(count("stamp-worker/src/lib.rs", source), 0);
}

#[test]
fn a_clock_in_a_pure_crate_is_found_however_it_is_written() {
    let sources = [
        "fn f() { std::time::Instant::now(); }",
        "use std::time::Instant;",
        "use std::time::{Duration, SystemTime as Wall};",
        "use std::{time::{Instant}};",
        "fn f(x: ::std::time::SystemTime) {}",
    ];
    for source in sources {
        assert!(count("stamp-session/src/sender.rs", source) > 0, "{source}");
        assert_eq!(count("stamp-worker/src/sender.rs", source), 0, "{source}");
    }
}

#[test]
fn files_threads_locks_and_chance_are_found() {
    let sources = [
        "use std::fs::File;",
        "use std::{fs, net::IpAddr};",
        "fn f() { std::thread::spawn(|| {}); }",
        "use std::thread::{spawn};",
        "fn f() { std::env::var(\"A\"); }",
        "use std::sync::{Arc, Mutex};",
        "fn f() { let m = HashMap::new(); }",
        "fn f() { println!(\"a\"); }",
        "use std::net::UdpSocket;",
    ];
    for source in sources {
        assert!(count("stamp-session/src/sender.rs", source) > 0, "{source}");
    }
}

#[test]
fn values_are_welcome_in_a_pure_crate() {
    let source = "use core::time::Duration; use std::sync::Arc; use std::net::SocketAddr;\n\
        /// Like Instant, but ours.\npub struct MonotonicTime(u64);\n\
        fn f(m: HashMap<u8, u8, Seeded>) -> Duration { Duration::ZERO }";
    assert_eq!(messages("stamp-session/src/sender.rs", source), [""; 0]);
}

#[test]
fn tests_of_a_pure_crate_may_reach_out() {
    let source = "pub fn f() {}\n#[cfg(test)]\nmod tests { use std::collections::HashMap; \
        fn g() { let m = HashMap::new(); println!(\"x\"); } }";
    assert_eq!(messages("stamp-session/src/sender.rs", source), [""; 0]);
    let after = format!("{source}\nfn h() {{ println!(\"x\"); }}");
    assert_eq!(count("stamp-session/src/sender.rs", &after), 1, "the mark ends with its item");
    let line = "#[cfg(test)]\nuse std::fs;\nuse std::env;\n";
    assert_eq!(count("stamp-session/src/sender.rs", line), 1);
}

#[test]
fn a_sleeping_test_is_found() {
    let sleeping = "#[cfg(test)] mod tests { #[test] fn a() { std::thread::sleep(d); } }";
    assert_eq!(count("stamp-worker/src/lib.rs", sleeping), 1);
    assert_eq!(count("tests/netns/main.rs", "fn a() { thread::sleep(d); }"), 1);
    assert_eq!(count("stamp-worker/src/lib.rs", "fn a() { std::thread::sleep(d); }"), 0);
}

#[test]
fn a_library_that_allows_unsafe_is_found() {
    let files = [
        File::imagined("stamp-worker/src/lib.rs", "//! w\n"),
        File::imagined("stamp-net/src/lib.rs", "//! n\n"),
        File::imagined("stamp-proto/src/lib.rs", "//! p\n#![forbid(unsafe_code)]\n"),
    ];
    let found = check_forbids(&files);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].file, "stamp-worker/src/lib.rs");
}

use std::fs;

use super::*;
use crate::conformance::workspace::{Kind, Package};

/// A package with one target whose files are written to a folder of this test.
fn index_of(test: &str, kind: Kind, trials: bool, files: &[(&str, &str)]) -> Index {
    let root = std::env::temp_dir().join(format!("stamp-index-{}-{test}", std::process::id()));
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    }
    let target =
        Target { name: "netns".into(), kind, root: root.join(files[0].0), tests_run: true, trials };
    let package = Package {
        name: "p".into(),
        manifest: "Cargo.toml".into(),
        targets: vec![target],
        dependencies: Vec::new(),
    };
    let workspace = Workspace { root: root.clone(), packages: vec![package] };
    let index = Index::of(&workspace);
    fs::remove_dir_all(root).expect("the folder is removed");
    index
}

fn tests_of(index: &Index) -> Vec<(&str, TestState)> {
    index.tests.iter().map(|(name, state)| (name.as_str(), *state)).collect()
}

#[test]
fn items_are_named_by_their_type() {
    let index = index_of(
        "items",
        Kind::Library,
        false,
        &[(
            "src/lib.rs",
            "pub const A: u8 = 1; pub fn f() {} pub struct S { pub x: u8 } \
            impl S { pub const B: u8 = 2; pub fn g(&self) {} } pub enum E { One } \
            impl Drop for S { fn drop(&mut self) {} } pub trait T { fn h(); } \
            pub mod inner { pub fn i() {} }",
        )],
    );
    for item in ["A", "f", "S", "S::x", "S::B", "S::g", "E::One", "S::drop", "T::h", "inner::i"] {
        assert!(index.has_item("src/lib.rs", item), "{item}");
    }
    assert!(!index.has_item("src/lib.rs", "i"));
    assert!(!index.has_item("src/other.rs", "f"));
}

#[test]
fn modules_are_followed_as_the_compiler_does() {
    let index = index_of(
        "modules",
        Kind::Library,
        false,
        &[
            ("src/lib.rs", "mod a; #[path = \"elsewhere/c.rs\"] mod c; mod e { mod f; }"),
            ("src/a.rs", "mod b; #[cfg(test)] mod tests;"),
            ("src/a/b.rs", "#[cfg(test)] mod tests { #[test] fn in_b() {} }"),
            ("src/a/tests.rs", "#[test] fn in_a() {}"),
            ("src/elsewhere/c.rs", "#[test] fn in_c() {}"),
            ("src/e/f.rs", "#[test] fn in_f() {}"),
            ("src/orphan.rs", "#[test] fn nobody_calls_me() {} fn lost() {}"),
        ],
    );
    let runs = TestState::Runs;
    assert_eq!(
        tests_of(&index),
        [
            ("p lib a::b::tests::in_b", runs),
            ("p lib a::tests::in_a", runs),
            ("p lib c::in_c", runs),
            ("p lib e::f::in_f", runs)
        ]
    );
    assert!(!index.has_item("src/orphan.rs", "lost"));
}

#[test]
fn an_ignored_test_is_seen_as_such() {
    let index = index_of(
        "ignored",
        Kind::Library,
        false,
        &[(
            "src/lib.rs",
            "#[test] #[ignore = \"slow\"] fn a() {} \
            #[test] #[cfg_attr(test, ignore)] fn b() {} \
            #[test] #[cfg_attr(not(test), ignore)] fn c() {}",
        )],
    );
    let (ignored, runs) = (TestState::Ignored, TestState::Runs);
    assert_eq!(tests_of(&index), [("p lib a", ignored), ("p lib b", ignored), ("p lib c", runs)]);
}

#[test]
fn a_test_that_is_not_compiled_does_not_exist() {
    let index = index_of(
        "switched-off",
        Kind::Library,
        false,
        &[(
            "src/lib.rs",
            "#[cfg(not(test))] #[test] fn a() {} #[cfg(target_os = \"none\")] \
            #[test] fn b() {} #[cfg(feature = \"x\")] mod off { #[test] fn c() {} } \
            #[cfg(not(loom))] #[test] fn unknown() {} // #[test] fn d() {}\n\
            fn outer() { #[test] fn e() {} } macro_rules! m { () => { #[test] fn f() {} } }",
        )],
    );
    assert_eq!(tests_of(&index), []);
}

#[test]
fn a_helper_of_the_tests_is_no_code_item() {
    let index = index_of(
        "helper",
        Kind::Library,
        false,
        &[(
            "src/lib.rs",
            "#[cfg(test)] mod tests { fn helper() {} } #[cfg(test)] fn only() {} \
            #[cfg(any(test, unix))] fn both() {}",
        )],
    );
    assert!(!index.has_item("src/lib.rs", "tests::helper"));
    assert!(!index.has_item("src/lib.rs", "only"));
    assert!(index.has_item("src/lib.rs", "both"));
}

#[test]
fn tests_inside_a_property_macro_are_seen() {
    let index = index_of(
        "property",
        Kind::Library,
        false,
        &[(
            "src/lib.rs",
            "proptest! { #![proptest_config(c())] /// Doc.\n #[test] \
            fn any_length(x in 0..9u8) { assert!(x < 9); } #[test] #[ignore] fn slow(x in 0..9u8) \
            { fn helper() {} } fn plain() {} }",
        )],
    );
    let (ignored, runs) = (TestState::Ignored, TestState::Runs);
    assert_eq!(tests_of(&index), [("p lib any_length", runs), ("p lib slow", ignored)]);
}

#[test]
fn trials_of_an_own_harness_are_its_tests() {
    let index = index_of(
        "trials",
        Kind::Test,
        true,
        &[(
            "netns/main.rs",
            "fn main() { run(vec![Trial::test(\"v6::loss_forward\", || Ok(())), \
            libtest_mimic::Trial::test(\"v4\", f), Other::test(\"no\")]); } \
            #[test] fn never_run_by_such_a_target() {}",
        )],
    );
    let runs = TestState::Runs;
    assert_eq!(tests_of(&index), [("p netns v4", runs), ("p netns v6::loss_forward", runs)]);
}

#[test]
fn tests_of_a_target_that_is_not_run_do_not_count() {
    let index = index_of("bench", Kind::Other, false, &[("benches/a.rs", "#[test] fn a() {}")]);
    let runs: Vec<_> = index.tests.keys().collect();
    assert_eq!(runs, ["p other:netns a"], "the walk sees it; the target's flag decides");
}

#[test]
fn listed_trials_bear_the_name_of_their_module() {
    let index = index_of(
        "listed-trials",
        Kind::Test,
        true,
        &[
            (
                "netns/main.rs",
                "mod loss; fn main() {} fn all() { trials![plain]; } \
                    mod vrf { fn all() { stamp_tests::trials![page: [VRF]] } }",
            ),
            ("netns/loss.rs", "fn t() { trials![forward, backward: [Need::IPV6, Need::VRF],] }"),
        ],
    );
    let runs = TestState::Runs;
    assert_eq!(
        tests_of(&index),
        [
            ("p netns loss::backward", runs),
            ("p netns loss::forward", runs),
            ("p netns plain", runs),
            ("p netns vrf::page", runs)
        ]
    );
}

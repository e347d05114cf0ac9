//! Which crate may use which: the arrows of `docs/architecture.md`, and who may hold what from
//! outside.

use super::Finding;
use super::workspace::{Kind, Workspace};

/// Our crates and those of ours that each may use. A crate that is not listed may not exist.
///
/// `stamp-tests` may use everything and is used by nobody.
pub const ARROWS: &[(&str, &[&str])] = &[
    ("stamp-proto", &[]),
    ("stamp-session", &["stamp-proto"]),
    ("stamp-net", &["stamp-proto"]),
    ("stamp-document", &["stamp-proto"]),
    ("stamp-config", &["stamp-proto", "stamp-session", "stamp-document"]),
    ("stamp-path", &["stamp-proto", "stamp-document"]),
    ("stamp-lab", &["stamp-proto", "stamp-net", "stamp-document", "stamp-path"]),
    ("stamp-worker", &["stamp-proto", "stamp-session", "stamp-net"]),
    ("stamp-metrics", &["stamp-proto", "stamp-session"]),
    ("stamp-service", &["stamp-net", "stamp-metrics"]),
    (
        "stamp-sender",
        &[
            "stamp-proto",
            "stamp-session",
            "stamp-net",
            "stamp-config",
            "stamp-path",
            "stamp-lab",
            "stamp-worker",
            "stamp-metrics",
            "stamp-service",
        ],
    ),
    (
        "stamp-reflector",
        &[
            "stamp-proto",
            "stamp-session",
            "stamp-net",
            "stamp-config",
            "stamp-worker",
            "stamp-metrics",
            "stamp-service",
        ],
    ),
];

/// The package that tests them together.
const TESTS: &str = "stamp-tests";

/// What the pure crates may use from outside, in a build that is shipped.
const BUDGETS: &[(&str, &[&str])] = &[
    ("stamp-proto", &["hmac", "sha2", "subtle", "thiserror", "zeroize"]),
    ("stamp-session", &["hdrhistogram", "siphasher", "thiserror"]),
    ("stamp-document", &["ipnet", "serde_json", "thiserror", "toml"]),
    ("stamp-path", &["ipnet", "roxmltree", "serde_json", "thiserror"]),
];

/// Runtime, command line and logger, and the packages that may hold each.
const HOLDERS: &[(&str, &[&str])] = &[
    ("tokio", &["stamp-metrics", "stamp-sender", "stamp-reflector", TESTS]),
    ("clap", &["stamp-sender", "stamp-reflector"]),
    ("clap_complete", &["stamp-sender", "stamp-reflector"]),
    ("clap_mangen", &["stamp-sender", "stamp-reflector"]),
    ("tracing", &["stamp-sender", "stamp-reflector", "stamp-service"]),
    ("tracing-subscriber", &["stamp-sender", "stamp-service"]),
    ("log", &[]),
    ("rand", &[]),
];

/// Arrows that are not drawn, budgets that are exceeded, targets that share a name.
#[must_use]
pub fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let mut fault = |message: String| {
            findings.push(Finding::at(&package.manifest, 0, message));
        };
        let allowed = ARROWS.iter().find(|(name, _)| *name == package.name);
        if allowed.is_none() && package.name != TESTS {
            fault(format!("`{}` is not in the table of crates", package.name));
        }
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            if let Some(message) = undrawn(&package.name, used) {
                fault(message);
            }
            let holders = HOLDERS.iter().find(|(name, _)| *name == used);
            if holders.is_some_and(|(_, holders)| !holders.contains(&package.name.as_str())) {
                fault(format!("`{}` may not use `{used}`", package.name));
            }
            let budget = BUDGETS.iter().find(|(name, _)| *name == package.name);
            let within = budget.is_none_or(|(_, budget)| budget.contains(&used));
            if !within && !dependency.only_for_tests && !is_ours(used) {
                fault(format!("`{used}` is outside of the budget of `{}`", package.name));
            }
        }
    }
    findings.extend(shared_names(workspace));
    findings
}

fn undrawn(package: &str, used: &str) -> Option<String> {
    let drawn = ARROWS.iter().find(|(name, _)| *name == package).map_or(&[][..], |(_, to)| *to);
    let forbidden = is_ours(used) && package != TESTS && !drawn.contains(&used);
    (forbidden || used == TESTS).then(|| format!("no arrow leads from `{package}` to `{used}`"))
}

fn is_ours(package: &str) -> bool {
    package == TESTS || ARROWS.iter().any(|(name, _)| *name == package)
}

/// Test targets must have names of their own, or a record of a run could not tell them apart.
fn shared_names(workspace: &Workspace) -> Vec<Finding> {
    let mut seen: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for package in &workspace.packages {
        for target in package.targets.iter().filter(|target| target.kind == Kind::Test) {
            if seen.contains(&target.name.as_str()) {
                let message = format!("another package has a test target `{}` too", target.name);
                findings.push(Finding::at(&package.manifest, 0, message));
            }
            seen.push(&target.name);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::workspace::{Dependency, Package, Target};

    fn package(name: &str, uses: &[(&str, bool)]) -> Package {
        let dependencies = uses
            .iter()
            .map(|(name, only_for_tests)| Dependency {
                name: (*name).into(),
                only_for_tests: *only_for_tests,
            })
            .collect();
        Package {
            name: name.into(),
            manifest: format!("{name}/Cargo.toml"),
            targets: Vec::new(),
            dependencies,
        }
    }

    fn messages(packages: Vec<Package>) -> Vec<String> {
        let workspace = Workspace { root: "/".into(), packages };
        check(&workspace).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn drawn_arrows_pass() {
        let packages = vec![
            package("stamp-worker", &[("stamp-net", false), ("thiserror", false)]),
            package("stamp-proto", &[("hmac", false), ("proptest", true)]),
            package("stamp-tests", &[("stamp-sender", false), ("tokio", false)]),
        ];
        assert_eq!(messages(packages), [""; 0]);
    }

    #[test]
    fn an_arrow_between_engines_and_kernel_is_found() {
        let packages = vec![package("stamp-session", &[("stamp-net", false)])];
        let expected = "no arrow leads from `stamp-session` to `stamp-net`";
        assert_eq!(messages(packages)[0], expected);
    }

    #[test]
    fn an_arrow_for_tests_only_is_found_too() {
        let packages = vec![package("stamp-net", &[("stamp-session", true)])];
        assert_eq!(messages(packages), ["no arrow leads from `stamp-net` to `stamp-session`"]);
    }

    #[test]
    fn nobody_uses_the_programs_or_the_tests() {
        for used in ["stamp-tests", "stamp-reflector"] {
            let packages = vec![package("stamp-sender", &[(used, true)])];
            assert_eq!(messages(packages).len(), 1, "{used}");
        }
    }

    #[test]
    fn a_crate_out_of_the_table_is_found() {
        let packages = vec![package("stamp-common", &[])];
        assert_eq!(messages(packages), ["`stamp-common` is not in the table of crates"]);
    }

    #[test]
    fn runtime_logger_and_command_line_stay_in_the_programs() {
        for used in ["tokio", "clap", "tracing"] {
            let packages = vec![package("stamp-worker", &[(used, false)])];
            assert_eq!(messages(packages), [format!("`stamp-worker` may not use `{used}`")]);
        }
    }

    #[test]
    fn a_pure_crate_keeps_its_budget() {
        let packages = vec![package("stamp-proto", &[("libc", false)])];
        assert_eq!(messages(packages), ["`libc` is outside of the budget of `stamp-proto`"]);
    }

    #[test]
    fn two_test_targets_of_one_name_are_found() {
        let mut one = package("stamp-sender", &[]);
        one.targets.push(Target {
            name: "cli".into(),
            kind: Kind::Test,
            root: "x".into(),
            tests_run: true,
            trials: false,
        });
        let mut two = package("stamp-reflector", &[]);
        two.targets.clone_from(&one.targets);
        assert_eq!(messages(vec![one, two]), ["another package has a test target `cli` too"]);
    }
}

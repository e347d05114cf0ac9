//! What a recorded `cargo test` run says about each test.
//!
//! The record is cargo's ordinary output, both streams in one file. From inside `cargo test` nobody
//! can know what the other targets did, so continuous integration records the run and checks the
//! tables against it afterwards.

use std::collections::BTreeMap;

use super::workspace::{Kind, Workspace};

/// How a test ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// `ok`.
    Passed,
    /// `ignored`, which is also what a trial reports that this machine does not allow.
    Ignored,
    /// Anything else.
    Failed,
}

/// Package of each test target. Their names are unique in the workspace, which a check ensures.
#[derive(Clone, Debug, Default)]
pub struct Owners(BTreeMap<String, String>);

impl Owners {
    /// Who owns which test target of `workspace`.
    #[must_use]
    pub fn of(workspace: &Workspace) -> Self {
        let mut owners = BTreeMap::new();
        for package in &workspace.packages {
            for target in package.targets.iter().filter(|target| target.kind == Kind::Test) {
                owners.insert(target.name.clone(), package.name.clone());
            }
        }
        Self(owners)
    }
}

/// Outcomes by full name `PACKAGE TARGET module::path::name`.
#[derive(Clone, Debug, Default)]
pub struct RunLog {
    outcomes: BTreeMap<String, Outcome>,
}

impl RunLog {
    /// Reads the output of `cargo test --workspace`.
    #[must_use]
    pub fn parse(log: &str, owners: &Owners) -> Self {
        let mut outcomes = BTreeMap::new();
        let mut target = None;
        for line in log.lines() {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("Running ") {
                target = running(rest, owners);
            } else if line.starts_with("Doc-tests ") {
                target = None;
            } else if let (Some(target), Some((test, outcome))) = (&target, ended(line)) {
                outcomes.insert(format!("{target} {test}"), outcome);
            }
        }
        Self { outcomes }
    }

    /// How `test` ended; `None` when it did not run.
    #[must_use]
    pub fn outcome(&self, test: &str) -> Option<Outcome> {
        self.outcomes.get(test).copied()
    }

    /// Tests in the record.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether nothing was read, which means the record is no such output.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }
}

/// The target that a `Running …` line means, spelled `PACKAGE TARGET`.
///
/// Cargo names the file and the executable: the executable carries the package of a library and the
/// name of a program or test target.
fn running(line: &str, owners: &Owners) -> Option<String> {
    let executable = line.rsplit(['/', '(']).next()?.trim_end_matches(')');
    let name = executable.rsplit_once('-').map_or(executable, |(name, _)| name);
    if line.starts_with("unittests src/lib.rs") {
        return Some(format!("{} lib", name.replace('_', "-")));
    }
    if line.starts_with("unittests ") {
        let name = name.replace('_', "-");
        return Some(format!("{name} bin:{name}"));
    }
    let name = owners.0.keys().find(|target| target.replace('-', "_") == name.replace('-', "_"))?;
    Some(format!("{} {name}", owners.0[name]))
}

/// `test NAME ... OUTCOME`, also with libtest's remarks behind the name.
fn ended(line: &str) -> Option<(&str, Outcome)> {
    let (test, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let test = test.strip_suffix(" - should panic").unwrap_or(test).trim();
    let outcome = match outcome.split([',', ' ']).next() {
        Some("ok") => Outcome::Passed,
        Some("ignored") => Outcome::Ignored,
        _ => Outcome::Failed,
    };
    Some((test, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "   Compiling stamp-tests v0.1.0
     Running unittests src/lib.rs (target/debug/deps/stamp_proto-46dc4f8ab2a3c311)

running 3 tests
test time::tests::era ... ok
test time::tests::must_fail - should panic ... ok
test time::tests::slow ... ignored, takes an hour
     Running conformance/main.rs (target/debug/deps/conformance-9f00aa11bb22cc33)
test tables::every_row ... FAILED
   Doc-tests stamp_proto
test stamp-proto/src/time.rs - time (line 9) ... ok
";

    fn owners() -> Owners {
        Owners([("conformance".into(), "stamp-tests".into())].into())
    }

    #[test]
    fn outcomes_belong_to_their_target() {
        let run = RunLog::parse(LOG, &owners());
        assert_eq!(run.outcome("stamp-proto lib time::tests::era"), Some(Outcome::Passed));
        assert_eq!(run.outcome("stamp-proto lib time::tests::must_fail"), Some(Outcome::Passed));
        assert_eq!(run.outcome("stamp-proto lib time::tests::slow"), Some(Outcome::Ignored));
        let failed = run.outcome("stamp-tests conformance tables::every_row");
        assert_eq!(failed, Some(Outcome::Failed));
        assert_eq!(run.outcome("stamp-tests conformance time::tests::era"), None);
        assert_eq!(run.len(), 4);
    }

    #[test]
    fn something_else_holds_no_tests() {
        assert!(RunLog::parse("hello\ntest of patience ... ok\n", &owners()).is_empty());
    }
}

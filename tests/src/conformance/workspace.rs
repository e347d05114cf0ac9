//! What cargo knows about this workspace: packages, targets, dependencies.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, TargetKind};
use toml::{Table, Value};

/// The workspace as its manifests describe it.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Folder of the root manifest.
    pub root: PathBuf,
    /// Members, in cargo's order.
    pub packages: Vec<Package>,
}

/// One member.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its manifest, relative to the root.
    pub manifest: String,
    /// What it builds.
    pub targets: Vec<Target>,
    /// What it uses directly.
    pub dependencies: Vec<Dependency>,
}

/// One direct dependency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dependency {
    /// Name of the package used.
    pub name: String,
    /// For tests, examples and benches only.
    pub only_for_tests: bool,
}

/// One target of a package.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its first file.
    pub root: PathBuf,
    /// `cargo test --workspace` runs its tests.
    pub tests_run: bool,
    /// It brings its own harness, whose tests are trials with a name each.
    pub trials: bool,
}

/// Kind of a target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The library.
    Library,
    /// A program.
    Program,
    /// A test target.
    Test,
    /// A bench, an example, a build script.
    Other,
}

impl Target {
    /// The word for this target in the test column of a clause table.
    #[must_use]
    pub fn column(&self) -> String {
        match self.kind {
            Kind::Library => "lib".into(),
            Kind::Program => format!("bin:{}", self.name),
            Kind::Test => self.name.clone(),
            Kind::Other => format!("other:{}", self.name),
        }
    }
}

impl Workspace {
    /// Asks cargo. Needs no network and no lock: dependencies are not resolved.
    ///
    /// # Panics
    ///
    /// When cargo or a manifest cannot be read.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()
            .expect("cargo describes the workspace");
        let packages =
            metadata.packages.iter().map(|package| read_package(root, package)).collect();
        Self { root: root.to_path_buf(), packages }
    }
}

fn read_package(root: &Path, package: &cargo_metadata::Package) -> Package {
    let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest is read");
    let manifest: Table = manifest.parse().expect("a manifest is TOML");
    let targets = package.targets.iter().map(|target| read_target(&manifest, target)).collect();
    let dependencies = package.dependencies.iter().map(|dependency| Dependency {
        name: dependency.name.clone(),
        only_for_tests: dependency.kind == DependencyKind::Development,
    });
    Package {
        name: package.name.to_string(),
        manifest: super::tree::relative(root, package.manifest_path.as_std_path()),
        targets,
        dependencies: dependencies.collect(),
    }
}

fn read_target(manifest: &Table, target: &cargo_metadata::Target) -> Target {
    let kind = match target.kind.first() {
        Some(TargetKind::Lib) => Kind::Library,
        Some(TargetKind::Bin) => Kind::Program,
        Some(TargetKind::Test) => Kind::Test,
        _ => Kind::Other,
    };
    Target {
        name: target.name.clone(),
        kind,
        root: target.src_path.clone().into(),
        tests_run: target.test && kind != Kind::Other,
        trials: kind == Kind::Test && has_own_harness(manifest, &target.name),
    }
}

/// `harness = false`, which `cargo metadata` does not report.
fn has_own_harness(manifest: &Table, test: &str) -> bool {
    let tests = manifest.get("test").and_then(Value::as_array);
    tests.into_iter().flatten().any(|entry| {
        let is = |key: &str, value: Value| entry.get(key) == Some(&value);
        is("name", Value::from(test)) && is("harness", Value::Boolean(false))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::tree;

    #[test]
    fn this_package_and_its_test_target_are_there() {
        let workspace = Workspace::read(&tree::root());
        let package = workspace.packages.iter().find(|package| package.name == "stamp-tests");
        let package = package.expect("this package is a member");
        assert_eq!(package.manifest, "tests/Cargo.toml");
        let target = package.targets.iter().find(|target| target.name == "conformance");
        let target = target.expect("the conformance target");
        assert_eq!((target.kind, target.trials), (Kind::Test, false));
        assert!(target.tests_run);
        assert_eq!(target.column(), "conformance");
    }

    #[test]
    fn a_harness_of_its_own_is_read_from_the_manifest() {
        let manifest: Table =
            "[[test]]\nname = \"netns\"\nharness = false\n[[test]]\nname = \"other\"\n"
                .parse()
                .expect("TOML");
        assert!(has_own_harness(&manifest, "netns"));
        assert!(!has_own_harness(&manifest, "other"));
    }
}

//! Finds the programs under test, built from the sources as they are now.
//!
//! Cargo builds a package's programs for that package's own tests only, so that a run of these
//! tests alone would find none, or those of yesterday. Therefore the first call in a test run looks
//! whether both are newer than all they were made of, as they are when all of the workspace is tested,
//! and otherwise asks Cargo to build them. (Cargo is not asked always: on its own it chooses other features of
//! other crates than it does for the tests of all, and so would build everything a second time.) It works
//! under `cargo test`, which has released its lock by then, and under cargo-nextest, where each test is
//! a process: the first one builds, the others find its note.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// Names a folder that holds the programs; nothing is built then.
const FOLDER: &str = "STAMP_TEST_BINARIES";

const PROGRAMS: [&str; 2] = ["stamp-sender", "stamp-reflector"];

/// A command of one of the workspace's programs, without arguments.
///
/// # Panics
///
/// With Cargo's words when it cannot be built.
#[must_use]
#[track_caller]
pub fn binary(name: &str) -> Command {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOUND.get_or_init(|| env::var_os(FOLDER).map_or_else(build, |at| Ok(at.into())));
    match folder {
        Ok(folder) => Command::new(folder.join(name)),
        Err(reason) => panic!("cannot build {name}: {reason}"),
    }
}

/// Where Cargo put this test program, and so where it puts the others.
struct Target {
    /// The target directory.
    root: PathBuf,
    /// The folder of programs of this profile.
    programs: PathBuf,
    /// The target triple, if one was asked for.
    triple: Option<String>,
    profile: String,
}

impl Target {
    /// Reads `ROOT[/TRIPLE]/PROFILE/deps/netns-HASH`.
    fn of_this_program() -> Option<Self> {
        let program = env::current_exe().ok()?;
        let programs = program.parent()?.parent()?;
        // Cargo notes its compiler's version in the root alone.
        let root = programs.ancestors().find(|folder| folder.join(".rustc_info.json").exists())?;
        let above = programs.parent()?;
        let triple = (above != root).then(|| name(above)).flatten();
        // The profile `dev` is the only one whose folder has another name.
        let folder = name(programs)?;
        let profile = if folder == "debug" { "dev".to_owned() } else { folder };
        Some(Self { root: root.to_owned(), programs: programs.to_owned(), triple, profile })
    }
}

fn name(folder: &Path) -> Option<String> {
    Some(folder.file_name()?.to_str()?.to_owned())
}

fn build() -> Result<PathBuf, String> {
    let target = Target::of_this_program()
        .ok_or_else(|| format!("not in a target directory; set {FOLDER} to the folder"))?;
    let Ok(run) = env::var("NEXTEST_RUN_ID") else {
        return run_cargo(&target).map(|()| target.programs);
    };
    let note = target.root.join("stamp-tests-binaries");
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&note);
    let lock = file.and_then(|file| file.lock().map(|()| file));
    // Held until this function returns.
    let _lock = lock.map_err(|error| format!("{}: {error}", note.display()))?;
    let built_for = fs::read_to_string(&note).unwrap_or_default();
    if built_for != run {
        run_cargo(&target)?;
        fs::write(&note, run).map_err(|error| format!("{}: {error}", note.display()))?;
    }
    Ok(target.programs)
}

/// Both are newer than all they were made of: every file that Cargo noted beside them, or of the whole
/// workspace where it did not. It does so only when the programs themselves are asked for, not when it builds
/// them for the tests of their packages, as in the first test run in a fresh clone.
fn are_fresh(programs: &Path) -> bool {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    PROGRAMS.iter().all(|program| {
        let Some(built) = changed(&programs.join(program)) else { return false };
        let made_of = fs::read_to_string(programs.join(format!("{program}.d")));
        let mut sources = made_of.map_or_else(|_| workspace(root), |made_of| sources(&made_of));
        sources.push(root.join("Cargo.lock"));
        sources.iter().all(|source| changed(source).is_some_and(|at| at <= built))
    })
}

/// The files in a folder that programs can be made of, and in those within: not what is built, nor the
/// tests and documents.
fn workspace(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_left_out = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.') || ["target", "tests", "docs"].contains(&&*name)
    };
    let paths = entries.map(|entry| entry.path()).filter(|path| !is_left_out(path));
    paths.flat_map(|path| if path.is_dir() { workspace(&path) } else { vec![path] }).collect()
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

/// The files of a rule for make, behind its colon; a space in a name stands behind a backslash.
fn sources(rule: &str) -> Vec<PathBuf> {
    const SPACE: &str = "\0";
    let (_, files) = rule.split_once(": ").unwrap_or_default();
    let files = files.replace("\\ ", SPACE);
    files.split_whitespace().map(|file| file.replace(SPACE, " ").into()).collect()
}

fn run_cargo(target: &Target) -> Result<(), String> {
    if are_fresh(&target.programs) {
        return Ok(());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--profile", &target.profile]);
    command.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    command.arg("--target-dir").arg(&target.root);
    if let Some(triple) = &target.triple {
        command.args(["--target", triple]);
    }
    for program in PROGRAMS {
        command.args(["--package", program, "--bin", program]);
    }
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_may_hold_spaces() {
        let files = sources("/t/a: /s/a.rs /s/with\\ space/b.rs\n");
        assert_eq!(files, ["/s/a.rs", "/s/with space/b.rs"].map(PathBuf::from));
        assert!(sources("").is_empty());
    }

    #[test]
    fn programs_are_fresh_as_long_as_nothing_that_they_are_made_of_is_newer() {
        let folder = env::temp_dir().join(format!("stamp-fresh-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, text: &str, at: SystemTime| {
            let path = folder.join(name);
            fs::write(&path, text).expect("a file");
            let file = File::options().write(true).open(path).expect("the same file");
            file.set_modified(at).expect("its time");
        };
        let future = SystemTime::now() + std::time::Duration::from_secs(3_600);
        let source = folder.join("main.rs");
        assert!(!are_fresh(&folder), "there are none");
        write("main.rs", "", future);
        for program in PROGRAMS {
            write(program, "", future);
            write(&format!("{program}.d"), &format!("{program}: {}\n", source.display()), future);
        }
        assert!(are_fresh(&folder));
        write("main.rs", "", future + std::time::Duration::from_secs(1));
        assert!(!are_fresh(&folder), "a source is newer");
        for program in PROGRAMS {
            fs::remove_file(folder.join(format!("{program}.d"))).expect("it goes");
        }
        assert!(are_fresh(&folder), "nothing of the workspace is");
        PROGRAMS.iter().for_each(|program| write(program, "", SystemTime::UNIX_EPOCH));
        assert!(!are_fresh(&folder), "all of the workspace is");
        fs::remove_dir_all(folder).expect("it goes");
    }
}

//! Shape of files: length, names, and nothing that only one machine has.

use super::Finding;
use super::tree::File;

/// No file of ours is longer.
const LONGEST: usize = 500;

/// The first file of a program only calls its library.
const LONGEST_MAIN: usize = 15;

/// Files that are made by tools, and texts of others.
const GENERATED: [&str; 3] = ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"];

/// Module names that say nothing.
const EMPTY_NAMES: [&str; 9] =
    ["mod", "util", "utils", "common", "helper", "helpers", "misc", "shared", "stuff"];

/// Beginnings of paths that exist on one machine, spelled so that this file does not hold them.
const MACHINE_PATHS: [&str; 7] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tm", "p/"),
    concat!("/va", "r/folders/"),
    concat!("C:", "\\"),
];

/// Findings in `files`.
#[must_use]
pub fn check(files: &[File]) -> Vec<Finding> {
    let own = files.iter().filter(|file| file.text.is_some() && !is_foreign(file));
    own.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = file.lines().count();
    let is_main = file.name() == "main.rs" && file.path.ends_with("/src/main.rs");
    let longest = if is_main { LONGEST_MAIN } else { LONGEST };
    if lines > longest {
        let message = format!("{lines} lines; split it before {longest}");
        findings.push(Finding::at(&file.path, 0, message));
    }
    if file.extension() == "rs" && EMPTY_NAMES.contains(&file.stem()) {
        let message = format!("`{}` says nothing: name the thing", file.name());
        findings.push(Finding::at(&file.path, 0, message));
    }
    for (line, text) in file.lines() {
        for path in MACHINE_PATHS.iter().filter(|path| has_path(text, path)) {
            let message = format!("`{path}…` exists on one machine only");
            findings.push(Finding::at(&file.path, line, message));
        }
    }
    findings
}

/// Whether `path` stands in `line` as the beginning of a path, not inside a longer one.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        before.is_none_or(|mark| !mark.is_alphanumeric() && !"/._-}$~".contains(mark))
    })
}

fn is_foreign(file: &File) -> bool {
    GENERATED.contains(&file.name())
        || file.path == super::names::LIST
        || file.path.starts_with("tests/vectors/")
        || file.path.contains("/corpus/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let findings = check(&[File::imagined(path, text)]);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(messages("a/src/b.rs", &"\n".repeat(500)), [""; 0]);
        assert_eq!(messages("a/src/b.rs", &"\n".repeat(501)), ["501 lines; split it before 500"]);
        assert_eq!(messages("Cargo.lock", &"\n".repeat(501)), [""; 0]);
    }

    #[test]
    fn a_program_starts_in_its_library() {
        assert_eq!(messages("a/src/main.rs", &"\n".repeat(16)).len(), 1);
        assert_eq!(messages("tests/simulation/main.rs", &"\n".repeat(16)), [""; 0]);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        for name in ["mod.rs", "utils.rs", "common.rs", "helpers.rs", "misc.rs"] {
            assert_eq!(messages(&format!("a/src/{name}"), "").len(), 1, "{name}");
        }
        assert_eq!(messages("a/src/mode.rs", ""), [""; 0]);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for path in MACHINE_PATHS {
            assert_eq!(messages("README.md", &format!("see `{path}x`")).len(), 1, "{path}");
        }
        let inside = concat!("a", "/tm", "p/b and $X", "/wo", "rk/ and ~", "/ho", "me/");
        assert_eq!(messages("README.md", inside), [""; 0]);
    }

    #[test]
    fn octets_are_not_read_as_text() {
        let file = File { path: "a.bin".into(), text: None };
        assert_eq!(check(&[file]), []);
    }
}

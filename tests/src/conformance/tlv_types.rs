//! A type of TLV is known by the file of its name and by one line of a registry, and by nobody else.

use super::Finding;
use super::tree::File;

/// Crates that may name a type. `stamp-proto` has the numbers, and what all of them have in common.
const CRATES: [&str; 6] = [
    "stamp-session",
    "stamp-config",
    "stamp-worker",
    "stamp-metrics",
    "stamp-sender",
    "stamp-reflector",
];

/// Part of the frame around all others, and no wish: whoever writes or reads packets knows them.
const FRAME: [&str; 2] = ["EXTRA_PADDING", "HMAC"];

/// A type that contradicts another names it: no reply, and several (RFC 10052 §3).
const CONTRADICTIONS: [(&str, &str); 1] = [("reflected_test_packet_control", "RETURN_PATH")];

/// Findings in `files`.
#[must_use]
pub fn check(files: &[File]) -> Vec<Finding> {
    let ours = |file: &&File| {
        let (krate, path) = file.path.split_once('/').unwrap_or_default();
        CRATES.contains(&krate) && path.starts_with("src/") && file.extension() == "rs"
    };
    files.iter().filter(ours).filter(|file| !is_test(file)).flat_map(check_file).collect()
}

fn is_test(file: &File) -> bool {
    file.stem() == "tests" || file.path.contains("/tests/")
}

fn check_file(file: &File) -> Vec<Finding> {
    let stem = file.stem();
    let own = stem.to_uppercase();
    // Tests stand at the end of a file.
    let lines = file.lines().take_while(|(_, text)| text.trim() != "#[cfg(test)]");
    let named = lines.flat_map(|(line, text)| types(text).map(move |name| (line, name)));
    named
        .filter(|(_, name)| {
            *name != own && !FRAME.contains(name) && !CONTRADICTIONS.contains(&(stem, *name))
        })
        .map(|(line, name)| {
            let message = format!("knows the type {name}: that is for a file of its name");
            Finding::at(&file.path, line, message)
        })
        .collect()
}

/// Names of types in a line.
fn types(text: &str) -> impl Iterator<Item = &str> {
    text.split("TlvType::").skip(1).filter_map(|rest| {
        let is_name =
            |mark: char| mark.is_ascii_uppercase() || mark.is_ascii_digit() || mark == '_';
        let end = rest.find(|mark| !is_name(mark)).unwrap_or(rest.len());
        // One letter in front of small ones is a function or a trait.
        Some(&rest[..end]).filter(|name| name.len() > 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[File::imagined(path, text)]).len()
    }

    #[test]
    fn a_match_over_types_is_found() {
        let text = "match kind {\n    TlvType::LOCATION | TlvType::RETURN_PATH => 1,\n}\n";
        assert_eq!(count("stamp-sender/src/report.rs", text), 2);
        assert_eq!(count("stamp-session/src/tlv.rs", text), 2);
    }

    #[test]
    fn a_type_is_known_by_the_file_of_its_name() {
        let text = "kind: Kind::Assigned(TlvType::LOCATION),\n";
        assert_eq!(count("stamp-session/src/tlv/location.rs", text), 0);
        assert_eq!(count("stamp-session/src/tlv/hmac.rs", text), 1);
    }

    #[test]
    fn frames_functions_and_tests_are_left_alone() {
        let text = "TlvType::HMAC, TlvType::EXTRA_PADDING, TlvType::is_experimental\n";
        assert_eq!(count("stamp-sender/src/report.rs", text), 0);
        let text = "fn one() {}\n#[cfg(test)]\nmod tests { TlvType::LOCATION }\n";
        assert_eq!(count("stamp-sender/src/report.rs", text), 0);
        assert_eq!(count("stamp-session/src/tlv/tests/policy.rs", "TlvType::LOCATION"), 0);
        assert_eq!(count("stamp-proto/src/tlv/registry.rs", "TlvType::LOCATION"), 0);
    }
}

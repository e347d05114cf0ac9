//! Files of target groups: found by a pattern, read when they change, and kept as they were when they
//! cannot be read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::groups::{self, Notation, Target};

/// Octets of one file.
const MOST: u64 = 32 << 20;

/// What is remembered of the files of some patterns.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<PathBuf, Known>);

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    targets: Vec<Target>,
}

/// Tells whether a file is what it was.
type Stamp = (u64, u64, i64, i64);

impl Files {
    /// Looks at all files of `patterns` again. What is wrong is told, and then those files stay what
    /// they were; a file that has gone takes its targets along.
    pub(super) fn look(&mut self, patterns: &[PathBuf]) -> Result<(), String> {
        let mut wrong = Vec::new();
        let mut present = Vec::new();
        for pattern in patterns {
            match matching(pattern) {
                Ok(files) => present.extend(files),
                Err(error) => {
                    wrong.push(format!("{}: {error}", pattern.display()));
                    // Its folder cannot be read now: nothing is known to have gone.
                    present.extend(self.0.keys().filter(|it| is_of(it, pattern)).cloned());
                }
            }
        }
        self.0.retain(|path, _| present.contains(path));
        for path in present {
            if let Err(error) = self.refresh(&path) {
                wrong.push(format!("{}: {error}", path.display()));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Everything they name, file by file.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.0.values().flat_map(|known| known.targets.iter().cloned()).collect()
    }

    fn refresh(&mut self, path: &Path) -> Result<(), String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let about = file.metadata().map_err(|error| error.to_string())?;
        let stamp = (about.ino(), about.len(), about.mtime(), about.mtime_nsec());
        if self.0.get(path).is_some_and(|known| known.stamp == stamp) {
            return Ok(());
        }
        if about.len() > MOST {
            return Err(format!("longer than {MOST} octets"));
        }
        let mut text = String::new();
        file.take(MOST).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let notation = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Notation::Json,
            _ => Notation::Yaml,
        };
        let targets = groups::read(&text, notation)?;
        self.0.insert(path.to_owned(), Known { stamp, targets });
        Ok(())
    }
}

/// The files of a pattern in the order of their names: its last part may have one `*` for any
/// characters, as in Prometheus.
fn matching(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    if !is_pattern(pattern) {
        return Ok(vec![pattern.to_owned()]);
    }
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = folder.join(entry?.file_name());
        if is_of(&path, pattern) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn is_pattern(path: &Path) -> bool {
    name(path).contains('*')
}

fn is_of(path: &Path, pattern: &Path) -> bool {
    match name(pattern).split_once('*') {
        None => path == pattern,
        Some((before, after)) => {
            let name = name(path);
            // As in a shell, what is hidden has to be named.
            let is_hidden = name.starts_with('.') && before.is_empty();
            let fits = name.len() >= before.len() + after.len();
            fits && !is_hidden && name.starts_with(before) && name.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_of_a_name() {
        let is_of = |path: &str, pattern: &str| is_of(Path::new(path), Path::new(pattern));
        assert!(is_of("t/a.json", "t/*.json") && is_of("t/x-a.yml", "t/x*") && is_of("a", "a"));
        assert!(!is_of("t/a.yml", "t/*.json") && !is_of("t/.a.json", "t/*.json"));
        assert!(!is_of("ab", "ab*b") && is_of("abb", "ab*b") && !is_of("b", "a"));
    }

    #[test]
    fn what_cannot_be_read_stays_what_it_was_and_the_rest_goes_on() {
        let folder = std::env::temp_dir().join(format!("stamp-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        let patterns = [folder.join("*.json"), folder.join("more.yml")];
        write("a.json", r#"[{"targets": ["r1"]}]"#);
        let mut files = Files::default();
        let error = files.look(&patterns).unwrap_err();
        assert!(error.contains("more.yml"), "{error}");
        write("more.yml", "- targets: [r2, r3]\n");
        let names = |files: &Files| {
            files.targets().into_iter().map(|target| target.address).collect::<Vec<_>>()
        };
        files.look(&patterns).unwrap();
        assert_eq!(names(&files), ["r1", "r2", "r3"]);
        write("a.json", "[{\"targets\": [\"r1\"");
        write("more.yml", "- targets: [r2, r3, r4]\n");
        let error = files.look(&patterns).unwrap_err();
        assert!(error.contains("a.json: EOF"), "{error}");
        assert_eq!(names(&files), ["r1", "r2", "r3", "r4"]);
        fs::remove_file(folder.join("a.json")).unwrap();
        files.look(&patterns).unwrap();
        assert_eq!(names(&files), ["r2", "r3", "r4"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}

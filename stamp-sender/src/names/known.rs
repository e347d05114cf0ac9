//! Topologies that were read before: thousands of sessions have one and the same.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use stamp_path::Topology;

use crate::exit::Failure;

/// How many are kept: sessions of a file rarely have more than one.
const KEPT: usize = 4;

/// What was made of the text of a file; or why nothing could be.
struct Known {
    path: PathBuf,
    text: String,
    made: Result<Arc<Topology>, String>,
}

/// Topologies by what they were read from, the latest in front.
struct Shelf(Mutex<VecDeque<Known>>);

static SHELF: Shelf = Shelf::new();

/// Reads a topology file. Where the same stood in it before, what was made of it is taken.
///
/// # Errors
///
/// [`Failure::Topology`] for a file that cannot be read or is no topology.
pub(super) fn read(path: &Path) -> Result<Arc<Topology>, Failure> {
    SHELF.read(path)
}

impl Shelf {
    const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    fn read(&self, path: &Path) -> Result<Arc<Topology>, Failure> {
        let text = super::text(path)?;
        self.made(path, text).map_err(Failure::Topology)
    }

    fn made(&self, path: &Path, text: String) -> Result<Arc<Topology>, String> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |it: &&Known| it.path == path && it.text == text;
        let found = known().iter().find(is_it).map(|it| it.made.clone());
        if let Some(made) = found {
            return made;
        }
        let made = super::parsed(path, &text).map(Arc::new);
        let mut known = known();
        known.retain(|it| it.path != path);
        known.push_front(Known { path: path.to_owned(), text, made: made.clone() });
        known.truncate(KEPT);
        made
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_topology_is_read_again_only_when_something_else_stands_in_its_file() {
        let folder = std::env::temp_dir().join(format!("known-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let node = |name: &str| format!("[[node]]\nname = \"{name}\"\n");
        let shelf = Shelf::new();
        let read = |path: &Path| shelf.read(path);
        let path = write("a.toml", &node("x"));
        let first = read(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &read(&path).unwrap()));
        write("a.toml", &node("y"));
        let second = read(&path).unwrap();
        assert!(second.node_id("y").is_some() && second.node_id("x").is_none());
        assert!(Arc::ptr_eq(&second, &read(&path).unwrap()));
        write("a.toml", "node = 1\n");
        assert!(read(&path).is_err());
        // Others take its place.
        for name in ["b.toml", "c.toml", "d.toml", "e.toml"] {
            read(&write(name, &node("x"))).unwrap();
        }
        write("a.toml", &node("y"));
        assert!(!Arc::ptr_eq(&second, &read(&path).unwrap()));
        fs::remove_dir_all(folder).unwrap();
    }
}

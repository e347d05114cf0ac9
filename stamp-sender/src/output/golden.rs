//! Output compared with files, character for character.
//!
//! `STAMP_GOLDEN=write cargo test` writes the files anew; the difference is read in review.

use std::path::PathBuf;

/// Fails unless `text` is exactly what `golden/<name>` holds.
pub fn check(name: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/output/golden", name].iter().collect();
    if std::env::var_os("STAMP_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text == wanted, "{} differs; it is now:\n{text}\nit was:\n{wanted}", path.display());
}

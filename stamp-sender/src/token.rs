//! What lets us in at another server.

use std::path::PathBuf;

/// The token that a file holds now, if one is named; read each time, as it may be another by then.
///
/// # Errors
///
/// Why it cannot be read, with the name of the file.
pub fn read(file: Option<&PathBuf>) -> Result<Option<String>, String> {
    let read = file.map(|path| {
        let text = std::fs::read_to_string(path);
        text.map(|text| text.trim().to_owned())
            .map_err(|error| format!("{}: {error}", path.display()))
    });
    read.transpose()
}

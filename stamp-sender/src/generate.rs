//! Completions, manual pages and schemas: all made from what the program really takes and writes.

use std::io::{self, Write};
use std::path::Path;

use clap_complete::Shell;

use crate::Ended;
use crate::command_line::{SchemaFormat, command};
use crate::exit::{Failure, Status};
use crate::output::schema;

/// Writes a completion script.
pub fn completions(shell: Shell) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "stamp-sender", &mut script);
    print(&script)
}

/// Writes the manual page of the program in roff; into a folder, that of every verb as well, a file each.
pub fn manual_pages(folder: Option<&Path>) -> Ended {
    // What `help` says stands in the pages.
    let command = command().disable_help_subcommand(true);
    if let Some(folder) = folder {
        let fail = |error| Failure::Input(format!("--into {}: {error}", folder.display()));
        clap_mangen::generate_to(command, folder).map_err(fail)?;
        return Ok(Status::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(Failure::Output)?;
    print(&page)
}

/// Writes the JSON Schema of a machine format.
pub fn schema(format: SchemaFormat) -> Ended {
    print(schema::text(format).as_bytes())
}

fn print(octets: &[u8]) -> Ended {
    io::stdout().write_all(octets).map_err(Failure::Output)?;
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn whatever_page_another_one_names_is_there() {
        let folder = std::env::temp_dir().join(format!("stamp-pages-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        manual_pages(Some(&folder)).unwrap();
        let (mut there, mut named) = (BTreeSet::new(), BTreeSet::new());
        for page in fs::read_dir(&folder).unwrap() {
            let page = page.unwrap();
            there.insert(page.file_name().into_string().unwrap());
            let text = fs::read_to_string(page.path()).unwrap().replace("\\-", "-");
            let names = text.lines().filter_map(|line| line.strip_suffix("(1)"));
            named.extend(names.map(|name| format!("{name}.1")));
        }
        fs::remove_dir_all(&folder).unwrap();
        assert!(there.contains("stamp-sender-path-locate.1"), "{there:?}");
        named.insert("stamp-sender.1".to_owned());
        assert_eq!(named, there);
        let nowhere = manual_pages(Some(&folder)).unwrap_err().to_string();
        assert!(nowhere.starts_with(&format!("--into {}: ", folder.display())), "{nowhere}");
    }
}

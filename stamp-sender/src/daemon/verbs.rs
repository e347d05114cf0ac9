//! `config check`, `config show`, `config template`, `config schema`.

use std::io::Write as _;
use std::path::Path;

use stamp_config::web::WebArguments;
use stamp_path::Topology;

use crate::Ended;
use crate::command_line::daemon::DescribedFile;
use crate::exit::{Failure, Status};

use super::config::{self, Composed, Configuration, Found, Mistakes, Refused, in_words_of_a_file};
use super::files::{self, Trouble};
use super::opening::{self, Obstacle};
use super::preparation;
use super::shard::Shard;
use crate::paths::{Circumstances, Plan};

/// Says that the file is fine, or every mistake in it, and what a session would wait for as this host is now.
///
/// # Errors
///
/// Every mistake.
pub fn check(file: &Path, arguments: &WebArguments, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load_under(file, arguments)?;
    let (plan, (sessions, refused)) = complete(&configuration, shard)?;
    let web = files::check_web(&configuration, file, arguments);
    let mut impossible: Vec<String> = web.err().iter().map(ToString::to_string).collect();
    let (mut mistakes, mut waiting) = (Mistakes::default(), Vec::new());
    for spec in sessions.iter().filter(|spec| !spec.discovered) {
        match opening::check(spec) {
            Ok(()) => {}
            Err(Obstacle::Lasting(failure)) => match spec.mistake(&failure) {
                Some(mistake) => mistakes.note(mistake, &spec.name),
                None => impossible.push(spec.refused(failure).to_string()),
            },
            Err(Obstacle::Passing(failure)) => {
                let reason = in_words_of_a_file(&failure.to_string());
                waiting.push(format!("note: session {} would wait: {reason}\n", spec.name));
            }
        }
    }
    impossible.extend(mistakes.told().map(|(_, error)| error.to_string()));
    if !impossible.is_empty() {
        return Err(Failure::Input(impossible.join("\n")));
    }
    let count = sessions.len();
    let mut text = format!("{}: no mistake found; sessions: {count}", file.display());
    let policies = plan.policies.policies.len();
    if policies + plan.elsewhere > 0 {
        text.push_str(&format!("; policies: {policies}, of other nodes: {}", plan.elsewhere));
    }
    text.push('\n');
    for (what, reason) in plan.notes() {
        text.push_str(&format!("note: {what}: {reason}\n"));
    }
    waiting.iter().for_each(|note| text.push_str(note));
    let others = files::troubles_of_others(&configuration);
    for Trouble { key, reason } in files::troubles(&configuration).into_iter().chain(others) {
        text.push_str(&format!("note: {key}: {reason}\n"));
    }
    for Refused { provider, target, reason } in refused {
        let source = provider.label();
        text.push_str(&format!("note: {source}: {target} is no session: {reason}\n"));
    }
    print(&text)
}

/// Prints each session as it is in force, with what it takes from its profile and the defaults.
///
/// # Errors
///
/// Every mistake.
pub fn show(file: &Path, arguments: &WebArguments, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load_under(file, arguments)?;
    // Those that are named in files at present; nobody is asked over the network.
    let (_, (sessions, _)) = complete(&configuration, shard)?;
    let shard = shard.map(|shard| format!("# What shard {shard} takes.\n"));
    let text = config::show(&Configuration { sessions, ..configuration });
    print(&(shard.unwrap_or_default() + &text))
}

/// What a file comes to before anything is measured or asked over the network.
fn complete(
    configuration: &Configuration,
    shard: Option<Shard>,
) -> Result<(Plan, Composed), Failure> {
    let plan = Plan::make(&configuration.paths, &Circumstances::default(), shard)?;
    let found = &mut Found::new();
    let composed = preparation::complete(configuration, &plan, found, shard)?;
    Ok((plan, composed))
}

/// Prints a file with every key, its meaning and its default.
///
/// # Errors
///
/// When nobody reads it.
pub fn template() -> Ended {
    print(&config::template())
}

/// Prints the JSON Schema of a file.
///
/// # Errors
///
/// When nobody reads it.
pub fn schema(file: DescribedFile) -> Ended {
    let schema = match file {
        DescribedFile::Run => config::schema(),
        DescribedFile::Topology => {
            Topology::outline().json_schema("topology of stamp-sender", |_| None)
        }
    };
    print(&format!("{schema:#}\n"))
}

fn print(text: &str) -> Ended {
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_sessions_have_in_common_is_one_mistake() {
        let mut text = "topology = \"gone.toml\"\n".to_owned();
        for name in ["a", "b", "c"] {
            text.push_str(&format!("[[session]]\nname = \"{name}\"\ntarget = \"N{name}\"\n"));
        }
        text.push_str("topology = \"own.toml\"\n");
        let read = Configuration::read("f.toml", &text, Path::new("/nowhere")).unwrap();
        let mut mistakes = Mistakes::default();
        for spec in &read.sessions {
            let Err(Obstacle::Lasting(failure)) = opening::check(spec) else { panic!("{spec:?}") };
            mistakes.note(spec.mistake(&failure).unwrap(), &spec.name);
        }
        let told: Vec<String> = mistakes.told().map(|(_, error)| error.to_string()).collect();
        let starts = [
            "f.toml:1:12: topology = \"gone.toml\": session a and another one: /nowhere/gone.toml: ",
            "f.toml:11:12: session[2].topology = \"own.toml\": /nowhere/own.toml: ",
        ];
        assert_eq!(told.len(), starts.len(), "{told:?}");
        assert!(told.iter().zip(starts).all(|(told, start)| told.starts_with(start)), "{told:?}");
    }
}

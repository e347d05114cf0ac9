//! The command line: every flag of a key follows from its definition, the rest is here.

mod man;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use clap_complete::Shell;
use stamp_config::Form;

use crate::config::{Definition, Flags, Origin, Source, keys};
use crate::machine_format::MachineFormat;

pub(crate) use man::man;

const ENVIRONMENT: &str = "STAMP_REFLECTOR_ and the name of an option in capitals, with _ for - and ., stands for that \
     option; commas separate the items of a list. The command line wins over the environment, the \
     environment over the file, the file over the default.";

const SIGNALS: &str = "SIGHUP reads the file and the keys again, all of it or nothing: on any mistake the old \
     configuration stays. SIGUSR1 prints statistics. SIGTERM and SIGINT print statistics and end \
     the program with status 0.";

const EXIT_STATUS: &str = "0 stopped by a signal, or what was asked is done; 3 usage, configuration or key file; 4 \
     permission, port taken, or another refusal of the system.";

/// What the user asked for.
#[derive(Debug)]
pub(crate) struct CommandLine {
    /// What to do.
    pub(crate) action: Action,
    /// Where the configuration comes from.
    pub(crate) source: Source,
}

/// What `stamp-reflector` can do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Answer probes.
    Reflect,
    /// Print what senders have to be told.
    Sessions {
        /// As JSON.
        as_json: bool,
    },
    /// Check the configuration.
    Check,
    /// Print the configuration in effect.
    Show,
    /// Print a commented file, or write it.
    Template(Option<PathBuf>),
    /// Print a JSON Schema of the file.
    ConfigSchema,
    /// Print the JSON Schema of a machine format.
    Schema(MachineFormat),
    /// Print a completion script.
    Completions(Shell),
    /// Print the manual page.
    Man,
}

/// Reads the command line and the environment.
///
/// # Errors
///
/// What clap found, `--help` and `--version` among it.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<CommandLine, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let file_flag = matches.try_get_raw("config.file").ok().flatten().is_some();
    if file_flag
        && matches.contains_id("file")
        && matches.value_source("config.file") == Some(ValueSource::CommandLine)
    {
        let message = "FILE and --config.file FILE both name a file; leave one out";
        return Err(command().error(ErrorKind::ArgumentConflict, message));
    }
    let (action, matches) = match matches.subcommand() {
        None if matches.get_flag("config.check") => (Action::Check, &matches),
        None => (Action::Reflect, &matches),
        Some(("completions", verb)) => {
            let shell = verb.get_one::<Shell>("shell").copied().unwrap_or(Shell::Bash);
            (Action::Completions(shell), &matches)
        }
        Some(("man", _)) => (Action::Man, &matches),
        Some(("schema", verb)) => {
            let format = verb.get_one::<MachineFormat>("format").copied();
            (Action::Schema(format.unwrap_or(MachineFormat::Sessions)), &matches)
        }
        Some(("sessions", verb)) => (Action::Sessions { as_json: verb.get_flag("json") }, verb),
        Some((_, config)) => match config.subcommand() {
            Some(("check", verb)) => (Action::Check, verb),
            Some(("show", verb)) => (Action::Show, verb),
            Some(("schema", _)) => (Action::ConfigSchema, &matches),
            Some((_, verb)) => (Action::Template(file(verb)), &matches),
            None => (Action::Show, &matches),
        },
    };
    Ok(CommandLine { source: Source { file: file(matches), flags: flags(matches) }, action })
}

/// The whole command.
pub(crate) fn command() -> Command {
    let about = "Answers STAMP test packets (RFC 8762, RFC 8972), on port 862 of both families \
                 unless told otherwise.";
    with_settings(Command::new("stamp-reflector"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(format!("Signals: {SIGNALS}\n\nExit status: {EXIT_STATUS}"))
        .max_term_width(100)
        .args_conflicts_with_subcommands(true)
        .arg(
            Arg::new("config.check")
                .long("config.check")
                .help("Check the configuration, print every mistake, and end.")
                .action(ArgAction::SetTrue)
                .help_heading("Configuration"),
        )
        .subcommand(config_command())
        .subcommand(sessions_command())
        .subcommand(
            Command::new("completions").about("Print a completion script.").arg(
                Arg::new("shell")
                    .help("The shell it is for.")
                    .required(true)
                    .value_parser(value_parser!(Shell)),
            ),
        )
        .subcommand(Command::new("man").about("Print the manual page."))
        .subcommand(
            Command::new("schema").about("Print the JSON Schema of a machine format.").arg(
                Arg::new("format")
                    .help("The format.")
                    .required(true)
                    .value_parser(value_parser!(MachineFormat)),
            ),
        )
}

/// The same with the words of closed choices, which [`Flags`] checks otherwise.
pub(crate) fn command_for_completions() -> Command {
    let with_words = |command: Command| {
        keys::ROOT.iter().filter(|key| key.flag.is_some() && !key.words.is_empty()).fold(
            command,
            |command, key| {
                command
                    .mut_arg(key.key, |arg| arg.value_parser(PossibleValuesParser::new(key.words)))
            },
        )
    };
    with_words(command()).mut_subcommand("config", |config| {
        config.mut_subcommand("check", with_words).mut_subcommand("show", with_words)
    })
}

fn sessions_command() -> Command {
    let about = "Print what senders have to be told: every timestamp label and SID as a line of \
                 their configuration.";
    let json = Arg::new("json").long("json").help("As JSON.").action(ArgAction::SetTrue);
    with_settings(Command::new("sessions").about(about)).arg(json)
}

fn config_command() -> Command {
    let check = "Check a configuration and print every mistake.";
    let show = "Print the configuration in effect and where each value comes from.";
    let template = "Print a file with every key and its default, or write it to FILE.";
    let schema = "Print a JSON Schema of the file, for editors and programs that write one.";
    Command::new("config")
        .about("Check, show or begin a configuration.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings(Command::new("check").about(check)))
        .subcommand(with_settings(Command::new("show").about(show)))
        .subcommand(
            Command::new("template")
                .about(template)
                .arg(file_argument().help("Write it here; a file that is there is left alone.")),
        )
        .subcommand(Command::new("schema").about(schema))
}

/// Adds the file and the flag of every key.
fn with_settings(command: Command) -> Command {
    let file = file_argument().help("TOML file; the same as --config.file FILE.");
    let config_file = Arg::new("config.file")
        .long("config.file")
        .value_name("FILE")
        .help("TOML file; `config template` prints one to begin with.")
        .env("STAMP_REFLECTOR_CONFIG_FILE")
        .hide_env_values(true)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help_heading("Configuration");
    keys::ROOT.iter().filter_map(argument).fold(command.arg(file).arg(config_file), Command::arg)
}

fn file_argument() -> Arg {
    Arg::new("file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
}

/// The flag of a key. Its text is not judged here, so that every mistake is found at once, be it on
/// the command line, in the environment or in the file.
fn argument(key: &Definition) -> Option<Arg> {
    let arg = Arg::new(key.key)
        .long(key.flag?)
        .help(help(key))
        .env(key.variable()?)
        .hide_env_values(true)
        .allow_hyphen_values(key.form == Form::Number)
        .help_heading(key.heading);
    Some(if key.form == Form::Flag {
        arg.num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false")
    } else if key.many {
        arg.action(ArgAction::Append).value_delimiter(',').value_name(key.value)
    } else {
        arg.value_name(key.value)
    })
}

fn help(key: &Definition) -> String {
    let words = match (key.words.is_empty(), key.help.contains(key.words.first().unwrap_or(&"?"))) {
        (false, false) => format!(" [{}]", key.words.join(", ")),
        _ => String::new(),
    };
    match key.default {
        Some("false") => format!("{}{words}", key.help),
        Some(default) => format!("{}{words} [default: {}]", key.help, plain(default)),
        None => format!("{}{words} [default: {}]", key.help, key.otherwise),
    }
}

/// A default without the quotes and brackets of a file.
fn plain(default: &str) -> String {
    let inner = match default.strip_prefix('[') {
        Some(list) => list.strip_suffix(']').unwrap_or(list),
        None => default,
    };
    inner.replace('"', "")
}

fn file(matches: &ArgMatches) -> Option<PathBuf> {
    let positional = matches.get_one::<PathBuf>("file");
    let flag = || matches.try_get_one::<PathBuf>("config.file").ok().flatten();
    positional.or_else(flag).cloned()
}

fn flags(matches: &ArgMatches) -> Flags {
    let mut flags = Flags::default();
    for key in keys::ROOT.iter().filter(|key| key.flag.is_some()) {
        let origin = match matches.value_source(key.key) {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ => continue,
        };
        let texts = matches.get_many::<String>(key.key).into_iter().flatten().cloned().collect();
        flags.add(*key, origin, texts);
    }
    flags
}

#[cfg(test)]
mod tests;

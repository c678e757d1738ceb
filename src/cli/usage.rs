//! What is wrong with the arguments, in the form of every other error.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;

/// clap's error about the arguments of `program`: one line for what is wrong, one for what to do.
pub(super) fn translate(error: &clap::Error, program: Command) -> Error {
    let mut message = message(error);
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand];
    if let Some(meant) = suggested.into_iter().find_map(|kind| words(error, kind).into_iter().next()) {
        message.push_str(&format!("; did you mean `{meant}`?"));
    }
    Error::usage(message).advise(format!(
        "run `{} --help` to see what there is",
        command(program, std::env::args_os().skip(1))
    ))
}

fn message(error: &clap::Error) -> String {
    let argument = words(error, ContextKind::InvalidArg).join(", ");
    let value = words(error, ContextKind::InvalidValue).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("{argument}: there is no such flag")
        }
        ErrorKind::UnknownArgument => format!("{argument}: one argument too many"),
        ErrorKind::InvalidSubcommand => {
            let name = words(error, ContextKind::InvalidSubcommand).join(" ");
            format!("{name}: there is no such command")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument}: needs a value"),
        ErrorKind::InvalidValue => {
            let allowed = words(error, ContextKind::ValidValue).join(", ");
            format!("{} {value}: must be one of {allowed}", flag(&argument))
        }
        ErrorKind::ValueValidation => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{} {value}{cause}", flag(&argument))
        }
        ErrorKind::ArgumentConflict => {
            let prior = words(error, ContextKind::PriorArg).join(", ");
            if prior.is_empty() || prior == argument {
                format!("{argument}: was given twice")
            } else {
                format!("{argument}: does not go with {prior}")
            }
        }
        ErrorKind::MissingRequiredArgument if argument.contains(", ") => format!("{argument}: are missing"),
        ErrorKind::MissingRequiredArgument => format!("{argument}: is missing"),
        ErrorKind::TooManyValues => format!("{} {value}: takes no value", flag(&argument)),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command was given".into()
        }
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8 text".into(),
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).into()
        }
    }
}

/// `--split` of `--split <SPLIT>`.
fn flag(argument: &str) -> &str {
    argument.split(' ').next().unwrap_or(argument)
}

/// The command that the arguments are for, as one writes it: `shadegrad data fetch`.
fn command(mut command: Command, arguments: impl Iterator<Item = OsString>) -> String {
    let mut names = vec!["shadegrad".to_owned()];
    for argument in arguments {
        if let Some(below) = command.find_subcommand(&argument).cloned() {
            names.push(below.get_name().to_owned());
            command = below;
        }
    }
    names.join(" ")
}

fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

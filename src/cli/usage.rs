//! Converts clap's errors about arguments into the program's own errors.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;

/// Converts clap's error about the arguments of `program` into a message and a remedy.
pub(super) fn translate(error: &clap::Error, program: Command) -> Error {
    let mut message = message(error);
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand];
    if let Some(meant) = suggested.into_iter().find_map(|kind| words(error, kind).into_iter().next()) {
        message.push_str(&format!("; did you mean `{meant}`?"));
    }
    Error::usage(message)
        .advise(format!("see `{} --help` for usage", command(program, std::env::args_os().skip(1))))
}

fn message(error: &clap::Error) -> String {
    let argument = words(error, ContextKind::InvalidArg).join(", ");
    let value = words(error, ContextKind::InvalidValue).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("unknown flag {argument}")
        }
        ErrorKind::UnknownArgument => format!("unexpected argument {argument}"),
        ErrorKind::InvalidSubcommand => {
            let name = words(error, ContextKind::InvalidSubcommand).join(" ");
            format!("unknown command {name}")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument}: a value is required"),
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
                format!("{argument} was given more than once")
            } else {
                format!("{argument} cannot be used with {prior}")
            }
        }
        ErrorKind::MissingRequiredArgument if argument.contains(", ") => {
            format!("missing arguments: {argument}")
        }
        ErrorKind::MissingRequiredArgument => format!("missing argument: {argument}"),
        ErrorKind::TooManyValues => format!("{} {value}: this flag takes no value", flag(&argument)),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command was given".into()
        }
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".into(),
        _ => {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            line.strip_prefix("error: ").unwrap_or(line).into()
        }
    }
}

/// Returns the flag without its value name: `--split` of `--split <SPLIT>`.
fn flag(argument: &str) -> &str {
    argument.split(' ').next().unwrap_or(argument)
}

/// Returns the command that the arguments belong to, as in `shadegrad data fetch`.
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

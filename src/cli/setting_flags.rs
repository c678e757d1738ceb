//! The flags of configuration keys, generated from the table of [`Key`]s.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::help;
use crate::config::{Key, Kind, Origin, Resolved, Settings, Sources, Value, complete, presets, said};
use crate::data::catalogue::Catalogue;
use crate::data::load::is_folder_of_pictures;
use crate::error::{Error, Result};
use crate::nn::known_layers;

/// A preset, a configuration file and a flag for every key.
#[derive(Clone, Debug)]
pub(super) struct SettingFlags {
    file: Option<PathBuf>,
    given: Vec<(Key, Given)>,
}

#[derive(Clone, Debug)]
enum Given {
    Text(OsString),
    Switch(bool),
}

impl SettingFlags {
    /// Resolves the configuration from flags, environment, configuration file, preset and defaults.
    pub(super) fn resolve(&self) -> Result<Resolved> {
        let mut flags = Settings::default();
        for (key, given) in &self.given {
            match given {
                Given::Text(text) => flags.set_text(*key, text, origin(*key))?,
                Given::Switch(on) => flags.set(*key, Value::Switch(*on), switch_origin(*key, *on)),
            }
        }
        let mut said = said(Sources {
            flags,
            environment: &|variable| std::env::var_os(variable),
            file: self.file.as_deref(),
        })?;
        if is_for_pictures(&said) {
            let reason = Origin::Auto("a folder of images".into());
            said.set(Key::Preset, Value::Text(presets::PICTURES.into()), reason);
        }
        complete(said)
    }

    /// Resolves the configuration for a command that reads the data.
    pub(super) fn resolve_with_data(&self) -> Result<Resolved> {
        let resolved = self.resolve()?;
        let preset = &resolved.config.preset;
        match resolved.config.data.is_empty() {
            false => Ok(resolved),
            true => Err(Error::usage(format!("preset {preset}: data to train on are required"))
                .advise("give a folder of images or a known data set, for example --data ./flowers")),
        }
    }
}

/// Returns the flag of a key as messages quote it. The preset has no flag.
pub(super) fn origin(key: Key) -> Origin {
    Origin::Argument(match key {
        Key::Preset => "preset".into(),
        _ => format!("--{}", key.name()),
    })
}

/// Returns the flag that turns a switch on or off.
fn switch_origin(key: Key, on: bool) -> Origin {
    match key.kind() {
        Kind::Switch { off, .. } if !on => Origin::Argument(format!("--{off}")),
        _ => origin(key),
    }
}

/// Whether to start from the preset for images: the data are a folder of images, and the user chose
/// neither a preset nor a model.
fn is_for_pictures(said: &Settings) -> bool {
    let is_free = said.get(Key::Preset).is_none() && said.get(Key::Model).is_none();
    let is_of_pictures = |data| is_folder_of_pictures(data, &Catalogue::built_in());
    is_free && said.text(Key::Data).is_some_and(is_of_pictures)
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help("Read values from this TOML file; its keys are the names of these flags")
            .value_parser(clap::value_parser!(PathBuf))
            .value_hint(ValueHint::FilePath);
        Key::ALL.into_iter().flat_map(flags_of).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingFlags::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: Key| match key.kind() {
            Kind::Switch { .. } if matches.get_flag(key.name()) => Some(Given::Switch(true)),
            Kind::Switch { off, .. } if matches.get_flag(off) => Some(Given::Switch(false)),
            Kind::Switch { .. } => None,
            _ => matches.get_one::<OsString>(key.name()).cloned().map(Given::Text),
        };
        Ok(SettingFlags {
            file: matches.get_one("config").cloned(),
            given: Key::ALL.into_iter().filter_map(|key| Some((key, given(key)?))).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = SettingFlags::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Returns the flag of a key. A switch has two flags, and the help shows the one that changes its
/// default.
fn flags_of(key: Key) -> Vec<Arg> {
    let Kind::Switch { usual, off } = key.kind() else { return vec![valued(key)] };
    let switch = |name: &'static str, other: &'static str, hidden: bool| {
        Arg::new(name)
            .long(name)
            .help(help::of_key(key).into_owned())
            .help_heading(heading(key))
            .action(ArgAction::SetTrue)
            .conflicts_with(other)
            .hide(hidden)
    };
    vec![switch(key.name(), off, usual), switch(off, key.name(), !usual)]
}

fn valued(key: Key) -> Arg {
    let help = match key {
        Key::Model => format!("{}. Layers: {}", help::of_key(key), layers()),
        _ => help::of_key(key).into_owned(),
    };
    let argument = Arg::new(key.name())
        .help(help)
        .value_name(value_name(key))
        .value_parser(Unchecked { kind: key.kind() })
        .value_hint(hint(key))
        // `--lr -1` is an invalid learning rate, and `-1` not an unknown flag.
        .allow_negative_numbers(true);
    match key {
        Key::Preset => argument,
        _ => argument.long(key.name()).help_heading(heading(key)),
    }
}

/// Returns examples of all layers with their arguments.
fn layers() -> String {
    known_layers().into_iter().map(|layer| layer.example).collect::<Vec<_>>().join(" ")
}

fn value_name(key: Key) -> &'static str {
    match key {
        Key::Preset => "PRESET",
        Key::Data => "NAME|DIR",
        Key::DataDir | Key::Out => "DIR",
        Key::Model => "SPEC",
        Key::Init => "NAME|FILE",
        Key::Device => "DEVICE",
        _ => match key.kind().plain() {
            Kind::Count | Kind::CountOrZero | Kind::Whole => "N",
            Kind::Number(_) | Kind::FractionOrChoice(_) => "X",
            Kind::Interval => "N|Ne|Nm",
            _ => "NAME",
        },
    }
}

fn heading(key: Key) -> &'static str {
    match key {
        Key::Preset | Key::Data | Key::DataDir | Key::ImageSize | Key::Resize | Key::Normalize => {
            "Data and model"
        }
        Key::Model | Key::Init => "Data and model",
        Key::Device | Key::Out => "Device and output",
        _ => "Training",
    }
}

fn hint(key: Key) -> ValueHint {
    match key {
        Key::Data | Key::DataDir | Key::Out => ValueHint::DirPath,
        Key::Init => ValueHint::FilePath,
        _ => ValueHint::Other,
    }
}

/// Accepts every value, and provides the allowed values for help and completions. Values of flags,
/// files and the environment are all checked in [`Kind::accept`].
#[derive(Clone, Copy, Debug)]
struct Unchecked {
    kind: Kind,
}

impl TypedValueParser for Unchecked {
    type Value = OsString;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, value: &OsStr) -> Result<OsString, clap::Error> {
        Ok(value.to_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match self.kind {
            Kind::Choice(words) => Some(Box::new(words.iter().map(PossibleValue::new))),
            _ => None,
        }
    }
}

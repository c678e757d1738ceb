//! `shadegrad config`: the full configuration with where each value is from, and the presets.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output;
use super::setting_flags::SettingFlags;
use super::style::Style;
use crate::config::{Resolved, Settings, presets};
use crate::error::Result;

const EXAMPLES: &str = "Examples:
  shadegrad config presets
  shadegrad config show lab-cifar10 --lr 0.002
  shadegrad config show > mine.toml && shadegrad train --config mine.toml";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print what `train` would use with these arguments, and where each value comes from
    Show {
        #[command(flatten)]
        settings: SettingFlags,
        /// Print a JSON object instead of TOML
        #[arg(long)]
        json: bool,
    },
    /// List the presets
    Presets {
        /// Print a JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(arguments: &ConfigArguments) -> Result<()> {
    match &arguments.command {
        ConfigCommand::Show { settings, json: true } => show_json(&settings.resolve()?),
        ConfigCommand::Show { settings, json: false } => show(&settings.resolve()?),
        ConfigCommand::Presets { json: true } => presets_json(),
        ConfigCommand::Presets { json: false } => presets_table(),
    }
}

/// As TOML, so that it can be kept, changed and read again.
fn show(resolved: &Resolved) -> Result<()> {
    let style = Style::of_stdout();
    let lines = resolved
        .settings
        .iter()
        .map(|(key, setting)| (format!("{} = {}", key.name(), setting.value), &setting.origin));
    let lines: Vec<_> = lines.collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (line, origin) in lines {
        text.push_str(&format!("{line:<width$}  {}\n", style.faint(&format!("# {origin}"))));
    }
    output::print(&text)
}

fn show_json(resolved: &Resolved) -> Result<()> {
    #[derive(Serialize)]
    struct Shown<'a> {
        config: &'a Settings,
        origins: serde_json::Map<String, serde_json::Value>,
    }
    let origins = resolved.settings.iter();
    let origins = origins.map(|(key, setting)| (key.name().into(), setting.origin.to_string().into()));
    output::print_json("config", &Shown { config: &resolved.settings, origins: origins.collect() })
}

fn presets_table() -> Result<()> {
    let style = Style::of_stdout();
    let width = presets::NAMES.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for preset in presets::ALL {
        let name = style.strong(&format!("{:<width$}", preset.name));
        let usual = if preset.name == presets::DEFAULT { " (the default)" } else { "" };
        text.push_str(&format!("{name}  {}{usual}\n", preset.description()?));
    }
    output::print(&text)
}

fn presets_json() -> Result<()> {
    #[derive(Serialize)]
    struct Shown {
        name: &'static str,
        description: String,
        default: bool,
        config: Settings,
    }
    #[derive(Serialize)]
    struct List {
        presets: Vec<Shown>,
    }
    let shown = |preset: presets::Preset| {
        Ok(Shown {
            name: preset.name,
            description: preset.description()?,
            default: preset.name == presets::DEFAULT,
            config: preset.settings()?,
        })
    };
    let presets = presets::ALL.into_iter().map(shown).collect::<Result<_>>()?;
    output::print_json("presets", &List { presets })
}

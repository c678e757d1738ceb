//! `shadegrad config`: shows the full configuration with the origin of each value, and the presets.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::setting_flags::SettingFlags;
use super::style::Style;
use super::{output, training_data};
use crate::config::{Resolved, Settings, TrainingSet, Validation, presets};
use crate::data::catalogue::Catalogue;
use crate::data::hold_out;
use crate::error::Result;
use crate::text::human;
use crate::train::{DryRun, Sizes};

const EXAMPLES: &str = "Examples:
  shadegrad config presets
  shadegrad config show lab-cifar10 --lr 0.002
  shadegrad config show > mine.toml && shadegrad train --config mine.toml";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the configuration that `train` would use, with the origin of each value
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

/// Prints the configuration as TOML, for use as a configuration file.
fn show(resolved: &Resolved) -> Result<()> {
    if let Some(choice) = training_data::chosen_preset(resolved) {
        output::print_note(&format!("note: {choice}\n"));
    }
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
    match outline(resolved)? {
        Some(outline) => text.push_str(&outline_table(&outline, style)),
        None => {
            text.push_str(&style.faint("\n# layers and memory are known once the images have been read\n"));
        }
    }
    output::print(&text)
}

/// Returns the layers and memory of the run, if the sizes of the data set are known before it is
/// read.
fn outline(resolved: &Resolved) -> Result<Option<DryRun>> {
    let config = &resolved.config;
    let catalogue = Catalogue::built_in();
    let Some(set) = catalogue.find(&config.data) else { return Ok(None) };
    let validation = match config.validation {
        Validation::Share(share) => Some(hold_out::count(share, set.train_images)),
        Validation::None | Validation::Test => None,
    };
    let sizes = Sizes {
        shape: set.shape(),
        classes: set.class_count,
        train: set.train_images - validation.unwrap_or(0),
        validation,
        test: set.test_images,
    };
    let set = TrainingSet { images: sizes.train, shape: sizes.shape };
    let resolved = resolved.clone().settle(&set);
    resolved.check_run(sizes.train, sizes.validation.is_some())?;
    DryRun::of(&resolved.config, &sizes).map(Some)
}

/// Formats the layers as comments, so that the output remains valid TOML.
fn outline_table(outline: &DryRun, style: Style) -> String {
    let head = ["layer", "output", "parameters", "MFLOPs per image"].map(String::from);
    let rows = outline.model.rows.iter().map(|row| {
        let layer = format!("{}{}", "  ".repeat(row.depth), row.layer);
        [layer, row.output.clone(), human::count(row.parameters as u64), megas(row.operations)]
    });
    let total = [
        "total".into(),
        String::new(),
        human::count(outline.model.parameters as u64),
        megas(outline.model.operations),
    ];
    let rows: Vec<[String; 4]> = [head].into_iter().chain(rows).chain([total]).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [layer, output, parameters, operations] = [0, 1, 2, 3].map(width);
    let mut text = String::from("\n");
    for row in &rows {
        let line = format!(
            "# {:<layer$}  {:<output$}  {:>parameters$}  {:>operations$}",
            row[0], row[1], row[2], row[3]
        );
        text.push_str(&format!("{}\n", style.faint(&line)));
    }
    let [gpu, cpu] = [outline.gpu_bytes, outline.cpu_bytes].map(human::bytes);
    let memory = format!("# memory for images, weights and activations: {gpu} on a GPU, {cpu} on the CPU");
    text.push_str(&format!("{}\n", style.faint(&memory)));
    text
}

/// Formats a number of operations in millions.
fn megas(operations: u64) -> String {
    format!("{:.1}", operations as f64 / 1e6)
}

fn show_json(resolved: &Resolved) -> Result<()> {
    #[derive(Serialize)]
    struct Shown<'a> {
        config: &'a Settings,
        origins: serde_json::Map<String, serde_json::Value>,
        /// `None` if it depends on images that have not been read yet.
        model: Option<DryRun>,
    }
    let origins = resolved.settings.iter();
    let origins = origins.map(|(key, setting)| (key.name().into(), setting.origin.to_string().into()));
    output::print_json(
        "config",
        &Shown { config: &resolved.settings, origins: origins.collect(), model: outline(resolved)? },
    )
}

fn presets_table() -> Result<()> {
    let style = Style::of_stdout();
    let width = presets::NAMES.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for preset in presets::ALL {
        let name = style.strong(&format!("{:<width$}", preset.name));
        let usual = match preset.name {
            presets::DEFAULT => " (the default)",
            presets::PICTURES => " (the default for a folder of images)",
            _ => "",
        };
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

//! The command line: reads arguments, calls the library, and prints results and errors.
//!
//! Results go to standard output, progress and notes to standard error. A command returns an
//! [`Error`]; only [`main`] prints it and turns it into an exit code.

mod bench;
mod completions;
mod config;
mod continuation;
mod data;
mod device_choice;
mod devices;
mod eval;
mod evaluation_report;
mod export;
mod gradcheck;
mod help;
mod json;
mod model_choice;
mod observers;
mod output;
mod picture_flags;
mod predict;
mod prediction_report;
mod preparation_line;
mod preview_flags;
mod profile_report;
mod progress_line;
mod remedy;
mod report;
mod resume;
mod run_folder;
mod selftest;
mod setting_flags;
mod signals;
mod spinner;
mod split_choice;
mod style;
mod terminal;
mod train;
mod training_data;
mod tta;
mod usage;
mod values;
mod verification_report;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Error, ErrorKind, Result};

const EXAMPLES: &str = "Examples:
  shadegrad train                          # Fashion-MNIST, best device
  shadegrad train lab-cifar10 --device 0   # a preset on the first GPU
  shadegrad train --lr 0.02 --epochs 5     # override two values
  shadegrad resume runs/NAME               # continue after an interruption
  shadegrad eval runs/NAME                 # evaluate a trained model
  shadegrad predict runs/NAME photo.jpg    # classify an image
  shadegrad devices                        # list compute devices";

const EXIT_CODES: &str = "Exit codes:
  0    success
  1    internal error
  2    usage or configuration
  3    data
  4    device
  5    diverged (NaN or infinity)
  6    model file
  7    selftest or gradcheck failed
  8    disk
  129  terminal closed
  130  Ctrl-C
  141  output closed
  143  terminated";

/// On a terminal with fewer columns, the help of a flag is shown below the flag, not next to it.
const NARROW: u16 = 60;

/// The arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "shadegrad", version, about, help_template = help::TEMPLATE)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train an image classifier
    Train(train::TrainArguments),
    /// Resume a run from its last checkpoint, or train it further
    Resume(resume::ResumeArguments),
    /// Evaluate a trained model: loss, accuracy, per-class metrics, confusions
    Eval(eval::EvalArguments),
    /// Classify images with a trained model
    Predict(predict::PredictArguments),
    /// Export a trained model: safetensors for PyTorch, or ONNX
    Export(export::ExportArguments),
    /// Regenerate a run's HTML report
    Report(report::ReportArguments),
    /// List compute devices
    Devices(devices::DevicesArguments),
    /// Compare every kernel on a GPU with the CPU
    Selftest(selftest::SelftestArguments),
    /// Check gradients against float64 finite differences
    Gradcheck(gradcheck::GradcheckArguments),
    /// Measure kernels and training throughput on a device
    Bench(bench::BenchArguments),
    /// List, download, verify and inspect data sets
    Data(data::DataArgs),
    /// Show the full configuration or the presets
    Config(config::ConfigArguments),
    /// Print shell completions
    Completions(completions::CompletionsArguments),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let parser = Cli::command().next_line_help(style::columns().is_some_and(|columns| columns < NARROW));
    let parsed = parser.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let result = match parsed {
        Ok(cli) => run(&cli.command),
        Err(error) => answer(&error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            error.kind().exit_code().into()
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Train(arguments) => train::run(arguments),
        Command::Resume(arguments) => resume::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Devices(arguments) => devices::run(arguments),
        Command::Selftest(arguments) => selftest::run(arguments),
        Command::Gradcheck(arguments) => gradcheck::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Data(arguments) => data::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Completions(arguments) => completions::run(arguments, Cli::command()),
    }
}

/// Prints the help or the version on request. Returns an error for anything else.
fn answer(error: &clap::Error) -> Result<()> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    match error.kind() {
        DisplayHelp | DisplayVersion => error.print().map_err(|cause| output::failure(&cause)),
        _ => Err(usage::translate(error, Cli::command())),
    }
}

/// Prints an error and its remedy to standard error.
fn explain(error: &Error) {
    if error.kind() == ErrorKind::OutputClosed {
        return;
    }
    let style = style::Style::of_stderr();
    let mut text = format!("{} {}\n", style.bad("error:"), remedy::message(error));
    if let Some(remedy) = error.remedy() {
        text.push_str(&format!("{} {}\n", style.strong("help:"), remedy::words(remedy)));
    }
    output::print_note(&text);
}

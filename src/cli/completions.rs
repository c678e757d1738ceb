//! `shadegrad completions`: what a shell needs to complete commands, flags and values.

use clap::{Args, Command};
use clap_complete::Shell;

use super::output;
use crate::error::Result;

const EXAMPLES: &str = "Examples:
  shadegrad completions bash > shadegrad.bash && source shadegrad.bash
  shadegrad completions fish > ~/.config/fish/completions/shadegrad.fish";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct CompletionsArguments {
    /// For this shell
    shell: Shell,
}

/// Prints completions for `program`.
pub(super) fn run(arguments: &CompletionsArguments, mut program: Command) -> Result<()> {
    // clap_complete panics where it cannot write, so not to standard output itself.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "shadegrad", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

//! `shadegrad completions`: prints a shell script that completes commands, flags and values.

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
    /// Shell to print completions for
    shell: Shell,
}

pub(super) fn run(arguments: &CompletionsArguments, mut program: Command) -> Result<()> {
    // clap_complete panics if it cannot write, so it does not write to standard output itself.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "shadegrad", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

//! Completion scripts.

use std::process::Command;

use crate::cli::support::{Sandbox, fine, shadegrad};

#[test]
fn every_shell_gets_a_script_with_commands_and_flags() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = fine(shadegrad(&["completions", shell]));
        for word in ["train", "devices", "batch-size", "no-shuffle"] {
            assert!(outcome.stdout.contains(word), "{shell}: no {word}");
        }
        // The other shells complete no values of flags, and fish completes none of arguments.
        let values: &[&str] = match shell {
            "bash" | "zsh" => &["cosine", "lab-cifar10"],
            "fish" => &["cosine"],
            _ => &[],
        };
        for value in values {
            assert!(outcome.stdout.contains(value), "{shell}: no {value}");
        }
    }
}

#[test]
fn shells_that_are_here_can_read_their_scripts() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        sandbox.write(shell, sandbox.run(&["completions", shell]).stdout);
        let checked = Command::new(shell).arg("-n").arg(sandbox.path().join(shell)).output();
        match checked {
            Ok(output) => assert!(output.status.success(), "{shell}: {output:?}"),
            // Not every machine has every shell.
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{shell}: {error}"),
        }
    }
}

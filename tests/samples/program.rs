//! The program, without the developer's environment variables.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns the program with these arguments, to be run in `folder`.
pub fn program<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shadegrad"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for variable in ["SHADEGRAD_DATA", "SHADEGRAD_DEVICE", "WGPU_BACKEND", "NO_COLOR", "TERM"] {
        command.env_remove(variable);
    }
    // Mesa's drivers complain on standard error if this is not set.
    command.env("XDG_RUNTIME_DIR", folder);
    command
}

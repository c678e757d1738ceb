//! Mistakes on the command line that a table of commands (`mistakes.txt`) cannot show.

use crate::cli::support::{Sandbox, shadegrad};

#[test]
fn no_command_at_all_shows_where_help_is() {
    let outcome = shadegrad(&[]);
    outcome.refused(2).because(&["no command was given"]);
    assert!(outcome.stderr.contains("shadegrad --help"), "{outcome:?}");
}

#[test]
fn a_folder_that_holds_something_is_not_written_to() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "precious");
    let here = sandbox.path().to_str().expect("a plain path");
    sandbox.run(&["train", "--out", here]).refused(2).because(&["--out", "must be a new or empty folder"]);
    let file = format!("{here}/file");
    sandbox.run(&["train", "--out", &file]).refused(2).because(&["--out", "must be a folder, not a file"]);
    assert_eq!(std::fs::read_to_string(&file).expect("it is still there"), "precious");
}

#[test]
fn an_unknown_data_set_or_model_is_no_matter_of_usage() {
    let sandbox = Sandbox::new();
    sandbox.run(&["train", "--data", "fashion-mnits"]).refused(3).because(&["fashion-mnits"]);
    sandbox.run(&["eval", "nothing", "--data", "mnist"]).refused(6).because(&["there is no model nothing"]);
    let here = [".", "--data", "mnist"];
    sandbox.run(&[&["eval"][..], &here].concat()).refused(6).because(&["neither a run nor a checkpoint"]);
}

#[cfg(unix)]
#[test]
fn text_that_is_not_unicode_is_refused_in_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let bad = OsStr::from_bytes(b"a\xff");
    let sandbox = Sandbox::new();
    for flag in ["--data", "--model", "--out", "--init", "--data-dir", "--device", "--lr", "--epochs"] {
        let outcome = sandbox.run(&[OsStr::new("train"), OsStr::new(flag), bad]);
        outcome.refused(2).because(&[flag, "must be"]);
    }
    sandbox.run(&[OsStr::new("train"), bad]).refused(2);
    sandbox.run(&[bad]).refused(2);
    let outcome = sandbox.run(&[OsStr::new("train"), OsStr::new("--config"), bad]);
    outcome.refused(2).because(&["cannot read a\u{fffd}"]);
}

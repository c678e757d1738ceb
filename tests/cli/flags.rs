//! Mistakes on the command line: each ends with exit code 2, before anything is touched, and with a
//! line that names the flag, the value and what is allowed.

use crate::support::{Sandbox, shadegrad};

/// Arguments of `train`, and what the error says.
const BAD_VALUES: &[(&[&str], &[&str])] = &[
    (&["--epochs", "0"], &["--epochs 0: must be a whole number from 1 to 4294967295"]),
    (&["--epochs", "-1"], &["--epochs -1: must be a whole number"]),
    (&["--epochs", "1.5"], &["--epochs 1.5: must be a whole number"]),
    (&["--epochs", "ten"], &["--epochs ten: must be a whole number"]),
    (&["--epochs", "1e3"], &["--epochs 1e3: must be a whole number"]),
    (&["--epochs", ""], &["--epochs : must be a whole number"]),
    (&["--epochs", "4294967296"], &["--epochs 4294967296", "1 to 4294967295"]),
    (&["--epochs", "99999999999999999999999"], &["--epochs 9999", "1 to 4294967295"]),
    (&["--max-steps", "0"], &["--max-steps 0: must be a whole number from 1"]),
    (&["--max-steps", "1_000"], &["--max-steps 1_000: must be a whole number"]),
    (&["--batch-size", "0"], &["--batch-size 0: must be a whole number from 1"]),
    (&["--batch-size", "-64"], &["--batch-size -64: must be a whole number"]),
    (&["--batch-size", "0x40"], &["--batch-size 0x40: must be a whole number"]),
    (&["--batch-size", "18446744073709551616"], &["--batch-size 18446744073709551616: must be"]),
    (&["--seed", "-1"], &["--seed -1: must be a whole number from 0 to 18446744073709551615"]),
    (&["--seed", "18446744073709551616"], &["--seed 18446744073709551616: must be"]),
    (&["--seed", "now"], &["--seed now: must be"]),
    (&["--lr", "0"], &["--lr 0: must be a number above 0"]),
    (&["--lr", "-0.1"], &["--lr -0.1: must be a number above 0"]),
    (&["--lr", "nan"], &["--lr nan: must be a number above 0"]),
    (&["--lr", "NaN"], &["--lr NaN: must be a number above 0"]),
    (&["--lr", "inf"], &["--lr inf: must be a number above 0"]),
    (&["--lr=-inf"], &["--lr -inf: must be a number above 0"]),
    (&["--lr", "1e39"], &["--lr 1e39: must be a number above 0 that 32 bits can hold"]),
    (&["--lr", "1e-60"], &["--lr 1e-60: must be a number above 0 that 32 bits can hold"]),
    (&["--lr", "0,1"], &["--lr 0,1: must be a number"]),
    (&["--lr", "fast"], &["--lr fast: must be a number"]),
    (&["--momentum", "1"], &["--momentum 1: must be a number from 0 to below 1"]),
    (&["--momentum", "1.5"], &["--momentum 1.5: must be"]),
    (&["--momentum", "-0.9"], &["--momentum -0.9: must be"]),
    (&["--momentum", "nan"], &["--momentum nan: must be"]),
    (&["--weight-decay=-1e-4"], &["--weight-decay -1e-4: must be a number, 0 or more"]),
    (&["--weight-decay", "inf"], &["--weight-decay inf: must be"]),
    (&["--l2", "-0.01"], &["--l2 -0.01: must be a number, 0 or more"]),
    (&["--l2", "nan"], &["--l2 nan: must be"]),
    (&["--warmup", "1.01"], &["--warmup 1.01: must be a number from 0 to 1"]),
    (&["--warmup", "-0.1"], &["--warmup -0.1: must be"]),
    (&["--warmup", "5%"], &["--warmup 5%: must be"]),
    (&["--validation", "1"], &["--validation 1: must be a number from 0 to below 1 or test"]),
    (&["--validation", "-0.1"], &["--validation -0.1: must be"]),
    (&["--validation", "tst"], &["--validation tst: must be", "did you mean `test`?"]),
    (&["--validation", "10%"], &["--validation 10%: must be"]),
    (&["--patience", "0"], &["--patience 0: must be a whole number from 1"]),
    (&["--patience", "3"], &["--patience 3: needs images to judge by"]),
    (&["--patience", "3", "--validation", "0"], &["--patience 3: needs images to judge by"]),
    (
        &["--checkpoint-every", "0"],
        &["--checkpoint-every 0: must be a whole number of steps (500), epochs (2e)"],
    ),
    (&["--checkpoint-every", "2h"], &["--checkpoint-every 2h: must be"]),
    (&["--checkpoint-every", "1.5e"], &["--checkpoint-every 1.5e: must be"]),
    (&["--checkpoint-every", "-5"], &["--checkpoint-every -5: must be"]),
    (&["--checkpoint-every", ""], &["--checkpoint-every : must be"]),
    (&["--schedule", "cosin"], &["--schedule cosin: must be one of constant, linear, cosine", "`cosine`?"]),
    (&["--schedule", "Cosine"], &["--schedule Cosine: must be one of", "did you mean `cosine`?"]),
    (&["--schedule", "step"], &["--schedule step: must be one of constant, linear, cosine"]),
    (&["--schedule", ""], &["--schedule : must be one of"]),
    (&["--optimizer", "sdg"], &["--optimizer sdg: must be sgd; did you mean `sgd`?"]),
    (&["--optimizer", "lion"], &["--optimizer lion: must be sgd"]),
    (&["--normalize", "standart"], &["must be one of unit, standard; did you mean `standard`?"]),
    (
        &["--init", "hee"],
        &["--init hee: must be one of he, xavier, pytorch, normal or a .safetensors file", "`he`?"],
    ),
    (&["--init", "weights.pt"], &["--init weights.pt: must be one of", ".safetensors"]),
    (&["--init", ""], &["--init : must be"]),
    (&["--model", ""], &["--model : must be text, and not empty"]),
    (&["--model", "  "], &["--model   : must be text, and not empty"]),
    (&["--data", ""], &["--data : must be text, and not empty"]),
    (&["--data-dir", ""], &["--data-dir : must be text"]),
    (&["--device", ""], &["--device : must be text, and not empty"]),
    (&["--out", ""], &["--out : must be text, and not empty"]),
    (&["fashon-mnist"], &["preset fashon-mnist: must be one of", "did you mean `fashion-mnist`?"]),
    (&["lab-cifar"], &["preset lab-cifar", "did you mean `lab-cifar10`?"]),
    (&["quux"], &["preset quux: must be one of fashion-mnist, cifar10-mlp, lab-fashion-mnist, lab-cifar10"]),
    (&[""], &["preset : must be one of"]),
    (
        &["--nesterov"],
        &["--nesterov: needs momentum above 0, but there is momentum = 0.0 (preset lab-cifar10)"],
    ),
    (
        &["--nesterov", "--momentum", "0"],
        &["--nesterov: needs momentum above 0, but there is --momentum 0.0"],
    ),
];

/// Arguments of the program that it does not understand, and what the error says.
const BAD_ARGUMENTS: &[(&[&str], &[&str])] = &[
    (&["trian"], &["trian: there is no such command", "did you mean `train`?"]),
    (&["device"], &["device: there is no such command", "did you mean `devices`?"]),
    (&["--verbose"], &["--verbose: there is no such flag"]),
    (&["train", "--epoch", "3"], &["--epoch: there is no such flag", "did you mean `--epochs`?"]),
    (&["train", "--learning-rate", "3"], &["--learning-rate: there is no such flag"]),
    (&["train", "--batchsize", "3"], &["--batchsize: there is no such flag", "`--batch-size`?"]),
    (&["train", "-x"], &["-x: there is no such flag"]),
    (&["train", "lab-cifar10", "cifar10-mlp"], &["cifar10-mlp: one argument too many"]),
    (&["train", "--lr"], &["--lr <X>: needs a value"]),
    (&["train", "--config"], &["--config <FILE>: needs a value"]),
    (&["train", "--lr", "1", "--lr", "2"], &["--lr <X>: was given twice"]),
    (&["train", "--nesterov", "--nesterov"], &["--nesterov: was given twice"]),
    (&["train", "--shuffle", "--no-shuffle"], &["shuffle: does not go with --"]),
    (&["train", "--nesterov", "--no-nesterov"], &["nesterov: does not go with --"]),
    (&["train", "--json", "--json"], &["--json: was given twice"]),
    (&["train", "--quiet=yes"], &["--quiet"]),
    (&["train", "--keep-best", "--no-keep-best"], &["keep-best: does not go with --"]),
    (&["resume"], &["<RUN>: is missing"]),
    (&["resume", "a", "b"], &["b: one argument too many"]),
    (&["resume", "a", "--epochs", "3"], &["--epochs: there is no such flag"]),
    (&["eval"], &["--data <NAME|DIR>", "MODEL"]),
    (&["eval", "model.safetensors"], &["--data <NAME|DIR>: is missing"]),
    (
        &["eval", "m", "--data", "mnist", "--split", "tset"],
        &["--split tset: must be one of test, train", "`test`?"],
    ),
    (
        &["eval", "m", "--data", "mnist", "--normalize", "no"],
        &["--normalize no: must be one of unit, standard"],
    ),
    (&["config"], &["no command was given"]),
    (&["config", "shwo"], &["shwo: there is no such command", "did you mean `show`?"]),
    (&["config", "presets", "x"], &["x: one argument too many"]),
    (&["config", "show", "--lr", "x"], &["--lr x: must be a number"]),
    (&["completions"], &["<SHELL>: is missing"]),
    (&["completions", "bsh"], &["bsh: must be one of bash, elvish, fish, powershell, zsh", "`bash`?"]),
    (&["devices", "0"], &["0: one argument too many"]),
];

#[test]
fn a_value_that_is_not_allowed_is_refused_with_what_is() {
    let sandbox = Sandbox::new();
    for (arguments, fragments) in BAD_VALUES {
        // With a preset of no momentum, unless the case is about presets.
        let names_preset = arguments.first().is_some_and(|first| !first.starts_with('-'));
        let preset: &[&str] = if names_preset { &[] } else { &["lab-cifar10"] };
        for command in [&["train"][..], &["config", "show"]] {
            let arguments = [command, preset, arguments].concat();
            println!("{arguments:?}");
            sandbox.run(&arguments).refused(2).because(fragments);
        }
    }
    let left: Vec<_> = std::fs::read_dir(sandbox.path()).expect("it is readable").collect();
    assert!(left.is_empty(), "a refused run left {left:?}");
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_what_would() {
    for (arguments, fragments) in BAD_ARGUMENTS {
        println!("{arguments:?}");
        shadegrad(arguments).refused(2).because(fragments);
    }
}

#[test]
fn no_command_at_all_shows_where_help_is() {
    let outcome = shadegrad(&[]);
    outcome.refused(2).because(&["no command was given"]);
    assert!(outcome.stderr.contains("shadegrad --help"), "{outcome:?}");
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["config", "show"]);
    let outcome = crate::support::finish(command.env("SHADEGRAD_DEVICE", " "));
    outcome.refused(2).because(&["SHADEGRAD_DEVICE= : must be text, and not empty"]);
}

#[test]
fn a_folder_that_holds_something_is_not_written_to() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "precious");
    let here = sandbox.path().to_str().expect("a plain path");
    sandbox.run(&["train", "--out", here]).refused(2).because(&["--out", "must be a new or an empty folder"]);
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

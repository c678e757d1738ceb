//! User mistakes of every kind: each is answered with what is wrong and what to do, before any
//! device is opened. The mistakes and the answers are in `mistakes.txt`, which also says how to add
//! one.

use std::fs;
use std::path::Path;

use shadegrad::checkpoint::SavedModel;
use shadegrad::config::{Key, presets};
use shadegrad::nn::known_layers;

use crate::cli::support::{Outcome, Sandbox, fine, finish};
use crate::cli::training::data;

/// A command with its input and its expected output.
#[derive(Debug, Default)]
struct Case {
    /// Comments and empty lines before it.
    before: String,
    /// Contents of `mine.toml`.
    file: Vec<String>,
    /// The command line for a shell, without the `$`.
    command: String,
    answer: String,
}

fn table() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/mistakes.txt")
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut next = Case::default();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let case = std::mem::take(&mut next);
            cases.push(Case { command: command.into(), ..case });
        } else if let Some(line) = line.strip_prefix('|') {
            next.file.push(line.strip_prefix(' ').unwrap_or(line).into());
        } else if line.is_empty() || line.starts_with('#') {
            next.before.push_str(&format!("{line}\n"));
        } else {
            let case = cases.last_mut().expect("an answer comes after a command");
            case.answer.push_str(&format!("{line}\n"));
        }
    }
    cases
}

fn written(cases: &[Case]) -> String {
    let lines = |case: &Case| {
        let file = case.file.iter().map(|line| format!("| {line}").trim_end().to_owned() + "\n");
        format!("{}{}$ {}\n{}", case.before, file.collect::<String>(), case.command, case.answer)
    };
    cases.iter().map(lines).collect()
}

/// The folder in which the cases run.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy(data(), "noise");
    ["full", "pictures/cat"].iter().for_each(|folder| sandbox.folder(folder));
    sandbox.write("full/precious", "");
    let photo = sandbox.path().join("photo.png");
    image::GrayImage::new(5, 4).save(&photo).expect("it can be written");
    for copy in ["a.png", "b.png"] {
        fs::copy(&photo, sandbox.path().join("pictures/cat").join(copy)).expect("it can be copied");
    }
    let train =
        ["train", "--data", "noise", "--model", "linear:8,relu", "--max-steps", "2", "--device", "cpu"];
    fine(sandbox.run(&[&train[..], &["--out", "run"]].concat()));
    let weights = sandbox.path().join("run/checkpoints/00000002/model.safetensors");
    let model = SavedModel { about: None, ..SavedModel::read(&weights).expect("a model") };
    model.write(&sandbox.path().join("plain.safetensors")).expect("it is writable");
    sandbox
}

/// Runs a command line, with environment variables before the program's name. If it looks for a
/// Vulkan driver, standard error says so.
fn run(sandbox: &Sandbox, line: &str) -> Outcome {
    let words = shlex::split(line).expect("a command line");
    let program = words.iter().position(|word| word == "shadegrad").expect("the program's name");
    let (variables, arguments) = (&words[..program], &words[program + 1..]);
    let mut command = sandbox.command(arguments);
    command.env("VK_LOADER_DEBUG", "all");
    for variable in variables {
        let (name, value) = variable.split_once('=').expect("a variable");
        command.env(name, value);
    }
    finish(&mut command)
}

#[test]
fn every_mistake_is_answered_as_the_table_says() {
    let text = fs::read_to_string(table()).expect("the table is there");
    let (sandbox, mut cases) = (sandbox(), cases(&text));
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    assert_eq!(written(&cases), text, "the table is not as this test would write it");
    let (mut wrong, mut worse) = (Vec::new(), Vec::new());
    for case in &mut cases {
        sandbox.write("mine.toml", case.file.join("\n"));
        println!("{}", case.command);
        let mut outcome = run(&sandbox, &case.command);
        outcome.stderr = without_lists(outcome.stderr);
        let lines: Vec<_> = outcome.stderr.lines().collect();
        let is_short =
            matches!(lines[..], [what, todo] if what.starts_with("error: ") && todo.starts_with("help: "));
        if outcome.code != Some(2) || !outcome.stdout.is_empty() || !is_short {
            worse.push(format!("$ {}\n{:.2000}", case.command, format!("{outcome:#?}")));
        }
        if outcome.stderr != case.answer {
            wrong.push(format!("$ {}\nfound:\n{}expected:\n{}", case.command, outcome.stderr, case.answer));
            case.answer = outcome.stderr;
        }
    }
    assert!(worse.is_empty(), "{} cases do not end as mistakes do:\n{}", worse.len(), worse.join("\n"));
    let names = ["noise", "full", "pictures", "run", "plain.safetensors", "photo.png", "mine.toml"];
    for entry in fs::read_dir(sandbox.path()).expect("it is readable") {
        let name = entry.expect("an entry").file_name();
        assert!(names.iter().any(|known| name == *known), "a refused command left {name:?}");
    }
    if std::env::var_os("SHADEGRAD_BLESS").is_some() {
        fs::write(table(), written(&cases)).expect("the table is writable");
        return;
    }
    assert!(
        wrong.is_empty(),
        "{} answers are not as in {}:\n{}",
        wrong.len(),
        table().display(),
        wrong.join("\n")
    );
}

/// The text with a word in place of each list that grows with the program.
fn without_lists(mut text: String) -> String {
    let keys = Key::ALL.map(Key::name).join(", ");
    let layers = known_layers().into_iter().map(|layer| layer.example).collect::<Vec<_>>().join(" ");
    for (word, list) in [("PRESETS", presets::NAMES.join(", ")), ("KEYS", keys), ("LAYERS", layers)] {
        text = text.replace(&list, word);
    }
    text
}

/// Without this, the table could not tell whether a command had looked for a device.
#[test]
fn a_command_that_looks_for_a_device_is_noticed() {
    let outcome = run(&Sandbox::new(), "shadegrad devices");
    assert!(outcome.stderr.contains("vulkan") || outcome.stderr.contains("LAYER"), "{outcome:#?}");
}

#[test]
fn every_key_and_every_command_has_its_mistakes() {
    let text = fs::read_to_string(table()).expect("the table is there");
    let cases = cases(&text);
    for key in Key::ALL {
        let (flag, line) = (format!("--{}", key.name()), format!("{} = ", key.name()));
        let is_said = |case: &&Case| case.command.contains(&flag) || key == Key::Preset;
        assert!(cases.iter().any(|case| is_said(&case)), "no mistake with {flag}");
        let is_in_file = |case: &Case| case.file.iter().any(|text| text.trim_start().starts_with(&line));
        assert!(cases.iter().any(is_in_file), "no mistake with {line}in a file");
    }
    let help = crate::cli::support::shadegrad(&["--help"]).stdout;
    let commands = help.split("Commands:\n").nth(1).expect("a list of commands");
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        let command = line.split_whitespace().next().expect("a name");
        let start = format!("shadegrad {command}");
        assert!(cases.iter().any(|case| case.command.contains(&start)), "no mistake with {command}");
    }
}

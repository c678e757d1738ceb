//! The library knows no command line: outside `src/cli/` no string, comment or doc names a flag or
//! a command of the program. What to do about an error is a `Remedy`, which `src/cli/` puts into
//! words.

use std::path::Path;
use std::process::Command;

use crate::architecture::source::{files_below, read};

/// Lines that may name a command, because what they write is for people who read a file: the path
/// below `src/`, and part of the line.
const EXEMPT: &[(&str, &str)] = &[(
    "config/configuration.rs",
    "# The complete configuration of a run: `shadegrad train --config` takes it.",
)];

/// The commands of the program, and those below them: `train`, `data fetch`.
pub fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    for command in listed(&[]) {
        commands.extend(listed(&[&command]).into_iter().map(|below| format!("{command} {below}")));
        commands.push(command);
    }
    assert!(commands.iter().any(|command| command == "train"), "{commands:?}");
    assert!(commands.iter().any(|command| command == "data fetch"), "{commands:?}");
    commands
}

/// What the help of a command lists under `Commands:`.
fn listed(command: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_shadegrad")).args(command).arg("--help").output();
    let help = String::from_utf8(output.expect("the program starts").stdout).expect("help is text");
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = rows.take_while(|line| line.starts_with("  "));
    // Rows that are indented further continue a description.
    let names =
        rows.filter(|line| !line.starts_with("    ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(String::from).collect()
}

/// The flag or command that a line names, if it names one.
fn named(line: &str, commands: &[String]) -> Option<String> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let word = |from: &str| from.chars().take_while(|letter| is_word(*letter)).collect::<String>();
    let flag = line.match_indices("--").find(|(at, _)| {
        let before = line[..*at].chars().next_back();
        let after = line[at + 2..].chars().next();
        !before.is_some_and(is_word) && after.is_some_and(|letter| letter.is_ascii_lowercase())
    });
    if let Some((at, _)) = flag.filter(|_| !line.contains("cargo ")) {
        return Some(word(&line[at..]));
    }
    let is_named = |command: &&String| {
        let starts = [format!("shadegrad {command}"), format!("`{command}")];
        let is_whole = |start: &String, at: usize| !line[at + start.len()..].starts_with(is_word);
        let finds = |start: &String| line.match_indices(start).any(|(at, _)| is_whole(start, at));
        // In backticks, a single word may be a field, a module or a value.
        finds(&starts[0]) || (command.contains(' ') && finds(&starts[1]))
    };
    commands.iter().find(is_named).cloned()
}

#[test]
fn only_the_command_line_names_flags_and_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = ["rs", "toml"].map(|extension| files_below(&root, extension)).concat();
    assert!(files.len() > 100, "only {} files in src/", files.len());
    let commands = commands();
    let (mut complaints, mut exempted) = (Vec::new(), 0);
    for file in files {
        let below = file.strip_prefix(&root).expect("the path starts with the folder");
        let shown = below.to_string_lossy().replace('\\', "/");
        if shown.starts_with("cli/") {
            continue;
        }
        for (index, line) in read(&file).lines().enumerate() {
            if let Some(name) = named(line, &commands) {
                match EXEMPT.iter().any(|(path, part)| *path == shown && line.contains(part)) {
                    true => exempted += 1,
                    false => complaints.push(format!("src/{shown}:{}: {name}: {}", index + 1, line.trim())),
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(exempted, EXEMPT.len(), "an exemption is not needed");
}

/// The search itself finds what it looks for, and nothing that only looks like it.
#[test]
fn the_search_finds_flags_and_commands() {
    let commands = commands();
    for (line, name) in [
        (r#".advise("use --device cpu")"#, "--device"),
        ("/// The value of `--data-dir`.", "--data-dir"),
        ("// see `shadegrad selftest`", "selftest"),
        ("//! Go on with: shadegrad resume RUN", "resume"),
        ("/// The folder in which `data fetch` puts it.", "data fetch"),
    ] {
        assert_eq!(named(line, &commands).as_deref(), Some(name), "{line}");
    }
    for line in [
        "count -= 1; // a---b",
        "//! | --- | --- |",
        "/// `cargo test --test ops` compares them.",
        "//! The `shadegrad` program",
        "/// The module `train` and the crate `shadegrad` train models.",
        "let shadegrad_training = 1;",
        "a--b",
    ] {
        assert_eq!(named(line, &commands), None, "{line}");
    }
}

//! Configuration files that cannot be read. Mistakes in their contents are in the table of commands
//! (`mistakes.txt`).

use crate::cli::support::Sandbox;

#[test]
fn a_file_that_is_none_is_refused() {
    let sandbox = Sandbox::new();
    let refused = |name: &str, why: &str| {
        let outcome = sandbox.run(&["train", "--config", name]);
        outcome.refused(2).because(&[&format!("cannot read {name}: {why}")]);
    };
    refused("missing.toml", "");
    refused(".", "it is a folder");
    sandbox.write("latin1.toml", b"model = \"\xe9\"");
    refused("latin1.toml", "it is not UTF-8 text");
    sandbox.write("huge.toml", vec![b'#'; (1 << 20) + 1]);
    refused("huge.toml", "1048577 bytes are too many");
    sandbox.write("model.safetensors", [0, 159, 146, 150]);
    refused("model.safetensors", "it is not UTF-8 text");
}

#[test]
fn no_file_makes_the_program_panic() {
    let sandbox = Sandbox::new();
    let good = "epochs = 3\nlr = 0.1 # x\nmodel = \"linear:10\"\nshuffle = false\n";
    for cut in 0..good.len() {
        sandbox.write("cut.toml", &good[..cut]);
        let code = sandbox.run(&["config", "show", "--config", "cut.toml"]).code;
        assert!(code == Some(0) || code == Some(2), "{:?}: {code:?}", &good[..cut]);
    }
}

#[test]
fn what_a_message_quotes_is_short_and_on_one_line() {
    let sandbox = Sandbox::new();
    sandbox.write("long.toml", format!("epochs = \"{}\"", "x\u{1b}[31m".repeat(1000)));
    sandbox.run(&["train", "--config", "long.toml"]).refused(2);
    sandbox.write("list.toml", format!("epochs = [\n{}]", "1,\n".repeat(1000)));
    let outcome = sandbox.run(&["train", "--config", "list.toml"]);
    outcome.refused(2).because(&["…"]);
    assert!(outcome.stderr.len() < 400, "{outcome:?}");
    let outcome = sandbox.run(&["train", "\u{1b}[31mred\nline"]);
    outcome.refused(2);
    assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
}

//! The lists of layers and optimizers, wherever a user sees them.

use std::fs;
use std::path::Path;

use shadegrad::nn::known_layers;
use shadegrad::optim::Optimizer;

use crate::cli::support::shadegrad;

/// Compares the README's table under `header` with `rows`, or writes it anew if `SHADEGRAD_BLESS`
/// is set.
fn assert_table(header: &str, rows: impl Iterator<Item = String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).expect("the README is there");
    let (before, rest) = text.split_once(header).expect("the README has the table");
    let end = rest.find("\n\n").expect("a paragraph follows the table") + 1;
    let (found, behind) = rest.split_at(end);
    let table: String = rows.collect();
    if std::env::var_os("SHADEGRAD_BLESS").is_some() {
        fs::write(&path, [before, header, &table, behind].concat()).expect("the README is writable");
        return;
    }
    assert_eq!(
        found, table,
        "a table of the README is out of date; SHADEGRAD_BLESS=1 cargo test --test integration the_readme \
         -- --test-threads=1 writes it"
    );
}

#[test]
fn the_readme_has_the_table_of_all_layers() {
    // A bar would end the cell.
    let row = |layer: shadegrad::nn::KnownLayer| {
        format!("| `{}` | {} |\n", layer.example, layer.summary.replace('|', "\\|"))
    };
    assert_table("| layer | is, in PyTorch |\n| --- | --- |\n", known_layers().into_iter().map(row));
}

#[test]
fn the_readme_has_the_table_of_all_optimizers() {
    let row = |optimizer: Optimizer| {
        let flags = optimizer.hyperparameters().iter().map(|own| format!("`--{}`", own.name));
        let flags = flags.collect::<Vec<_>>().join(", ");
        format!("| `{}` | {} | {flags} |\n", optimizer.name(), optimizer.summary())
    };
    assert_table("| `--optimizer` | follows | has |\n| --- | --- | --- |\n", Optimizer::all().map(row));
}

#[test]
fn help_names_every_layer() {
    let help = shadegrad(&["train", "--help"]).stdout;
    let words: Vec<&str> = help.split_whitespace().collect();
    for layer in known_layers() {
        assert!(words.contains(&layer.example.as_str()), "{} is not in {help}", layer.example);
    }
}

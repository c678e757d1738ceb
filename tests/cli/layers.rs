//! The list of layers, wherever a user sees it.

use std::fs;
use std::path::Path;

use shadegrad::nn::known_layers;

use crate::cli::support::shadegrad;

const HEADER: &str = "| layer | is, in PyTorch |\n| --- | --- |\n";

/// `SHADEGRAD_BLESS=1 cargo test --test cli layers` writes the table anew.
#[test]
fn the_readme_has_the_table_of_all_layers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).expect("the README is there");
    let (before, rest) = text.split_once(HEADER).expect("the README has a table of layers");
    let end = rest.find("\n\n").expect("a paragraph follows the table") + 1;
    let (found, behind) = rest.split_at(end);
    // A bar would end the cell.
    let row = |layer: shadegrad::nn::KnownLayer| {
        format!("| `{}` | {} |\n", layer.example, layer.summary.replace('|', "\\|"))
    };
    let table: String = known_layers().into_iter().map(row).collect();
    if std::env::var_os("SHADEGRAD_BLESS").is_some() {
        fs::write(&path, [before, HEADER, &table, behind].concat()).expect("the README is writable");
        return;
    }
    assert_eq!(
        found, table,
        "the README's table of layers is out of date; SHADEGRAD_BLESS=1 cargo test --test cli layers writes it"
    );
}

#[test]
fn help_names_every_layer() {
    let help = shadegrad(&["train", "--help"]).stdout;
    let words: Vec<&str> = help.split_whitespace().collect();
    for layer in known_layers() {
        assert!(words.contains(&layer.example.as_str()), "{} is not in {help}", layer.example);
    }
}

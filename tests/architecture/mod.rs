//! Architecture rules that the compiler does not check: which module may use which, where an
//! outside crate may be used, and the length of files and comments.

mod graph;
mod paths;
pub mod source;

use std::collections::BTreeSet;
use std::path::Path;

use graph::Graph;
use paths::Paths;
use source::{Module, Source, files_below, read};

/// The modules of the crate, bottom to top. A module may use only those before it.
const RANKS: &[&str] = &[
    "text",
    "remedy",
    "error",
    "failpoint",
    "rng",
    "fs",
    "tensor",
    "kernel",
    "plan",
    "augmentation",
    "data",
    "ops",
    "device",
    "nn",
    "optim",
    "checkpoint",
    "selftest",
    "config",
    "train",
    "run",
    "bench",
    "export",
    "report",
    "dashboard",
    "cli",
    "main",
];

/// Outside crates that are confined to some modules, and the modules where each may be used.
const HOMES: &[(&str, &[&str])] = &[
    ("base64", &["report/"]),
    ("bytemuck", &["plan/", "device/", "checkpoint/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("console", &["cli/"]),
    ("crc32c", &["run/"]),
    ("etcetera", &["fs/"]),
    ("flate2", &["data/"]),
    ("fs4", &["fs/"]),
    ("half", &["device/gpu/"]),
    ("httparse", &["dashboard/"]),
    ("image", &["data/"]),
    // Downloads and image loading show their own progress.
    ("indicatif", &["cli/", "data/"]),
    ("jiff", &["run/"]),
    ("libc", &["cli/"]),
    ("libm", &["ops/"]),
    ("log", &["data/"]),
    // Kernels with named registers, and the page of a run.
    ("minijinja", &["ops/matmul/", "report/"]),
    ("png", &["report/"]),
    ("pollster", &["device/gpu/"]),
    // ONNX files and TensorBoard event files.
    ("prost", &["export/", "run/"]),
    ("pulp", &["ops/"]),
    ("rand", &["rng.rs", "train/"]),
    ("rand_distr", &["nn/"]),
    ("rayon", &["ops/", "device/cpu.rs", "data/"]),
    ("safetensors", &["checkpoint/", "export/"]),
    ("sha2", &["data/", "device/gpu/"]),
    ("signal_hook", &["cli/"]),
    ("strsim", &["text/"]),
    ("sysinfo", &["device/"]),
    ("tar", &["data/"]),
    ("toml", &["config/"]),
    ("ureq", &["data/"]),
    ("wgpu", &["device/gpu/"]),
];

/// Outside crates that may be used everywhere: types that are stored in files derive their own
/// serialisation.
const EVERYWHERE: &[&str] = &["serde", "serde_json"];

/// Maximum number of lines of a source file.
const MOST_LINES: usize = 450;

/// Maximum number of columns of a comment.
const MOST_COLUMNS: usize = 100;

/// Maximum number of files directly in `src/`.
const MOST_FILES: usize = 8;

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn rank(room: &str) -> Option<usize> {
    RANKS.iter().position(|ranked| *ranked == room)
}

/// Returns uses of a module that does not come before the module that uses it.
fn upward(graph: &Graph<'_>) -> Vec<String> {
    let room = |index: usize| graph.sources[index].room();
    let is_upward = |from: &str, to: &str| from != to && rank(to) >= rank(from);
    let found = graph.uses.iter().filter(|used| is_upward(room(used.from), room(used.to)));
    found.map(|used| format!("{}: {} stands above", used.place, room(used.to))).collect()
}

fn strays(source: &Source, paths: &Paths) -> Vec<String> {
    let is_at_home = |crate_name: &str| {
        let homes = HOMES.iter().find(|(outside, _)| *outside == crate_name);
        homes.is_none_or(|(_, homes)| homes.iter().any(|home| source.path.starts_with(home)))
    };
    let found = paths.outside.iter().filter(|named| !is_at_home(&named.parts[0]));
    found.map(|named| format!("src/{}:{}: {}", source.path, named.line, named.parts.join("::"))).collect()
}

#[test]
fn modules_use_only_what_stands_below_them() {
    let sources = source::all();
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).filter(|room| *room != "lib").collect();
    let ranked: BTreeSet<&str> = RANKS.iter().copied().collect();
    assert_eq!(rooms, ranked, "RANKS lists every module of the crate, and no other");
    assert_none(&upward(&Graph::of(&sources)));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let sources = source::all();
    let circles = Graph::of(&sources).circles();
    assert_none(&circles.iter().map(|circle| circle.join(" <-> ")).collect::<Vec<_>>());
}

#[test]
fn outside_crates_stay_at_home() {
    let sources = source::all();
    let modules: BTreeSet<Module> = sources.iter().map(Source::module).collect();
    let complaints = sources.iter().flat_map(|source| strays(source, &Paths::of(source, &modules)));
    assert_none(&complaints.collect::<Vec<_>>());
}

#[test]
fn every_outside_crate_has_a_home() {
    let manifest = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let names = |table: Option<&toml::Value>| -> Vec<String> {
        let names = table.and_then(toml::Value::as_table).into_iter().flat_map(|table| table.keys());
        names.map(|name| name.replace('-', "_")).collect()
    };
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let mut listed = names(manifest.get("dependencies"));
    listed.extend(targets.flat_map(|(_, target)| names(target.get("dependencies"))));
    listed.sort();
    let mut homes: Vec<_> = HOMES.iter().map(|(name, _)| *name).chain(EVERYWHERE.iter().copied()).collect();
    homes.sort_unstable();
    assert_eq!(listed, homes, "HOMES and EVERYWHERE list every dependency, and no other");
}

#[test]
fn files_stay_short_and_few_lie_in_the_hall() {
    let sources = source::all();
    let lines = |source: &Source| source.text.lines().count();
    let too_long = sources.iter().filter(|source| lines(source) > MOST_LINES);
    let too_long = too_long.map(|source| format!("src/{} has {} lines", source.path, lines(source)));
    assert_none(&too_long.collect::<Vec<_>>());
    let hall: Vec<_> =
        sources.iter().map(|source| source.path.as_str()).filter(|path| !path.contains('/')).collect();
    assert!(hall.len() <= MOST_FILES, "{} files lie directly in src/: {}", hall.len(), hall.join(", "));
}

#[test]
fn comments_fit_in_the_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [("src", "rs"), ("tests", "rs"), ("benches", "rs"), ("shaders", "wgsl"), ("shaders", "j2")];
    let mut complaints = Vec::new();
    for path in folders.iter().flat_map(|(folder, extension)| files_below(&root.join(folder), extension)) {
        for (index, line) in read(&path).lines().enumerate() {
            let columns = line.chars().count();
            // The line with the files of a kernel is read by the build script.
            let is_comment = line.trim_start().starts_with("//") && !line.starts_with("// kernel ");
            if is_comment && columns > MOST_COLUMNS {
                complaints.push(format!("{}:{}: {columns} columns", path.display(), index + 1));
            }
        }
    }
    assert_none(&complaints);
}

/// Tests of the search: it finds every way to name a module, and nothing else.
#[test]
fn the_search_finds_every_way_to_name_a_module() {
    let found = |text: &str| -> Vec<String> {
        let sources = [
            Source::of("ops/relu.rs", text),
            Source::of("ops/mod.rs", "pub mod relu; pub use crate::plan::Op;"),
            Source::of("plan.rs", "pub struct Op;"),
            Source::of("cli/train.rs", ""),
        ];
        let graph = Graph::of(&sources);
        graph.uses.iter().map(|used| graph.sources[used.to].path.clone()).collect()
    };
    for text in [
        "use crate::cli::train;",
        "use crate::{plan as _p, cli::{self, train::run}};",
        "use super::super::cli::train::run;",
        "fn f() { crate::cli::train::run() }",
        "fn f(x: &crate::cli::train::X) {}",
        "fn f() { assert!(x.is(crate::cli::train::Y)) }",
        "mod inner { fn f() { crate::cli::train::run() } }",
        "impl crate::cli::train::Run for X {}",
        "#[command(help = crate::cli::train::HELP)] struct X;",
    ] {
        assert!(found(text).contains(&"cli/train.rs".into()), "{text}: {:?}", found(text));
    }
    // A re-exported item counts for the module that defines it.
    assert_eq!(found("use super::Op;"), ["plan.rs"]);
    assert_eq!(found("use crate::ops::{Op, relu};"), ["plan.rs"]);
    for text in [
        "pub(in crate::cli::train) fn f() {}",
        "#[cfg(test)] mod tests { use crate::cli::train; }",
        "/// crate::cli::train\nfn f() { g(\"crate::cli::train\") }",
        "use clients::cli::train;",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

/// Tests of the rules: each one rejects a violation.
#[test]
fn what_breaks_a_rule_is_refused() {
    let low = Source::of("tensor/mod.rs", "use crate::cli::train;");
    let high = Source::of("cli/train.rs", "use crate::tensor::Tensor;");
    let sources = [low, high];
    let graph = Graph::of(&sources);
    assert_eq!(upward(&graph), ["src/tensor/mod.rs:1: crate::cli::train: cli stands above"]);
    assert_eq!(graph.circles(), [["tensor/mod.rs", "cli/train.rs"]]);

    let modules = BTreeSet::new();
    let text = "use {png::Encoder, std::fmt}; fn f() { wgpu::x(vec![wgpu::Limits::default()]) }";
    let stray = Source::of("ops/relu.rs", text);
    let complaints = strays(&stray, &Paths::of(&stray, &modules));
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    let at_home = Source::of("device/gpu/x.rs", "use wgpu::Device;");
    assert!(strays(&at_home, &Paths::of(&at_home, &modules)).is_empty());
}

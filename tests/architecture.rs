//! The house rules that a compiler does not know: who may use what, and how long a file may be.

use std::path::{Path, PathBuf};

/// Outside crates that would spread if nobody looked, and their homes under `src/`.
const HOMES: &[(&str, &[&str])] = &[
    ("wgpu", &["device/gpu/"]),
    ("pollster", &["device/gpu/"]),
    ("half", &["device/gpu/"]),
    ("clap", &["cli/", "main.rs"]),
    ("clap_complete", &["cli/", "main.rs"]),
    ("indicatif", &["cli/", "data/"]),
    ("console", &["cli/"]),
    ("flate2", &["data/"]),
    ("tar", &["data/"]),
    ("ureq", &["data/"]),
    // Shaders whose registers need names, and the page that a run is shown in.
    ("minijinja", &["ops/matmul/", "report/"]),
    ("png", &["report/"]),
    ("base64", &["report/"]),
    ("httparse", &["dashboard/"]),
    ("prost", &["run/", "export/"]),
    ("crc32c", &["run/"]),
    ("gemm", &["ops/", "device/cpu.rs", "data/"]),
    ("rayon", &["ops/", "device/cpu.rs", "data/"]),
    ("pulp", &["ops/", "device/cpu.rs", "data/"]),
    ("safetensors", &["export/", "run/"]),
    ("image", &["data/"]),
    ("fs4", &["disk.rs"]),
    ("libm", &["train/"]),
    ("libc", &["cli/"]),
    ("sysinfo", &["device/"]),
];

/// What a module must not know, because it knows the module. The arrows point from `main` down:
/// cli, train, model and layers, ops, plan, tensor; devices read plans and ops.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("error", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
    ("disk", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
    ("atomic", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
    ("tensor", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
    ("kernel", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
    ("plan", &["cli", "train", "run", "model", "layers", "optim", "device", "data"]),
    ("host", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "data"]),
    ("ops", &["cli", "train", "run", "model", "layers", "optim", "device", "data"]),
    ("device", &["cli", "train", "run", "model", "layers", "optim", "data"]),
    ("data", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan"]),
    ("layers", &["cli", "train", "run", "model", "device", "data"]),
    ("model", &["cli", "train", "device"]),
    ("export", &["cli", "bench", "train", "device", "ops", "report", "dashboard"]),
    ("run", &["cli", "export", "device", "ops", "report", "dashboard"]),
    ("train", &["cli", "bench", "export", "report", "dashboard"]),
    ("report", &["cli", "bench", "dashboard", "export", "model", "layers", "optim", "ops", "plan"]),
    ("dashboard", &["cli", "bench", "device", "data", "export", "model", "layers", "optim", "ops", "plan"]),
    ("bench", &["cli", "selftest"]),
    ("selftest", &["cli", "train", "run", "bench", "model", "layers", "optim", "data", "report"]),
    ("draft", &["cli", "train", "run", "bench", "model", "layers", "optim", "device", "data"]),
    ("mishap", &["cli", "train", "run", "model", "layers", "optim", "device", "ops", "plan", "data"]),
];

const MOST_LINES: usize = 450;

struct File {
    /// Below `src/`, with `/` on every system.
    path: String,
    text: String,
}

impl File {
    /// Lines that are no comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// `ops` for `ops/relu.rs` and for `ops.rs`.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().expect("a path has a first part");
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

fn source_files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    assert!(files.len() > 20, "only {} files in src/", files.len());
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    let entries = std::fs::read_dir(folder).expect("src/ can be listed");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of src/").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below = path.strip_prefix(root).expect("the path starts with the folder");
            let parts: Vec<_> = below.iter().map(|part| part.to_str().expect("a plain name")).collect();
            let text = std::fs::read_to_string(&path).expect("a source file can be read");
            files.push(File { path: parts.join("/"), text });
        }
    }
}

/// Whether a line of code uses `name` as the beginning of a path: `name::` or `use name;`.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + name.len()..];
        let starts = !before.is_some_and(|letter| letter.is_alphanumeric() || "_:".contains(letter));
        starts && (after.starts_with("::") || line == format!("use {name};"))
    })
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn outside_crates_stay_at_home() {
    let mut complaints = Vec::new();
    for file in source_files() {
        for (outside, homes) in HOMES {
            if homes.iter().any(|home| file.path.starts_with(home)) {
                continue;
            }
            let strays = file.code().filter(|(_, line)| names(line, outside));
            complaints.extend(strays.map(|(number, line)| {
                format!("src/{}:{number}: {outside} belongs in {homes:?}: {line}", file.path)
            }));
        }
    }
    assert_none(&complaints);
}

#[test]
fn modules_know_only_what_lies_below_them() {
    let mut complaints = Vec::new();
    for file in source_files() {
        let rules = FORBIDDEN.iter().filter(|(module, _)| *module == file.module());
        for other in rules.flat_map(|(_, others)| others.iter()) {
            let path = format!("crate::{other}");
            let broken = file.code().filter(|(_, line)| names(line, &path));
            complaints.extend(
                broken.map(|(number, line)| {
                    format!("src/{}:{number}: must not know {path}: {line}", file.path)
                }),
            );
        }
    }
    assert_none(&complaints);
}

#[test]
fn files_stay_short() {
    let too_long = source_files().into_iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > MOST_LINES).then(|| format!("src/{} has {lines} lines", file.path))
    });
    assert_none(&too_long.collect::<Vec<_>>());
}

/// The search itself: it must find what it looks for, and nothing that only looks like it.
#[test]
fn the_search_finds_uses_and_only_uses() {
    for line in ["use wgpu::Device;", "let x = wgpu::Limits::default();", "use wgpu;", "f(&wgpu::A)"] {
        assert!(names(line, "wgpu"), "{line}");
    }
    for line in ["use my_wgpu::Device;", "crate::wgpu::x()", "wgpus::x()", "let wgpu = 1;"] {
        assert!(!names(line, "wgpu"), "{line}");
    }
    assert!(names("use crate::plan::Op;", "crate::ops"));
    assert!(!names("use crate::options::Op;", "crate::ops"));
}

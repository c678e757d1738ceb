//! The parsed source files of the crate, and their modules.

use std::path::{Path, PathBuf};

/// The path of a module, such as `["ops", "relu"]`. That of the crate root is empty.
pub type Module = Vec<String>;

/// A file below `src/`.
pub struct Source {
    /// Path below `src/`, with `/` on every system.
    pub path: String,
    /// The text of the file.
    pub text: String,
    /// The parsed file.
    pub syntax: syn::File,
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("src/{path}: {error}"));
        Source { path, text, syntax }
    }

    /// Creates a file that is not on the disk, for tests of the rules.
    pub fn of(path: &str, text: &str) -> Self {
        Source::new(path.into(), text.into())
    }

    /// Returns the module of the file: `["ops", "relu"]` for `ops/relu.rs`, `["ops"]` for
    /// `ops/mod.rs`.
    pub fn module(&self) -> Module {
        let mut parts: Module = self.path.trim_end_matches(".rs").split('/').map(Into::into).collect();
        if parts.last().is_some_and(|last| last == "mod") || self.path == "lib.rs" {
            parts.pop();
        }
        parts
    }

    /// Returns the top-level module of the file: `ops` for `ops/relu.rs`.
    pub fn room(&self) -> &str {
        let first = self.path.split('/').next().expect("a path has a first part");
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// Returns all files below `src/`, sorted by path.
pub fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    for path in files_below(&root, "rs") {
        let below = path.strip_prefix(&root).expect("the path starts with the folder");
        let parts: Vec<_> = below.iter().map(|part| part.to_str().expect("a plain name")).collect();
        sources.push(Source::new(parts.join("/"), read(&path)));
    }
    assert!(!sources.is_empty(), "there are no files in src/");
    sources
}

/// Reads a file of the repository.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the files below `folder` with this extension, sorted.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let below = |path: PathBuf| match path.is_dir() {
        true => files_below(&path, extension),
        false if path.extension().is_some_and(|found| found == extension) => vec![path],
        false => Vec::new(),
    };
    paths.into_iter().flat_map(below).collect()
}

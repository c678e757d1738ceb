//! Paths of a configuration that do not depend on the current folder.

use std::path::{Component, Path, PathBuf};

use super::{Config, Init};
use crate::data::catalogue::Catalogue;

impl Config {
    /// Returns the configuration with absolute paths, so that a run can be resumed from any folder.
    #[must_use]
    pub fn with_absolute_paths(self) -> Self {
        let init = match self.init {
            Init::File(path) => Init::File(absolute(&path)),
            rule @ Init::Rule(_) => rule,
        };
        Config { data: absolute_data(&self.data), init, ..self }
    }
}

/// Returns the name of a known data set unchanged, and any other text as an absolute path.
pub fn absolute_data(name_or_folder: &str) -> String {
    if Catalogue::built_in().find(name_or_folder).is_some() {
        return name_or_folder.into();
    }
    // A configuration is text. If the current folder's name is not valid UTF-8, the path stays
    // relative.
    let absolute = absolute(Path::new(name_or_folder)).into_os_string().into_string();
    absolute.unwrap_or_else(|_| name_or_folder.into())
}

fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    // `run/../flowers` is no longer valid once the run is moved.
    let leads_up = absolute.components().any(|part| part == Component::ParentDir);
    if leads_up { absolute.canonicalize().unwrap_or(absolute) } else { absolute }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_absolute_and_names_stay_names() {
        let here = std::env::current_dir().expect("there is one");
        for name in ["mnist", "fashion-mnist", "cifar10", "cifar100"] {
            assert_eq!(absolute_data(name), name);
        }
        for folder in ["flowers", "./mnist", "a/b c", "../flowers", "src/../tests"] {
            let found = PathBuf::from(absolute_data(folder));
            assert!(found.is_absolute(), "{folder}: {}", found.display());
            assert_eq!(absolute_data(&absolute_data(folder)), absolute_data(folder), "{folder}");
        }
        assert_eq!(PathBuf::from(absolute_data("./a/b c")), here.join("a/b c"));
        assert!(!absolute_data("src/../tests").contains(".."));
    }
}

//! Paths of a configuration that mean the same from every current folder.

use std::path::{Component, Path, PathBuf};

use super::{Config, Init};
use crate::data::catalogue::Catalogue;

impl Config {
    /// The same with absolute paths, so that a run can be resumed from every current folder.
    pub fn with_absolute_paths(self) -> Self {
        let init = match self.init {
            Init::File(path) => Init::File(absolute(&path)),
            rule @ Init::Rule(_) => rule,
        };
        Config { data: absolute_data(&self.data), init, ..self }
    }
}

/// The name of a known data set as it is, or else the absolute path of a folder.
pub fn absolute_data(name_or_folder: &str) -> String {
    if Catalogue::built_in().find(name_or_folder).is_some() {
        return name_or_folder.into();
    }
    // A configuration is text: a current folder whose name is none leaves the path as it is.
    let absolute = absolute(Path::new(name_or_folder)).into_os_string().into_string();
    absolute.unwrap_or_else(|_| name_or_folder.into())
}

fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    // `run/../flowers` is no place any more once the run is moved.
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

//! The files that a run was trained on: their number and a single hash over all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::catalogue::Form;
use crate::data::hash::{Hasher, fingerprint};
use crate::data::{Dataset, Search, Wanted, load};
use crate::error::{Error, Result};

/// Maximum number of files that are listed individually.
const MOST_LISTED: usize = 8;

/// The files of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Recorded")]
pub struct DataFiles {
    /// Number of files.
    pub count: usize,
    /// SHA-256 over the sorted SHA-256 of the files, one per line. It is the output of `sha256sum
    /// FILES | cut -c -64 | sort | sha256sum`.
    pub sha256: String,
    /// The folder that contains them.
    pub folder: Option<String>,
    /// SHA-256 of each file by path. Empty if there are many files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

/// The forms in which `run.json` records them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Recorded {
    Counted {
        count: usize,
        sha256: String,
        folder: Option<String>,
        #[serde(default)]
        files: BTreeMap<String, String>,
    },
    /// Runs of version 0.1 before December 2026 list every file with its hash.
    Listed(BTreeMap<String, String>),
}

impl From<Recorded> for DataFiles {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Counted { count, sha256, folder, files } => DataFiles { count, sha256, folder, files },
            Recorded::Listed(files) => DataFiles::new(files.into_iter().collect(), common_folder),
        }
    }
}

impl DataFiles {
    /// Hashes the files of the data set `data`, which is a name or a folder.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if a file cannot be read.
    pub fn read(data: &str, files: &[PathBuf]) -> Result<Self> {
        Ok(DataFiles::new(hashes(files)?, |files| {
            // A run records absolute paths, even if its folder was given as a relative path.
            let absolute = |path: &str| std::path::absolute(path).unwrap_or_else(|_| path.into());
            let folder = absolute(data);
            let inside = files.iter().all(|(file, _)| absolute(file).starts_with(&folder));
            if inside { Some(data.into()) } else { common_folder(files) }
        }))
    }

    fn new(files: Vec<(String, String)>, folder: impl FnOnce(&[(String, String)]) -> Option<String>) -> Self {
        let mut hashes: Vec<_> = files.iter().map(|(_, sha256)| sha256.as_str()).collect();
        hashes.sort_unstable();
        let mut all = Hasher::default();
        for sha256 in hashes {
            all.update(sha256.as_bytes());
            all.update(b"\n");
        }
        let folder = folder(&files).map(|folder| {
            // The run may be inspected from another folder than the one it was started in.
            std::path::absolute(&folder).map_or(folder, |folder| folder.display().to_string())
        });
        let (count, sha256) = (files.len(), all.finish().sha256);
        let files = if count <= MOST_LISTED { files.into_iter().collect() } else { BTreeMap::new() };
        DataFiles { count, sha256, folder, files }
    }

    /// Returns the folders in which to search a known data set: `data_dir`, which the user gave,
    /// then the one that contained the files, if it still exists.
    pub(super) fn search_folders(&self, data_dir: Option<&Path>) -> impl Iterator<Item = PathBuf> {
        let found = self.folder.as_ref().map(PathBuf::from).filter(|folder| folder.is_dir());
        data_dir.map(PathBuf::from).into_iter().chain(found)
    }

    /// Loads the run's data set `data` from the first place where it has the recorded contents: a
    /// known set from `data_dir`, the folder that contained it or the usual places, a folder from
    /// the recorded path or the configured one.
    ///
    /// # Errors
    /// As [`load_from`](DataFiles::load_from) for the last place.
    pub fn find(&self, data: &str, data_dir: Option<&Path>, wanted: &Wanted) -> Result<Dataset> {
        let is_known = Search::from_environment(None).catalogue.find(data).is_some();
        let places: Vec<_> = if is_known {
            self.search_folders(data_dir).map(|folder| (data, Some(folder))).collect()
        } else {
            self.folder.iter().map(|folder| (&**folder, None)).collect()
        };
        let found = places.into_iter().find_map(|(data, folder)| self.load_from(data, folder, wanted).ok());
        found.map_or_else(|| self.load_from(data, None, wanted), Ok)
    }

    /// Loads the data set `data`, which must have the recorded contents. A known set is searched
    /// only in `data_dir`, if it is given.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) if the data set is missing or its contents
    /// differ, [`ErrorKind::Io`](crate::ErrorKind::Io) if a file cannot be read.
    pub fn load_from(&self, data: &str, data_dir: Option<PathBuf>, wanted: &Wanted) -> Result<Dataset> {
        let dataset = load(data, &Search::from_environment(data_dir), wanted)?.as_recorded(self.count);
        self.check(&dataset.files)?;
        Ok(dataset)
    }

    /// Checks that `files` have the same contents. Their location may differ.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) if they do not,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if a file cannot be read.
    pub fn check(&self, files: &[PathBuf]) -> Result<()> {
        let now = DataFiles::new(hashes(files)?, |_| None);
        if (now.count, &now.sha256) == (self.count, &self.sha256) {
            return Ok(());
        }
        let is_new = |(_, sha256): &(&String, &String)| !self.files.values().any(|old| old == *sha256);
        let what = match now.files.iter().find(is_new) {
            _ if now.count != self.count => {
                format!("the run was trained on {} files, and the data set has {}", self.count, now.count)
            }
            Some((file, _)) => format!("{file} differs from the file that the run was trained on"),
            None => format!(
                "the contents of the data set's {} files differ from those that the run was trained on",
                self.count
            ),
        };
        Err(Error::data(what).advise("restore the original data, or start a new run"))
    }
}

/// Returns the path and SHA-256 of each file.
fn hashes(files: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let hash = |file: &PathBuf| Ok((file.display().to_string(), fingerprint(file, Form::AsIs)?.sha256));
    files.iter().map(hash).collect()
}

/// Returns the folder that contains all files, if it is the same for all.
fn common_folder(files: &[(String, String)]) -> Option<String> {
    let mut folders = files.iter().map(|(file, _)| Path::new(file).parent());
    let first = folders.next()??;
    folders.all(|folder| folder == Some(first)).then(|| first.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a folder with files of these contents, and the files.
    fn folder_of(contents: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |(index, text): (usize, &&str)| {
            let path = folder.path().join(format!("{index:03}"));
            std::fs::write(&path, text).expect("it is writable");
            path
        };
        let files = contents.iter().enumerate().map(write).collect();
        (folder, files)
    }

    fn read(files: &[PathBuf]) -> DataFiles {
        DataFiles::read("somewhere", files).expect("they are readable")
    }

    /// Computed with `printf abc > a; printf '' > b; sha256sum a b | cut -c -64 | sort |
    /// sha256sum`.
    #[test]
    fn the_hash_is_what_sha256sum_makes_of_the_files_in_any_order() {
        let (_folder, mut files) = folder_of(&["abc", ""]);
        let expected = "ff481ce4c9482a1350469a8ff263915d6a478123e3a0c03f6eba5cb3e38a150f";
        assert_eq!(read(&files).sha256, expected);
        files.reverse();
        assert_eq!(read(&files).sha256, expected);
    }

    #[test]
    fn few_files_are_listed_and_many_are_counted() {
        for (count, listed) in [(1, 1), (8, 8), (9, 0), (300, 0)] {
            let texts: Vec<_> = (0..count).map(|index| index.to_string()).collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let (_folder, files) = folder_of(&texts);
            let found = read(&files);
            assert_eq!((found.count, found.files.len()), (count, listed));
            let json = serde_json::to_string(&found).expect("plain values");
            assert_eq!(serde_json::from_str::<DataFiles>(&json).expect("it was written so"), found);
            assert!(count <= MOST_LISTED || json.len() < 300, "{json}");
        }
    }

    #[test]
    fn changed_files_are_told_from_files_that_only_moved() {
        for count in [3, 20] {
            let texts: Vec<_> = (0..count).map(|index| index.to_string()).collect();
            let mut texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let (_folder, files) = folder_of(&texts);
            let recorded = read(&files);
            let (_other, moved) = folder_of(&texts);
            recorded.check(&moved).expect("the contents are the same");
            let fewer = recorded.check(&moved[1..]).expect_err("one is gone").to_string();
            assert!(fewer.contains(&format!("{count} files, and the data set has {}", count - 1)), "{fewer}");
            texts[1] = "changed";
            let (_changed, files) = folder_of(&texts);
            let error = recorded.check(&files).expect_err("one has changed");
            assert_eq!(error.kind(), crate::ErrorKind::Data);
            let named = error.to_string().contains(&files[1].display().to_string());
            assert_eq!(named, count <= MOST_LISTED, "{error}");
            assert!(error.to_string().contains("that the run was trained on"), "{error}");
        }
    }

    #[test]
    fn the_folder_is_the_one_that_was_named_or_the_one_that_has_the_files() {
        let (folder, files) = folder_of(&["1", "2"]);
        let inside = folder.path().join("a");
        std::fs::create_dir(&inside).expect("it is new");
        let [one, two] = [inside.join("000"), folder.path().join("001")];
        std::fs::rename(&files[0], &one).expect("both are there");
        let of = |data: &Path, files: &[&PathBuf]| {
            let files: Vec<_> = files.iter().map(|file| file.to_path_buf()).collect();
            DataFiles::read(&data.display().to_string(), &files).expect("they are readable").folder
        };
        let shown = |path: &Path| Some(path.display().to_string());
        assert_eq!(of(folder.path(), &[&one]), shown(folder.path()));
        assert_eq!(of(Path::new("cifar10"), &[&one]), shown(&inside));
        assert_eq!(of(Path::new("cifar10"), &[&one, &two]), None);
    }

    #[test]
    fn records_of_the_version_before_are_understood() {
        let (folder, files) = folder_of(&["abc", "", "x"]);
        let now = DataFiles::read("mnist", &files).expect("they are readable");
        let old = serde_json::to_string(&now.files).expect("plain values");
        let found: DataFiles = serde_json::from_str(&old).expect("it is a list of files");
        assert_eq!(found, now);
        assert_eq!(found.folder, Some(folder.path().display().to_string()));
        for broken in ["[]", "3", r#"{"count": 3}"#, r#"{"a": null}"#] {
            assert!(serde_json::from_str::<DataFiles>(broken).is_err(), "{broken}");
        }
    }
}

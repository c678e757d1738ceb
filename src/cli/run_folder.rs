//! The folder that records a run: always a new or empty one.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::run::clock;
use crate::run::{Record, State};

/// Parent folder of runs without `--out`.
const RUNS: &str = "runs";

/// Maximum number of runs with the same name in the same second.
const MOST_OF_A_NAME: u32 = 1000;

#[derive(Debug)]
pub(super) enum RunFolder {
    Given(PathBuf),
    /// A new folder. A number is appended to its name if the name is taken.
    New(PathBuf),
}

impl RunFolder {
    /// Checks the folder of `--out`, or makes up a folder name that contains `name`.
    pub(super) fn plan(asked: Option<PathBuf>, name: &str) -> Result<Self> {
        match asked {
            Some(folder) => check_empty(&folder).map(|()| RunFolder::Given(folder)),
            None => {
                let name = format!("{}-{}", clock::now(clock::FILE_NAME), plain(name));
                Ok(RunFolder::New(Path::new(RUNS).join(name)))
            }
        }
    }

    pub(super) fn create(self) -> Result<PathBuf> {
        let failed = |folder: &Path, cause: &std::io::Error| {
            Error::io(format!("create the folder {}", folder.display()), cause)
                .advise("choose another folder with --out")
        };
        let wanted = match self {
            RunFolder::Given(folder) => {
                std::fs::create_dir_all(&folder).map_err(|cause| failed(&folder, &cause))?;
                return Ok(folder);
            }
            RunFolder::New(wanted) => wanted,
        };
        std::fs::create_dir_all(RUNS).map_err(|cause| failed(Path::new(RUNS), &cause))?;
        let mut folder = wanted.clone();
        for number in 2..MOST_OF_A_NAME {
            // Unlike a check beforehand, this cannot give the same folder to two runs.
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(cause) if cause.kind() == IoErrorKind::AlreadyExists => {
                    folder = PathBuf::from(format!("{}-{number}", wanted.display()));
                }
                Err(cause) => return Err(failed(&folder, &cause)),
            }
        }
        Err(Error::usage(format!("{} and all numbered variants of it already exist", wanted.display()))
            .advise("choose another folder with --out"))
    }
}

fn check_empty(folder: &Path) -> Result<()> {
    let shown = folder.display();
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(taken(folder)),
        },
        Err(cause) if cause.kind() == IoErrorKind::NotFound => Ok(()),
        Err(cause) if cause.kind() == IoErrorKind::NotADirectory => {
            Err(Error::usage(format!("--out {shown}: must be a folder, not a file"))
                .advise("choose another, or leave out --out for a new one in runs/"))
        }
        Err(cause) => {
            Err(Error::io(format!("read {shown}"), &cause).advise("choose another folder with --out"))
        }
    }
}

/// Returns the error for a folder that is not empty: it has a run, which can be resumed, or
/// something else.
fn taken(folder: &Path) -> Error {
    let shown = folder.display();
    let Ok(record) = Record::read(folder) else {
        return Error::usage(format!("--out {shown}: must be a new or empty folder"))
            .advise("choose another, or leave out --out for a new one in runs/");
    };
    let (what, flags) = match record.state {
        Some(State::Finished) => ("a finished run", " --epochs N"),
        Some(State::Diverged) => ("a run that diverged", " --lr X"),
        Some(State::Stopped | State::Failed) => ("a run that was interrupted", ""),
        // A killed process could not record that it ended.
        Some(State::Running) => ("a run that is training or was interrupted", ""),
        None => ("a run", ""),
    };
    Error::usage(format!("--out {shown}: already holds {what}"))
        .advise(format!("continue it with: shadegrad resume {shown}{flags}; or choose another folder"))
}

/// Converts `name` into a part of a file name that every system allows.
fn plain(name: &str) -> String {
    let last = Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned());
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let plain = |character| if is_plain(character) { character } else { '-' };
    last.unwrap_or_else(|| "data".into()).chars().map(plain).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_file_names() {
        assert_eq!(plain("fashion-mnist"), "fashion-mnist");
        assert_eq!(plain("../my flowers:2"), "my-flowers-2");
        assert_eq!(plain(".."), "data");
    }
}

//! Where a run is recorded: a folder of its own, never one that holds something.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::run::State;
use crate::run::clock::Moment;
use crate::run::record::Record;

/// Where runs without a folder of their own go.
const RUNS: &str = "runs";

/// Most runs of one name in one second.
const MOST_OF_A_NAME: u32 = 1000;

/// A folder that a run may have.
#[derive(Debug)]
pub(super) enum RunFolder {
    /// The one that was asked for.
    Given(PathBuf),
    /// A new one, by this name if that is free.
    New(PathBuf),
}

impl RunFolder {
    /// Checks the folder that was asked for, or thinks of one; `name` says what is trained.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the folder holds something.
    pub(super) fn plan(asked: Option<PathBuf>, name: &str) -> Result<Self> {
        match asked {
            Some(folder) => check_empty(&folder).map(|()| RunFolder::Given(folder)),
            None => {
                let name = format!("{}-{}", Moment::now().for_file_names(), plain(name));
                Ok(RunFolder::New(Path::new(RUNS).join(name)))
            }
        }
    }

    /// Makes the folder.
    pub(super) fn create(self) -> Result<PathBuf> {
        let failed = |folder: &Path, cause: &std::io::Error| {
            Error::io(format!("make the folder {}", folder.display()), cause)
                .advise("choose another with --out")
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
            // Unlike a look first, this cannot give one folder to two runs.
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(cause) if cause.kind() == IoErrorKind::AlreadyExists => {
                    folder = PathBuf::from(format!("{}-{number}", wanted.display()));
                }
                Err(cause) => return Err(failed(&folder, &cause)),
            }
        }
        Err(Error::usage(format!("{} and all its numbers are taken", wanted.display()))
            .advise("choose another with --out"))
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
            Err(Error::io(format!("look into {shown}"), &cause).advise("choose another with --out"))
        }
    }
}

/// The error for a folder that holds something: a run, which can be resumed, or anything else.
fn taken(folder: &Path) -> Error {
    let shown = folder.display();
    let Ok(record) = Record::read(folder) else {
        return Error::usage(format!("--out {shown}: must be a new or an empty folder"))
            .advise("choose another, or leave out --out for a new one in runs/");
    };
    let (what, flags) = match record.state {
        Some(State::Finished) => ("a finished run", " --epochs N"),
        Some(State::Diverged) => ("a run that diverged", " --lr X"),
        Some(State::Stopped | State::Failed) => ("a run that was interrupted", ""),
        // Nobody is left to say that a process was killed.
        Some(State::Running) => ("a run that is training or was interrupted", ""),
        None => ("a run", ""),
    };
    Error::usage(format!("--out {shown}: already holds {what}"))
        .advise(format!("continue it with: shadegrad resume {shown}{flags}; or choose another folder"))
}

/// `name` as part of a file name on every system.
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

//! Where a run is recorded: a folder of its own, never one that holds something.

use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

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
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let name = format!("{}-{}", utc(since.as_secs()), plain(name));
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
            Some(_) => Err(Error::usage(format!("--out {shown}: must be a new or an empty folder"))
                .advise("choose another, or leave --out out for a new one in runs/")),
        },
        Err(cause) if cause.kind() == IoErrorKind::NotFound => Ok(()),
        Err(cause) if cause.kind() == IoErrorKind::NotADirectory => {
            Err(Error::usage(format!("--out {shown}: must be a folder, not a file"))
                .advise("choose another, or leave --out out for a new one in runs/"))
        }
        Err(cause) => {
            Err(Error::io(format!("look into {shown}"), &cause).advise("choose another with --out"))
        }
    }
}

/// `name` as part of a file name on every system.
fn plain(name: &str) -> String {
    let last = Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned());
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let plain = |character| if is_plain(character) { character } else { '-' };
    last.unwrap_or_else(|| "data".into()).chars().map(plain).take(40).collect()
}

/// `20260131-235959`, of seconds since 1970 in UTC.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Year, month and day of a day counted from 1970-01-01. Years begin in March here, so that the leap
/// day is the last of its year (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_709_251_200, "20240301-000000"),
            (1_767_225_599, "20251231-235959"),
            (4_107_542_400, "21000301-000000"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn names_become_parts_of_file_names() {
        assert_eq!(plain("fashion-mnist"), "fashion-mnist");
        assert_eq!(plain("../my flowers:2"), "my-flowers-2");
        assert_eq!(plain(".."), "data");
    }
}

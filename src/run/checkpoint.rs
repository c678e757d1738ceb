//! Checkpoints: folders with everything that is needed to resume a run exactly.
//!
//! ```text
//! model.safetensors        weights in full precision, with the metadata needed to use them
//! optimizer.safetensors    optimizer state
//! state.json               position: steps, epochs, sums of the partial epoch, best epoch
//! config.toml              configuration of the run
//! SHA256SUMS               hashes of all of these, written last
//! ```
//!
//! A checkpoint is written under a temporary name and renamed once everything is on the disk.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let snapshot = shadegrad::run::checkpoint::load(Path::new("runs/mine/checkpoints/00009380"))?;
//! println!("{} epochs", snapshot.position.epochs);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::manifest::{self, Contents};
use crate::checkpoint::{MODEL, SavedModel};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::atomic::{TEMPORARY, temporary};
use crate::fs::disk::{Disk, full};
use crate::train::{Position, Snapshot};

/// File name of the run's configuration in a checkpoint.
pub const CONFIG: &str = "config.toml";

const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// The version of `state.json`.
const VERSION: u32 = 1;

pub(super) const FOLDER: &str = "checkpoints";

#[derive(Serialize, Deserialize)]
struct State<P> {
    version: u32,
    shadegrad: String,
    position: P,
}

pub(super) fn render(snapshot: &Snapshot, config_toml: &str) -> Result<Contents> {
    let Snapshot { model, optimizer, position } = snapshot;
    let state = State { version: VERSION, shadegrad: env!("CARGO_PKG_VERSION").into(), position };
    let state = serde_json::to_string_pretty(&state)
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("cannot write {STATE}: {cause}")))?;
    Ok(Contents::from([
        (MODEL.into(), model.to_bytes()?),
        (OPTIMIZER.into(), optimizer.to_bytes()?),
        (STATE.into(), state.into_bytes()),
        (CONFIG.into(), config_toml.into()),
    ]))
}

/// Returns the space these files need in bytes, including 5 % and some blocks for the file system.
pub(super) fn room(files: &Contents) -> u64 {
    let bytes: usize = files.values().map(Vec::len).sum();
    bytes as u64 + bytes as u64 / 20 + 4096 * (files.len() as u64 + 4)
}

/// Saves these files as the checkpoint `folder` atomically.
pub(super) fn save(disk: &dyn Disk, folder: &Path, files: &Contents) -> io::Result<()> {
    let checkpoints = folder.parent().unwrap_or(folder);
    if disk.free_space(checkpoints).is_some_and(|free| free < room(files)) {
        return Err(full());
    }
    let temporary = temporary(folder);
    let saved = disk
        .remove(&temporary)
        .and_then(|()| disk.create_folder(&temporary))
        .and_then(|()| fill(disk, &temporary, files))
        .and_then(|()| disk.rename(&temporary, folder))
        .and_then(|()| disk.sync_folder(checkpoints));
    if saved.is_err() {
        // The first error is the one to report. The next start removes leftovers.
        disk.remove(&temporary).ok();
    }
    saved
}

fn fill(disk: &dyn Disk, folder: &Path, files: &Contents) -> io::Result<()> {
    for (name, bytes) in files {
        disk.write(&folder.join(name), bytes)?;
        disk.sync(&folder.join(name))?;
    }
    let manifest = folder.join(manifest::NAME);
    disk.write(&manifest, manifest::render(files).as_bytes())?;
    disk.sync(&manifest)?;
    disk.sync_folder(folder)
}

/// Removes the checkpoint `folder`. It is renamed first, so that it is never seen incomplete.
pub(super) fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let temporary = temporary(folder);
    disk.remove(&temporary)?;
    disk.rename(folder, &temporary)?;
    disk.remove(&temporary)
}

/// Reads the checkpoint `folder`.
///
/// # Errors
/// [`ErrorKind::Model`] if a file is missing or has changed since it was saved.
pub fn load(folder: &Path) -> Result<Snapshot> {
    let damaged = |what: String| manifest::damaged(folder, what);
    let files = manifest::read(folder).map_err(damaged)?;
    let file = |name: &str| files.get(name).ok_or_else(|| damaged(format!("it has no {name}")));
    let state: State<Position> = serde_json::from_slice(file(STATE)?)
        .map_err(|cause| damaged(format!("{STATE} cannot be parsed: {cause}")))?;
    if state.version != VERSION {
        return Err(Error::model(format!(
            "{} was saved by shadegrad {}, in a format that this version does not support",
            folder.display(),
            state.shadegrad
        ))
        .advise("resume it with that version"));
    }
    file(CONFIG)?;
    Ok(Snapshot {
        model: SavedModel::from_bytes(file(MODEL)?, &folder.join(MODEL))?,
        optimizer: SavedModel::from_bytes(file(OPTIMIZER)?, &folder.join(OPTIMIZER))?,
        position: state.position,
    })
}

pub(super) fn name(step: usize) -> String {
    format!("{step:08}")
}

/// Returns the checkpoints of the run in `run`, intact or not, newest first.
pub(super) fn list(run: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(run.join(FOLDER))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Ok(step) = name.parse::<u64>()
            && name.bytes().all(|byte| byte.is_ascii_digit())
        {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

/// Returns the temporary files and folders that a killed process left in `folder`.
pub(super) fn leftovers(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

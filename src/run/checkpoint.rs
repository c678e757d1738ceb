//! Checkpoints: folders with all that a run needs to go on exactly from where it was.
//!
//! ```text
//! model.safetensors        weights, full precision, with what is needed to use them
//! optimizer.safetensors    what the optimizer keeps from step to step
//! state.json               where the run is: steps, epochs, sums of the partial epoch, best so far
//! config.toml              the run's configuration
//! SHA256SUMS               hashes of all of these, written last
//! ```
//!
//! A checkpoint is made under a temporary name and gets its own once everything is on the disk.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint::manifest::{self, Contents};
use crate::checkpoint::{MODEL, SavedModel};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::atomic::{TEMPORARY, temporary};
use crate::fs::disk::{Disk, full};
use crate::train::{Position, Snapshot};

/// The run's configuration in a checkpoint.
pub const CONFIG: &str = "config.toml";

const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";

/// The version of `state.json`.
const VERSION: u32 = 1;

/// The folder of a run's checkpoints.
pub(super) const FOLDER: &str = "checkpoints";

#[derive(Serialize, Deserialize)]
struct State<P> {
    version: u32,
    shadegrad: String,
    position: P,
}

/// The files of a checkpoint.
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

/// Bytes that these files take, and as much again as a file system may need to note them.
pub(super) fn room(files: &Contents) -> u64 {
    let bytes: usize = files.values().map(Vec::len).sum();
    bytes as u64 + bytes as u64 / 20 + 4096 * (files.len() as u64 + 4)
}

/// Saves these files as the checkpoint `folder`, whole or not at all.
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
        // What went wrong first is what counts; the next start looks for leftovers anyway.
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

/// Removes the checkpoint `folder`: nobody ever sees a part of it under its name.
pub(super) fn remove(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let temporary = temporary(folder);
    disk.remove(&temporary)?;
    disk.rename(folder, &temporary)?;
    disk.remove(&temporary)
}

/// Reads the checkpoint `folder`.
///
/// # Errors
/// [`ErrorKind::Model`] where anything in it is missing or has changed since it was saved.
pub fn load(folder: &Path) -> Result<Snapshot> {
    let damaged = |what: String| manifest::damaged(folder, what);
    let files = manifest::read(folder).map_err(damaged)?;
    let file = |name: &str| files.get(name).ok_or_else(|| damaged(format!("it has no {name}")));
    let state: State<Position> = serde_json::from_slice(file(STATE)?)
        .map_err(|cause| damaged(format!("{STATE} is not understood: {cause}")))?;
    if state.version != VERSION {
        return Err(Error::model(format!(
            "{} was saved by shadegrad {}, in a form that this one does not know",
            folder.display(),
            state.shadegrad
        ))
        .advise("go on with that version"));
    }
    file(CONFIG)?;
    Ok(Snapshot {
        model: SavedModel::from_bytes(file(MODEL)?, &folder.join(MODEL))?,
        optimizer: SavedModel::from_bytes(file(OPTIMIZER)?, &folder.join(OPTIMIZER))?,
        position: state.position,
    })
}

/// The name of the checkpoint of a step, in [`FOLDER`].
pub(super) fn name(step: usize) -> String {
    format!("{step:08}")
}

/// The checkpoints of the run in `run`, whole or not, newest first.
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

/// What a killed process has left half made in `folder`.
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

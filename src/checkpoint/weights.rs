//! Finds a trained model in a run, a checkpoint or a file.

use std::path::{Path, PathBuf};

use super::manifest;
use super::model_file::SavedModel;
use crate::error::{Error, Result};

/// File name of the weights in every checkpoint.
pub const MODEL: &str = "model.safetensors";

/// The file in a run's folder that names its best checkpoint.
pub const BEST: &str = "best";

/// Reads the model at `model`. Returns it with the path of the weights file.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) if there is no model or it cannot be used. All
/// files of a run's checkpoint must be intact. If they are not, no other checkpoint is tried.
pub fn read_model(model: &Path) -> Result<(PathBuf, SavedModel)> {
    let weights = weights_of(model)?;
    let saved = match weights.parent() {
        Some(folder) if model.is_dir() => {
            let files = manifest::read(folder).map_err(|what| manifest::damaged(folder, what))?;
            let bytes =
                files.get(MODEL).ok_or_else(|| manifest::damaged(folder, format!("it has no {MODEL}")))?;
            SavedModel::from_bytes(bytes, &weights)?
        }
        // A single file has no manifest to check it against.
        _ => SavedModel::read(&weights)?,
    };
    Ok((weights, saved))
}

/// Returns the path of the weights file: `model` itself, that of a checkpoint, or that of a run's
/// best checkpoint.
pub(crate) fn weights_of(model: &Path) -> Result<PathBuf> {
    let shown = model.display();
    let about = std::fs::metadata(model).map_err(|cause| {
        Error::model(format!("there is no model {shown}: {cause}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    if about.is_file() {
        return Ok(model.into());
    }
    if model.join(MODEL).is_file() {
        return Ok(model.join(MODEL));
    }
    let pointer = std::fs::read_to_string(model.join(BEST)).map_err(|_| {
        let file = MODEL;
        Error::model(format!("{shown} is neither a run nor a checkpoint: it has no {file} and no {BEST}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    let weights = model.join(pointer.trim()).join(MODEL);
    if !weights.is_file() {
        let (best, weights) = (model.join(BEST), weights.display());
        return Err(Error::model(format!("{} names {weights}, which does not exist", best.display()))
            .advise("name another checkpoint of the run, in its folder checkpoints/"));
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn runs_checkpoints_and_files_lead_to_weights() {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let run = temporary.path();
        let folder = run.join("checkpoints/000100");
        std::fs::create_dir_all(&folder).expect("it is writable");
        assert_eq!(weights_of(run).expect_err("nothing there").kind(), ErrorKind::Model);
        std::fs::write(run.join(BEST), "checkpoints/000100\n").expect("it is writable");
        assert_eq!(weights_of(run).expect_err("no weights").kind(), ErrorKind::Model);
        let weights = folder.join(MODEL);
        std::fs::write(&weights, "").expect("it is writable");
        for model in [run, &folder, &weights] {
            assert_eq!(weights_of(model).expect("there are weights"), weights);
        }
        assert_eq!(weights_of(&run.join("x")).expect_err("no such").kind(), ErrorKind::Model);
    }
}

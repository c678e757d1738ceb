//! What `MODEL` names: a run, a checkpoint or a file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The weights of every checkpoint.
const WEIGHTS: &str = "model.safetensors";

/// Text file in a run's folder with the path of its best checkpoint, relative to the folder.
const BEST: &str = "best";

/// The file with the weights: `model` itself, that of a checkpoint's folder, or that of a run's best
/// checkpoint.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) where there is none.
pub(super) fn weights_of(model: &Path) -> Result<PathBuf> {
    let shown = model.display();
    let about = std::fs::metadata(model).map_err(|cause| {
        Error::model(format!("there is no model {shown}: {cause}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    if about.is_file() {
        return Ok(model.into());
    }
    if model.join(WEIGHTS).is_file() {
        return Ok(model.join(WEIGHTS));
    }
    let pointer = std::fs::read_to_string(model.join(BEST)).map_err(|_| {
        Error::model(format!("{shown} is neither a run nor a checkpoint: it has no {WEIGHTS} and no {BEST}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    let weights = model.join(pointer.trim()).join(WEIGHTS);
    if !weights.is_file() {
        let (best, weights) = (model.join(BEST), weights.display());
        return Err(Error::model(format!("{} names {weights}, which is not there", best.display()))
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
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = folder.path();
        let checkpoint = run.join("checkpoints/000100");
        std::fs::create_dir_all(&checkpoint).expect("it is writable");
        assert_eq!(weights_of(run).expect_err("nothing there").kind(), ErrorKind::Model);
        std::fs::write(run.join(BEST), "checkpoints/000100\n").expect("it is writable");
        assert_eq!(weights_of(run).expect_err("no weights").kind(), ErrorKind::Model);
        let weights = checkpoint.join(WEIGHTS);
        std::fs::write(&weights, "").expect("it is writable");
        for model in [run, &checkpoint, &weights] {
            assert_eq!(weights_of(model).expect("there are weights"), weights);
        }
        assert_eq!(weights_of(&run.join("x")).expect_err("no such").kind(), ErrorKind::Model);
    }
}

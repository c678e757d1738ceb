//! Copies parameters and optimizer state between a device and model files.

use crate::checkpoint::{NamedTensor, SavedModel};
use crate::config::{Config, Init};
use crate::device::Session;
use crate::error::{Error, Result};
use crate::nn::init::{ParameterKind, Start};
use crate::nn::{Model, Parameter, init};
use crate::plan::{Array, Declaration, Role};
use crate::remedy::Remedy;

/// Writes the initial weights: those of `file` if there is one, else those of the configured rule.
pub(super) fn write_initial_weights(
    session: &mut dyn Session,
    model: &Model,
    config: &Config,
    file: Option<&SavedModel>,
) -> Result<()> {
    match (&config.init, file) {
        (Init::Rule(rule), None) => {
            let parameters: Vec<_> = model.parameters().collect();
            let last = parameters.iter().rposition(|parameter| parameter.kind == ParameterKind::Weight);
            for (index, &parameter) in parameters.iter().enumerate() {
                let &Parameter { tensor, kind, fan_in, fan_out } = parameter;
                let (shape, is_last) = (tensor.shape(), last == Some(index));
                let start = Start { kind, shape, fan_in, fan_out, is_last };
                let values = init::values(*rule, config.seed, index as u32, start);
                session.write(tensor, Array::F32(values))?;
            }
            write_initial_statistics(session)
        }
        (_, Some(file)) => restore_model(session, file),
        (Init::File(_), None) => unreachable!("the file was read before the plan was made"),
    }
}

/// Writes the initial running statistics: mean 0 and variance 1, as in PyTorch.
fn write_initial_statistics(session: &mut dyn Session) -> Result<()> {
    let statistics: Vec<_> = session.plan().of_role(Role::Statistic).cloned().collect();
    for Declaration { tensor, name, .. } in statistics {
        let value = match name.rsplit('.').next() {
            Some("running_var") => 1.0,
            Some("running_mean") => 0.0,
            // Whitening filters are computed from the training images.
            _ => continue,
        };
        session.write(tensor, Array::F32(vec![value; tensor.len()]))?;
    }
    Ok(())
}

/// Restores the model from a file, which must contain exactly its tensors.
pub(super) fn restore_model(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    let declarations = session.plan().saved().cloned().collect();
    restore(session, declarations, file)
}

/// Restores the optimizer state from a file, which must contain exactly its tensors.
pub(super) fn restore_state(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    let declarations = session.plan().of_role(Role::State).cloned().collect();
    restore(session, declarations, file)
}

fn restore(session: &mut dyn Session, declarations: Vec<Declaration>, file: &SavedModel) -> Result<()> {
    take(session, &declarations, file)?;
    let is_known = |name: &String| declarations.iter().any(|known| known.name == *name);
    match file.tensors.iter().find(|tensor| !is_known(&tensor.name)) {
        Some(extra) => {
            Err(Error::model(format!("the file contains {}, which the model does not have", extra.name))
                .advise(Remedy::settings(
                    "give the model that the file was made with, with {}",
                    [("model", "")],
                )))
        }
        None => Ok(()),
    }
}

/// Restores the model from a file, which may contain other tensors as well.
pub(super) fn take_model(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    let declarations: Vec<_> = session.plan().saved().cloned().collect();
    take(session, &declarations, file)
}

fn take(session: &mut dyn Session, declarations: &[Declaration], file: &SavedModel) -> Result<()> {
    for declaration in declarations {
        let values = file.values(&declaration.name, &declaration.file_shape())?;
        session.write(declaration.tensor, Array::F32(declaration.from_file(values)))?;
    }
    Ok(())
}

/// Reads the model in the layout of files.
pub(super) fn copy_model(session: &mut dyn Session) -> Result<Vec<NamedTensor>> {
    let declarations = session.plan().saved().cloned().collect();
    copy(session, declarations)
}

/// Reads the optimizer state in the layout of files.
pub(super) fn copy_state(session: &mut dyn Session) -> Result<Vec<NamedTensor>> {
    let declarations = session.plan().of_role(Role::State).cloned().collect();
    copy(session, declarations)
}

fn copy(session: &mut dyn Session, declarations: Vec<Declaration>) -> Result<Vec<NamedTensor>> {
    let copies = declarations.into_iter().map(|declaration| {
        let values = declaration.to_file(session.read(declaration.tensor)?.into_f32());
        Ok(NamedTensor { shape: declaration.file_shape(), name: declaration.name, values })
    });
    copies.collect()
}

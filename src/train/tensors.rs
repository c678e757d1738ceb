//! A run's trained tensors and its optimizer's, on their way to a device and back.

use crate::checkpoint::{NamedTensor, SavedModel};
use crate::config::{Config, Init};
use crate::device::Session;
use crate::error::{Error, Result};
use crate::nn::init::{ParameterKind, Start};
use crate::nn::{Model, Parameter, init};
use crate::plan::{Array, Declaration, Role};
use crate::remedy::Remedy;

/// Writes the weights that a run starts with: those of `file` where there is one, else by the
/// configured rule.
pub(super) fn write_first_weights(
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
            write_first_statistics(session)
        }
        (_, Some(file)) => restore_model(session, file),
        (Init::File(_), None) => unreachable!("the file was read before the plan was made"),
    }
}

/// The running statistics of images of which nothing is known yet: mean 0, variance 1, as PyTorch's start.
fn write_first_statistics(session: &mut dyn Session) -> Result<()> {
    let statistics: Vec<_> = session.plan().of_role(Role::Statistic).cloned().collect();
    for Declaration { tensor, name, .. } in statistics {
        let value = match name.rsplit('.').next() {
            Some("running_var") => 1.0,
            Some("running_mean") => 0.0,
            // Filters of a whitening: of them the images speak.
            _ => continue,
        };
        session.write(tensor, Array::F32(vec![value; tensor.len()]))?;
    }
    Ok(())
}

/// Writes the model from a file, which must have its tensors and no others.
pub(super) fn restore_model(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    let declarations = session.plan().saved().cloned().collect();
    restore(session, declarations, file)
}

/// Writes the optimizer's state from a file, which must have its tensors and no others.
pub(super) fn restore_state(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    let declarations = session.plan().of_role(Role::State).cloned().collect();
    restore(session, declarations, file)
}

fn restore(session: &mut dyn Session, declarations: Vec<Declaration>, file: &SavedModel) -> Result<()> {
    take(session, &declarations, file)?;
    let is_known = |name: &String| declarations.iter().any(|known| known.name == *name);
    match file.tensors.iter().find(|tensor| !is_known(&tensor.name)) {
        Some(extra) => {
            Err(Error::model(format!("the file has {}, which the model does not", extra.name)).advise(
                Remedy::settings("give the model that the file was made with, with {}", [("model", "")]),
            ))
        }
        None => Ok(()),
    }
}

/// Writes the model from a file, which may have other tensors, too.
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

/// The model, as files have it.
pub(super) fn copy_model(session: &mut dyn Session) -> Result<Vec<NamedTensor>> {
    let declarations = session.plan().saved().cloned().collect();
    copy(session, declarations)
}

/// The optimizer's state.
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

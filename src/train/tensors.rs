//! A run's trained tensors and its optimizer's, on their way to a device and back.

use crate::config::{Config, Init};
use crate::device::Session;
use crate::error::{Error, Result};
use crate::host::Array;
use crate::init::{self, Start};
use crate::layers::Parameter;
use crate::model::Model;
use crate::plan::{Declaration, Role};
use crate::run::{NamedTensor, SavedModel};

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
            for (index, parameter) in model.parameters().enumerate() {
                let &Parameter { tensor, kind, fan_in, fan_out } = parameter;
                let start = Start { kind, count: tensor.len(), fan_in, fan_out };
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
    for Declaration { tensor, name, .. } in declarations(session, &[Role::Statistic]) {
        let value = if name.ends_with("running_var") { 1.0 } else { 0.0 };
        session.write(tensor, Array::F32(vec![value; tensor.len()]))?;
    }
    Ok(())
}

/// What a model file holds: trained tensors, then what was learnt beside them.
const MODEL: [Role; 2] = [Role::Parameter, Role::Statistic];

/// Writes the model from a file, which must have its tensors and no others.
pub(super) fn restore_model(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    restore(session, &MODEL, file)
}

/// Writes the optimizer's state from a file, which must have its tensors and no others.
pub(super) fn restore_state(session: &mut dyn Session, file: &SavedModel) -> Result<()> {
    restore(session, &[Role::State], file)
}

fn restore(session: &mut dyn Session, roles: &[Role], file: &SavedModel) -> Result<()> {
    let declarations = declarations(session, roles);
    for declaration in &declarations {
        let values = file.values(&declaration.name, &declaration.file_shape())?;
        session.write(declaration.tensor, Array::F32(declaration.from_file(values)))?;
    }
    let is_known = |name: &String| declarations.iter().any(|known| known.name == *name);
    match file.tensors.iter().find(|tensor| !is_known(&tensor.name)) {
        Some(extra) => Err(Error::model(format!("the file has {}, which the model does not", extra.name))
            .advise("give the model that the file was made with, with --model")),
        None => Ok(()),
    }
}

/// The model, as files have it.
pub(super) fn copy_model(session: &mut dyn Session) -> Result<Vec<NamedTensor>> {
    copy(session, &MODEL)
}

/// The optimizer's state.
pub(super) fn copy_state(session: &mut dyn Session) -> Result<Vec<NamedTensor>> {
    copy(session, &[Role::State])
}

fn copy(session: &mut dyn Session, roles: &[Role]) -> Result<Vec<NamedTensor>> {
    let copies = declarations(session, roles).into_iter().map(|declaration| {
        let values = declaration.to_file(session.read(declaration.tensor)?.into_f32());
        Ok(NamedTensor { shape: declaration.file_shape(), name: declaration.name, values })
    });
    copies.collect()
}

fn declarations(session: &dyn Session, roles: &[Role]) -> Vec<Declaration> {
    let all = session.plan().declarations();
    let of = |&role: &Role| all.iter().filter(move |declaration| declaration.role == role).cloned();
    roles.iter().flat_map(of).collect()
}

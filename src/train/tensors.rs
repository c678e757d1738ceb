//! A run's trained tensors and its optimizer's, on their way to a device and back.

use crate::config::{Config, Init};
use crate::data::hash::Hasher;
use crate::device::Session;
use crate::error::{Error, Result};
use crate::host::Array;
use crate::init;
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
                let (inputs, outputs) = (parameter.inputs, parameter.outputs);
                let values = init::values(*rule, config.seed, index as u32, parameter.kind, inputs, outputs);
                session.write(parameter.tensor, Array::F32(values))?;
            }
            Ok(())
        }
        (_, Some(file)) => restore(session, Role::Parameter, file),
        (Init::File(_), None) => unreachable!("the file was read before the plan was made"),
    }
}

/// Writes all tensors of a role from a file, which must have them and no others.
pub(super) fn restore(session: &mut dyn Session, role: Role, file: &SavedModel) -> Result<()> {
    let declarations = of_role(session, role);
    for Declaration { tensor, name, .. } in &declarations {
        let values = file.values(name, tensor.shape().sizes())?.to_vec();
        session.write(*tensor, Array::F32(values))?;
    }
    let is_known = |name: &String| declarations.iter().any(|known| known.name == *name);
    match file.tensors.iter().find(|tensor| !is_known(&tensor.name)) {
        Some(extra) => Err(Error::model(format!("the file has {}, which the model does not", extra.name))
            .advise("give the model that the file was made with, with --model")),
        None => Ok(()),
    }
}

/// Copies of all tensors of a role, which are floats.
pub(super) fn copy(session: &mut dyn Session, role: Role) -> Result<Vec<NamedTensor>> {
    let declarations = of_role(session, role).into_iter();
    let copies = declarations.map(|Declaration { tensor, name, .. }| {
        let values = session.read(tensor)?.into_f32();
        Ok(NamedTensor { name, shape: tensor.shape().sizes().to_vec(), values })
    });
    copies.collect()
}

fn of_role(session: &dyn Session, role: Role) -> Vec<Declaration> {
    let declarations = session.plan().declarations().iter();
    declarations.filter(|declaration| declaration.role == role).cloned().collect()
}

/// SHA-256 of all parameters' bytes, little-endian, in the model's order.
pub(super) fn weights_sha256(weights: &[NamedTensor]) -> String {
    let mut hasher = Hasher::default();
    for value in weights.iter().flat_map(|tensor| &tensor.values) {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finish().sha256
}

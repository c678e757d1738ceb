//! Model summary and memory estimate of a run, before data are read or a device is opened.

use super::run_plan::{DeviceLimits, RunPlan, Sizes};
use crate::config::Config;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::nn::Summary;
use crate::plan::Plan;
use crate::remedy::Remedy;
use crate::tensor::Element;
use crate::text::human;

/// Model summary and memory estimate of a run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DryRun {
    /// Layers of the model.
    pub model: Summary,
    /// GPU memory in bytes, for images, weights and activations. Assumes that the GPU supports f16
    /// if the run asks for it.
    pub gpu_bytes: usize,
    /// CPU memory in bytes. The CPU keeps batches as floats, and all floats in 32 bits.
    pub cpu_bytes: usize,
}

impl DryRun {
    /// Estimates a run with data of these sizes.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the model does not fit the images.
    pub fn of(config: &Config, sizes: &Sizes) -> Result<Self> {
        let limits = |has_f16| DeviceLimits { largest: usize::MAX, has_f16 };
        let RunPlan { plan, model, .. } = RunPlan::new(config, sizes, limits(true))?;
        let gpu_bytes = plan.bytes(Element::size);
        let cpu_bytes = RunPlan::new(config, sizes, limits(false))?.plan.bytes(Element::host_size);
        Ok(DryRun { model: model.summary(), gpu_bytes, cpu_bytes })
    }
}

/// Checks that the device can hold the plan of a run.
///
/// # Errors
/// [`ErrorKind::Device`](crate::ErrorKind::Device) if it cannot; the advice names the largest batch
/// size that fits.
pub(super) fn check(plan: &Plan, config: &Config, sizes: &Sizes, device: &dyn Device) -> Result<()> {
    let Some(fault) = fault(plan, device) else { return Ok(()) };
    let holds = |batch: usize| {
        let config = Config { batch_size: batch, ..config.clone() };
        RunPlan::new(&config, sizes, DeviceLimits::on(device))
            .is_ok_and(|run_plan| self::fault(&run_plan.plan, device).is_none())
    };
    // Memory grows with the batch size, so bisection finds the largest that fits.
    let (mut least, mut most) = (0, config.batch_size.min(sizes.train));
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        if holds(middle) { least = middle } else { most = middle }
    }
    let remedy = match least {
        0 => {
            Remedy::settings("use a smaller {}, fewer images or another {}", [("model", ""), ("device", "")])
        }
        batch => Remedy::SmallerBatch(batch),
    };
    Err(Error::device(fault).advise(remedy))
}

/// The reason why the device cannot hold a plan, if it cannot.
fn fault(plan: &Plan, device: &dyn Device) -> Option<String> {
    let name = &device.info().name;
    let largest = plan.declarations().iter().max_by_key(|declaration| declaration.tensor.bytes())?;
    let (bytes, most) = (largest.tensor.bytes(), device.largest_tensor());
    if bytes > most {
        let [bytes, most] = [bytes, most].map(human::bytes);
        return Some(format!(
            "the tensor {} needs {bytes}, but one tensor on {name} has at most {most}",
            largest.name
        ));
    }
    let (bytes, most) = (plan.bytes(|element| device.element_size(element)), device.memory()?);
    (bytes > most).then(|| {
        let [bytes, most] = [bytes, most].map(human::bytes);
        format!("the run needs {bytes} of memory, but only {most} are free on {name}")
    })
}

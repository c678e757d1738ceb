//! What a run will be like, said before its data are read or a device is touched.

use super::recorded::{Recorded, Room, Sizes};
use crate::config::Config;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::nn::Summary;
use crate::plan::Plan;
use crate::remedy::Remedy;
use crate::tensor::Element;
use crate::text::human;

/// A run's model and memory.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Outline {
    /// The layers.
    pub model: Summary,
    /// Bytes of everything that lies in a GPU's memory: images, weights, what a step computes. The GPU has floats of 16 bits
    /// where the run wants them.
    pub gpu_bytes: usize,
    /// The same on the CPU, which keeps batches as floats, and floats in 32 bits.
    pub cpu_bytes: usize,
}

impl Outline {
    /// The outline of a run with such data.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the model does not fit the images.
    pub fn of(config: &Config, sizes: &Sizes) -> Result<Self> {
        let room = |has_half| Room { largest: usize::MAX, has_half };
        let Recorded { plan, model, .. } = Recorded::new(config, sizes, room(true))?;
        let gpu_bytes = plan.bytes(Element::size);
        let cpu_bytes = Recorded::new(config, sizes, room(false))?.plan.bytes(Element::host_size);
        Ok(Outline { model: model.summary(), gpu_bytes, cpu_bytes })
    }
}

/// Fails where a device cannot hold a run's plan, with the largest batch that it could hold.
pub(super) fn check(plan: &Plan, config: &Config, sizes: &Sizes, device: &dyn Device) -> Result<()> {
    let Some(fault) = fault(plan, device) else { return Ok(()) };
    let holds = |batch: usize| {
        let config = Config { batch_size: batch, ..config.clone() };
        Recorded::new(&config, sizes, Room::on(device))
            .is_ok_and(|recorded| self::fault(&recorded.plan, device).is_none())
    };
    // What a batch needs grows with it, so the answer is found by halving.
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

/// Why the device cannot hold a plan, if it cannot.
fn fault(plan: &Plan, device: &dyn Device) -> Option<String> {
    let name = &device.info().name;
    let largest = plan.declarations().iter().max_by_key(|declaration| declaration.tensor.bytes())?;
    let (bytes, most) = (largest.tensor.bytes(), device.largest_tensor());
    if bytes > most {
        let [bytes, most] = [bytes, most].map(human::bytes);
        return Some(format!("{} needs {bytes} in one piece, but {name} has at most {most}", largest.name));
    }
    let (bytes, most) = (plan.bytes(|element| device.element_size(element)), device.memory()?);
    (bytes > most).then(|| {
        let [bytes, most] = [bytes, most].map(human::bytes);
        format!("the run needs {bytes} of memory, but only {most} are free on {name}")
    })
}

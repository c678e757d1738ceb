//! Exponential moving averages (EMA) of the parameters, with which a model is evaluated and saved.

use crate::device::Session;
use crate::error::Result;
use crate::nn::{Model, Parameter};
use crate::ops::average;
use crate::plan::{Launch, Plan, Role, StepId, StepRecord};
use crate::tensor::{Element, Tensor};

/// The moving average of each parameter, and the step that swaps averages and parameters.
///
/// After the swap, the tensors named `*.trained` hold the parameters that are being trained. Both
/// are saved in that state, hence the name.
#[derive(Debug)]
pub(super) struct Averages {
    /// A parameter and its average.
    pairs: Vec<(Tensor, Tensor)>,
    swap_ema: StepId,
}

impl Averages {
    /// Records the update of the averages of all parameters of `model` at the end of the current
    /// step, and the step that swaps them with the parameters.
    pub(super) fn record(plan: &mut Plan, model: &Model) -> Self {
        let pairs: Vec<_> = model
            .parameters()
            .map(|&Parameter { tensor, .. }| {
                let name = format!("{}.trained", plan.name(tensor));
                (tensor, plan.declare(name, Role::State, Element::F32, tensor.shape()))
            })
            .collect();
        for &(w, average) in &pairs {
            average::follow(plan, w, average);
        }
        let swap_ema = plan.begin("swap_ema");
        for &(w, average) in &pairs {
            average::exchange(plan, w, average);
        }
        Averages { pairs, swap_ema }
    }

    /// Initialises the averages with the initial weights.
    pub(super) fn start(&self, session: &mut dyn Session) -> Result<()> {
        for &(w, average) in &self.pairs {
            let first = session.read(w)?;
            session.write(average, first)?;
        }
        Ok(())
    }

    pub(super) fn swap_ema(&self, session: &mut dyn Session) -> Result<()> {
        let launch = Launch { step: self.swap_ema, record: StepRecord::default() };
        session.run(&[launch])
    }
}

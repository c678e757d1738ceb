//! Running averages of a run's parameters: what its model is measured and saved with.

use crate::device::Session;
use crate::error::Result;
use crate::nn::{Model, Parameter};
use crate::ops::average;
use crate::plan::{Launch, Plan, Role, StepId, StepRecord};
use crate::tensor::{Element, Tensor};

/// Each parameter's average, and the step that puts them into each other's place.
///
/// Where the averages are in the parameters' place, the tensors beside them hold what is trained: that is how both are
/// saved, and why these tensors are called so.
#[derive(Debug)]
pub(super) struct Averages {
    /// Parameter and average.
    pairs: Vec<(Tensor, Tensor)>,
    swap_ema: StepId,
}

impl Averages {
    /// Records that averages follow all parameters of `model`, at the end of the step that is being recorded, and the
    /// step that exchanges them.
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
        let swap_ema = plan.begin("exchange");
        for &(w, average) in &pairs {
            average::exchange(plan, w, average);
        }
        Averages { pairs, swap_ema }
    }

    /// Averages of nothing but the first weights.
    pub(super) fn start(&self, session: &mut dyn Session) -> Result<()> {
        for &(w, average) in &self.pairs {
            let first = session.read(w)?;
            session.write(average, first)?;
        }
        Ok(())
    }

    /// Puts averages and parameters into each other's place.
    pub(super) fn swap_ema(&self, session: &mut dyn Session) -> Result<()> {
        let launch = Launch { step: self.swap_ema, record: StepRecord::default() };
        let ticket = session.submit(&[launch], &[], 0)?;
        session.finish(ticket)?;
        Ok(())
    }
}

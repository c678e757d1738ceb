//! Looks whether everything that a run keeps from step to step is still made of numbers.
//!
//! A NaN in a weight need not reach the loss: a ReLU may take it for zero, and then the unit is dead
//! and nobody hears of it. So the squared norms of all parameters and of the optimizer's state are
//! measured on the device every few steps, and the host looks at their bits, because a shader may
//! be compiled as if there were no NaN.

use super::measured::{Measured, Norms};
use super::step::SLOTS;
use crate::config::Config;
use crate::data::Normalize;
use crate::error::{Error, ErrorKind, Result};
use crate::ops::l2_penalty;
use crate::plan::{Declaration, Plan, Role, StepId};
use crate::remedy::Remedy;
use crate::tensor::Tensor;

/// Most optimizer steps between two looks.
pub(super) const MOST_STEPS: usize = 50;

/// The step that measures the norms.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) step: StepId,
    /// Rings of partial sums of squares, one per tensor.
    pub(super) rings: Vec<Tensor>,
    /// The tensors' names.
    names: Vec<String>,
}

impl Health {
    /// Records the measurement of everything that is kept from step to step, but for tensors whose
    /// partial sums another step puts into the same slot of these rings.
    pub(super) fn record(plan: &mut Plan, known: Vec<(Tensor, Tensor)>) -> Self {
        let is_kept = |declaration: &&Declaration| {
            matches!(declaration.role, Role::Parameter | Role::Statistic | Role::State)
        };
        let kept: Vec<Declaration> = plan.declarations().iter().filter(is_kept).cloned().collect();
        let step = plan.begin("health");
        let ring = |kept: &Declaration| match known.iter().find(|(tensor, _)| *tensor == kept.tensor) {
            Some((_, ring)) => *ring,
            None => l2_penalty::value(plan, kept.tensor, SLOTS),
        };
        let rings = kept.iter().map(ring).collect();
        Health { step, rings, names: kept.into_iter().map(|kept| kept.name).collect() }
    }

    /// The norms in a slot of the rings' contents.
    pub(super) fn norms(&self, run: usize, rings: &[Vec<f32>], slot: usize) -> Norms {
        let square = |(ring, contents): (&Tensor, &Vec<f32>)| {
            let [_, width] = ring.matrix("ring");
            contents[slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum()
        };
        Norms { run, squares: self.rings.iter().zip(rings).map(square).collect() }
    }
}

/// What was seen of a run's health.
#[derive(Debug)]
pub(super) struct Watch {
    first: Option<Norms>,
    latest: Option<Norms>,
    learning_rate: f32,
    /// Whether pixels are standardised, which helps against divergence.
    is_standardised: bool,
    /// The run of the pass after which something was no number.
    culprit: Option<usize>,
}

impl Watch {
    /// For a run of this configuration.
    pub(super) fn new(config: &Config) -> Self {
        Watch {
            first: None,
            latest: None,
            learning_rate: config.learning_rate,
            is_standardised: config.normalize == Normalize::Standard,
            culprit: None,
        }
    }

    /// The run of the pass in which what [`look`](Watch::look) found bad became so, if it was not bad before all of
    /// them.
    pub(super) fn culprit(&self) -> Option<usize> {
        self.culprit
    }

    /// Looks at what a submission measured. `steps_before` gives the number of optimizer steps
    /// before a run of the pass.
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`] at the first tensor or loss that is no number any more, in the order
    /// in which they came about.
    pub(super) fn look(
        &mut self,
        health: &Health,
        measured: &Measured,
        steps_before: impl Fn(usize) -> usize,
    ) -> Result<()> {
        let is_bad = |value: f64| !value.is_finite();
        let bad_loss = measured.runs.iter().position(|run| is_bad(run.loss));
        for norms in &measured.norms {
            if bad_loss.is_some_and(|bad| norms.run > measured.first + bad) {
                break;
            }
            if let Some(index) = norms.squares.iter().position(|&square| is_bad(square)) {
                self.culprit = norms.run.checked_sub(1);
                return Err(self.not_finite(&health.names[index], steps_before(norms.run)));
            }
            self.first.get_or_insert_with(|| norms.clone());
            self.latest = Some(norms.clone());
        }
        let bad_penalty = measured.penalties.iter().copied().find(|&penalty| is_bad(penalty));
        let (run, loss) = match (bad_loss, bad_penalty) {
            (Some(run), _) => (measured.first + run, measured.runs[run].loss),
            (None, Some(penalty)) => (measured.first, penalty),
            (None, None) => return Ok(()),
        };
        self.culprit = Some(run);
        let grown = self.fastest(health).unwrap_or_default();
        let step = steps_before(run) + 1;
        Err(self.diverged(format!("the loss is {loss} at step {step}{grown}")))
    }

    /// The error for a tensor that is not made of numbers after `step` steps.
    pub(super) fn not_finite(&self, name: &str, step: usize) -> Error {
        self.diverged(format!("{name} holds NaN, infinity or more than 1e19 after step {step}"))
    }

    /// The error for weights that give no loss on images that they were not trained on.
    pub(super) fn no_number(&self, loss: f64, step: usize) -> Error {
        self.diverged(format!("the loss is {loss} when the weights are measured after step {step}"))
    }

    /// The error for steps that have diverged once, with `error`, and not when they were repeated.
    pub(super) fn unexplained(error: &Error) -> Error {
        Error::new(error.kind(), format!("{error}; the same steps, done again, gave numbers"))
            .advise(Remedy::DistrustDevice)
    }

    /// What to do: to use this learning rate, or what else helps and is not used yet.
    pub(super) fn remedy(&self, rate: f32) -> Remedy {
        Remedy::LowerLearningRate { rate, standardise: !self.is_standardised }
    }

    fn diverged(&self, what: String) -> Error {
        Error::new(ErrorKind::Diverged, format!("training diverged: {what}"))
            .advise(self.remedy(usual(self.learning_rate)))
    }

    /// Which tensor has grown most.
    fn fastest(&self, health: &Health) -> Option<String> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        let growth = |(&before, &after): (&f64, &f64)| if before > 0.0 { after / before } else { 0.0 };
        let growths = first.squares.iter().zip(&latest.squares).map(growth).enumerate();
        let (index, growth) = growths.max_by(|one, other| one.1.total_cmp(&other.1))?;
        let [before, after] = [first, latest].map(|norms| norms.squares[index].sqrt());
        // Anything less is what training does anyway.
        (growth > 4.0).then(|| {
            format!("; {} had grown most, from a norm of {before:.3e} to {after:.3e}", health.names[index])
        })
    }
}

/// Above this, plain descent on normalised pixels hardly ever goes well.
const USUAL_RATE: f32 = 0.01;

/// What often goes well where this rate did not, if nothing more is known: with one digit, as a person would say it.
fn usual(learning_rate: f32) -> f32 {
    let tenth = (learning_rate / 10.0).min(USUAL_RATE);
    format!("{tenth:.0e}").parse().unwrap_or(tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_a_tenth_in_one_digit_or_what_usually_goes_well() {
        for (rate, usual) in [(0.05, 0.005), (1e30, 0.01), (0.123, 0.01), (1e-6, 1e-7)] {
            for is_standardised in [false, true] {
                let watch =
                    Watch { first: None, latest: None, learning_rate: rate, is_standardised, culprit: None };
                let error = watch.not_finite("0.weight", 1);
                let remedy = Remedy::LowerLearningRate { rate: usual, standardise: !is_standardised };
                assert_eq!(error.remedy(), Some(&remedy), "{rate}");
            }
        }
    }
}

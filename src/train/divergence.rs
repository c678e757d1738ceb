//! Detects divergence: NaN or infinity in parameters and optimizer state.
//!
//! A NaN in a weight need not reach the loss: a ReLU may turn it into zero, and the unit is dead
//! without a trace. So the device measures the squared norms of all parameters and of the optimizer
//! state every few steps. The host looks at the bits of these norms, because a shader compiler may
//! assume that there are no NaNs.

use super::step::SLOTS;
use super::submission_result::{Norms, SubmissionResult};
use crate::config::Config;
use crate::data::Normalize;
use crate::error::{Error, ErrorKind, Result};
use crate::ops::l2_penalty;
use crate::plan::{Declaration, Plan, Role, StepId};
use crate::remedy::Remedy;
use crate::tensor::Tensor;

/// Maximum number of optimizer steps between two measurements.
pub(super) const MOST_STEPS: usize = 50;

/// The step that measures the norms.
#[derive(Debug)]
pub(super) struct NormProbe {
    pub(super) step: StepId,
    /// Rings of partial sums of squares, one per tensor.
    pub(super) rings: Vec<Tensor>,
    /// Names of the measured tensors.
    names: Vec<String>,
}

impl NormProbe {
    /// Records the measurement of all parameters, statistics and optimizer state. Tensors in
    /// `known` are not measured again: another step writes their partial sums into the same slot of
    /// these rings.
    pub(super) fn record(plan: &mut Plan, known: Vec<(Tensor, Tensor)>) -> Self {
        let is_kept = |declaration: &&Declaration| {
            matches!(declaration.role, Role::Parameter | Role::Statistic | Role::State)
        };
        let kept: Vec<Declaration> = plan.declarations().iter().filter(is_kept).cloned().collect();
        let step = plan.begin("norms");
        let ring = |kept: &Declaration| match known.iter().find(|(tensor, _)| *tensor == kept.tensor) {
            Some((_, ring)) => *ring,
            None => l2_penalty::value(plan, kept.tensor, SLOTS),
        };
        let rings = kept.iter().map(ring).collect();
        NormProbe { step, rings, names: kept.into_iter().map(|kept| kept.name).collect() }
    }

    pub(super) fn norms(&self, run: usize, rings: &[Vec<f32>], slot: usize) -> Norms {
        let square = |(ring, contents): (&Tensor, &Vec<f32>)| {
            let [_, width] = ring.matrix("ring");
            contents[slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum()
        };
        Norms { run, squares: self.rings.iter().zip(rings).map(square).collect() }
    }
}

/// Checks losses and norms of a run for NaN and infinity.
#[derive(Debug)]
pub(super) struct DivergenceDetector {
    first: Option<Norms>,
    latest: Option<Norms>,
    learning_rate: f32,
    /// Whether pixels are standardised, which makes divergence less likely.
    is_standardised: bool,
    /// The run of the pass in which the first bad value appeared.
    culprit: Option<usize>,
}

impl DivergenceDetector {
    /// A detector for a run with this configuration.
    pub(super) fn new(config: &Config) -> Self {
        DivergenceDetector {
            first: None,
            latest: None,
            learning_rate: config.learning_rate,
            is_standardised: config.normalize == Normalize::Standard,
            culprit: None,
        }
    }

    /// The run of the pass in which the value that [`check`](DivergenceDetector::check) found
    /// became bad, or `None` if it was bad before the first run.
    pub(super) fn culprit(&self) -> Option<usize> {
        self.culprit
    }

    /// Checks the result of a submission. `steps_before` gives the number of optimizer steps before
    /// a run of the pass.
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`] for the first tensor or loss that is NaN or infinite, in the order
    /// in which they were computed.
    pub(super) fn check(
        &mut self,
        norm_probe: &NormProbe,
        measured: &SubmissionResult,
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
                return Err(self.not_finite(&norm_probe.names[index], steps_before(norms.run)));
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
        let grown = self.fastest(norm_probe).unwrap_or_default();
        let step = steps_before(run) + 1;
        Err(self.diverged(format!("the loss is {loss} at step {step}{grown}")))
    }

    /// The error for a tensor that contains NaN or infinity after `step` steps.
    pub(super) fn not_finite(&self, name: &str, step: usize) -> Error {
        self.diverged(format!("{name} holds NaN, infinity or more than 1e19 after step {step}"))
    }

    /// The error for a loss on test or validation images that is NaN or infinite.
    pub(super) fn no_number(&self, loss: f64, step: usize) -> Error {
        self.diverged(format!("the loss is {loss} when the weights are measured after step {step}"))
    }

    /// The error for steps that diverged with `error`, but not when they were repeated.
    pub(super) fn unexplained(error: &Error) -> Error {
        Error::new(error.kind(), format!("{error}; the same steps did not diverge when repeated"))
            .advise(Remedy::DistrustDevice)
    }

    /// Remedy for a diverged run: this learning rate, or standardised pixels if they are not in
    /// use.
    pub(super) fn remedy(&self, rate: f32) -> Remedy {
        Remedy::LowerLearningRate { rate, standardise: !self.is_standardised }
    }

    fn diverged(&self, what: String) -> Error {
        Error::new(ErrorKind::Diverged, format!("training diverged: {what}"))
            .advise(self.remedy(usual(self.learning_rate)))
    }

    /// Describes the tensor whose norm has grown most.
    fn fastest(&self, norm_probe: &NormProbe) -> Option<String> {
        let (first, latest) = (self.first.as_ref()?, self.latest.as_ref()?);
        let growth = |(&before, &after): (&f64, &f64)| if before > 0.0 { after / before } else { 0.0 };
        let growths = first.squares.iter().zip(&latest.squares).map(growth).enumerate();
        let (index, growth) = growths.max_by(|one, other| one.1.total_cmp(&other.1))?;
        let [before, after] = [first, latest].map(|norms| norms.squares[index].sqrt());
        // Smaller growth is normal in training.
        (growth > 4.0).then(|| {
            format!(
                "; {} had grown most, from a norm of {before:.3e} to {after:.3e}",
                norm_probe.names[index]
            )
        })
    }
}

/// Plain SGD on normalised pixels rarely converges above this learning rate.
const USUAL_RATE: f32 = 0.01;

/// A learning rate that often works where this one diverged, rounded to one digit. Used if nothing
/// more is known.
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
                let detector = DivergenceDetector {
                    first: None,
                    latest: None,
                    learning_rate: rate,
                    is_standardised,
                    culprit: None,
                };
                let error = detector.not_finite("0.weight", 1);
                let remedy = Remedy::LowerLearningRate { rate: usual, standardise: !is_standardised };
                assert_eq!(error.remedy(), Some(&remedy), "{rate}");
            }
        }
    }
}

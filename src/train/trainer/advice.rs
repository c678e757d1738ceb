//! Suggests a learning rate for a run that has diverged: one at which no weight moves far in a
//! step.
//!
//! From the last good checkpoint one step is taken with learning rate 1. `|w| / |change|` is then
//! the ratio of a weight's norm to that of its update. A learning rate of [`SHARE`] times the
//! smallest of these ratios moves no weight by more than that fraction of its norm. This is the
//! layer-wise rule of LARS (You, Gitman and Ginsburg 2017, "Large batch training of convolutional
//! networks", section 4), applied to the most sensitive layer.

use super::Trainer;
use crate::error::Result;
use crate::nn::init::ParameterKind;
use crate::optim;
use crate::plan::{Launch, StepRecord};
use crate::train::position::Snapshot;

/// Maximum fraction of a weight's norm that one step may change.
const SHARE: f64 = 0.01;

/// Maximum fraction of the diverged learning rate that is suggested.
const MOST: f64 = 0.5;

impl Trainer<'_> {
    /// The suggested rate, rounded to one digit; `None` if all weights or their updates are zero.
    /// The weights on the device change, so the run cannot continue.
    pub(super) fn sensible_rate(&mut self, saved: &Snapshot) -> Result<Option<f32>> {
        self.restore(saved)?;
        let weights: Vec<_> =
            self.model.parameters().filter(|parameter| parameter.kind == ParameterKind::Weight).collect();
        let tensors = weights.into_iter().map(|weight| weight.tensor);
        let before: Vec<_> = tensors
            .map(|weight| Ok((weight, self.session.read(weight)?.into_f32())))
            .collect::<Result<_>>()?;
        // One optimizer step, even if a run of the step is a block of them.
        let rows = self.training.images_per_step.min(self.training.count);
        let record = StepRecord {
            first: 0,
            rows: rows as u32,
            slot: 0,
            row_weight: 1.0 / rows as f32,
            epoch: saved.position.epochs as u32,
            ..optim::step_record(self.config.optimizer, None, 1.0, saved.position.step)
        };
        let launch = Launch { step: self.training.step, record };
        self.session.run(&[launch])?;
        let mut least = f64::INFINITY;
        for (weight, before) in before {
            let after = self.session.read(weight)?.into_f32();
            let norm =
                |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
            let norm_before = norm(&mut before.iter().map(|&value| f64::from(value)));
            let change =
                before.iter().zip(&after).map(|(&before, &after)| f64::from(after) - f64::from(before));
            let ratio = norm_before / norm(&mut { change });
            if ratio > 0.0 {
                least = least.min(ratio);
            }
        }
        let rate = (SHARE * least).min(MOST * f64::from(self.config.learning_rate));
        let said = format!("{rate:.0e}").parse().ok().filter(|rate: &f32| rate.is_finite() && *rate > 0.0);
        Ok(said.filter(|_| least.is_finite()))
    }
}

//! The learning rate of one parameter in a step. `shaders/learning_rate.wgsl` computes the same on
//! a GPU.

use crate::plan::StepRecord;

/// How a parameter's learning rate depends on the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// The step's learning rate, times this factor.
    Scaled(f32),
    /// A separate learning rate that ignores the run's schedule: it decays linearly from `first` to
    /// 0, which it reaches after `steps` steps of the run, and stays there.
    Linear {
        /// Learning rate in the run's first step.
        first: f32,
        /// Number of steps, above 0.
        steps: f32,
    },
}

impl Rate {
    /// The learning rate in this step.
    pub fn at(self, step: &StepRecord) -> f32 {
        match self {
            Rate::Scaled(factor) => factor * step.learning_rate,
            Rate::Linear { first, steps } => first * (1.0 - step.step as f32 / steps).max(0.0),
        }
    }

    /// `rate` and `until` as shaders expect them. Zero for `until` means that the rate does not
    /// decay.
    pub(super) fn params(self) -> (f32, f32) {
        match self {
            Rate::Scaled(factor) => (factor, 0.0),
            Rate::Linear { first, steps } => (first, steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_rate_ends_at_zero_whatever_the_schedule_says() {
        let at =
            |rate: Rate, step| rate.at(&StepRecord { step, learning_rate: 0.5, ..StepRecord::default() });
        assert_eq!([0, 7, 99].map(|step| at(Rate::Scaled(3.0), step)), [1.5; 3]);
        let rate = Rate::Linear { first: 8.0, steps: 4.0 };
        assert_eq!([0, 1, 2, 3, 4, 5, 99].map(|step| at(rate, step)), [8.0, 6.0, 4.0, 2.0, 0.0, 0.0, 0.0]);
    }
}

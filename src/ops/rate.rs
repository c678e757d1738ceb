//! The learning rate that one parameter has in a step. Its twin in shaders is
//! `shaders/learning_rate.wgsl`.

use crate::plan::StepRecord;

/// How one parameter's learning rate follows from the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// The step's, times this.
    Scaled(f32),
    /// One of its own, whatever the run's schedule: from `first` in a straight line to 0, which it
    /// reaches after so many `steps` of the run, above 0, and where it stays.
    Falling {
        /// In the run's first step.
        first: f32,
        /// As a number of steps.
        steps: f32,
    },
}

impl Rate {
    /// The learning rate in a step.
    pub fn at(self, step: &StepRecord) -> f32 {
        match self {
            Rate::Scaled(factor) => factor * step.learning_rate,
            Rate::Falling { first, steps } => first * (1.0 - step.step as f32 / steps).max(0.0),
        }
    }

    /// `rate` and `until` as shaders take them: a fall that ends after no step is none.
    pub(super) fn params(self) -> (f32, f32) {
        match self {
            Rate::Scaled(factor) => (factor, 0.0),
            Rate::Falling { first, steps } => (first, steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_rate_ends_at_zero_whatever_the_schedule_says() {
        let at =
            |rate: Rate, step| rate.at(&StepRecord { step, learning_rate: 0.5, ..StepRecord::default() });
        assert_eq!([0, 7, 99].map(|step| at(Rate::Scaled(3.0), step)), [1.5; 3]);
        let rate = Rate::Falling { first: 8.0, steps: 4.0 };
        assert_eq!([0, 1, 2, 3, 4, 5, 99].map(|step| at(rate, step)), [8.0, 6.0, 4.0, 2.0, 0.0, 0.0, 0.0]);
    }
}

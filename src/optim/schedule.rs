//! Learning rate schedules.
//!
//! ```
//! use shadegrad::optim::{LearningRate, Schedule};
//!
//! let rate = LearningRate {
//!     peak: 0.1,
//!     schedule: Schedule::Linear,
//!     warmup: 10.0,
//!     step_every: 1,
//!     step_factor: 1.0,
//!     steps: 110,
//! };
//! assert_eq!([rate.at(0), rate.at(9), rate.at(60)], [0.01, 0.1, 0.05]);
//! ```

use crate::text::named::named;

/// PyTorch's `div_factor` and `final_div_factor`: a cycle starts at the peak divided by the first,
/// and ends at that start divided by the second.
const START_DIVISOR: f64 = 25.0;
const END_DIVISOR: f64 = 1e4;

/// Half a cosine between two numbers.
fn cosine(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
}

named! {
    /// The shape of the learning rate over the steps of a run.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Schedule {
        /// The same learning rate in every step.
        Constant = "constant",
        /// A straight line down to zero at the last step.
        Linear = "linear",
        /// Half a cosine down to zero at the last step (Loshchilov and Hutter 2017, eq. 5).
        Cosine = "cosine",
        /// Multiplied by a factor every n steps, like PyTorch's `StepLR`.
        Step = "step",
        /// Up from a 25th of the peak, then down to a 10,000th of that start, each along half a
        /// cosine (Smith and Topin 2018, as in PyTorch's `OneCycleLR`). The warm-up is the way up.
        OneCycle = "one-cycle",
        /// One cycle in two straight lines.
        OneCycleLinear = "one-cycle-linear",
    }
}

/// The length of the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// A fraction of all steps, 0 to 1.
    Share(f32),
    /// A number of steps, at least two.
    Steps(usize),
    /// A number of epochs.
    Epochs(usize),
}

/// The learning rate of every step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRate {
    /// The highest learning rate.
    pub peak: f32,
    /// The schedule after the warm-up.
    pub schedule: Schedule,
    /// Number of steps in which the learning rate rises linearly to the peak. Not a whole number if
    /// it is a fraction of all steps.
    pub warmup: f64,
    /// Interval of the step schedule in steps, counted from the run's first step; the warm-up does
    /// not delay it.
    pub step_every: usize,
    /// Factor of the step schedule.
    pub step_factor: f32,
    /// Length of the schedule in steps: the whole run by default.
    pub steps: usize,
}

impl LearningRate {
    /// The learning rate of a step, counted from 0. It stays constant after the last step.
    pub fn at(&self, step: usize) -> f32 {
        let steps = self.steps.max(1) as f64;
        if let Schedule::OneCycle | Schedule::OneCycleLinear = self.schedule {
            return (f64::from(self.peak) * self.one_cycle(step)) as f32;
        }
        let warmup = self.warmup.round();
        let step = step.min(self.steps.saturating_sub(1)) as f64;
        if step < warmup {
            // The first step has a fraction of the peak, not zero.
            return (f64::from(self.peak) * (step + 1.0) / warmup) as f32;
        }
        let progress = (step - warmup) / (steps - warmup);
        let factor = match self.schedule {
            Schedule::Constant => return self.peak,
            Schedule::Linear => 1.0 - progress,
            Schedule::Cosine => cosine(1.0, 0.0, progress),
            Schedule::Step => f64::from(self.step_factor).powf((step / self.step_every as f64).floor()),
            Schedule::OneCycle | Schedule::OneCycleLinear => unreachable!("has its own warm-up"),
        };
        (f64::from(self.peak) * factor) as f32
    }

    /// Fraction of the peak in one cycle, as in PyTorch's `OneCycleLR`: the way up ends in the step
    /// before `warmup`, the way down in the last step.
    fn one_cycle(&self, step: usize) -> f64 {
        let last = self.steps.saturating_sub(1);
        let (step, last) = (step.min(last) as f64, last as f64);
        let top = self.warmup - 1.0;
        let (first_share, last_share) = (1.0 / START_DIVISOR, 1.0 / (START_DIVISOR * END_DIVISOR));
        let between = match self.schedule {
            Schedule::OneCycle => cosine,
            _ => |from: f64, to: f64, progress: f64| from + (to - from) * progress,
        };
        // A way up of one step or less is skipped: the run starts on the way down.
        if top > 0.0 && step <= top {
            between(first_share, 1.0, step / top)
        } else {
            let top = top.max(0.0);
            between(1.0, last_share, (step - top) / (last - top).max(1.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schedule over 100 steps; `share` of them are the warm-up.
    fn rate(schedule: Schedule, share: f64) -> LearningRate {
        LearningRate {
            peak: 0.5,
            schedule,
            warmup: share * 100.0,
            step_every: 30,
            step_factor: 0.1,
            steps: 100,
        }
    }

    #[test]
    fn constant_stays() {
        let rate = rate(Schedule::Constant, 0.0);
        assert_eq!([rate.at(0), rate.at(99), rate.at(1000)], [0.5; 3]);
    }

    #[test]
    fn linear_and_cosine_fall_from_the_peak_towards_zero() {
        for schedule in [Schedule::Linear, Schedule::Cosine] {
            let rate = rate(schedule, 0.0);
            assert_eq!(rate.at(0), 0.5);
            assert!((rate.at(50) - 0.25).abs() < 1e-6);
            assert!((0..99).all(|step| rate.at(step + 1) < rate.at(step)));
            assert!(rate.at(99) > 0.0 && rate.at(99) < 0.01);
        }
    }

    #[test]
    fn warmup_rises_to_the_peak() {
        let rate = rate(Schedule::Linear, 0.2);
        assert!((rate.at(0) - 0.025).abs() < 1e-7);
        assert_eq!(rate.at(19), 0.5);
        assert_eq!(rate.at(20), 0.5);
        assert!(rate.at(21) < 0.5);
    }

    #[test]
    fn steps_fall_at_their_own_multiples_whatever_the_warm_up() {
        let rate = rate(Schedule::Step, 0.1);
        let rates = [10, 29, 30, 59, 60, 90, 99].map(|step| rate.at(step));
        let wanted = [0.5, 0.5, 0.05, 0.05, 0.005, 0.0005, 0.0005];
        assert!(
            rates.iter().zip(wanted).all(|(rate, wanted)| (rate / wanted - 1.0).abs() < 1e-6),
            "{rates:?}"
        );
    }

    /// A peak of 0.5 and 100 steps, 30 of them up, computed by hand from the formula in PyTorch's
    /// documentation.
    #[test]
    fn one_cycle_is_that_of_pytorch() {
        let low = 0.5 / 25.0;
        let lowest = low / 1e4;
        for schedule in [Schedule::OneCycle, Schedule::OneCycleLinear] {
            let rate = rate(schedule, 0.3);
            let middle = f64::from(low + (0.5 - low) * 14.5 / 29.0);
            assert!((rate.at(0) - low).abs() < 1e-7);
            assert!((f64::from(rate.at(14) + rate.at(15)) / 2.0 - middle).abs() < 1e-6);
            assert!((rate.at(29) - 0.5).abs() < 1e-7);
            // The middle of the 70 steps down.
            assert!((rate.at(64) - (0.5 + lowest) / 2.0).abs() < 1e-7);
            assert!((rate.at(99) - lowest).abs() < 1e-9);
            assert_eq!(rate.at(1000), rate.at(99));
        }
        let quarter = (rate(Schedule::OneCycle, 0.3).at(46), rate(Schedule::OneCycleLinear, 0.3).at(46));
        // 17 of the 70 steps down.
        let cosine = (1.0 + (std::f64::consts::PI * 17.0 / 70.0).cos()) / 2.0 * 0.5;
        assert!((f64::from(quarter.0) - cosine).abs() < 1e-5, "{quarter:?}");
        assert!((quarter.1 - 0.5 * 53.0 / 70.0).abs() < 1e-5, "{quarter:?}");
    }

    #[test]
    fn one_cycle_has_a_number_in_every_step_of_the_shortest_runs() {
        for (steps, warmup) in [(1, 0.5), (2, 0.5), (2, 0.9), (3, 0.3), (3, 0.999_999_9), (7, 1e-6)] {
            let rate = LearningRate { steps, warmup: warmup * steps as f64, ..rate(Schedule::OneCycle, 0.0) };
            for step in 0..steps + 1 {
                let found = rate.at(step);
                assert!(found.is_finite() && found > 0.0 && found <= 0.5, "{steps} {warmup} {step}: {found}");
            }
        }
    }
}

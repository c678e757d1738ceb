//! The learning rate of each step.

use crate::config::Schedule;

/// A learning rate for every step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRate {
    /// The highest learning rate.
    pub peak: f32,
    /// What it does after the warm-up.
    pub schedule: Schedule,
    /// Fraction of all steps over which it rises in a straight line to the peak.
    pub warmup: f32,
    /// Steps of the whole run.
    pub steps: usize,
}

impl LearningRate {
    /// The learning rate of a step, counted from 0. After the run's last step it stays where it is.
    pub fn at(&self, step: usize) -> f32 {
        let steps = self.steps.max(1) as f64;
        let warmup = (f64::from(self.warmup) * steps).round();
        let step = step.min(self.steps.saturating_sub(1)) as f64;
        if step < warmup {
            // The first step has a share of the peak, not nothing at all.
            return (f64::from(self.peak) * (step + 1.0) / warmup) as f32;
        }
        let progress = (step - warmup) / (steps - warmup);
        let factor = match self.schedule {
            Schedule::Constant => return self.peak,
            Schedule::Linear => 1.0 - progress,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        };
        (f64::from(self.peak) * factor) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(schedule: Schedule, warmup: f32) -> LearningRate {
        LearningRate { peak: 0.5, schedule, warmup, steps: 100 }
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
}

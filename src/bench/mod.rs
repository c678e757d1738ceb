//! Benchmarks of a device: single ops, compared with the device's measured peak, and whole training
//! epochs.
//!
//! [`kernels`] runs ops in recorded plans, as training does. `subjects` defines the ops, their
//! shapes and their cost, and `stopwatch` repeats and times them. [`training`] runs a
//! [`Trainer`](crate::train::Trainer) with an observer that collects the speed of each epoch.
//!
//! ```no_run
//! use shadegrad::bench::kernels;
//! use shadegrad::device::cpu::Cpu;
//!
//! let kernels = kernels::measure(&Cpu::new(), 0.1, |_| Ok(()))?;
//! println!("peak: {:.0} GFLOP/s", kernels.peak_gflops);
//! # Ok::<(), shadegrad::Error>(())
//! ```

pub mod kernels;
mod stopwatch;
mod subjects;
pub mod training;

use serde::Serialize;

/// Median, minimum and maximum of several measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    /// Number of measurements.
    pub repeats: usize,
}

impl Spread {
    /// Summarises `values`, of which there must be at least one.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (repeats, half) = (values.len(), values.len() / 2);
        let median = if repeats % 2 == 1 { values[half] } else { 0.5 * (values[half - 1] + values[half]) };
        Spread { median, min: values[0], max: values[repeats - 1], repeats }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_of_any_order() {
        let expected = Spread { median: 2.0, min: 1.0, max: 5.0, repeats: 3 };
        assert_eq!(Spread::of(vec![5.0, 1.0, 2.0]), expected);
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]).median, 2.5);
    }
}

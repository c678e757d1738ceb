//! How fast a device is: single ops against the device's own peak, and whole training epochs.
//!
//! [`kernels`] runs ops through recorded plans, as training does; `subjects` says which, in which
//! shapes, and what they cost; `stopwatch` repeats and times. [`training`] is the real
//! [`Trainer`](crate::train::Trainer) with an observer that keeps the speed of each epoch.

pub mod kernels;
mod stopwatch;
mod subjects;
pub mod training;

use serde::Serialize;

/// The middle of several measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the measurements are below.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// How many there were.
    pub repeats: usize,
}

impl Spread {
    /// Of at least one measurement.
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

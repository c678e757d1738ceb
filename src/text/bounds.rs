//! Ranges of allowed numbers.

use std::fmt;

/// A range of allowed numbers. It never includes infinity and NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// From 0 to 1.
    Fraction,
    /// From 0 up to (not including) 1.
    BelowOne,
}

impl Bounds {
    /// Whether the number is in the range.
    pub fn contain(self, number: f32) -> bool {
        number.is_finite()
            && match self {
                Bounds::Positive => number > 0.0,
                Bounds::NotNegative => number >= 0.0,
                Bounds::Fraction => (0.0..=1.0).contains(&number),
                Bounds::BelowOne => (0.0..1.0).contains(&number),
            }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Bounds::Positive => "a positive number",
            Bounds::NotNegative => "a number that is 0 or more",
            Bounds::Fraction => "a number from 0 to 1",
            Bounds::BelowOne => "a number from 0 up to (not including) 1",
        })
    }
}

//! Which numbers are allowed.

use std::fmt;

/// Which numbers are allowed. Infinities and NaN never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// 0 to 1.
    Fraction,
    /// 0 to 1, but not 1.
    BelowOne,
}

impl Bounds {
    /// Whether the number is allowed.
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
            Bounds::Positive => "a number above 0 that 32 bits can hold",
            Bounds::NotNegative => "a number, 0 or more, that 32 bits can hold",
            Bounds::Fraction => "a number from 0 to 1",
            Bounds::BelowOne => "a number from 0 to below 1",
        })
    }
}

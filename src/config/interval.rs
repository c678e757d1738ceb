//! How often something is done during a run.

use std::fmt;

/// A number of steps, epochs or minutes: `500`, `2e`, `10m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Optimizer steps.
    Steps(usize),
    /// Passes over the training images.
    Epochs(usize),
    /// Minutes of wall-clock time.
    Minutes(usize),
}

impl Interval {
    /// The largest number of steps, epochs or minutes.
    pub const MOST: u64 = u32::MAX as u64;

    /// Parses an interval such as `500`, `2e` or `10m`. Returns `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, unit): (_, fn(usize) -> Interval) = match text.strip_suffix('e') {
            Some(epochs) => (epochs, Interval::Epochs),
            None => match text.strip_suffix('m') {
                Some(minutes) => (minutes, Interval::Minutes),
                None => (text, Interval::Steps),
            },
        };
        // `parse` alone would accept a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: u64 = digits.parse().ok()?;
        (1..=Interval::MOST).contains(&count).then(|| usize::try_from(count).map(unit).ok()).flatten()
    }
}

/// Formats the interval the way [`Interval::parse`] reads it.
impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Interval::Steps(count) => write!(formatter, "{count}"),
            Interval::Epochs(count) => write!(formatter, "{count}e"),
            Interval::Minutes(count) => write!(formatter, "{count}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_come_back_from_their_own_text() {
        for interval in [Interval::Steps(1), Interval::Epochs(20), Interval::Minutes(u32::MAX as usize)] {
            assert_eq!(Interval::parse(&interval.to_string()), Some(interval));
        }
        for text in ["", "e", "m", "0", "0e", "-1", "+1", "1.5", "1e3", "2 e", "2h", "4294967296", "٣"] {
            assert_eq!(Interval::parse(text), None, "{text:?}");
        }
    }
}

//! Dates and times in UTC.
//!
//! ```
//! use shadegrad::run::clock::Moment;
//!
//! assert_eq!(Moment::since_1970(86_400).for_logs(), "1970-01-02T00:00:00Z");
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

/// A time in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Year, month and day. Month and day count from 1.
    pub date: (u64, u64, u64),
    /// Hour, minute, second.
    pub time: (u64, u64, u64),
}

impl Moment {
    /// Returns the current time.
    pub fn now() -> Self {
        Moment::since_1970(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    /// Converts from seconds since 1970-01-01.
    pub fn since_1970(seconds: u64) -> Self {
        let second = seconds % 86_400;
        Moment { date: date(seconds / 86_400), time: (second / 3600, second / 60 % 60, second % 60) }
    }

    /// Formats the time like `20260131-235959`.
    pub fn for_file_names(&self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.date, self.time);
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }

    /// Formats the date like `2026-01-31`.
    pub fn day(&self) -> String {
        let (year, month, day) = self.date;
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Formats the time like `2026-01-31T23:59:59Z`.
    pub fn for_logs(&self) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.date, self.time);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Converts days since 1970-01-01 to year, month and day. Years begin in March here, so that the
/// leap day is the last of its year (Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_709_251_200, "20240301-000000"),
            (1_767_225_599, "20251231-235959"),
            (4_107_542_400, "21000301-000000"),
        ] {
            assert_eq!(Moment::since_1970(seconds).for_file_names(), expected);
        }
        assert_eq!(Moment::since_1970(951_782_400).for_logs(), "2000-02-29T00:00:00Z");
    }
}

//! The current time in UTC as text.
//!
//! ```
//! let time = shadegrad::run::clock::now("%Y-%m-%d");
//! assert_eq!(time.len(), "2026-01-31".len());
//! ```

/// The format of times in file names: `20260131-235959`.
pub const FILE_NAME: &str = "%Y%m%d-%H%M%S";

/// The format of dates: `2026-01-31`.
pub const DAY: &str = "%Y-%m-%d";

/// The format of times in logs: `2026-01-31T23:59:59Z`.
pub const LOG: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Returns the current time in a format of `strftime`.
///
/// # Panics
/// If the format is malformed.
pub fn now(format: &str) -> String {
    jiff::Timestamp::now().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_formats() {
        let leap_day = jiff::Timestamp::from_second(951_782_400).expect("it is in range");
        let shown = [FILE_NAME, DAY, LOG].map(|format| leap_day.strftime(format).to_string());
        assert_eq!(shown, ["20000229-000000", "2000-02-29", "2000-02-29T00:00:00Z"]);
    }
}

//! Numbers formatted for people.

use std::time::Duration;

/// Formats a loss with about four significant digits.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 || !size.is_finite() => format!("{value:.3e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.3}"),
        size if size >= 1e-3 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

/// Formats a fraction like `89.59%`.
pub(crate) fn percentage(fraction: f64) -> String {
    format!("{:.2}%", 100.0 * fraction)
}

/// Formats seconds without a unit: `5.62`, `612`.
pub(crate) fn duration(seconds: f64) -> String {
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if duration < Duration::from_secs(100) { format!("{seconds:.2}") } else { format!("{seconds:.0}") }
}

/// Formats a duration: `5.6 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn span(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        _ if seconds < 100.0 && seconds.fract() == 0.0 => format!("{whole} s"),
        _ if seconds < 0.995 => format!("{seconds:.2} s"),
        _ if seconds < 99.95 => format!("{seconds:.1} s"),
        0..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Formats a size: `96 bytes`, `1.5 MB`, `12 GB`.
pub(crate) fn bytes(bytes: usize) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) if bytes < 10.0 * size => format!("{:.1} {unit}", bytes / size),
        Some((size, unit)) => format!("{:.0} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

/// Formats a count with thousands separators: `235,146`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at((digits.len() - 1) % 3 + 1);
    let groups = rest.as_bytes().chunks(3).map(|group| format!(",{}", String::from_utf8_lossy(group)));
    first.chars().map(String::from).chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_have_four_digits() {
        for (value, expected) in [
            (0.0, "0.000"),
            (0.456_78, "0.4568"),
            (3.025_6, "3.026"),
            (23.026, "23.03"),
            (1234.5, "1234"),
            (0.000_012_34, "1.23e-5"),
            (1e7, "1.000e7"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }

    #[test]
    fn times_have_the_units_that_they_need() {
        for (seconds, expected) in [
            (0.0, "0 s"),
            (12.0, "12 s"),
            (0.031, "0.03 s"),
            (5.62, "5.6 s"),
            (99.94, "99.9 s"),
            (99.96, "1 min 40 s"),
            (3599.4, "59 min 59 s"),
            (3599.6, "1 h 0 min"),
            (93_784.0, "26 h 3 min"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (235_146, "235,146")] {
            assert_eq!(count(number), expected);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }
}

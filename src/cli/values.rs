//! Parses the values of flags that are not configuration keys.

use std::net::IpAddr;

use crate::config::{Kind, Value, Written};

/// Parses a positive count.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match Kind::Count.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(count)) => usize::try_from(count).map_err(|cause| cause.to_string()),
        _ => Err(format!("must be {}", Kind::Count)),
    }
}

/// Parses a count that may be zero.
pub(super) fn count_or_zero(text: &str) -> Result<usize, String> {
    match Kind::CountOrZero.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(count)) => usize::try_from(count).map_err(|cause| cause.to_string()),
        _ => Err(format!("must be {}", Kind::CountOrZero)),
    }
}

/// Parses a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    match Kind::Whole.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(seed)) => Ok(seed),
        _ => Err(format!("must be {}", Kind::Whole)),
    }
}

/// Parses the duration of a measurement in seconds.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=60.0).contains(seconds));
    seconds.ok_or_else(|| "must be a number from 0.001 to 60".into())
}

/// Parses the port to listen on.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a port from 0 to 65535 (put a preset before the flag)".into())
}

/// Parses the address to listen on.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "must be an IP address, such as 0.0.0.0 or ::1".into())
}

//! Values of flags that set nothing in a configuration: read, or refused with what is allowed.

use std::net::IpAddr;

use crate::config::{Kind, Value, Written};

/// A number of things.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match Kind::Count.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(count)) => usize::try_from(count).map_err(|cause| cause.to_string()),
        _ => Err(format!("must be {}", Kind::Count)),
    }
}

/// A number of things, or none.
pub(super) fn count_or_zero(text: &str) -> Result<usize, String> {
    match Kind::CountOrZero.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(count)) => usize::try_from(count).map_err(|cause| cause.to_string()),
        _ => Err(format!("must be {}", Kind::CountOrZero)),
    }
}

/// A seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    match Kind::Whole.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(seed)) => Ok(seed),
        _ => Err(format!("must be {}", Kind::Whole)),
    }
}

/// How long something is measured.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.001..=60.0).contains(seconds));
    seconds.ok_or_else(|| "must be a number from 0.001 to 60".into())
}

/// Where to listen.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a port from 0 to 65535 (a preset goes before the flag)".into())
}

/// Whom to listen to.
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "must be an address in numbers, such as 0.0.0.0 or ::1".into())
}

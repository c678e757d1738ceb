//! Parses the values of flags that are not configuration keys.

use std::net::IpAddr;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::config::{Kind, Value, Written};

/// Returns a parser for one of the values in `all`, by its name.
pub(super) fn choice<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let named = move |text: String| all.into_iter().find(|&value| name(value) == text);
    PossibleValuesParser::new(all.map(name)).map(move |text| named(text).expect("it is one of the names"))
}

/// Parses a positive count.
pub(super) fn count(text: &str) -> Result<usize, String> {
    whole(Kind::Count, text).and_then(|count| usize::try_from(count).map_err(|cause| cause.to_string()))
}

/// Parses a count that may be zero.
pub(super) fn count_or_zero(text: &str) -> Result<usize, String> {
    whole(Kind::CountOrZero, text).and_then(|count| usize::try_from(count).map_err(|cause| cause.to_string()))
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    whole(Kind::Whole, text)
}

fn whole(kind: Kind, text: &str) -> Result<u64, String> {
    match kind.accept(Written::Bare(text.as_ref())) {
        Some(Value::Whole(number)) => Ok(number),
        _ => Err(format!("must be {kind}")),
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

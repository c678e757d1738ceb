//! The JSON objects that a run prints, and in which its metrics are kept.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// The version of the JSON objects.
pub const SCHEMA: u32 = 1;

/// A JSON object: `body` with its version and name.
#[derive(Serialize)]
struct Event<'a, T> {
    schema: u32,
    event: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

/// Returns one line of JSON, without a line break: `schema` and `event`, followed by the fields of
/// `body`.
///
/// # Errors
/// [`ErrorKind::Internal`] if `body` does not serialize to an object.
pub fn line<T: Serialize>(event: &str, body: &T) -> Result<String> {
    serde_json::to_string(&Event { schema: SCHEMA, event, body })
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("cannot write {event} as JSON: {cause}")))
}

//! The type of selftest cases: an op with operands.

use crate::ops::fixture::Draft;

/// An op with operands, whose results are compared between devices.
pub(super) struct Subject {
    pub(super) op: &'static str,
    pub(super) shape: String,
    /// Number of rows of the batch that hold an image.
    pub(super) rows: usize,
    pub(super) record: Box<dyn Fn(&mut Draft)>,
}

pub(super) fn subject(
    op: &'static str,
    shape: impl Into<String>,
    record: impl Fn(&mut Draft) + 'static,
) -> Subject {
    Subject { op, shape: shape.into(), rows: 1, record: Box::new(record) }
}

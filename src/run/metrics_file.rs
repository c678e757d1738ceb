//! `metrics.jsonl` and `metrics.csv`: one line per epoch.

use std::path::Path;

use serde_json::Value;

use super::event;
use crate::error::{Error, Result};
use crate::fs::atomic;
use crate::fs::disk::Disk;
use crate::train::Epoch;

/// File name of the JSON Lines, one per epoch.
pub(super) const JSON: &str = "metrics.jsonl";

/// File name of the CSV file with the same figures.
pub(super) const CSV: &str = "metrics.csv";

/// Columns of the CSV file. They are the fields of an epoch's event.
const COLUMNS: [&str; 14] = [
    "epoch",
    "step",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "train_cross_entropy",
    "test_cross_entropy",
    "learning_rate",
    "seconds",
    "images_per_second",
    "validation_loss",
    "validation_accuracy",
    "validation_cross_entropy",
];

/// Returns the first line of the CSV file.
pub(super) fn header() -> String {
    COLUMNS.join(",")
}

/// Returns the lines of an epoch for both files.
pub(super) fn lines(epoch: &Epoch) -> Result<[(&'static str, String); 2]> {
    let values = serde_json::to_value(epoch).expect("plain values turn into JSON");
    let cell = |column: &str| values.get(column).filter(|value| !value.is_null()).map(Value::to_string);
    let cells: Vec<_> = COLUMNS.iter().map(|column| cell(column).unwrap_or_default()).collect();
    Ok([(JSON, event::line("epoch", epoch)?), (CSV, cells.join(","))])
}

/// Removes all epochs after the first `epochs` from both files in the folder `run`.
///
/// A run that is resumed from a checkpoint trains those epochs again.
pub(super) fn keep_epochs(disk: &dyn Disk, run: &Path, epochs: usize) -> Result<()> {
    let is_early = |epoch: Option<u64>| epoch.is_some_and(|epoch| epoch <= epochs as u64);
    rewrite(disk, &run.join(JSON), |line| {
        let event: Option<Value> = serde_json::from_str(line).ok();
        is_early(event.and_then(|event| event["epoch"].as_u64()))
    })?;
    rewrite(disk, &run.join(CSV), |line| {
        line == header() || is_early(line.split(',').next().and_then(|epoch| epoch.parse().ok()))
    })
}

fn rewrite(disk: &dyn Disk, path: &Path, keep: impl Fn(&str) -> bool) -> Result<()> {
    let failed = |cause| Error::io(format!("write {}", path.display()), &cause);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // A run that was killed before its first epoch has no metrics.
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(Error::io(format!("read {}", path.display()), &cause)),
    };
    // A line without a line break was truncated.
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let kept: String = lines.filter(|line| keep(line.trim_end_matches('\n'))).collect();
    if kept == text { Ok(()) } else { atomic::write_on(disk, path, kept.as_bytes()).map_err(failed) }
}

//! Event files for TensorBoard: scalars per epoch, and curves of loss and learning rate per step.
//!
//! Loss and accuracy of each epoch are also written the way Keras does: under one name in a folder
//! per split, so that TensorBoard draws training, validation and test in one chart.
//!
//! A file is a sequence of records in TensorFlow's `TFRecord` format:
//!
//! ```text
//! length   u64, little-endian
//! crc      u32, masked CRC-32C of the eight bytes of the length
//! data     `length` bytes: an Event message of protobuf
//! crc      u32, masked CRC-32C of the data
//! ```
//!
//! The messages contain the fields of TensorFlow's `event.proto` and `summary.proto` that are used
//! here.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::error::{Error, Result};
use crate::train::{Epoch, Measurement, Observer, Progress, Start};

/// The version in the first record of every file.
const VERSION: &str = "brain.Event:2";

/// `SessionLog.SessionStatus.START`.
const START: i32 = 1;

/// Maximum number of points of a curve per step. It exceeds the columns of a screen, and keeps the
/// file of a week-long run small.
const MOST_POINTS: usize = 2000;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970-01-01.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    /// It is part of a `oneof` in TensorFlow's file, so it is written even if it is zero.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// An observer that writes the figures of each epoch to event files.
#[derive(Debug)]
pub struct EventFile {
    /// In the run's directory, which TensorBoard shows as one run. Every figure has its own name.
    all: Records,
    /// In sub-folders, which TensorBoard shows as runs of their own.
    train: Records,
    validation: Records,
    test: Records,
    /// Minimum number of steps between two points of a curve.
    interval: usize,
    /// The step from which the next point is written.
    due: usize,
}

#[derive(Debug)]
struct Records {
    path: PathBuf,
    /// Whether scalars have been written to the file.
    begun: bool,
}

impl EventFile {
    /// Prepares new files in `run`, the run's directory. TensorBoard shows all files of a directory
    /// as one run.
    pub fn create(run: &Path) -> Self {
        let name = format!("events.out.tfevents.{}.shadegrad", now() as u64);
        let records = |folder: &Path| Records { path: folder.join(&name), begun: false };
        EventFile {
            all: records(run),
            train: records(&run.join("train")),
            validation: records(&run.join("validation")),
            test: records(&run.join("test")),
            interval: 1,
            due: 0,
        }
    }
}

impl Records {
    /// Creates the file, and its folder if it does not exist.
    fn start(&self) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            let failed = |cause| Error::io(format!("create {}", folder.display()), &cause);
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        self.append(0, What::FileVersion(VERSION.into()))
    }

    fn append(&self, step: usize, what: What) -> Result<()> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        let failed = |cause| Error::io(format!("write {}", self.path.display()), &cause);
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(failed)?;
        // One write per record, so that a running TensorBoard sees complete records.
        file.write_all(&frame(&event.encode_to_vec())).map_err(failed)
    }

    /// Appends scalars of `step` by name.
    fn append_scalars(&mut self, step: usize, scalars: &[(&str, f64)]) -> Result<()> {
        if !self.begun {
            // Tells TensorBoard to discard later steps in the run's earlier files, which are
            // trained again.
            self.append(step, What::SessionLog(SessionLog { status: START }))?;
            self.begun = true;
        }
        let scalar =
            |&(tag, value): &(&str, f64)| Scalar { tag: tag.into(), simple_value: Some(value as f32) };
        self.append(step, What::Summary(Summary { value: scalars.iter().map(scalar).collect() }))
    }
}

impl Observer for EventFile {
    fn start(&mut self, start: &Start) -> Result<()> {
        let planned = start.config.epochs.saturating_mul(start.steps_per_epoch);
        let steps = start.config.max_steps.map_or(planned, |most| most.min(planned));
        self.interval = steps.div_ceil(MOST_POINTS).max(1);
        for records in [&self.all, &self.train, &self.test] {
            records.start()?;
        }
        if start.dataset.validation > 0 { self.validation.start() } else { Ok(()) }
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        let &Progress { total_step, recent_loss, learning_rate, .. } = progress;
        if total_step < self.due {
            return Ok(());
        }
        self.due = total_step + self.interval;
        self.all
            .append_scalars(total_step, &[("step/learning_rate", learning_rate), ("step/loss", recent_loss)])
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let of_split = |accuracy, loss| [("epoch_accuracy", accuracy), ("epoch_loss", loss)];
        let step = epoch.step;
        self.all.append_scalars(step, &scalars(epoch))?;
        self.train.append_scalars(step, &of_split(epoch.train_accuracy, epoch.train_loss))?;
        if let Some(Measurement { accuracy, loss, .. }) = epoch.validation {
            self.validation.append_scalars(step, &of_split(accuracy, loss))?;
        }
        self.test.append_scalars(step, &of_split(epoch.test_accuracy, epoch.test_loss))
    }
}

/// Returns the scalars by name. The part before the slash is the section in which TensorBoard
/// groups related curves.
fn scalars(epoch: &Epoch) -> Vec<(&'static str, f64)> {
    let mut scalars = vec![
        ("accuracy/test", epoch.test_accuracy),
        ("accuracy/train", epoch.train_accuracy),
        ("cross_entropy/test", epoch.test_cross_entropy),
        ("cross_entropy/train", epoch.train_cross_entropy),
        ("loss/test", epoch.test_loss),
        ("loss/train", epoch.train_loss),
        ("pace/images_per_second", epoch.images_per_second),
        ("pace/seconds_per_epoch", epoch.seconds),
        ("schedule/learning_rate", epoch.learning_rate),
    ];
    if let Some(Measurement { accuracy, cross_entropy, loss }) = epoch.validation {
        scalars.extend([
            ("accuracy/validation", accuracy),
            ("cross_entropy/validation", cross_entropy),
            ("loss/validation", loss),
        ]);
    }
    scalars
}

/// Frames a record.
fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), data, &masked_crc(data)].concat()
}

/// Masks the checksum as TensorFlow does, so that data may contain checksums itself.
fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

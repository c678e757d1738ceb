//! Event files for TensorBoard: the figures of each epoch as scalars, and between them loss and learning rate by step.
//!
//! A file is a row of records, each framed as TensorFlow's `TFRecord`:
//!
//! ```text
//! length   u64, little-endian
//! crc      u32, masked CRC-32C of the eight bytes of the length
//! data     `length` bytes: an Event message of protobuf
//! crc      u32, masked CRC-32C of the data
//! ```
//!
//! The messages are those fields of TensorFlow's `event.proto` and `summary.proto` that are needed here.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::error::{Error, Result};
use crate::train::{Epoch, Observer, Progress, Start};

/// What the first record of every file says.
const VERSION: &str = "brain.Event:2";

/// `SessionLog.SessionStatus.START`.
const START: i32 = 1;

/// Most points of a curve by step in a whole run: more than a screen has columns, and few enough that a run of a week
/// leaves a small file.
const MOST_POINTS: usize = 2000;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
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
    /// Part of a `oneof` in TensorFlow's file, so written even where it is zero.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Writes the figures of each epoch into an event file.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    /// Whether there are figures in the file.
    begun: bool,
    /// Steps from one point of a curve by step to the next, at least.
    interval: usize,
    /// The step from which the next is due.
    due: usize,
}

impl EventFile {
    /// A new file in `run`, the run's directory. TensorBoard shows all files of a directory as one run.
    pub fn create(run: &Path) -> Self {
        let seconds = now() as u64;
        let path = run.join(format!("events.out.tfevents.{seconds}.shadegrad"));
        EventFile { path, begun: false, interval: 1, due: 0 }
    }

    fn append(&self, step: usize, what: What) -> Result<()> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        let failed = |cause| Error::io(format!("write {}", self.path.display()), &cause);
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path).map_err(failed)?;
        // One write a record: a TensorBoard that is watching sees whole records.
        file.write_all(&frame(&event.encode_to_vec())).map_err(failed)
    }

    /// Figures of `step`, by their names.
    fn append_scalars(&mut self, step: usize, scalars: &[(&str, f64)]) -> Result<()> {
        if !self.begun {
            // What an earlier file of the run has from here on was trained again, so it does not count.
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
        self.append(0, What::FileVersion(VERSION.into()))
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        let &Progress { total_step, recent_loss, learning_rate, .. } = progress;
        if total_step < self.due {
            return Ok(());
        }
        self.due = total_step + self.interval;
        self.append_scalars(total_step, &[("step/learning_rate", learning_rate), ("step/loss", recent_loss)])
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.append_scalars(epoch.step, &scalars(epoch))
    }
}

/// Names as TensorBoard groups them: what is before the slash is a section, in which curves that belong
/// together lie side by side.
fn scalars(epoch: &Epoch) -> [(&'static str, f64); 9] {
    [
        ("accuracy/test", epoch.test_accuracy),
        ("accuracy/train", epoch.train_accuracy),
        ("cross_entropy/test", epoch.test_cross_entropy),
        ("cross_entropy/train", epoch.train_cross_entropy),
        ("loss/test", epoch.test_loss),
        ("loss/train", epoch.train_loss),
        ("pace/images_per_second", epoch.images_per_second),
        ("pace/seconds_per_epoch", epoch.seconds),
        ("schedule/learning_rate", epoch.learning_rate),
    ]
}

/// A record.
fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), data, &masked_crc(data)].concat()
}

/// TensorFlow's mask, so that a checksum of data that holds checksums is no trouble.
fn masked_crc(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

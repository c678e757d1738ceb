//! Benchmarks of whole training runs: images per second, as `train` reports them.

use std::path::Path;

use serde::Serialize;

use super::Spread;
use crate::config::{Config, Interval};
use crate::data::Dataset;
use crate::device::Device;
use crate::error::Result;
use crate::train::{Epoch, Observer, StopFlag, Trainer};

/// Number of measured epochs, after one that is not measured.
const EPOCHS: usize = 3;

/// A benchmarked training run.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Name in reports.
    pub name: &'static str,
    /// Name of a known data set.
    pub data: &'static str,
    model: &'static str,
    batch_size: usize,
    learning_rate: f32,
}

/// Fashion-MNIST, 784-128-10.
pub const FASHION_MNIST: Workload = Workload {
    name: "fashion-mnist 784-128-10, batch 64",
    data: "fashion-mnist",
    model: "linear:128,relu,linear:10",
    batch_size: 64,
    learning_rate: 0.01,
};

/// CIFAR-10, 3072-100-10.
pub const CIFAR10: Workload = Workload {
    name: "cifar10 3072-100-10, batch 32",
    data: "cifar10",
    model: "linear:100,relu,linear:10",
    batch_size: 32,
    learning_rate: 0.001,
};

/// The speed of a training run.
#[derive(Clone, Debug, Serialize)]
pub struct Training {
    /// Name of the workload.
    pub name: &'static str,
    /// Training speed in the epochs after the first, without evaluation.
    pub images_per_second: Spread,
}

impl Workload {
    fn config(&self) -> Config {
        Config {
            preset: "bench".into(),
            data: self.data.into(),
            model: self.model.into(),
            epochs: 1 + EPOCHS,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            checkpoint_every: Interval::Epochs(1 + EPOCHS),
            keep_best: false,
            ..Config::default()
        }
    }
}

/// Trains the workload and records only its speed.
///
/// # Errors
/// As [`Trainer`].
pub fn measure(
    workload: &Workload,
    dataset: Dataset,
    device: &dyn Device,
    stop: &StopFlag,
) -> Result<Training> {
    let mut speeds = Speeds::default();
    let config = workload.config();
    Trainer::new(&config, dataset, device)?.train(Path::new("bench"), &mut [&mut speeds], stop)?;
    Ok(Training { name: workload.name, images_per_second: Spread::of(speeds.0.split_off(1)) })
}

/// Collects the speed of each epoch.
#[derive(Debug, Default)]
struct Speeds(Vec<f64>);

impl Observer for Speeds {
    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.0.push(epoch.images_per_second);
        Ok(())
    }
}

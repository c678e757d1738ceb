//! Runs inside the test process, with everything that they report.

use std::path::Path;

use shadegrad::Result;
use shadegrad::config::Config;
use shadegrad::data::Dataset;
use shadegrad::device::Device;
use shadegrad::train::{Checkpoint, End, Epoch, Observer, Position, Snapshot, Start, StopFlag, Trainer};

use super::small_run::dataset;

/// Records all events of a run.
#[derive(Debug, Default)]
pub struct Witness {
    pub starts: Vec<Start>,
    pub epochs: Vec<Epoch>,
    pub snapshots: Vec<Snapshot>,
}

impl Observer for Witness {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.starts.push(start.clone());
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epochs.push(timeless(*epoch));
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        self.snapshots.push(checkpoint.snapshot.clone());
        Ok(())
    }
}

impl Witness {
    /// The last snapshot, without timings.
    pub fn last(&self) -> Snapshot {
        let mut last = self.snapshots.last().expect("a run is saved").clone();
        forget_time(&mut last.position);
        last
    }
}

fn forget_time(position: &mut Position) {
    (position.seconds, position.epoch_seconds) = (0.0, 0.0);
    position.last = position.last.map(timeless);
    position.best = position.best.map(timeless);
    if let Some(before) = &mut position.before_cut {
        forget_time(before);
    }
}

/// An epoch without timings.
fn timeless(epoch: Epoch) -> Epoch {
    Epoch { seconds: 0.0, images_per_second: 0.0, ..epoch }
}

/// Trains from the start to the end.
pub fn train(config: &Config, device: &dyn Device) -> (End, Witness) {
    train_on(dataset(), config, device)
}

/// The same on other data.
pub fn train_on(dataset: Dataset, config: &Config, device: &dyn Device) -> (End, Witness) {
    let trainer = Trainer::new(config, dataset, device).expect("the run can start");
    let (result, witness) = try_to_train(trainer);
    (result.expect("the run ends well"), witness)
}

/// Trains to the end or to an error.
pub fn try_to_train(trainer: Trainer<'_>) -> (Result<End>, Witness) {
    let mut witness = Witness::default();
    let result = trainer.train(Path::new("none"), &mut [&mut witness], &StopFlag::default());
    (result, witness)
}

/// Trains from a snapshot to the end.
pub fn resume(config: &Config, device: &dyn Device, snapshot: &Snapshot) -> (End, Witness) {
    let trainer = Trainer::resume(config, dataset(), device, snapshot.clone()).expect("the run can go on");
    let (result, witness) = try_to_train(trainer);
    (result.expect("the run ends well"), witness)
}

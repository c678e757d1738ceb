//! Continues a run at the position of a checkpoint, also of one that an older version saved.

use std::cmp::Ordering;

use super::{EpochRange, Trainer};
use crate::config::Config;
use crate::data::Dataset;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::train::position::{Position, Snapshot};
use crate::train::step::SplitStep;

impl<'a> Trainer<'a> {
    /// Records the run and moves data and a checkpoint to the device. The run continues from there
    /// exactly as if it had never been interrupted.
    ///
    /// # Errors
    /// If model, data, snapshot and device do not fit each other.
    pub fn resume(
        config: &'a Config,
        dataset: Dataset,
        device: &dyn Device,
        snapshot: Snapshot,
    ) -> Result<Self> {
        let mut trainer = Trainer::prepare(config, dataset, device)?;
        trainer.restore(&snapshot)?;
        trainer.checkpoints.done(snapshot.position.step);
        trainer.position = snapshot.position.clone();
        trainer.count_totals();
        trainer.return_to_cut_epoch()?;
        trainer.check_position()?;
        trainer.saved = Some(Snapshot { position: trainer.position.clone(), ..snapshot });
        Ok(trainer)
    }

    /// Moves a run that `max-steps` ended within an epoch back into that epoch, if it now has more
    /// steps to make.
    fn return_to_cut_epoch(&mut self) -> Result<()> {
        let Position { step, epochs, last, .. } = self.position;
        let is_measured = last.is_some_and(|last| (last.epoch, last.step) == (epochs, step));
        let is_cut = step < epochs.saturating_mul(self.steps_per_epoch);
        if !is_measured || !is_cut || step >= self.steps {
            return Ok(());
        }
        // Blocks of single images may have been cut at the end of the run, too. Old versions did
        // not save the position within the epoch.
        let cannot_continue = || {
            Error::model(format!("the run ended at step {step}, within an epoch, and cannot continue there"))
                .advise(Remedy::settings(
                    "start a new run from its weights, with {} and the run's folder",
                    [("init", "")],
                ))
        };
        self.position = *self.position.before_cut.take().ok_or_else(cannot_continue)?;
        let EpochRange { first_step, .. } = self.range();
        let done = self.range().steps_done(self.position.totals.runs, &self.training);
        if self.position.step == first_step + done { Ok(()) } else { Err(cannot_continue()) }
    }

    /// Converts the totals of an old checkpoint, which counted steps, to images.
    fn count_totals(&mut self) {
        let SplitStep { batch, count, images_per_step, .. } = self.training;
        let totals = &mut self.position.totals;
        *totals = totals.counted(totals.runs.saturating_mul(batch).min(count), images_per_step);
    }

    /// Rejects a position that this run can never reach: a file may contain anything.
    fn check_position(&self) -> Result<()> {
        let Position { step, epochs, totals, last, best, .. } = &self.position;
        let all_epochs = self.steps.div_ceil(self.steps_per_epoch);
        let is_known = match (last, best) {
            (None, None) => *epochs == 0,
            (Some(last), Some(best)) => last.epoch == *epochs && (1..=*epochs).contains(&best.epoch),
            _ => false,
        };
        let is_reached = match epochs.cmp(&all_epochs) {
            Ordering::Less => {
                let range = self.range();
                totals.runs <= range.runs
                    && totals.images() == (totals.runs * self.training.batch).min(range.images)
                    && *step == range.first_step + range.steps_done(totals.runs, &self.training)
            }
            Ordering::Equal => totals.runs == 0 && *step == self.steps,
            Ordering::Greater => false,
        };
        if is_known && is_reached {
            return Ok(());
        }
        Err(Error::model(format!(
            "the checkpoint is at step {step} after {epochs} epochs, which is not a position of this run"
        ))
        .advise("use another checkpoint of the run"))
    }
}

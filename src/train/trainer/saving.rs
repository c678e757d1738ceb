//! Saves and restores checkpoints of a run, and explains divergence from the last one.

use std::path::Path;

use super::Trainer;
use crate::checkpoint::SavedModel;
use crate::error::{Error, ErrorKind, Result};
use crate::train::divergence::DivergenceDetector;
use crate::train::observer::{Checkpoint, Observer};
use crate::train::position::{Position, Snapshot};
use crate::train::tensors;

impl Trainer<'_> {
    /// Passes a checkpoint of the current state to the observers.
    pub(super) fn save(&mut self, observers: &mut [&mut dyn Observer]) -> Result<()> {
        let snapshot = self.snapshot()?;
        let Position { step, best, .. } = snapshot.position;
        self.check(&snapshot)?;
        let is_best = !self.config.keep_best || best.is_none_or(|best| best.step == step);
        let checkpoint = Checkpoint { step, best: is_best, snapshot: &snapshot };
        for observer in observers {
            observer.checkpoint(&checkpoint)?;
        }
        self.checkpoints.done(step);
        self.saved = Some(snapshot);
        Ok(())
    }

    /// Fails if a snapshot contains NaN or infinity.
    fn check(&self, snapshot: &Snapshot) -> Result<()> {
        match snapshot.tensors().find(|tensor| !tensor.is_finite()) {
            Some(tensor) => Err(self.divergence.not_finite(&tensor.name, snapshot.position.step)),
            None => Ok(()),
        }
    }

    /// Explains why an epoch, which comes after `epochs` others, has diverged.
    ///
    /// The steps since the last checkpoint are repeated, with the norms measured before each step.
    /// The result also suggests a learning rate for that checkpoint.
    pub(super) fn explain(&mut self, error: Error, epochs: usize, run: &Path) -> Error {
        if error.kind() != ErrorKind::Diverged {
            return error;
        }
        let Some(saved) = self.saved.take() else { return error };
        // Without a rate, the advice is a general one.
        let rate = self.sensible_rate(&saved).ok().flatten();
        let is_of_this_epoch = saved.position.epochs == epochs;
        let again = if is_of_this_epoch { self.repeat(&saved, run) } else { Err(error.clone()) };
        let error = match again {
            Err(again) if again.kind() == ErrorKind::Diverged => {
                let origin = if is_of_this_epoch { self.origin(&saved).ok().flatten() } else { None };
                match origin {
                    Some(origin) => again.clone().with_message(format!("{again}; it began in {origin}")),
                    None => again,
                }
            }
            Err(_) => error,
            Ok(()) => return DivergenceDetector::unexplained(&error),
        };
        match rate {
            Some(rate) => error.advise(self.divergence.remedy(rate)),
            None => error,
        }
    }

    fn repeat(&mut self, saved: &Snapshot, run: &Path) -> Result<()> {
        self.restore(saved)?;
        self.probe_every = 1;
        self.train_epoch(&mut [], run)?;
        // The norms were last measured before the last step.
        let last = self.snapshot()?;
        self.check(&last)?;
        self.report().map(drop)
    }

    /// Restores the run to a checkpoint.
    pub(super) fn restore(&mut self, saved: &Snapshot) -> Result<()> {
        tensors::restore_model(&mut *self.session, &saved.model)?;
        tensors::restore_state(&mut *self.session, &saved.optimizer)?;
        self.position = saved.position.clone();
        self.swap_ema()
    }

    /// Swaps moving averages and parameters, if the run has averages. Models are evaluated and
    /// saved with the averages.
    pub(super) fn swap_ema(&mut self) -> Result<()> {
        match &self.averages {
            Some(averages) => averages.swap_ema(&mut *self.session),
            None => Ok(()),
        }
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        self.swap_ema()?;
        let session = &mut *self.session;
        let model = SavedModel { tensors: tensors::copy_model(session)?, about: Some(self.about.clone()) };
        let optimizer = SavedModel { tensors: tensors::copy_state(session)?, about: None };
        self.swap_ema()?;
        Ok(Snapshot { model, optimizer, position: self.position.clone() })
    }
}

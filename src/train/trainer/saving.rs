//! A run on its way to a checkpoint, and back from one.

use std::path::Path;

use super::Trainer;
use crate::checkpoint::SavedModel;
use crate::error::{Error, ErrorKind, Result};
use crate::train::health::Watch;
use crate::train::observer::{Checkpoint, Observer};
use crate::train::position::{Position, Snapshot};
use crate::train::tensors;

impl Trainer<'_> {
    /// Hands the observers a checkpoint of the run as it is.
    pub(super) fn save(&mut self, observers: &mut [&mut dyn Observer]) -> Result<()> {
        let snapshot = self.snapshot()?;
        let Position { step, best, .. } = snapshot.position;
        self.check(&snapshot)?;
        let is_best = !self.config.keep_best || best.is_none_or(|best| best.step == step);
        let checkpoint = Checkpoint { step, best: is_best, snapshot: &snapshot };
        for observer in observers {
            observer.checkpoint(&checkpoint)?;
        }
        self.saves.done(step);
        self.saved = Some(snapshot);
        Ok(())
    }

    /// Fails for a snapshot that holds something else than numbers.
    fn check(&self, snapshot: &Snapshot) -> Result<()> {
        match snapshot.tensors().find(|tensor| !tensor.is_finite()) {
            Some(tensor) => Err(self.watch.not_finite(&tensor.name, snapshot.position.step)),
            None => Ok(()),
        }
    }

    /// Says more about why the steps of an epoch, which comes after `epochs` others, have diverged: does them again from
    /// the last save, with a look at everything before each step. And what learning rate that save would have borne.
    pub(super) fn explain(&mut self, error: Error, epochs: usize, run: &Path) -> Error {
        if error.kind() != ErrorKind::Diverged {
            return error;
        }
        let Some(saved) = self.saved.take() else { return error };
        // Without it the advice is a general one.
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
            Ok(()) => return Watch::unexplained(&error),
        };
        match rate {
            Some(rate) => error.advise(self.watch.remedy(rate)),
            None => error,
        }
    }

    fn repeat(&mut self, saved: &Snapshot, run: &Path) -> Result<()> {
        self.restore(saved)?;
        self.look_every = 1;
        self.train_epoch(&mut [], run)?;
        // Nothing has been looked at since before the last step.
        let last = self.snapshot()?;
        self.check(&last)?;
        self.report().map(drop)
    }

    /// Takes the run back to where it was saved.
    pub(super) fn restore(&mut self, saved: &Snapshot) -> Result<()> {
        tensors::restore_model(&mut *self.session, &saved.model)?;
        tensors::restore_state(&mut *self.session, &saved.optimizer)?;
        self.position = saved.position.clone();
        self.exchange()
    }

    /// Puts running averages where the parameters are, or back: models are measured and saved so.
    pub(super) fn exchange(&mut self) -> Result<()> {
        match &self.averages {
            Some(averages) => averages.exchange(&mut *self.session),
            None => Ok(()),
        }
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        self.exchange()?;
        let session = &mut *self.session;
        let model = SavedModel { tensors: tensors::copy_model(session)?, about: Some(self.about.clone()) };
        let optimizer = SavedModel { tensors: tensors::copy_state(session)?, about: None };
        self.exchange()?;
        Ok(Snapshot { model, optimizer, position: self.position.clone() })
    }
}

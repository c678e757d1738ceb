//! What happens before a run's first step: recording, and moving data and weights to the device.

use std::cmp::Ordering;

use super::{Stretch, Trainer};
use crate::checkpoint::{About, read_model};
use crate::config::{Config, Init, Validation};
use crate::data::{Dataset, Normalisation, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::train::chance::Chance;
use crate::train::feed::Pace;
use crate::train::health::{MOST_STEPS, Watch};
use crate::train::observer::DatasetInfo;
use crate::train::position::{Position, Snapshot};
use crate::train::recorded::{Recorded, Room, Sizes};
use crate::train::resident::write_normalisation;
use crate::train::saves::Saves;
use crate::train::step::Pass;
use crate::train::stop::StopFlag;
use crate::train::{outline, tensors, whitening};

impl<'a> Trainer<'a> {
    /// Records what the run computes and moves data and first weights to the device.
    ///
    /// Fails where model, data, first weights and device do not fit each other.
    pub fn new(config: &'a Config, dataset: Dataset, device: &dyn Device) -> Result<Self> {
        let first_weights = match &config.init {
            Init::File(path) => Some(read_model(path)?.1),
            Init::Rule(_) => None,
        };
        let mut trainer = Trainer::prepare(config, dataset, device)?;
        let Trainer { session, model, averages, .. } = &mut trainer;
        tensors::write_first_weights(&mut **session, model, config, first_weights.as_ref())?;
        if let Some(averages) = averages {
            averages.start(&mut **session)?;
        }
        Ok(trainer)
    }

    /// Records what the run computes, and moves data and what was saved to the device: the run goes
    /// on from there, exactly as if it had never ended.
    ///
    /// Fails where model, data, snapshot and device do not fit each other.
    pub fn resume(
        config: &'a Config,
        dataset: Dataset,
        device: &dyn Device,
        snapshot: Snapshot,
    ) -> Result<Self> {
        let mut trainer = Trainer::prepare(config, dataset, device)?;
        trainer.restore(&snapshot)?;
        trainer.saves.done(snapshot.position.step);
        trainer.position = snapshot.position.clone();
        trainer.count_totals();
        trainer.return_to_cut_epoch()?;
        trainer.check_position()?;
        trainer.saved = Some(Snapshot { position: trainer.position.clone(), ..snapshot });
        Ok(trainer)
    }

    /// Takes a run that `max-steps` had ended within an epoch back into that epoch, where it has
    /// more steps to make now.
    fn return_to_cut_epoch(&mut self) -> Result<()> {
        let Position { step, epochs, last, .. } = self.position;
        let is_measured = last.is_some_and(|last| (last.epoch, last.step) == (epochs, step));
        let is_cut = step < epochs.saturating_mul(self.steps_per_epoch);
        if !is_measured || !is_cut || step >= self.steps {
            return Ok(());
        }
        // Single images are trained in blocks, which the end of the run may have cut, too. Older
        // versions did not save where the epoch was.
        let cannot_continue = || {
            Error::model(format!("the run ended at step {step}, within an epoch, and cannot continue there"))
                .advise(Remedy::settings(
                    "start a new run from its weights, with {} and the run's folder",
                    [("init", "")],
                ))
        };
        self.position = *self.position.before_cut.take().ok_or_else(cannot_continue)?;
        let Stretch { first_step, .. } = self.stretch();
        let done = self.stretch().steps_done(self.position.totals.runs, &self.training);
        if self.position.step == first_step + done { Ok(()) } else { Err(cannot_continue()) }
    }

    /// Totals of an older checkpoint count steps.
    fn count_totals(&mut self) {
        let Pass { batch, count, images_per_step, .. } = self.training;
        let totals = &mut self.position.totals;
        *totals = totals.counted(totals.runs.saturating_mul(batch).min(count), images_per_step);
    }

    /// Fails for a position that this run never comes to: a file can say what it likes.
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
                let stretch = self.stretch();
                totals.runs <= stretch.runs
                    && totals.images() == (totals.runs * self.training.batch).min(stretch.images)
                    && *step == stretch.first_step + stretch.steps_done(totals.runs, &self.training)
            }
            Ordering::Equal => totals.runs == 0 && *step == self.steps,
            Ordering::Greater => false,
        };
        if is_known && is_reached {
            return Ok(());
        }
        Err(Error::model(format!(
            "the checkpoint is at step {step} after {epochs} epochs, where the run never is"
        ))
        .advise("use another checkpoint of the run"))
    }

    /// Everything but the trained tensors. Filters that follow from the training images are written.
    fn prepare(config: &'a Config, mut dataset: Dataset, device: &dyn Device) -> Result<Self> {
        let sizes = Sizes::of(config, &dataset);
        let validation = take_validation(config, &mut dataset)?;
        let recorded = Recorded::new(config, &sizes, Room::on(device))?;
        outline::check(&recorded.plan, config, &sizes, device)?;
        let Recorded { plan, model, training, testing, validating, penalty, health, averages, .. } = recorded;
        let (shape, classes) = (sizes.shape, sizes.classes);

        let mut session = device.load(plan)?;
        let normalisation = Normalisation::of(config.normalize, &dataset);
        write_normalisation(&mut *session, recorded.normalisation, &normalisation)?;
        // Weights from a file, or of a checkpoint, come later and take their place.
        if let Init::Rule(_) = config.init {
            whitening::write(&mut *session, &model, &dataset.train, shape, &normalisation)?;
        }
        let steps_per_epoch = config.steps_per_epoch(dataset.train.len());
        let info = DatasetInfo {
            name: dataset.name,
            train: dataset.train.len(),
            validation: validation.as_ref().map_or(0, Split::len),
            test: dataset.test.len(),
            classes,
            shape: [shape.channels, shape.height, shape.width],
        };
        let chance = Chance::of(&dataset.train, classes, config.label_smoothing);
        training.split.write(&mut *session, dataset.train, shape)?;
        testing.split.write(&mut *session, dataset.test, shape)?;
        if let (Some(pass), Some(split)) = (&validating, validation) {
            pass.split.write(&mut *session, split, shape)?;
        }
        Ok(Trainer {
            config,
            device: device.info().clone(),
            limits: device.limits(),
            files: dataset.files,
            stop: StopFlag::default(),
            session,
            about: About {
                model: model.spec(),
                shape: info.shape,
                classes: dataset.classes,
                resize: config.resize,
                normalisation,
            },
            dataset: info,
            model,
            averages,
            training,
            testing,
            validating,
            penalty,
            health,
            watch: Watch::new(config),
            chance,
            steps_per_epoch,
            steps: config.steps(steps_per_epoch),
            rate: config.learning_rates(steps_per_epoch),
            pace: Pace::new(),
            test_pace: Pace::new(),
            position: Position::default(),
            saves: Saves::new(config.checkpoint_every),
            saved: None,
            look_every: MOST_STEPS,
        })
    }
}

/// Takes the images out that the run is validated on. What the configuration names goes before the
/// data's own validation images, which are then not used at all.
fn take_validation(config: &Config, dataset: &mut Dataset) -> Result<Option<Split>> {
    if config.validation != Validation::None {
        dataset.leave_out_validation();
    }
    match config.validation {
        Validation::Share(share) => dataset.hold_out(share, config.seed).map(Some),
        Validation::None | Validation::Test => Ok(dataset.validation.take()),
    }
}

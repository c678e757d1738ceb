//! Prepares a run: records its plan and moves data and weights to the device.

use super::Trainer;
use crate::checkpoint::{About, read_model};
use crate::config::{Config, Init, Validation};
use crate::data::{Dataset, Normalisation, Split};
use crate::device::Device;
use crate::error::Result;
use crate::train::chance::Chance;
use crate::train::checkpoint_policy::CheckpointPolicy;
use crate::train::dataset_on_device::write_normalisation;
use crate::train::divergence::{DivergenceDetector, MOST_STEPS};
use crate::train::observer::DatasetInfo;
use crate::train::position::Position;
use crate::train::run_plan::{DeviceLimits, RunPlan, Sizes};
use crate::train::stop::StopFlag;
use crate::train::submission::SubmissionSizer;
use crate::train::{dry_run, tensors, whitening};

impl<'a> Trainer<'a> {
    /// Records the run and moves data and initial weights to the device.
    ///
    /// # Errors
    /// If model, data, initial weights and device do not fit each other.
    pub fn new(config: &'a Config, dataset: Dataset, device: &dyn Device) -> Result<Self> {
        let initial_weights = match &config.init {
            Init::File(path) => Some(read_model(path)?.1),
            Init::Rule(_) => None,
        };
        let mut trainer = Trainer::prepare(config, dataset, device)?;
        let Trainer { session, model, averages, .. } = &mut trainer;
        tensors::write_initial_weights(&mut **session, model, config, initial_weights.as_ref())?;
        if let Some(averages) = averages {
            averages.start(&mut **session)?;
        }
        Ok(trainer)
    }

    /// Prepares everything except parameters and optimizer state. Whitening filters are written.
    pub(super) fn prepare(config: &'a Config, mut dataset: Dataset, device: &dyn Device) -> Result<Self> {
        let sizes = Sizes::of(config, &dataset);
        let validation = take_validation(config, &mut dataset)?;
        let run_plan = RunPlan::new(config, &sizes, DeviceLimits::on(device))?;
        dry_run::check(&run_plan.plan, config, &sizes, device)?;
        let RunPlan { plan, model, training, testing, validating, penalty, norm_probe, averages, .. } =
            run_plan;
        let (shape, classes) = (sizes.shape, sizes.classes);

        let mut session = device.load(plan)?;
        let normalisation = Normalisation::of(config.normalize, &dataset);
        write_normalisation(&mut *session, run_plan.normalisation, &normalisation)?;
        // Weights from a file or a checkpoint overwrite the filters later.
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
            norm_probe,
            divergence: DivergenceDetector::new(config),
            chance,
            steps_per_epoch,
            steps: config.steps(steps_per_epoch),
            rate: config.learning_rates(steps_per_epoch),
            sizer: SubmissionSizer::new(),
            test_sizer: SubmissionSizer::new(),
            position: Position::default(),
            checkpoints: CheckpointPolicy::new(config.checkpoint_every),
            saved: None,
            probe_every: MOST_STEPS,
        })
    }
}

/// Takes the validation images out of the data set. A validation split that the configuration names
/// replaces the data set's own, which is then not used.
fn take_validation(config: &Config, dataset: &mut Dataset) -> Result<Option<Split>> {
    if config.validation != Validation::None {
        dataset.leave_out_validation();
    }
    match config.validation {
        Validation::Share(share) => dataset.hold_out(share, config.seed).map(Some),
        Validation::None | Validation::Test => Ok(dataset.validation.take()),
    }
}

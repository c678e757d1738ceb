//! The training run: epochs of steps, each followed by a measurement on the test images.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::feed::{Feed, Measured, Pace, Sampling};
use super::metrics::Totals;
use super::observer::{Checkpoint, DatasetInfo, End, Epoch, Observer, Progress, Start};
use super::program::{Builder, Pass, Penalty, Slots, SplitSize, Training};
use super::resident::{Normalisation, write_normalisation};
use super::stop::StopFlag;
use crate::config::{Config, Init, Schedule};
use crate::data::Dataset;
use crate::data::hash::Hasher;
use crate::device::{Device, DeviceInfo, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Array;
use crate::init;
use crate::model::{Model, ModelSpec};
use crate::rng;
use crate::run::model_file::About;
use crate::run::{NamedTensor, SavedModel};
use crate::schedule::LearningRate;

/// Measurements of the penalty in an epoch, where every step would be too many.
const PENALTY_SAMPLES: usize = 1000;

/// A run that is ready to start: the data set and the first weights are on the device.
pub struct Trainer<'a> {
    config: &'a Config,
    device: DeviceInfo,
    files: Vec<PathBuf>,
    stop: StopFlag,
    session: Box<dyn Session>,
    model: Model,
    training: Pass,
    testing: Pass,
    penalty: Option<Penalty>,
    about: About,
    dataset: DatasetInfo,
    /// Steps of a full epoch, and of the whole run.
    steps_per_epoch: usize,
    steps: usize,
    rate: LearningRate,
    pace: Pace,
    test_pace: Pace,
    /// Time spent on training steps.
    trained: Duration,
}

impl<'a> Trainer<'a> {
    /// Records what the run computes and moves data and first weights to the device.
    ///
    /// Fails where model, data, first weights and device do not fit each other.
    pub fn new(config: &'a Config, dataset: Dataset, device: &dyn Device) -> Result<Self> {
        let (shape, classes) = (dataset.shape, dataset.classes.len());
        let spec = ModelSpec::parse(&config.model, classes)?;
        let rows = config.batch_size.min(dataset.train.len());
        spec.check_sizes(shape.pixels(), rows)?;
        let first_weights = match &config.init {
            Init::File(path) => Some(SavedModel::read(path)?),
            Init::Rule(_) => None,
        };
        let mut builder = Builder::new(&spec, shape);
        let largest = device.largest_tensor();
        let size = |count| SplitSize { count, shape, largest };
        let constant = config.schedule == Schedule::Constant && config.warmup == 0.0;
        let training = Training {
            batch: config.batch_size,
            optimizer: config.optimizer,
            l2: config.l2,
            constant_rate: constant.then_some(config.learning_rate),
        };
        let training = builder.train(size(dataset.train.len()), training)?;
        let (testing, _) = builder.evaluate(size(dataset.test.len()))?;
        let penalty = builder.penalty(config.l2);
        let Builder { plan, model, normalisation: factors } = builder;

        let mut session = device.load(plan)?;
        let normalisation = Normalisation::of(config.normalize, &dataset);
        write_normalisation(&mut *session, factors, &normalisation)?;
        let steps_per_epoch = dataset.train.len().div_ceil(training.images_per_step);
        let planned = config.epochs.saturating_mul(steps_per_epoch);
        let steps = config.max_steps.map_or(planned, |most| most.min(planned));
        let info = DatasetInfo {
            name: dataset.name,
            train: dataset.train.len(),
            test: dataset.test.len(),
            classes,
            shape: [shape.channels, shape.height, shape.width],
        };
        training.split.write(&mut *session, dataset.train, shape)?;
        testing.split.write(&mut *session, dataset.test, shape)?;
        let mut trainer = Trainer {
            config,
            device: device.info().clone(),
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
            training,
            testing,
            penalty,
            steps_per_epoch,
            steps,
            rate: LearningRate {
                peak: config.learning_rate,
                schedule: config.schedule,
                warmup: config.warmup,
                steps: planned,
            },
            pace: Pace::new(),
            test_pace: Pace::new(),
            trained: Duration::ZERO,
        };
        trainer.write_first_weights(first_weights.as_ref())?;
        Ok(trainer)
    }

    fn write_first_weights(&mut self, file: Option<&SavedModel>) -> Result<()> {
        let mut count = 0;
        for (index, parameter) in self.model.parameters().enumerate() {
            count += 1;
            let tensor = parameter.tensor;
            let values = match (&self.config.init, file) {
                (Init::Rule(rule), _) => init::values(
                    *rule,
                    self.config.seed,
                    index as u32,
                    parameter.kind,
                    parameter.inputs,
                    parameter.outputs,
                ),
                (Init::File(_), file) => {
                    let file = file.expect("the file was read before the plan was made");
                    let name = self.session.plan().name(tensor);
                    file.values(name, tensor.shape().sizes())?.to_vec()
                }
            };
            self.session.write(tensor, Array::F32(values))?;
        }
        match file {
            Some(file) if file.tensors.len() > count => {
                let known: Vec<_> = self.session.plan().parameters().map(|known| &known.name).collect();
                let extra = file.tensors.iter().find(|tensor| !known.contains(&&tensor.name));
                let extra = extra.map_or("a tensor", |tensor| &tensor.name);
                Err(Error::model(format!("the file has {extra}, which the model does not"))
                    .advise("give the model that the file was made with, with --model"))
            }
            _ => Ok(()),
        }
    }

    /// Trains to the end of the configured epochs.
    ///
    /// `run` names the run to the observers; what is written there is their business. A run that is
    /// asked to stop, diverges or loses its device ends with that error, after the observers have
    /// had a last checkpoint where there is one worth having.
    pub fn train(mut self, run: &Path, observers: &mut [&mut dyn Observer], stop: &StopFlag) -> Result<End> {
        self.stop = stop.clone();
        let start = self.start(run);
        for observer in &mut *observers {
            observer.start(&start)?;
        }
        let end = self.run(observers, run)?;
        for observer in &mut *observers {
            observer.end(&end)?;
        }
        Ok(end)
    }

    fn start(&self, run: &Path) -> Start {
        let plan = self.session.plan();
        Start {
            device: self.device.clone(),
            dataset: self.dataset.clone(),
            files: self.files.clone(),
            model: self.model.spec(),
            parameters: plan.parameters().map(|parameter| parameter.tensor.len()).sum(),
            run: run.to_path_buf(),
            config: self.config.clone(),
            steps_per_epoch: self.steps_per_epoch,
        }
    }

    fn run(&mut self, observers: &mut [&mut dyn Observer], run: &Path) -> Result<End> {
        let mut best: Option<Epoch> = None;
        let mut epochs = 0;
        loop {
            let done = epochs * self.steps_per_epoch;
            let steps = self.steps_per_epoch.min(self.steps - done);
            let report = self.epoch(epochs, steps, observers)?;
            epochs += 1;
            let is_best = best.is_none_or(|best| report.test_accuracy > best.test_accuracy);
            if is_best {
                best = Some(report);
            }
            for observer in &mut *observers {
                observer.epoch(&report)?;
            }
            let model = self.snapshot()?;
            let last = report.step == self.steps;
            self.checkpoint(observers, &Checkpoint { step: report.step, best: is_best, model: &model })?;
            if last {
                return Ok(End {
                    steps: report.step,
                    epochs,
                    seconds: self.trained.as_secs_f64(),
                    test_accuracy: report.test_accuracy,
                    test_loss: report.test_loss,
                    best_epoch: best.expect("there was an epoch").epoch,
                    weights_sha256: weights_sha256(&model),
                    run: run.to_path_buf(),
                });
            }
            // Asked for in the epoch's last submission or while it was measured. Without this look, a
            // run whose epochs fit one submission would never hear of it.
            if let Some(kind) = self.stop.requested() {
                return Err(self.stopped(kind, report.step));
            }
        }
    }

    /// Trains `steps` steps of the epoch `index`, from 0, and measures the model after them.
    fn epoch(&mut self, index: usize, steps: usize, observers: &mut [&mut dyn Observer]) -> Result<Epoch> {
        if self.config.shuffle {
            let order = rng::order(self.config.seed, index as u32, self.training.count);
            self.session.write(self.training.split.order, Array::U32(order))?;
        }
        let first_step = index * self.steps_per_epoch;
        let started = Instant::now();
        let totals = self.train_steps(index, first_step, steps, observers)?;
        let elapsed = started.elapsed();
        self.trained += elapsed;
        let images = self.images(steps);
        let (test, test_penalty) = self.test()?;
        let cross_entropy = totals.cross_entropy(steps);
        let test_cross_entropy = test.cross_entropy(self.testing.count);
        Ok(Epoch {
            epoch: index + 1,
            step: first_step + steps,
            train_loss: cross_entropy + totals.penalty(),
            train_accuracy: totals.accuracy(steps),
            test_loss: test_cross_entropy + test_penalty,
            test_accuracy: test.accuracy(self.testing.count),
            train_cross_entropy: cross_entropy,
            test_cross_entropy,
            learning_rate: f64::from(self.rate.at(first_step + steps - 1)),
            seconds: elapsed.as_secs_f64(),
            images_per_second: images as f64 / elapsed.as_secs_f64(),
        })
    }

    fn stopped(&self, kind: ErrorKind, step: usize) -> Error {
        Error::new(kind, format!("stopped at step {step} of {}", self.steps))
            .advise("the weights so far are in the run's last checkpoint")
    }

    /// Images that the first `steps` steps of an epoch see.
    fn images(&self, steps: usize) -> usize {
        (steps * self.training.images_per_step).min(self.training.count)
    }

    fn train_steps(
        &mut self,
        epoch: usize,
        first_step: usize,
        steps: usize,
        observers: &mut [&mut dyn Observer],
    ) -> Result<Totals> {
        let images = self.images(steps);
        // In the middle of an interval, so a pass that is cut short still has one.
        let runs = images.div_ceil(self.training.batch);
        let runs_per_epoch = self.training.count.div_ceil(self.training.batch);
        let interval = match self.training.slots {
            Slots::Pairs => (runs_per_epoch / PENALTY_SAMPLES).clamp(1, runs),
            Slots::Blocks => 1,
        };
        let feed = Feed {
            pass: &self.training,
            sampling: Sampling { penalty: self.penalty.as_ref(), interval },
            mean: true,
        };
        let (run, unit) = (self.training.batch, self.training.images_per_step);
        let steps_done = |runs: usize| (runs * run).min(images).div_ceil(unit);
        let mut totals = Totals::default();
        let mut stopped = None;
        let rate = self.rate;
        feed.run(
            &mut *self.session,
            &mut self.pace,
            images,
            |step| rate.at(first_step + step),
            |measured| {
                totals.add(&measured, |run| first_step + steps_done(run) + 1)?;
                let done = steps_done(totals.runs);
                let loss = totals.cross_entropy(done) + totals.penalty();
                let progress = Progress { epoch: epoch + 1, step: done, steps, loss };
                for observer in &mut *observers {
                    observer.progress(&progress)?;
                }
                stopped = self.stop.requested();
                Ok(if stopped.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
        )?;
        let step = first_step + steps_done(totals.runs);
        match stopped {
            Some(kind) if step < first_step + steps => {
                let model = self.snapshot()?;
                self.checkpoint(observers, &Checkpoint { step, best: false, model: &model })?;
                Err(self.stopped(kind, step))
            }
            _ => Ok(totals),
        }
    }

    /// Measures the model on the test images: totals, and the penalty.
    fn test(&mut self) -> Result<(Totals, f64)> {
        let count = self.testing.count;
        let runs = count.div_ceil(self.testing.batch);
        let mut totals = Totals::default();
        // The weights do not change, so one measurement of the penalty is all of them.
        let feed = Feed {
            pass: &self.testing,
            sampling: Sampling { penalty: self.penalty.as_ref(), interval: runs },
            mean: false,
        };
        let step = self.steps;
        let add = |measured: Measured| {
            totals.add(&measured, |_| step)?;
            Ok(ControlFlow::Continue(()))
        };
        feed.run(&mut *self.session, &mut self.test_pace, count, |_| 0.0, add)?;
        Ok((totals, totals.penalty()))
    }

    fn checkpoint(&self, observers: &mut [&mut dyn Observer], checkpoint: &Checkpoint<'_>) -> Result<()> {
        for observer in observers {
            observer.checkpoint(checkpoint)?;
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<SavedModel> {
        let parameters: Vec<_> = self.session.plan().parameters().cloned().collect();
        let mut tensors = Vec::new();
        for parameter in parameters {
            tensors.push(NamedTensor {
                name: parameter.name,
                shape: parameter.tensor.shape().sizes().to_vec(),
                values: self.session.read(parameter.tensor)?.into_f32(),
            });
        }
        Ok(SavedModel { tensors, about: Some(self.about.clone()) })
    }
}

/// SHA-256 of all parameters' bytes, little-endian, in the model's order.
fn weights_sha256(model: &SavedModel) -> String {
    let mut hasher = Hasher::default();
    for value in model.tensors.iter().flat_map(|tensor| &tensor.values) {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finish().sha256
}

//! The training run: epochs of steps, each followed by an evaluation on the test and validation
//! images.

mod advice;
mod origin;
mod resumption;
mod saving;
mod setup;

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::averages::Averages;
use super::chance::Chance;
use super::checkpoint_policy::CheckpointPolicy;
use super::divergence::{DivergenceDetector, NormProbe};
use super::measure::measure;
use super::observer::{DatasetInfo, End, Observer, Progress, Start};
use super::position::{Position, Snapshot};
use super::stop::StopFlag;
use super::submission::{Sampling, SubmissionSizer, Submitter};
use super::tensors;
use crate::checkpoint::{About, weights_sha256};
use crate::config::Config;
use crate::device::{DeviceInfo, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::nn::Model;
use crate::optim::LearningRate;
use crate::plan::{Array, StepRecord};
use crate::remedy::Remedy;
use crate::train::epoch::Epoch;
use crate::train::step::{Penalty, Slots, SplitStep};
use crate::{optim, rng};

/// Number of times that the penalty is measured per epoch, if every step would be too often.
const PENALTY_SAMPLES: usize = 1000;

/// A run that is ready to train. The data set and the weights are on the device.
pub struct Trainer<'a> {
    config: &'a Config,
    device: DeviceInfo,
    limits: BTreeMap<&'static str, u64>,
    files: Vec<PathBuf>,
    stop: StopFlag,
    session: Box<dyn Session>,
    model: Model,
    averages: Option<Averages>,
    training: SplitStep,
    testing: SplitStep,
    validating: Option<SplitStep>,
    penalty: Option<Penalty>,
    norm_probe: NormProbe,
    divergence: DivergenceDetector,
    chance: Chance,
    about: About,
    dataset: DatasetInfo,
    /// Steps of a full epoch, and of the whole run.
    steps_per_epoch: usize,
    steps: usize,
    rate: LearningRate,
    sizer: SubmissionSizer,
    test_sizer: SubmissionSizer,
    position: Position,
    checkpoints: CheckpointPolicy,
    /// The last checkpoint.
    saved: Option<Snapshot>,
    /// Number of steps between two measurements of the norms.
    probe_every: usize,
}

impl Trainer<'_> {
    /// Trains to the end of the configured epochs.
    ///
    /// `run` is passed to the observers, which write there. If `stop` is set, the observers receive
    /// a last checkpoint and the run ends with an error.
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`] for NaN or infinity, [`ErrorKind::Device`] if the device fails, the
    /// reason of the stop request, or the error of an observer.
    pub fn train(mut self, run: &Path, observers: &mut [&mut dyn Observer], stop: &StopFlag) -> Result<End> {
        self.stop = stop.clone();
        let trained = self.train_all(run, observers);
        if let Err(error) = &trained {
            observers.iter_mut().for_each(|observer| observer.failed(error));
        }
        trained
    }

    /// The learning rate of the next step.
    pub fn next_learning_rate(&self) -> f32 {
        self.rate.at(self.position.step)
    }

    /// Number of steps over which the learning rate schedule runs.
    pub fn schedule_steps(&self) -> usize {
        self.rate.steps
    }

    fn train_all(&mut self, run: &Path, observers: &mut [&mut dyn Observer]) -> Result<End> {
        let start = self.start(run);
        for observer in &mut *observers {
            observer.start(&start)?;
        }
        if !self.checkpoints.has_saved() {
            // A run that is killed in its first epoch can then be resumed, too.
            self.save(observers)?;
        }
        while !self.is_over() {
            let epoch = self.position.epochs;
            let trained = self.train_epoch(observers, run).and_then(|()| self.end_epoch(observers, run));
            trained.map_err(|error| goes_on(self.explain(error, epoch, run), run))?;
        }
        let end = self.end(run)?;
        for observer in &mut *observers {
            observer.end(&end)?;
        }
        Ok(end)
    }

    fn stopped(&self, kind: ErrorKind, run: &Path) -> Error {
        Error::new(kind, format!("stopped at step {} of {}", self.position.step, self.steps))
            .advise(Remedy::Resume(run.into()))
    }

    fn start(&self, run: &Path) -> Start {
        let plan = self.session.plan();
        Start {
            device: self.device.clone(),
            limits: self.limits.clone(),
            dataset: self.dataset.clone(),
            files: self.files.clone(),
            model: self.model.spec(),
            parameters: plan.parameters().map(|parameter| parameter.tensor.len()).sum(),
            run: run.to_path_buf(),
            config: self.config.clone(),
            steps_per_epoch: self.steps_per_epoch,
            step: self.position.step,
            epochs: self.position.epochs,
            best: self.position.best,
        }
    }

    fn end(&mut self, run: &Path) -> Result<End> {
        let Position { last, best, .. } = self.position;
        let [last, best] = [last, best].map(|epoch| epoch.expect("a run that is over has had an epoch"));
        self.swap_ema()?;
        let weights = tensors::copy_model(&mut *self.session)?;
        self.swap_ema()?;
        Ok(End {
            steps: self.position.step,
            epochs: self.position.epochs,
            seconds: self.position.seconds,
            test_accuracy: last.test_accuracy,
            test_loss: last.test_loss,
            best_epoch: best.epoch,
            monitored: self.config.monitor.figure(&best),
            last,
            best,
            stopped_early: self.position.step < self.steps,
            weights_sha256: weights_sha256(&weights),
            run: run.to_path_buf(),
        })
    }

    fn is_over(&self) -> bool {
        let has_lost_patience =
            self.config.patience.is_some_and(|most| self.position.epochs_since_best() >= most);
        self.position.step == self.steps || has_lost_patience
    }

    /// Trains the remaining steps of the current epoch.
    fn train_epoch(&mut self, observers: &mut [&mut dyn Observer], run: &Path) -> Result<()> {
        let index = self.position.epochs;
        if self.config.shuffle {
            let order = rng::order(self.config.seed, index as u32, self.training.count);
            self.session.write(self.training.split.order, Array::U32(order))?;
        }
        let range = self.range();
        while self.position.totals.runs < range.runs {
            self.train_runs(&range, observers)?;
            if self.position.totals.runs == range.runs {
                break;
            }
            if let Some(kind) = self.stop.requested() {
                self.save(observers)?;
                return Err(self.stopped(kind, run));
            }
            if self.checkpoints.is_due(self.position.step) {
                self.save(observers)?;
            }
        }
        Ok(())
    }

    /// The range of steps of the current epoch.
    fn range(&self) -> EpochRange {
        let first_step = self.position.epochs * self.steps_per_epoch;
        let steps = self.steps_per_epoch.min(self.steps - first_step);
        let images = (steps * self.training.images_per_step).min(self.training.count);
        EpochRange { first_step, steps, images, runs: images.div_ceil(self.training.batch) }
    }

    /// The data of each step of the current epoch, by its index in the epoch.
    fn record_for(&self) -> impl Fn(usize) -> StepRecord + use<> {
        let (rate, epoch) = (self.rate, self.position.epochs);
        let (optimizer, ema) = (self.config.optimizer, self.config.ema);
        let first_step = epoch * self.steps_per_epoch;
        move |step| StepRecord {
            epoch: epoch as u32,
            ..optim::step_record(optimizer, ema, rate.at(first_step + step), first_step + step)
        }
    }

    /// Trains until a checkpoint is due, a stop is requested or the epoch ends.
    fn train_runs(&mut self, range: &EpochRange, observers: &mut [&mut dyn Observer]) -> Result<()> {
        let &EpochRange { first_step, steps, images, runs } = range;
        let (batch, unit) = (self.training.batch, self.training.images_per_step);
        // In the middle of an interval, so a partial epoch has a measurement as well.
        let interval = match self.training.slots {
            Slots::Pairs => (self.training.count.div_ceil(batch) / PENALTY_SAMPLES).clamp(1, runs),
            Slots::Blocks => 1,
        };
        let submitter = Submitter {
            pass: &self.training,
            sampling: Sampling {
                penalty: self.penalty.as_ref(),
                interval,
                norm_probe: Some((&self.norm_probe, (self.probe_every * unit / batch).max(1))),
            },
            mean: true,
        };
        let steps_done = |runs: usize| range.steps_done(runs, &self.training);
        let next_save = self.checkpoints.next_step(self.position.step).unwrap_or(usize::MAX);
        let until = next_save.saturating_sub(first_step).saturating_mul(unit).div_ceil(batch).min(runs);
        let (rate, record_for) = (self.rate, self.record_for());
        let (index, position) = (self.position.epochs, &mut self.position);
        let (started, all_steps) = (Instant::now(), self.steps);
        let (seconds_before, epoch_seconds_before) = (position.seconds, position.epoch_seconds);
        submitter.run(
            &mut *self.session,
            &mut self.sizer,
            images,
            Range { start: position.totals.runs, end: until },
            record_for,
            |measured| {
                self.divergence.check(&self.norm_probe, &measured, |run| first_step + steps_done(run))?;
                position.totals.add(&measured);
                let done = steps_done(position.totals.runs);
                position.step = first_step + done;
                let loss = position.totals.cross_entropy() + position.totals.penalty();
                let elapsed = started.elapsed().as_secs_f64();
                let each_step = (seconds_before + elapsed) / position.step as f64;
                let progress = Progress {
                    epoch: index + 1,
                    step: done,
                    steps,
                    total_step: position.step,
                    recent_loss: measured.loss() + position.totals.penalty(),
                    learning_rate: f64::from(rate.at(position.step - 1)),
                    loss,
                    accuracy: position.totals.accuracy(),
                    images_per_second: (done * unit).min(images) as f64 / (epoch_seconds_before + elapsed),
                    seconds_left: each_step * (all_steps - position.step) as f64,
                };
                for observer in &mut *observers {
                    observer.progress(&progress)?;
                }
                let is_enough = self.stop.requested().is_some() || self.checkpoints.is_due(position.step);
                Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
        )?;
        let seconds = started.elapsed().as_secs_f64();
        self.position.seconds += seconds;
        self.position.epoch_seconds += seconds;
        Ok(())
    }

    /// Evaluates the model after an epoch, reports the metrics, and saves a checkpoint if one is
    /// due.
    fn end_epoch(&mut self, observers: &mut [&mut dyn Observer], run: &Path) -> Result<()> {
        let is_whole = self.range().steps == self.steps_per_epoch;
        let epoch = self.report()?;
        let is_cut = self.range().steps < self.steps_per_epoch;
        let before_cut = is_cut.then(|| Box::new(self.position.clone()));
        let is_best = self.position.complete(epoch, self.config.monitor);
        self.position.before_cut = before_cut;
        for observer in &mut *observers {
            observer.epoch(&epoch)?;
        }
        if is_whole {
            self.warn_of_chance(&epoch, observers)?;
        }
        // A stop may have been requested in the epoch's last submission or during the evaluation.
        let stop = self.stop.requested().filter(|_| !self.is_over());
        let is_due = self.checkpoints.is_due_after(self.position.epochs, self.position.step);
        if is_due || stop.is_some() || self.is_over() || is_best && self.config.keep_best {
            self.save(observers)?;
        }
        stop.map_or(Ok(()), |kind| Err(self.stopped(kind, run)))
    }

    /// Warns, once per run, after an epoch in which the model did not learn.
    fn warn_of_chance(&mut self, epoch: &Epoch, observers: &mut [&mut dyn Observer]) -> Result<()> {
        let warning = self.chance.warning(epoch, self.config);
        if let Some(warning) = warning.filter(|_| !self.position.warned_of_chance) {
            self.position.warned_of_chance = true;
            for observer in observers {
                observer.warning(&warning)?;
            }
        }
        Ok(())
    }

    /// The metrics of the epoch's steps, and an evaluation of the model after them.
    fn report(&mut self) -> Result<Epoch> {
        self.swap_ema()?;
        let epoch = self.measured()?;
        self.swap_ema()?;
        Ok(epoch)
    }

    fn measured(&mut self) -> Result<Epoch> {
        let EpochRange { first_step, steps, images, .. } = self.range();
        let (session, penalty) = (&mut *self.session, self.penalty.as_ref());
        let mut measure_on = |pass| {
            let found = measure(session, &mut self.test_sizer, pass, penalty)?;
            if found.loss.is_finite() {
                Ok(found)
            } else {
                Err(self.divergence.no_number(found.loss, first_step + steps))
            }
        };
        let test = measure_on(&self.testing)?;
        let validation = self.validating.as_ref().map(measure_on).transpose()?;
        let Position { epochs, totals, epoch_seconds: seconds, .. } = self.position;
        let cross_entropy = totals.cross_entropy();
        Ok(Epoch {
            epoch: epochs + 1,
            step: first_step + steps,
            train_loss: cross_entropy + totals.penalty(),
            train_accuracy: totals.accuracy(),
            test_loss: test.loss,
            test_accuracy: test.accuracy,
            train_cross_entropy: cross_entropy,
            test_cross_entropy: test.cross_entropy,
            learning_rate: f64::from(self.rate.at(first_step + steps - 1)),
            seconds,
            images_per_second: images as f64 / seconds,
            validation,
        })
    }
}

/// Adds to an error of the device how to resume the run.
fn goes_on(error: Error, run: &Path) -> Error {
    match (error.kind(), error.remedy().cloned()) {
        (ErrorKind::Device, Some(remedy)) => error.advise(remedy.then(Remedy::Resume(run.into()))),
        _ => error,
    }
}

/// The range of steps of an epoch, which may be cut short.
#[derive(Clone, Copy, Debug)]
struct EpochRange {
    /// Number of steps before the epoch.
    first_step: usize,
    steps: usize,
    /// Number of images in these steps.
    images: usize,
    /// Number of runs of the training step.
    runs: usize,
}

impl EpochRange {
    /// Number of optimizer steps in the first `runs` runs.
    fn steps_done(&self, runs: usize, training: &SplitStep) -> usize {
        (runs * training.batch).min(self.images).div_ceil(training.images_per_step)
    }
}

//! Training and evaluation: the loops that run a plan.
//!
//! A [`Trainer`] moves a data set to a device, records the computation of a run (`program`),
//! submits its steps to the device (`submission`) and sums up their metrics (`metrics`).
//! [`evaluate`](evaluate()) measures a saved model, on one or several [`Views`] of each image;
//! [`logits`](logits()) only runs its forward pass (`inference`). [`check_gradients`] compares the
//! gradients of a device with finite differences. An [`Observer`] follows a run.
//!
//! A [`Position`] is the progress of a run. Together with all tensors it makes a [`Snapshot`], from
//! which [`Trainer::resume`] continues. `checkpoint_policy` decides when to save a snapshot, and
//! `divergence` refuses to save one that contains NaN or infinity. `chance` detects a run that does
//! not learn.
//!
//! ```
//! use std::path::Path;
//!
//! use shadegrad::config::Config;
//! use shadegrad::data::Dataset;
//! use shadegrad::device::Device;
//! use shadegrad::error::Result;
//! use shadegrad::train::{End, StopFlag, Trainer};
//!
//! fn train(config: &Config, dataset: Dataset, device: &dyn Device) -> Result<End> {
//!     let trainer = Trainer::new(config, dataset, device)?;
//!     trainer.train(Path::new("runs/first"), &mut [], &StopFlag::default())
//! }
//! ```

mod averages;
mod chance;
mod checkpoint_policy;
mod dataset_on_device;
mod divergence;
mod dry_run;
mod epoch;
mod evaluate;
mod evaluation;
mod gradient_check;
mod inference;
mod measure;
mod metrics;
mod monitor;
mod observer;
mod online;
mod position;
mod program;
mod run_plan;
mod step;
mod stop;
mod submission;
mod submission_result;
mod tensors;
mod trainer;
mod views;
mod whitening;

pub use dry_run::DryRun;
pub use epoch::{Epoch, Measurement};
pub use evaluate::{evaluate, logits};
pub use evaluation::{ClassReport, Confusion, Evaluation, Mistake};
pub use gradient_check::{CheckedTensor, GradientCheck, check_gradients};
pub use metrics::Totals;
pub use observer::{Checkpoint, DatasetInfo, End, Observer, Progress, Start, Warning};
pub use position::{Ending, Position, Snapshot};
pub use run_plan::Sizes;
pub use stop::StopFlag;
pub use trainer::Trainer;
pub use views::Views;

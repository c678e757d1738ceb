//! Training and evaluation: the loops around a plan.
//!
//! A [`Trainer`] moves a data set to a device, records what a run computes (`program`), and feeds the
//! device with steps (`feed`), whose metrics it adds up late (`metrics`). [`evaluate`](evaluate())
//! measures a saved model, on one or several [`Views`] of each image, [`logits`](logits()) only runs it (`inference`),
//! [`check_gradients`] compares a device's gradients with slopes. Who watches a run is an [`Observer`].
//!
//! Where a run is, beside its tensors, is a [`Position`]; both together are a [`Snapshot`], from which
//! [`Trainer::resume`] goes on. `saves` says when there is to be one, `health` whether there may be.
//! `chance` notices a run that learns nothing.

mod averages;
mod chance;
mod epoch;
mod evaluate;
mod evaluation;
mod feed;
mod gradient_check;
mod health;
mod inference;
mod measure;
mod measured;
mod metrics;
mod monitor;
mod observer;
mod online;
mod outline;
mod position;
mod program;
mod recorded;
mod resident;
mod saves;
mod step;
mod stop;
mod tensors;
mod trainer;
mod views;
mod whitening;

pub use epoch::{Epoch, Measurement};
pub use evaluate::{evaluate, logits};
pub use evaluation::{ClassReport, Confusion, Evaluation, Mistake};
pub use gradient_check::{CheckedTensor, GradientCheck, check_gradients};
pub use metrics::Totals;
pub use observer::{Checkpoint, DatasetInfo, End, Observer, Progress, Start, Warning};
pub use outline::Outline;
pub use position::{Ending, Position, Snapshot};
pub use recorded::Sizes;
pub use stop::StopFlag;
pub use trainer::Trainer;
pub use views::Views;

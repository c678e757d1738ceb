//! Training and evaluation: the loops around a plan.
//!
//! A [`Trainer`] moves a data set to a device, records what a run computes (`program`), and feeds the
//! device with steps (`feed`), whose metrics it adds up late (`metrics`). [`evaluate`](evaluate())
//! measures a saved model, [`logits`](logits()) only runs it (`inference`). Who watches a run is an [`Observer`].

mod evaluate;
mod feed;
mod inference;
mod metrics;
mod observer;
mod online;
mod program;
mod resident;
mod stop;
mod trainer;

pub use evaluate::{Evaluation, evaluate, logits};
pub use observer::{Checkpoint, DatasetInfo, End, Epoch, Observer, Progress, Start};
pub use resident::Normalisation;
pub use stop::StopFlag;
pub use trainer::Trainer;

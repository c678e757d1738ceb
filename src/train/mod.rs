//! Training and evaluation: the loops around a plan.
//!
//! A [`Trainer`] moves a data set to a device, records what a run computes (`program`), and feeds the
//! device with steps (`feed`), whose metrics it adds up late (`metrics`). [`evaluate`](evaluate())
//! measures a saved model. Who watches a run is an [`Observer`].

mod evaluate;
mod evaluation;
mod feed;
mod metrics;
mod observer;
mod online;
mod program;
mod resident;
mod stop;
mod trainer;

pub use evaluate::evaluate;
pub use evaluation::{ClassReport, Confusion, Evaluation, Mistake};
pub use observer::{Checkpoint, DatasetInfo, End, Epoch, Observer, Progress, Start};
pub use resident::Normalisation;
pub use stop::StopFlag;
pub use trainer::Trainer;

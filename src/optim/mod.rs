//! Optimizers: what happens to a parameter once its gradient is known.

pub mod group;
mod optimizer;
pub mod schedule;
mod updates;

pub use group::{GroupOptions, Groups};
pub use optimizer::Optimizer;
pub use schedule::{LearningRate, Schedule, Warmup};
pub use updates::{Recipe, Updates, step_record};

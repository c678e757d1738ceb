//! Optimizers, parameter groups and learning rate schedules.
//!
//! ```
//! use shadegrad::optim::{Algorithm, Optimizer};
//!
//! let muon = Optimizer { momentum: 0.6, ..Optimizer::new(Algorithm::Muon) };
//! assert_eq!((muon.name(), muon.sgd().name()), ("muon", "sgd"));
//! ```

pub mod group;
mod optimizer;
pub mod schedule;
mod updates;

pub use group::{GroupOptions, Groups};
pub use optimizer::{Algorithm, Hyperparameter, Optimizer, Place};
pub use schedule::{LearningRate, Schedule, Warmup};
pub use updates::{Recipe, Updates, step_record};

//! Optimizers, parameter groups and learning rate schedules.
//!
//! ```
//! use shadegrad::optim::Optimizer;
//!
//! let muon = Optimizer::Muon { momentum: 0.6, nesterov: true, weight_decay: 0.0 };
//! assert_eq!((muon.name(), muon.sgd().name()), ("muon", "sgd"));
//! ```

pub mod group;
mod optimizer;
pub mod schedule;
mod updates;

pub use group::{GroupOptions, Groups};
pub use optimizer::Optimizer;
pub use schedule::{LearningRate, Schedule, Warmup};
pub use updates::{Recipe, Updates, step_record};

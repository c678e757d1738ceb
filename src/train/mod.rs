//! The training loop.

mod observer;

pub use observer::{DatasetInfo, End, Epoch, Observer, Progress, Start};

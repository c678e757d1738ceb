//! Reports the progress of preparing a plan on a GPU, which may take minutes.

use std::fmt;

/// A stage of the preparation of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Compiles and benchmarks all kernel variants to find the fastest.
    Tuning,
    /// Compiles the kernels of the plan.
    Compiling,
}

/// An item of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// The stage.
    pub stage: Stage,
    /// Name of the kernel, or of the op whose kernels are measured.
    pub name: &'a str,
    /// Number of the item, from 1 to `count`.
    pub number: usize,
    /// Number of items in the stage.
    pub count: usize,
}

/// Receives the progress of the preparation of a plan.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Called when an item begins and the previous ones are done.
    fn item(&self, item: &Item<'_>);

    /// Called when a stage ends, also if it failed. Stages without items are not reported.
    fn end(&self);
}

/// A stage in progress. It ends when this value is dropped.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    observer: Option<&'a dyn Observer>,
    stage: Stage,
    /// Number of items that have begun.
    begun: usize,
    count: usize,
}

impl<'a> Progress<'a> {
    /// Begins a stage with `count` items.
    pub(super) fn new(observer: Option<&'a dyn Observer>, stage: Stage, count: usize) -> Self {
        Progress { observer, stage, begun: 0, count }
    }

    /// Begins the next item.
    pub(super) fn next(&mut self, name: &str) {
        self.begun += 1;
        if let Some(observer) = self.observer {
            observer.item(&Item { stage: self.stage, name, number: self.begun, count: self.count });
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.observer.filter(|_| self.begun > 0) {
            observer.end();
        }
    }
}

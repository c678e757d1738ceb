//! The progress of a GPU's work before the first step of a plan, which may take minutes.

use std::fmt;

/// What a GPU does before the first step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Measures which kernels are fastest, for which all of them are compiled.
    Tuning,
    /// Compiles the kernels of the plan.
    Compiling,
}

/// What comes next in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// The stage.
    pub stage: Stage,
    /// The kernel, or the op whose kernels are measured.
    pub name: &'a str,
    /// Its number, from 1 to `count`.
    pub number: usize,
    /// Items of the stage.
    pub count: usize,
}

/// Receives the progress of the preparation of a plan.
pub trait Observer: fmt::Debug + Send + Sync {
    /// An item begins; those before it are done.
    fn item(&self, item: &Item<'_>);

    /// The stage is over, whether it succeeded or not. Stages without items are not reported.
    fn end(&self);
}

/// A stage that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    observer: Option<&'a dyn Observer>,
    stage: Stage,
    /// Items that have begun.
    begun: usize,
    count: usize,
}

impl<'a> Progress<'a> {
    /// A stage of so many items.
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

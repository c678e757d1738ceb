//! A run from here to its end, also where its GPU is lost on the way.

use std::path::Path;

use super::output;
use super::report::Exam;
use super::watchers::Watchers;
use crate::config::Config;
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::device::cpu::Cpu;
use crate::error::{Error, ErrorKind, Result};
use crate::tensor::Precision;
use crate::train::End;

/// How far a device has taken a run.
pub(super) struct Course {
    pub(super) trained: Result<End>,
    pub(super) device: Box<dyn Device>,
    /// What the report looks at after the trainer is gone.
    pub(super) test: Split,
    pub(super) shape: ImageShape,
}

/// What to tell where a run wants floats of 16 bits and its device has none.
pub(super) fn precision_note(config: &Config, device: &dyn Device) -> Option<String> {
    (config.precision == Precision::F16 && !device.has_half()).then(|| {
        let name = &device.info().name;
        format!(
            "precision f16: {name} has no 16-bit floats to gain by, so all are computed and kept in 32 bits"
        )
    })
}

/// Whether `error` says that `device` is a GPU that can no longer be used.
pub(super) fn is_loss(error: &Error, device: &dyn Device) -> bool {
    error.kind() == ErrorKind::Device && device.gpu().is_some()
}

impl Course {
    /// The error of a run that has lost its GPU.
    fn loss(&self) -> Option<Error> {
        let error = self.trained.as_ref().err()?;
        is_loss(error, &*self.device).then(|| error.clone())
    }

    /// The same with the CPU, where the GPU cannot look at what has become of the run.
    fn survived(self) -> Self {
        if self.loss().is_some() { Course { device: Box::new(Cpu::new()), ..self } } else { self }
    }
}

/// Takes leave of a run that `course` has ended. Where that has lost its GPU, `again`, which is told how, goes on with the
/// run once: a driver that was reset computes again, and one that fails twice will not.
///
/// # Errors
/// What the run ended with.
pub(super) fn end(
    run: &Path,
    mut watchers: Watchers,
    course: Course,
    again: impl FnOnce(&mut Watchers, &str) -> Result<Course>,
) -> Result<()> {
    let course = match course.loss() {
        Some(loss) => {
            output::print_note(&format!(
                "note: {loss}; opening it again and going on from the last checkpoint\n"
            ));
            let Course { device, test, shape, .. } = course;
            // A driver may have room for only one of them.
            drop(device);
            match again(&mut watchers, &loss.to_string()) {
                Ok(course) => match course.loss() {
                    Some(next) => Course { trained: Err(twice(&loss, &next, run)), ..course },
                    None => course,
                },
                Err(next) => {
                    let trained = Err(twice(&loss, &next, run));
                    Course { trained, device: Box::new(Cpu::new()), test, shape }
                }
            }
        }
        None => course,
    };
    let Course { trained, device, test, shape } = course.survived();
    watchers.conclude(run, trained, Exam { test, shape, device: &*device })
}

/// The error of a run that lost its GPU and could not be taken up again: that was lost, too, or there is no such GPU any
/// more, or no checkpoint yet.
fn twice(loss: &Error, next: &Error, run: &Path) -> Error {
    let next_step = if run.join("last").is_file() {
        format!("go on with: shadegrad resume {}", run.display())
    } else {
        "start again, or use --device cpu".into()
    };
    Error::new(ErrorKind::Device, format!("{loss}; then: {next}")).advise(next_step)
}

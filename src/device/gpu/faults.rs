//! Records errors that occur asynchronously on a GPU, until the next check.

use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// The first error of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    first: Arc<Mutex<Option<Error>>>,
}

impl Faults {
    /// Starts recording the errors of a device. Without this, wgpu panics at the first error.
    pub(super) fn listen(device: &wgpu::Device) -> Self {
        let faults = Faults::default();
        let uncaptured = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error| uncaptured.keep(translate(&error))));
        let lost = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device at the end of a run is not an error.
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.keep(lost_device(&message));
            }
        });
        faults
    }

    /// Records `error` if it is the first one.
    pub(super) fn keep(&self, error: Error) {
        let mut first = self.first.lock().expect("no thread panics while it holds this");
        first.get_or_insert(error);
    }

    /// Returns the first error as `Err`, if there was one.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.first.lock().expect("no thread panics while it holds this") {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

/// Runs `work`, and returns an error if the device rejected any of it or ran out of memory.
pub(super) fn checked<T>(device: &wgpu::Device, work: impl FnOnce() -> T) -> Result<T> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let result = work();
    let internal = pollster::block_on(internal.pop());
    let validation = pollster::block_on(validation.pop());
    let memory = pollster::block_on(memory.pop());
    match memory.or(internal).or(validation) {
        Some(error) => Err(translate(&error)),
        None => Ok(result),
    }
}

fn translate(error: &wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => out_of_memory(),
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
            Error::device(format!("the GPU rejected a command: {line}")).advise(Remedy::ReportFault)
        }
    }
}

pub(super) fn out_of_memory() -> Error {
    Error::device("the GPU is out of memory").advise(Remedy::LessMemory)
}

pub(super) fn lost_device(message: &str) -> Error {
    Error::device(format!("the GPU was lost: {message}"))
        .advise(Remedy::or_cpu("the driver was reset or the GPU was unplugged; start the run again"))
}

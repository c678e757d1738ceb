//! A run uses the memory that `config show` says it needs, on each device.
//!
//! This is a test program of its own with a single test, because it checks the memory of the whole
//! process.

use std::path::Path;

use shadegrad::Result;
use shadegrad::config::Key;
use shadegrad::data::ImageShape;
use shadegrad::device::{Device, DeviceKind};
use shadegrad::train::{DryRun, Epoch, Observer, Sizes, StopFlag, Trainer};

use crate::samples::small_run::{config, dataset_of, device};

/// Tolerance of the estimate.
const TOLERANCE: f64 = 0.1;

/// A model whose activations are far larger than everything else in the process.
const MODEL: &str = "conv:32x3,batchnorm,relu,conv:32x3,gelu,maxpool:2,residual(conv:32x3,batchnorm,relu),\
                     conv:64x3s2,batchnorm,relu,globalavgpool";

/// The largest number of bytes at the end of any epoch.
struct Most<'a> {
    device: &'a dyn Device,
    bytes: u64,
}

impl Most<'_> {
    fn look(&mut self) {
        let bytes = match self.device.info().kind {
            DeviceKind::Cpu => crate::samples::resident::bytes(),
            _ => self.device.allocated_bytes().expect("the backend keeps an account"),
        };
        self.bytes = self.bytes.max(bytes);
    }
}

impl Observer for Most<'_> {
    fn epoch(&mut self, _: &Epoch) -> Result<()> {
        self.look();
        Ok(())
    }
}

pub fn a_run_takes_the_memory_that_was_said() {
    let shape = ImageShape { channels: 3, height: 32, width: 32 };
    let config = config(&[(Key::Model, MODEL), (Key::BatchSize, "128"), (Key::Optimizer, "adam")]);
    for kind in ["gpu", "cpu"] {
        let (device, data) = (device(kind), dataset_of(shape));
        let (train, test) = (data.train.labels.len(), data.test.labels.len());
        let sizes = Sizes { shape, classes: data.classes.len(), train, validation: None, test };
        let outline = DryRun::of(&config, &sizes).expect("the model fits");
        let mut most = Most { device: &*device, bytes: 0 };
        most.look();
        let before = most.bytes;
        let trainer = Trainer::new(&config, data, &*device).expect("the run can start");
        trainer.train(Path::new("none"), &mut [&mut most], &StopFlag::default()).expect("the run ends well");
        let said = if kind == "gpu" { outline.gpu_bytes } else { outline.cpu_bytes } as f64;
        let taken = (most.bytes - before) as f64;
        eprintln!("{kind}: {:.1} MB said, {:.1} MB taken", said / 1e6, taken / 1e6);
        // Only Linux reports the memory of a process in a file.
        if kind == "gpu" || cfg!(target_os = "linux") {
            assert!((taken / said - 1.0).abs() <= TOLERANCE, "{kind}: {said} bytes said, {taken} taken");
        }
    }
}

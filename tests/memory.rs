//! What `config show` says that a run needs is what it takes, on each device.
//!
//! In a program of its own and in one test, because the memory that is looked at is the whole process's.

use std::path::Path;

use shadegrad::Result;
use shadegrad::config::Key;
use shadegrad::data::ImageShape;
use shadegrad::device::{Device, DeviceKind};
use shadegrad::train::{Epoch, Observer, Outline, Sizes, StopFlag, Trainer};

#[path = "samples/resident.rs"]
mod resident;
#[path = "samples/small_run.rs"]
#[expect(dead_code, reason = "its images are too small here")]
mod small_run;

use small_run::{config, dataset_of, device};

/// How far from what was said it may be.
const TOLERANCE: f64 = 0.1;

/// A net whose maps are far larger than all else in the process.
const MODEL: &str = "conv:32x3,batchnorm,relu,conv:32x3,gelu,maxpool:2,residual(conv:32x3,batchnorm,relu),\
                     conv:64x3s2,batchnorm,relu,globalavgpool";

/// The most bytes at any epoch's end.
struct Most<'a> {
    device: &'a dyn Device,
    bytes: u64,
}

impl Most<'_> {
    fn look(&mut self) {
        let bytes = match self.device.info().kind {
            DeviceKind::Cpu => resident::bytes(),
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

#[test]
fn a_run_takes_the_memory_that_was_said() {
    let shape = ImageShape { channels: 3, height: 32, width: 32 };
    let config = config(&[(Key::Model, MODEL), (Key::BatchSize, "128"), (Key::Optimizer, "adam")]);
    for kind in ["gpu", "cpu"] {
        let (device, data) = (device(kind), dataset_of(shape));
        let (train, test) = (data.train.labels.len(), data.test.labels.len());
        let sizes = Sizes { shape, classes: data.classes.len(), train, validation: None, test };
        let outline = Outline::of(&config, &sizes).expect("the model fits");
        let mut most = Most { device: &*device, bytes: 0 };
        most.look();
        let before = most.bytes;
        let trainer = Trainer::new(&config, data, &*device).expect("the run can start");
        trainer.train(Path::new("none"), &mut [&mut most], &StopFlag::default()).expect("the run ends well");
        let said = if kind == "gpu" { outline.gpu_bytes } else { outline.cpu_bytes } as f64;
        let taken = (most.bytes - before) as f64;
        eprintln!("{kind}: {:.1} MB said, {:.1} MB taken", said / 1e6, taken / 1e6);
        // Only Linux tells a process's memory in a file.
        if kind == "gpu" || cfg!(target_os = "linux") {
            assert!((taken / said - 1.0).abs() <= TOLERANCE, "{kind}: {said} bytes said, {taken} taken");
        }
    }
}

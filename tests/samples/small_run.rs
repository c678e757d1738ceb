//! A small run inside the test process: its configuration, data and device.

use std::ffi::OsStr;

use shadegrad::config::{Config, Key, Origin, Settings, Sources, resolve};
use shadegrad::data::{Dataset, ImageShape, Split};
use shadegrad::device::Device;
use shadegrad::device::cpu::Cpu;
use shadegrad::device::gpu::Gpu;
use shadegrad::device::gpu::adapter::{Capabilities, FoundAdapter, adapters};

/// Returns a configuration with these values, and otherwise the defaults of a small run.
pub fn config(values: &[(Key, &str)]) -> Config {
    let common = [
        (Key::Model, "linear:7,relu"),
        (Key::BatchSize, "16"),
        (Key::Epochs, "3"),
        (Key::Lr, "0.05"),
        (Key::Momentum, "0"),
        (Key::Nesterov, "false"),
        (Key::WeightDecay, "0"),
        (Key::Schedule, "constant"),
        (Key::Seed, "3"),
    ];
    resolved(&[&common, values].concat())
}

/// Returns the configuration with these values.
pub fn resolved(values: &[(Key, &str)]) -> Config {
    let mut flags = Settings::default();
    for (key, value) in values {
        if let shadegrad::config::Kind::Switch { .. } = key.kind() {
            flags.set(*key, shadegrad::config::Value::Switch(*value == "true"), Origin::Caller);
        } else {
            flags.set_text(*key, OsStr::new(value), Origin::Caller).expect("the value is allowed");
        }
    }
    resolve(Sources { flags, environment: &|_| None, file: None }).expect("the values fit").config
}

/// Returns a data set of noise with learnable classes: images of 3x5 or another shape, whose class
/// is the position of their brightest part. The 133 training images are not divisible by any batch
/// size.
pub fn dataset() -> Dataset {
    dataset_of(ImageShape { channels: 1, height: 3, width: 5 })
}

pub fn dataset_of(shape: ImageShape) -> Dataset {
    let mut state = 12345u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 25) as u8
    };
    let mut split = |count: usize| {
        let mut split = Split::default();
        for index in 0..count {
            let class = index * 7 % 5;
            split.labels.push(class as u32);
            let pixels = 0..shape.pixels();
            split.images.extend(pixels.map(|pixel| noise() + if pixel % 5 == class { 90 } else { 0 }));
        }
        split
    };
    Dataset {
        name: "noise".into(),
        shape,
        classes: ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
        train: split(133),
        test: split(41),
        ..Dataset::default()
    }
}

/// The adapter under test. Tests require a GPU or a software driver.
pub fn adapter() -> FoundAdapter {
    adapters().into_iter().next().expect("the tests need a GPU or a software Vulkan driver")
}

/// Returns the GPU under test.
pub fn gpu(capabilities: Capabilities) -> Gpu {
    Gpu::open(&adapter(), capabilities).expect("the GPU can be opened")
}

/// Returns a device of this kind.
pub fn device(kind: &str) -> Box<dyn Device> {
    match kind {
        "cpu" => Box::new(Cpu::new()),
        _ => Box::new(gpu(Capabilities::Adapter)),
    }
}

//! Training in f16: close to the same run in f32, exact when resumed from a checkpoint, and
//! identical to f32 on a device without f16.

use shadegrad::config::{Config, Key};
use shadegrad::device::Device;
use shadegrad::device::gpu::Gpu;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::device::gpu::compiler::ShaderCompiler;
use shadegrad::ops::classifier::{self, InputGradient};
use shadegrad::ops::softmax_cross_entropy::Target;
use shadegrad::plan::{Array, Launch, Plan, Role, StepRecord};
use shadegrad::tensor::Element;

use crate::samples::small_run::{self, config, device};
use crate::samples::witness::{resume, train};

type Values<'a> = &'a [(Key, &'a str)];

/// Rows and pixels, maps with every layer that reads them, and a last layer in f32 after a scale.
const RUNS: [Values<'_>; 4] = [
    &[],
    &[(Key::Model, "linear:9,gelu,dropout:0.2,linear:70"), (Key::Optimizer, "adamw"), (Key::ClipNorm, "0.5")],
    &[
        (
            Key::Model,
            "conv:3x3p1,batchnorm,relu,maxpool:2p1,residual(conv:3x1,relu),linear:6,relu,linear:5,scale:0.5",
        ),
        (Key::Momentum, "0.9"),
        (Key::Lr, "0.02"),
    ],
    &[
        (Key::Model, "conv:4x2,leakyrelu:0.1,avgpool:2,linear:8,relu"),
        (Key::Optimizer, "lion"),
        (Key::Lr, "0.001"),
    ],
];

fn with(values: Values<'_>, precision: &str) -> Config {
    config(&[values, &[(Key::CheckpointEvery, "7"), (Key::Precision, precision)]].concat())
}

fn gpu() -> Box<dyn Device> {
    let gpu = device("gpu");
    assert!(gpu.has_f16());
    gpu
}

/// Every stored activation has a relative rounding error of at most 2^-11. Losses are means over
/// 133 images and weights come from 27 steps: a few roundings of several layers, all of that
/// magnitude.
pub fn losses_follow_those_of_32_bits() {
    let gpu = gpu();
    for values in RUNS {
        let [(full, full_seen), (half, half_seen)] =
            ["f32", "f16"].map(|bits| train(&with(values, bits), &*gpu));
        assert_ne!(full.weights_sha256, half.weights_sha256, "{values:?} is the same run");
        for (full, half) in full_seen.epochs.iter().zip(&half_seen.epochs) {
            let (wanted, got) = (full.train_loss, half.train_loss);
            assert!((wanted - got).abs() <= 0.01 * wanted, "{got}, with 32 bits {wanted}, of {values:?}");
        }
    }
}

pub fn a_run_goes_on_exactly() {
    let gpu = gpu();
    for values in RUNS {
        let config = with(values, "f16");
        let (end, straight) = train(&config, &*gpu);
        assert!(straight.snapshots.len() >= 4, "{values:?}");
        for snapshot in straight.snapshots.iter().step_by(2) {
            let (again, _) = resume(&config, &*gpu, snapshot);
            let step = snapshot.position.step;
            assert_eq!(again.weights_sha256, end.weights_sha256, "from step {step} of {values:?}");
        }
    }
}

pub fn a_device_without_such_floats_trains_with_32_bits() {
    let plain = small_run::gpu(Capabilities::WebGpuDefaults);
    for device in [device("cpu"), Box::new(plain)] {
        assert!(!device.has_f16());
        let [full, half] = ["f32", "f16"].map(|bits| train(&with(RUNS[0], bits), &*device).0.weights_sha256);
        assert_eq!(full, half, "on {}", device.info().name);
    }
}

/// The capabilities of a GPU with DX12 where FXC compiles its kernels: no subgroup operations, no
/// f16 and no large tiles. The kernels that a run then uses change no bit.
pub fn a_device_with_fxc_trains_to_the_same_weights() {
    let whole = small_run::adapter();
    let mut with_fxc = whole.clone();
    with_fxc.compiler = ShaderCompiler::Fxc;
    let devices = [(&whole, Capabilities::Adapter), (&with_fxc, Capabilities::WebGpuDefaults)];
    let [whole, plain] = devices.map(|(adapter, capabilities)| {
        let gpu = Gpu::open(adapter, capabilities).expect("the GPU can be opened");
        assert_eq!(gpu.facts().compiles_slowly, capabilities == Capabilities::WebGpuDefaults);
        RUNS.map(|values| train(&with(values, "f32"), &gpu).0.weights_sha256)
    });
    assert_eq!(plain, whole);
}

/// A confident model with a large batch: the gradient of a row is far below the smallest f16
/// number, but is not lost.
pub fn a_small_gradient_does_not_become_zero() {
    let gpu = gpu();
    let (batch, inputs, classes) = (512, 8, 2);
    let gradient_on = |device: &dyn Device| {
        let mut plan = Plan::new();
        let x = plan.declare("x", Role::Input, Element::F16, [batch, inputs]);
        let weight = plan.declare("weight", Role::Parameter, Element::F32, [classes, inputs]);
        let bias = plan.declare("bias", Role::Parameter, Element::F32, [classes]);
        let labels = plan.declare("labels", Role::Input, Element::U32, [batch]);
        let step = plan.begin("step");
        let target = Target { labels, smoothing: 0.0, slots: 1 };
        let output = classifier::forward(&mut plan, x, [weight, bias], target, InputGradient::Plain);
        let dx = output.dx.expect("the gradient of the input");
        let mut session = device.load(plan).expect("the plan can be loaded");
        let weights = (0..classes * inputs).map(|index| if index < inputs { 0.5 } else { -0.5 }).collect();
        for (tensor, array) in [
            (x, Array::F32(vec![0.75; batch * inputs])),
            (weight, Array::F32(weights)),
            (bias, Array::F32(vec![3.0, -3.0])),
            (labels, Array::U32(vec![0; batch])),
        ] {
            session.write(tensor, array).expect("operands can be written");
        }
        let record =
            StepRecord { rows: batch as u32, row_weight: 1.0 / batch as f32, ..StepRecord::default() };
        let ticket = session.submit(&[Launch { step, record }], &[], 0).expect("the step runs");
        session.finish(ticket).expect("the step ends");
        let found = session.read(dx).expect("the gradient can be read").into_f32();
        (found[0], record.gradient_scale(dx))
    };
    let (found, scale) = gradient_on(&*gpu);
    let (wanted, _) = gradient_on(&*device("cpu"));
    // Rounded, with a magnitude at which neighbouring f16 numbers are 2^-24 apart.
    let limit = wanted.abs() / 1024.0 + 1.0 / (1 << 24) as f32;
    assert!((found - wanted).abs() <= limit, "{found}, not {wanted}");
    let plain = wanted / scale;
    assert!(plain != 0.0 && half::f16::from_f32(plain) == half::f16::ZERO, "{plain} is no test");
}

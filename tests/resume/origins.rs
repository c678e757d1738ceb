//! NaN and infinity in everything that the training step of every kind of layer computes, on both
//! devices: inputs, outputs, gradients, weights, statistics and optimizer state. Checkpoints are
//! never corrupted unnoticed, and the op and the layer in which the bad value appeared are named.

use std::borrow::Cow;
use std::cell::RefCell;

use shadegrad::config::Key;
use shadegrad::device::Device;
use shadegrad::kernel::{Dispatch, Kernel, write};
use shadegrad::plan::{AlteredOp, Op, Operands, Plan, Role};
use shadegrad::tensor::{Element, Tensor};

use crate::resume::divergence::{is_divergence, step_of, try_to_train};
use crate::resume::support::{config, device};
use crate::samples::altered::Altered;

/// Every kind of layer, in models of few ops, with the number of injected NaNs and infinities that
/// must be found. Those that an op drops are not found, for example where a ReLU is zero. A new
/// kind of layer is a new line.
const KINDS: &[(&str, &[(Key, &str)])] = &[
    ("linear", &[(Key::Model, "linear:7")]),
    ("linear with momentum", &[(Key::Model, "linear:7,relu"), (Key::Momentum, "0.9")]),
    ("linear with Adam", &[(Key::Model, "linear:7,relu"), (Key::Optimizer, "adam")]),
    ("linear with Lion", &[(Key::Model, "linear:7"), (Key::Optimizer, "lion")]),
    ("blocks of single images", &[(Key::Model, "linear:7,relu"), (Key::BatchSize, "1"), (Key::Lr, "0.01")]),
    ("relu", &[(Key::Model, "relu,linear:7,relu,relu")]),
    ("conv", &[(Key::Model, "conv:4x3,relu,conv:3x3")]),
    ("pools", &[(Key::Model, "conv:4x3,maxpool:2s1,avgpool:2s1")]),
    ("global pools", &[(Key::Model, "conv:4x3,globalavgpool")]),
    ("batchnorm", &[(Key::Model, "conv:4x3,batchnorm,relu")]),
    ("curves", &[(Key::Model, "linear:6,gelu,linear:5,leakyrelu:0.1,linear:5,scale:0.5")]),
    ("residual", &[(Key::Model, "conv:4x3,residual(conv:4x3,relu),globalmaxpool")]),
];

/// The run of the training step in which the fault occurs: the sixth of nine, or the fourth of five
/// if they are blocks of 32 images.
fn first(is_block: bool) -> u32 {
    if is_block { 3 * 32 } else { 5 * 16 }
}

/// Where a bad value is injected: after an op of the training step, by its position, into one of
/// its outputs.
#[derive(Clone, Copy, Debug)]
struct Fault {
    position: usize,
    tensor: Tensor,
    value: f32,
    /// The step, by the first image of its batch.
    first: u32,
}

const SOURCE: &str = "
struct Params { first: u32, index: u32, bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main() {
    if step.first == params.first {
        y[params.index] = params.bits;
    }
}
";

/// Returns `op` with a fault after it.
fn with_fault(op: Box<dyn Op>, fault: Fault) -> Box<dyn Op> {
    let Fault { tensor, value, first, .. } = fault;
    let index = tensor.len() / 2;
    let op = AlteredOp::computed(op, move |op, memory, step| {
        op.run_on_cpu(memory, step);
        if step.first == first {
            memory.f32_mut(tensor)[index] = value;
        }
    });
    AlteredOp::lowered(op, move |op, gpu| {
        let mut dispatches = op.lower(gpu);
        let kernel = Kernel {
            name: "fault".into(),
            source: format!("{}{SOURCE}", include_str!("../../shaders/step.wgsl")).into(),
            workgroup: [1; 3],
            bindings: Cow::Borrowed(const { &[write("y")] }),
            reads_step: true,
            subgroups: false,
        };
        let params = [first, index as u32, value.to_bits(), 0];
        dispatches.push(Dispatch {
            kernel: Cow::Owned(kernel),
            params: params.into_iter().flat_map(u32::to_ne_bytes).collect(),
            tensors: vec![tensor],
            grid: [1; 3],
            iterations: 0,
        });
        dispatches
    })
}

/// Returns a device with a fault.
fn faulty(inner: &dyn Device, fault: Fault) -> Altered<'_> {
    Altered::new(inner, move |device, mut plan| {
        let mut position = 0;
        // The training step is the plan's first.
        plan.wrap_ops(|inner| {
            position += 1;
            let is_here = position == fault.position + 1;
            if is_here { with_fault(inner, fault) } else { inner }
        });
        device.load(plan)
    })
}

/// The outputs of an op of the training step.
#[derive(Clone, Debug)]
struct Place {
    position: usize,
    op: &'static str,
    tensor: Tensor,
    name: String,
    role: Role,
}

/// Returns the outputs of the training step's ops.
fn places(plan: &Plan) -> Vec<Place> {
    let mut places = Vec::new();
    for (position, op) in plan.steps()[0].ops.iter().enumerate() {
        let Operands { writes, updates, .. } = op.operands();
        for tensor in [writes, updates].concat() {
            let declaration = plan.declaration(tensor);
            let (name, role) = (declaration.name.clone(), declaration.role);
            // Each step has its own slot of a ring. A GPU stores pixels as bytes, which are always
            // numbers.
            if tensor.element() == Element::F32 && role != Role::Metric {
                places.push(Place { position, op: op.name(), tensor, name, role });
            }
        }
    }
    places
}

#[derive(Debug, Default)]
struct Tally {
    found: usize,
    harmless: usize,
    kept: usize,
}

/// Injects bad values everywhere in turn: each of `values`, or one of them per place if there are
/// many places.
fn everything_is_found(kind: &str, values: &[f32], each: usize) -> Tally {
    let device = device(kind);
    let mut tally = Tally::default();
    for (layer, settings) in KINDS {
        let settings = [settings, &[(Key::CheckpointEvery, "4"), (Key::Epochs, "1")][..]].concat();
        let config = config(&settings);
        let noted = RefCell::default();
        let noting = Altered::new(&*device, |device, plan| {
            *noted.borrow_mut() = places(&plan);
            device.load(plan)
        });
        let straight = try_to_train(&config, &noting).0.expect("nothing is wrong yet").weights_sha256;
        let is_block = settings.contains(&(Key::BatchSize, "1"));
        for (number, place) in noted.take().into_iter().enumerate() {
            // A logit of minus infinity is a probability of zero and not a fault, so it is not
            // injected into tensors that live within a step.
            let is_tried = |value: &&f32| **value != f32::NEG_INFINITY || place.role != Role::Scratch;
            let tried = values.iter().cycle().skip(number).take(each);
            for &value in tried.filter(is_tried) {
                let Place { position, tensor, .. } = place;
                let fault = Fault { position, tensor, value, first: first(is_block) };
                let (result, witness) = try_to_train(&config, &faulty(&*device, fault));
                let what = format!("{value} behind {} in {} ({layer}, {kind})", place.op, place.name);
                match result {
                    // For example, a ReLU is zero there, so the value had no effect.
                    Ok(end) => {
                        assert_eq!(end.weights_sha256, straight, "{what} went unnoticed");
                        assert!(place.role == Role::Scratch, "{what} was lost");
                        tally.harmless += 1;
                    }
                    Err(error) => {
                        is_divergence(&error, &witness);
                        let (said, step) = (error.to_string(), step_of(&error));
                        let wanted = if is_block { 97..=128 } else { 6..=7 };
                        assert!(wanted.contains(&step), "{what}: {said}");
                        let began = format!("it began in {}", place.op);
                        assert!(said.contains(&began), "{what}: {said}");
                        if place.role != Role::Scratch {
                            assert!(said.contains(&format!(": {} holds NaN", place.name)), "{what}: {said}");
                            // The central op of a block has the parameters of two layers.
                            let parts = [".weight", ".bias", ".running"];
                            let layer = parts.iter().find_map(|part| place.name.split_once(part));
                            let (layer, _) = layer.expect("a parameter's name");
                            let named = format!(" in {} of layer {layer}", place.op);
                            assert!(is_block || said.ends_with(&named), "{what}: {said}");
                            tally.kept += 1;
                        }
                        tally.found += 1;
                    }
                }
            }
        }
    }
    println!("{kind}: {tally:?}");
    tally
}

#[test]
fn what_begins_anywhere_on_the_cpu_is_found_and_named() {
    let tally = everything_is_found("cpu", &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], 3);
    assert!(tally.found >= 60, "{tally:?}");
}

#[test]
fn what_begins_anywhere_on_the_gpu_is_found_and_named() {
    let tally = everything_is_found("gpu", &[f32::NAN, f32::INFINITY], 1);
    assert!(tally.found >= 60, "{tally:?}");
}

//! The benchmarked ops, in the shapes of real training steps, each in a plan of its own.

use crate::augmentation::Augmentation;
use crate::device::DeviceKind;
use crate::kernel::{GpuFacts, TileClass};
use crate::ops::classifier::{self, InputGradient};
use crate::ops::fixture::Draft;
use crate::ops::gather::{self, Images};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::sgd::{self, Update};
use crate::ops::softmax_cross_entropy::Target;
use crate::ops::{Rate, Window, column_sum, conv2d, fixture, l2_penalty, peak, softmax_cross_entropy};
use crate::plan::{Array, Plan, Role, StepId};
use crate::tensor::{Element, Tensor};

/// The cost of one launch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Floating-point operations. A multiply-add counts as two.
    Operations(f64),
    /// Bytes that must be read and written.
    Bytes(f64),
}

/// A step with its inputs and its cost.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) op: &'static str,
    pub(super) shape: String,
    pub(super) work: Work,
    pub(super) plan: Plan,
    pub(super) step: StepId,
    pub(super) inputs: Vec<(Tensor, Array)>,
    /// Number of images in a batch, or 1.
    pub(super) rows: usize,
    /// Number of batches in the order. Each launch uses one of them.
    pub(super) batches: usize,
}

/// Returns the work that measures the device's peak of multiply-adds.
pub(super) fn peak(kind: DeviceKind) -> Subject {
    // Filling a large GPU takes work that would keep a CPU busy for seconds.
    let length = match kind {
        DeviceKind::Cpu | DeviceKind::Software => 1 << 10,
        _ => 1 << 18,
    };
    let mut draft = Draft::new("bench");
    peak::forward(&mut draft.plan, length);
    done(draft, "peak", String::new(), Work::Operations(2.0 * (peak::MULTIPLY_ADDS * length) as f64))
}

/// Returns all ops except the peak.
pub(super) fn all() -> Vec<Subject> {
    // The convolutions of a small network on CIFAR-10.
    let convolutions =
        [[32, 3, 32], [32, 32, 32], [16, 32, 64], [16, 64, 64]].into_iter().flat_map(convolution);
    let others = [
        product(Form::Nn, 512, 512, 512),
        product(Form::Nn, 1024, 1024, 1024),
        product(Form::Nn, 2048, 2048, 2048),
        // Fashion-MNIST, 784-128-10, batch 64.
        gather(64, [1, 28, 28]),
        product(Form::Nt, 64, 128, 784),
        product(Form::Nt, 64, 10, 128),
        softmax(64, 10),
        classifier(64, 128, 10),
        column_sum(64, 128),
        product_with_update(128, 784, 64),
        sgd(128 * 784),
        norm(128 * 784),
        // CIFAR-10, 3072-100-10, batch 32.
        gather(32, [3, 32, 32]),
        product(Form::Nt, 32, 100, 3072),
        softmax(32, 10),
        classifier(32, 100, 10),
        column_sum(32, 100),
        product_with_update(100, 3072, 32),
        sgd(100 * 3072),
    ];
    others.into_iter().chain(convolutions).collect()
}

/// Returns products of f16 matrices if the GPU supports cooperative matrices for them.
pub(super) fn of_f16(facts: &GpuFacts) -> Vec<Subject> {
    if !TileClass::f16_candidates(facts).iter().any(TileClass::is_cooperative) {
        return Vec::new();
    }
    let subject = |size| product_of("matmul nn, f16", Element::F16, Form::Nn, [size; 3]);
    [512, 1024, 2048, 4096].into_iter().map(subject).collect()
}

/// Returns the three passes of a 3x3 convolution with batch size 128 on maps of `size` by `size`.
fn convolution([size, channels, filters]: [usize; 3]) -> [Subject; 3] {
    let (batch, window) = (128, Window::square(3, 1, 1));
    let input = [batch, size, size, channels];
    let output = [batch, size, size, filters];
    let weight = [filters, window.height, window.width, channels];
    let record =
        |name, operands: [(&str, [usize; 4]); 2], pass: fn(&mut Plan, [Tensor; 2], [usize; 4], Window)| {
            let mut draft = Draft::new("bench");
            let operands = operands.map(|(operand, shape)| draft.noise(operand, Role::Input, shape));
            pass(&mut draft.plan, operands, input, window);
            let shape = format!("{batch}x{size}x{size}x{channels}x{filters}");
            let patch = window.height * window.width * channels;
            done(draft, name, shape, operations(batch * size * size, filters, patch))
        };
    [
        record("conv2d 3x3", [("x", input), ("weight", weight)], |plan, [x, weight], _, window| {
            conv2d::forward(plan, x, weight, None, false, window);
        }),
        record(
            "conv2d 3x3, dx",
            [("dy", output), ("weight", weight)],
            |plan, [dy, weight], input, window| {
                conv2d::data_gradient(plan, dy, weight, input, None, window);
            },
        ),
        record("conv2d 3x3, dw", [("dy", output), ("x", input)], |plan, [dy, x], _, window| {
            conv2d::weight_gradient(plan, dy, x, window);
        }),
    ]
}

fn done(draft: Draft, op: &'static str, shape: String, work: Work) -> Subject {
    let Draft { plan, step, inputs, .. } = draft;
    Subject { op, shape, work, plan, step, inputs, rows: 1, batches: 1 }
}

fn operations(m: usize, n: usize, k: usize) -> Work {
    Work::Operations(2.0 * m as f64 * n as f64 * k as f64)
}

fn product(form: Form, m: usize, n: usize, k: usize) -> Subject {
    let name = match form {
        Form::Nn => "matmul nn",
        Form::Nt => "matmul nt",
        Form::Tn => "matmul tn",
    };
    product_of(name, Element::F32, form, [m, n, k])
}

/// Returns a product of random matrices with this element type.
fn product_of(name: &'static str, element: Element, form: Form, [m, n, k]: [usize; 3]) -> Subject {
    let (a, b) = match form {
        Form::Nn => ([m, k], [k, n]),
        Form::Nt => ([m, k], [n, k]),
        Form::Tn => ([k, m], [k, n]),
    };
    let mut draft = Draft::new("bench");
    let (a, b) = (draft.noise_of(element, "a", a), draft.noise_of(element, "b", b));
    matmul::product_in(&mut draft.plan, element, form, a, b, Epilogue::None);
    done(draft, name, format!("{m}x{n}x{k}"), operations(m, n, k))
}

fn product_with_update(m: usize, n: usize, k: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let a = draft.noise("dy", Role::Input, [k, m]);
    let b = draft.noise("x", Role::Input, [k, n]);
    let parameter = draft.noise("w", Role::Parameter, [m, n]);
    matmul::update(
        &mut draft.plan,
        a,
        b,
        Update { parameter, rate: Rate::Scaled(1.0), decay: 0.0, momentum: None },
        None,
    );
    done(draft, "matmul tn, sgd", format!("{m}x{n}x{k}"), operations(m, n, k))
}

fn gather(batch: usize, [channels, height, width]: [usize; 3]) -> Subject {
    let pixels = channels * height * width;
    let batches = 64;
    let images = batches * batch;
    let mut draft = Draft::new("bench");
    let piece = draft.give("piece", Role::Input, [images, pixels], fixture::bytes(images * pixels));
    let labels = draft.give("labels", Role::Input, [images], fixture::indices(images, 10));
    let normalisation = draft.noise("normalisation", Role::Input, [channels, 2]);
    let mut order: Vec<u32> = (0..images as u32).collect();
    order.sort_by_key(|&image| fixture::hash(image as usize));
    let order = draft.give("order", Role::Input, [images], Array::U32(order));
    let source = Images {
        pieces: vec![piece],
        labels,
        normalisation,
        height,
        width,
        augmentation: Augmentation::default(),
    };
    gather::pixels(&mut draft.plan, &source, order, batch, Element::F32);
    let work = Work::Bytes((batch * pixels * 2) as f64);
    Subject { rows: batch, batches, ..done(draft, "gather", format!("{batch}x{pixels}"), work) }
}

fn softmax(batch: usize, count: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let logits = draft.noise("logits", Role::Input, [batch, count]);
    let labels = draft.give("labels", Role::Input, [batch], fixture::indices(batch, 10));
    softmax_cross_entropy::forward(&mut draft.plan, logits, Target { labels, smoothing: 0.0, slots: 1 });
    let work = Work::Bytes((batch * count * 8) as f64);
    Subject { rows: batch, ..done(draft, "softmax", format!("{batch}x{count}"), work) }
}

fn classifier(batch: usize, inputs: usize, classes: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let x = draft.noise("x", Role::Input, [batch, inputs]);
    let weight = draft.noise("weight", Role::Parameter, [classes, inputs]);
    let bias = draft.noise("bias", Role::Parameter, [classes]);
    let labels = draft.give("labels", Role::Input, [batch], fixture::indices(batch, classes as u32));
    let target = Target { labels, smoothing: 0.0, slots: 1 };
    classifier::forward(&mut draft.plan, x, [weight, bias], target, InputGradient::Masked);
    // There are two products: one computes the logits and one `dx`.
    let work = operations(2 * batch, classes, inputs);
    Subject { rows: batch, ..done(draft, "classifier", format!("{batch}x{inputs}x{classes}"), work) }
}

fn column_sum(rows: usize, columns: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let x = draft.noise("x", Role::Input, [rows, columns]);
    column_sum::forward(&mut draft.plan, x);
    done(draft, "column sum", format!("{rows}x{columns}"), Work::Bytes((4 * (rows + 1) * columns) as f64))
}

fn sgd(length: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let dw = draft.noise("dw", Role::Input, [length]);
    let parameter = draft.noise("w", Role::Parameter, [length]);
    sgd::step(&mut draft.plan, Update { parameter, rate: Rate::Scaled(1.0), decay: 0.0, momentum: None }, dw);
    done(draft, "sgd", length.to_string(), Work::Bytes((12 * length) as f64))
}

fn norm(length: usize) -> Subject {
    let mut draft = Draft::new("bench");
    let w = draft.noise("w", Role::Parameter, [length]);
    l2_penalty::value(&mut draft.plan, w, 1);
    done(draft, "norm", length.to_string(), Work::Bytes((4 * length) as f64))
}

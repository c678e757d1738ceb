//! The benchmarked ops, in the shapes of real training steps.

use crate::augmentation::Augmentation;
use crate::device::DeviceKind;
use crate::kernel::{GpuFacts, TileClass};
use crate::ops::classifier::InputGradient;
use crate::ops::fixture::{self, After, Fixture, Gathered, Pass};
use crate::ops::matmul::Form;
use crate::ops::{Window, peak};
use crate::tensor::Element;

/// The cost of one launch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Floating-point operations. A multiply-add counts as two.
    Operations(f64),
    /// Bytes that must be read and written.
    Bytes(f64),
}

/// A step with its cost.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) op: &'static str,
    pub(super) shape: String,
    pub(super) work: Work,
    pub(super) fixture: Fixture,
    /// Element type of activations.
    pub(super) element: Element,
    /// Number of batches in the order. Each launch uses one of them.
    pub(super) batches: usize,
}

/// Number of batches from which images are gathered.
const BATCHES: usize = 64;

/// Returns the work that measures the device's peak of multiply-adds.
pub(super) fn peak(kind: DeviceKind) -> Subject {
    // Filling a large GPU takes work that would keep a CPU busy for seconds.
    let length = match kind {
        DeviceKind::Cpu | DeviceKind::Software => 1 << 10,
        _ => 1 << 18,
    };
    let work = Work::Operations(2.0 * (peak::MULTIPLY_ADDS * length) as f64);
    subject("peak", String::new(), work, fixture::peak(length))
}

/// Returns all ops except the peak.
pub(super) fn all() -> Vec<Subject> {
    // The convolutions of a small network on CIFAR-10.
    let convolutions =
        [[32, 3, 32], [32, 32, 32], [16, 32, 64], [16, 64, 64]].into_iter().flat_map(convolution);
    let others = [
        product("matmul nn", Form::Nn, [512; 3]),
        product("matmul nn", Form::Nn, [1024; 3]),
        product("matmul nn", Form::Nn, [2048; 3]),
        // Fashion-MNIST, 784-128-10, batch 64.
        gather(64, [1, 28, 28]),
        product("matmul nt", Form::Nt, [64, 128, 784]),
        product("matmul nt", Form::Nt, [64, 10, 128]),
        softmax(64, 10),
        classifier(64, 128, 10),
        column_sum(64, 128),
        product_with_update([128, 784, 64]),
        sgd(128 * 784),
        norm(128 * 784),
        // CIFAR-10, 3072-100-10, batch 32.
        gather(32, [3, 32, 32]),
        product("matmul nt", Form::Nt, [32, 100, 3072]),
        softmax(32, 10),
        classifier(32, 100, 10),
        column_sum(32, 100),
        product_with_update([100, 3072, 32]),
        sgd(100 * 3072),
    ];
    others.into_iter().chain(convolutions).collect()
}

/// Returns products of f16 matrices if the GPU supports cooperative matrices for them.
pub(super) fn of_f16(facts: &GpuFacts) -> Vec<Subject> {
    if !TileClass::f16_candidates(facts).iter().any(TileClass::is_cooperative) {
        return Vec::new();
    }
    let in_f16 = |size| Subject { element: Element::F16, ..product("matmul nn, f16", Form::Nn, [size; 3]) };
    [512, 1024, 2048, 4096].into_iter().map(in_f16).collect()
}

fn subject(op: &'static str, shape: String, work: Work, fixture: Fixture) -> Subject {
    Subject { op, shape, work, fixture, element: Element::F32, batches: 1 }
}

/// Returns the three passes of a 3x3 convolution with batch size 128 on maps of `size` by `size`.
fn convolution([size, channels, filters]: [usize; 3]) -> [Subject; 3] {
    const PASSES: [(&str, &[Pass]); 3] = [
        ("conv2d 3x3", &[Pass::Forward]),
        ("conv2d 3x3, dx", &[Pass::DataGradient]),
        ("conv2d 3x3, dw", &[Pass::WeightGradient]),
    ];
    let (batch, window) = (128, Window::square(3, 1, 1));
    let work = operations([batch * size * size, filters, window.height * window.width * channels]);
    PASSES.map(|(name, passes)| {
        let shape = format!("{batch}x{size}x{size}x{channels}x{filters}");
        let fixture = fixture::conv2d(passes, [batch, size, size, channels], filters, window, false);
        subject(name, shape, work, fixture)
    })
}

fn operations(sizes: [usize; 3]) -> Work {
    Work::Operations(sizes.into_iter().fold(2.0, |work, size| work * size as f64))
}

fn described([m, n, k]: [usize; 3]) -> String {
    format!("{m}x{n}x{k}")
}

fn product(name: &'static str, form: Form, sizes: [usize; 3]) -> Subject {
    let fixture = fixture::matmul(form, sizes, After::Nothing, |_, element| vec![[element; 3]]);
    subject(name, described(sizes), operations(sizes), fixture)
}

fn product_with_update(sizes: [usize; 3]) -> Subject {
    let after = After::Update { momentum: None, bias: false };
    let fixture = fixture::matmul(Form::Tn, sizes, after, |_, element| vec![[element; 3]]);
    subject("matmul tn, sgd", described(sizes), operations(sizes), fixture)
}

fn gather(batch: usize, shape: [usize; 3]) -> Subject {
    let pixels: usize = shape.iter().product();
    let gathered = Gathered::Pixels { batches: BATCHES };
    let fixture = fixture::gather(gathered, Augmentation::default(), shape, batch, batch);
    let work = Work::Bytes((batch * pixels * 2) as f64);
    Subject { batches: BATCHES, ..subject("gather", format!("{batch}x{pixels}"), work, fixture) }
}

fn softmax(batch: usize, classes: usize) -> Subject {
    let work = Work::Bytes((batch * classes * 8) as f64);
    let fixture = fixture::softmax_cross_entropy(batch, classes, batch);
    subject("softmax", format!("{batch}x{classes}"), work, fixture)
}

fn classifier(batch: usize, inputs: usize, classes: usize) -> Subject {
    // There are two products: one computes the logits and one `dx`.
    let work = operations([2 * batch, classes, inputs]);
    let fixture = fixture::classifier([batch, inputs, classes], batch, InputGradient::Masked, 0.0);
    subject("classifier", format!("{batch}x{inputs}x{classes}"), work, fixture)
}

fn column_sum(rows: usize, columns: usize) -> Subject {
    let work = Work::Bytes((4 * (rows + 1) * columns) as f64);
    subject("column sum", format!("{rows}x{columns}"), work, fixture::column_sum([rows, columns]))
}

fn sgd(length: usize) -> Subject {
    subject("sgd", length.to_string(), Work::Bytes((12 * length) as f64), fixture::sgd(length, None))
}

fn norm(length: usize) -> Subject {
    subject("norm", length.to_string(), Work::Bytes((4 * length) as f64), fixture::l2_penalty(length))
}

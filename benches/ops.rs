//! Benchmarks of the ops' CPU halves, with the shapes of training steps: see benches/README.md.
//!
//! Plans are recorded and run through a device's session, as in training.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shadegrad::augmentation::Augmentation;
use shadegrad::device::cpu::Cpu;
use shadegrad::device::{Device, Session};
use shadegrad::ops::gather::{self, Images};
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::sgd::{self, Update};
use shadegrad::ops::softmax_cross_entropy::Target;
use shadegrad::ops::{Rate, column_sum, softmax_cross_entropy};
use shadegrad::plan::{Array, Launch, Plan, Role, StepId, StepRecord};
use shadegrad::tensor::{Element, Tensor};

/// A plan on the CPU. All its floats are small numbers, and all its integers are valid indices.
struct Step {
    session: Box<dyn Session>,
    launch: Launch,
}

impl Step {
    /// Records a plan with `record` and loads it, for batches of `rows` images.
    fn new(rows: usize, record: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::new();
        let step: StepId = plan.begin("bench");
        record(&mut plan);
        let given: Vec<Tensor> = plan
            .declarations()
            .iter()
            .filter(|declaration| matches!(declaration.role, Role::Input | Role::Parameter))
            .map(|declaration| declaration.tensor)
            .collect();
        let mut session = Cpu::new().load(plan).expect("the CPU takes every plan");
        for tensor in given {
            let array = match tensor.element() {
                Element::F32 => {
                    Array::F32((0..tensor.len()).map(|index| (index % 61) as f32 / 61.0 - 0.5).collect())
                }
                Element::U8 => Array::U8((0..tensor.len()).map(|index| (index % 251) as u8).collect()),
                _ => Array::U32((0..tensor.len()).map(|index| (index % 10) as u32).collect()),
            };
            session.write(tensor, array).expect("the tensor is the plan's");
        }
        // The learning rate is so low that weights stay small for a million steps.
        let record = StepRecord {
            first: 0,
            rows: rows as u32,
            slot: 0,
            row_weight: 1.0,
            epoch: 0,
            step: 0,
            learning_rate: 1e-9,
            mean_scale: 1.0,
            root_scale: 1.0,
            average_share: 1.0,
        };
        Step { session, launch: Launch { step, record } }
    }

    fn run(&mut self) {
        let ticket = self.session.submit(&[self.launch], &[], 0).expect("the CPU runs");
        black_box(self.session.finish(ticket).expect("the CPU runs"));
    }
}

fn input(plan: &mut Plan, name: &str, rows: usize, columns: usize) -> Tensor {
    plan.declare(name, Role::Input, Element::F32, [rows, columns])
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matmul");
    for [m, n, k] in [[512, 512, 512], [1024, 1024, 1024]] {
        let mut step = Step::new(1, |plan| {
            let (a, b) = (input(plan, "a", m, k), input(plan, "b", k, n));
            matmul::product(plan, Form::Nn, a, b, Epilogue::None);
        });
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        group.bench_function(format!("nn {m}x{n}x{k}"), |bencher| bencher.iter(|| step.run()));
    }
    for [m, n, k] in [[64, 128, 784], [32, 100, 3072]] {
        let mut step = Step::new(1, |plan| {
            let (a, b) = (input(plan, "x", m, k), input(plan, "w", n, k));
            matmul::product(plan, Form::Nt, a, b, Epilogue::None);
        });
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        group.bench_function(format!("nt {m}x{n}x{k}"), |bencher| bencher.iter(|| step.run()));
    }
    for [m, n, k] in [[128, 784, 64], [100, 3072, 32]] {
        let mut step = Step::new(1, |plan| {
            let (a, b) = (input(plan, "dy", k, m), input(plan, "x", k, n));
            let parameter = plan.declare("w", Role::Parameter, Element::F32, [m, n]);
            matmul::update(
                plan,
                a,
                b,
                Update { parameter, rate: Rate::Scaled(1.0), decay: 0.0, momentum: None },
                None,
            );
        });
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        group.bench_function(format!("tn sgd {m}x{n}x{k}"), |bencher| bencher.iter(|| step.run()));
    }
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ops");
    let (batch, pixels, outputs) = (64, 784, 128);
    let mut gathering = Step::new(batch, |plan| {
        let pieces = vec![plan.declare("piece", Role::Input, Element::U8, [batch, pixels])];
        let labels = plan.declare("labels", Role::Input, Element::U32, [batch]);
        let order = plan.declare("order", Role::Input, Element::U32, [batch]);
        let normalisation = input(plan, "normalisation", 1, 2);
        gather::forward(
            plan,
            &Images {
                pieces,
                labels,
                normalisation,
                height: 28,
                width: 28,
                augmentation: Augmentation::default(),
            },
            order,
            batch,
            Element::F32,
        );
    });
    group.throughput(Throughput::Bytes((5 * batch * pixels) as u64));
    group.bench_function("gather 64x784", |bencher| bencher.iter(|| gathering.run()));

    let mut softmax = Step::new(batch, |plan| {
        let logits = input(plan, "logits", batch, 10);
        let labels = plan.declare("labels", Role::Input, Element::U32, [batch]);
        softmax_cross_entropy::forward(plan, logits, Target { labels, smoothing: 0.0, slots: 1 });
    });
    group.throughput(Throughput::Bytes((8 * batch * 10) as u64));
    group.bench_function("softmax_cross_entropy 64x10", |bencher| bencher.iter(|| softmax.run()));

    let mut sums = Step::new(1, |plan| {
        let x = input(plan, "x", batch, outputs);
        column_sum::forward(plan, x);
    });
    group.throughput(Throughput::Bytes((4 * (batch + 1) * outputs) as u64));
    group.bench_function("column_sum 64x128", |bencher| bencher.iter(|| sums.run()));

    let mut update = Step::new(1, |plan| {
        let dw = input(plan, "dw", outputs, pixels);
        let parameter = plan.declare("w", Role::Parameter, Element::F32, [outputs, pixels]);
        sgd::step(plan, Update { parameter, rate: Rate::Scaled(1.0), decay: 0.0, momentum: None }, dw);
    });
    group.throughput(Throughput::Bytes((12 * outputs * pixels) as u64));
    group.bench_function("sgd 128x784", |bencher| bencher.iter(|| update.run()));
    group.finish();
}

criterion_group!(benches, products, others);
criterion_main!(benches);

//! Whether the list of the matrix product's kernels is what products can be recorded to use.

use std::collections::BTreeSet;

use shadegrad::augmentation::Augmentation;
use shadegrad::ops::GpuFacts;
use shadegrad::ops::gather;
use shadegrad::ops::matmul::gpu::Class;
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::sgd::{Momentum, Update};
use shadegrad::plan::{Plan, Role};
use shadegrad::tensor::{Element, Tensor};

fn declare(plan: &mut Plan, role: Role, shape: impl Into<Vec<usize>>) -> Tensor {
    plan.declare("operand", role, Element::F32, shape.into().as_slice())
}

/// A batch of pixels of one channel.
fn batch(plan: &mut Plan, [rows, pixels]: [usize; 2]) -> Tensor {
    let images = gather::Images {
        pieces: vec![plan.declare("piece", Role::Input, Element::U8, [rows, pixels])],
        labels: plan.declare("labels", Role::Input, Element::U32, [rows]),
        normalisation: plan.declare("normalisation", Role::Input, Element::F32, [1, 2]),
        height: 1,
        width: pixels,
        augmentation: Augmentation::default(),
    };
    gather::pixels(plan, &images, images.labels, rows).x
}

/// Records everything that can happen to products of these sizes.
fn record(plan: &mut Plan, [m, n, k]: [usize; 3]) {
    let mut float = |sizes: [usize; 2]| declare(plan, Role::Input, sizes);
    let mut operands = vec![
        (Form::Nn, float([m, k]), float([k, n])),
        (Form::Nt, float([m, k]), float([n, k])),
        (Form::Tn, float([k, m]), float([k, n])),
    ];
    if k.is_multiple_of(16) {
        operands.push((Form::Nt, batch(plan, [m, k]), declare(plan, Role::Input, [n, k])));
    }
    if n.is_multiple_of(16) {
        operands.push((Form::Tn, declare(plan, Role::Input, [k, m]), batch(plan, [k, n])));
    }
    for (form, a, b) in operands {
        let bias = declare(plan, Role::Input, [n]);
        let mask = declare(plan, Role::Input, [m, n]);
        for epilogue in [
            Epilogue::None,
            Epilogue::Bias { bias, relu: false },
            Epilogue::Bias { bias, relu: true },
            Epilogue::Mask(mask),
        ] {
            matmul::product(plan, form, a, b, epilogue);
        }
        if form == Form::Tn {
            let parameter = declare(plan, Role::Parameter, [m, n]);
            let velocity = declare(plan, Role::Parameter, [m, n]);
            let bias = declare(plan, Role::Parameter, [m]);
            let bias_velocity = declare(plan, Role::Parameter, [m]);
            for with_momentum in [false, true] {
                let update = |parameter, velocity| {
                    let momentum = Momentum { velocity, factor: 0.9, nesterov: false };
                    Update { parameter, rate: 1.0, decay: 0.0, momentum: with_momentum.then_some(momentum) }
                };
                for bias in [None, Some(update(bias, bias_velocity))] {
                    matmul::update(plan, a, b, update(parameter, velocity), bias);
                }
            }
            matmul::change(plan, a, b, parameter, 0.0);
        }
    }
}

#[test]
fn products_use_all_of_their_kernels_and_no_others() {
    let mut plan = Plan::new();
    plan.begin("products");
    for m in [3, 8] {
        for n in [3, 8, 16] {
            for k in [3, 8, 16, 203, 208] {
                record(&mut plan, [m, n, k]);
            }
        }
    }
    let facts = [4, 8, 16, 32, 64].map(|lanes| GpuFacts {
        subgroup_size: Some(lanes),
        split_sums: true,
        ..GpuFacts::default()
    });
    let mut used = BTreeSet::new();
    for facts in facts {
        for class in Class::menu(&facts) {
            let facts = GpuFacts { matmul: Some(class), ..facts };
            let ops = plan.steps().iter().flat_map(|step| &step.ops);
            let products = ops.filter(|op| op.name() != "gather");
            let dispatches = products.flat_map(|op| op.lower(&facts));
            used.extend(dispatches.map(|dispatch| dispatch.kernel.name.to_string()));
        }
    }
    let listed: BTreeSet<String> =
        matmul::kernels().into_iter().map(|kernel| kernel.name.into_owned()).collect();
    let unlisted: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(unlisted.is_empty() && unused.is_empty(), "not listed: {unlisted:?}; not used: {unused:?}");
}

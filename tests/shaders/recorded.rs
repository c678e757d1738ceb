//! Whether the list of the matrix product's kernels is what products can be recorded to use.

use std::collections::BTreeSet;

use shadegrad::ops::GpuFacts;
use shadegrad::ops::matmul::gpu::Class;
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::sgd::{Momentum, Update};
use shadegrad::plan::{Plan, Role};
use shadegrad::tensor::{Element, Tensor};

fn declare(plan: &mut Plan, role: Role, shape: impl Into<Vec<usize>>) -> Tensor {
    plan.declare("operand", role, Element::F32, shape.into().as_slice())
}

/// Records everything that can happen to products of these sizes.
fn record(plan: &mut Plan, [m, n, k]: [usize; 3]) {
    for (form, a, b) in [(Form::Nn, [m, k], [k, n]), (Form::Nt, [m, k], [n, k]), (Form::Tn, [k, m], [k, n])] {
        let (a, b) = (declare(plan, Role::Input, a), declare(plan, Role::Input, b));
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
                    Update { parameter, decay: 0.0, momentum: with_momentum.then_some(momentum) }
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
        for n in [3, 8] {
            for k in [3, 8, 203, 208] {
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
            used.extend(ops.flat_map(|op| op.lower(&facts)).map(|dispatch| dispatch.kernel.name.to_string()));
        }
    }
    let listed: BTreeSet<String> =
        matmul::kernels().into_iter().map(|kernel| kernel.name.into_owned()).collect();
    let unlisted: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(unlisted.is_empty() && unused.is_empty(), "not listed: {unlisted:?}; not used: {unused:?}");
}

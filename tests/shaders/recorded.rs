//! Checks that the list of product kernels is exactly the set of kernels that products and
//! convolutions can use.

use std::collections::BTreeSet;

use shadegrad::augmentation::Augmentation;
use shadegrad::kernel::{GpuFacts, TileClass};
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::sgd::{Momentum, Update};
use shadegrad::ops::{Rate, Window, conv2d, gather};
use shadegrad::plan::{Plan, Role};
use shadegrad::tensor::Element::{self, F16, F32};
use shadegrad::tensor::Tensor;

fn declare(plan: &mut Plan, role: Role, shape: impl Into<Vec<usize>>) -> Tensor {
    plan.declare("operand", role, F32, shape.into().as_slice())
}

/// An input of floats of this type.
fn floats(plan: &mut Plan, element: Element, shape: &[usize]) -> Tensor {
    plan.declare("operand", Role::Input, element, shape)
}

/// A batch of single-channel pixels.
fn batch(plan: &mut Plan, [rows, pixels]: [usize; 2]) -> Tensor {
    let images = gather::Images {
        pieces: vec![plan.declare("piece", Role::Input, Element::U8, [rows, pixels])],
        labels: plan.declare("labels", Role::Input, Element::U32, [rows]),
        normalisation: plan.declare("normalisation", Role::Input, F32, [1, 2]),
        height: 1,
        width: pixels,
        augmentation: Augmentation::default(),
    };
    gather::pixels(plan, &images, images.labels, rows, F32).x
}

/// Records every possible product of these sizes.
fn record(plan: &mut Plan, [m, n, k]: [usize; 3]) {
    let shapes = [(Form::Nn, [m, k], [k, n]), (Form::Nt, [m, k], [n, k]), (Form::Tn, [k, m], [k, n])];
    let mut operands = Vec::new();
    for (form, a_shape, b_shape) in shapes {
        // Element types of a, b and the product in a model: with f32, with f16, and in the last
        // layer with f16.
        let types = match form {
            Form::Nn => [[F32, F32, F32], [F16, F16, F16], [F32, F32, F16]],
            Form::Nt => [[F32, F32, F32], [F16, F16, F16], [F16, F32, F32]],
            Form::Tn => [[F32, F32, F32], [F16, F16, F32], [F32, F16, F32]],
        };
        for [a, b, y] in types {
            operands.push((form, floats(plan, a, &a_shape), floats(plan, b, &b_shape), y));
        }
    }
    for element in [F32, F16] {
        if k.is_multiple_of(16) {
            operands.push((Form::Nt, batch(plan, [m, k]), floats(plan, element, &[n, k]), element));
        }
        if n.is_multiple_of(16) {
            operands.push((Form::Tn, floats(plan, element, &[k, m]), batch(plan, [k, n]), F32));
        }
    }
    for (form, a, b, element) in operands {
        let bias = declare(plan, Role::Input, [n]);
        let mask = floats(plan, element, &[m, n]);
        for epilogue in [
            Epilogue::None,
            Epilogue::Bias { bias, relu: false },
            Epilogue::Bias { bias, relu: true },
            Epilogue::Mask(mask),
        ] {
            matmul::product_in(plan, element, form, a, b, epilogue);
        }
        if form == Form::Tn {
            let parameter = declare(plan, Role::Parameter, [m, n]);
            let velocity = declare(plan, Role::Parameter, [m, n]);
            let bias = declare(plan, Role::Parameter, [m]);
            let bias_velocity = declare(plan, Role::Parameter, [m]);
            for with_momentum in [false, true] {
                let update = |parameter, velocity| {
                    let momentum = Momentum { velocity, factor: 0.9, nesterov: false };
                    Update {
                        parameter,
                        rate: Rate::Scaled(1.0),
                        decay: 0.0,
                        momentum: with_momentum.then_some(momentum),
                    }
                };
                for bias in [None, Some(update(bias, bias_velocity))] {
                    matmul::update(plan, a, b, update(parameter, velocity), bias);
                }
            }
            if ![a, b].iter().any(|operand| operand.element() == F16) {
                matmul::change(plan, a, b, parameter, 0.0);
            }
        }
    }
}

/// Records every possible product of matrices.
fn record_products(plan: &mut Plan) {
    for m in [3, 8] {
        for n in [3, 8, 16] {
            for k in [3, 8, 16, 203, 208] {
                record(plan, [m, n, k]);
            }
        }
    }
}

/// Records every possible convolution of these sizes.
fn convolve(plan: &mut Plan, element: Element, [channels, filters]: [usize; 2], window: Window) {
    let input = [8, 12, 12, channels];
    let x = floats(plan, element, &input);
    let weight = floats(plan, element, &[filters, window.height, window.width, channels]);
    let bias = declare(plan, Role::Input, [filters]);
    let mut y = conv2d::forward(plan, x, weight, None, false, window);
    for relu in [false, true] {
        y = conv2d::forward(plan, x, weight, Some(bias), relu, window);
    }
    for mask in [None, Some(x)] {
        conv2d::data_gradient(plan, y, weight, input, mask, window);
    }
    conv2d::weight_gradient(plan, y, x, window);
}

/// Records every possible convolution.
fn record_convolutions(plan: &mut Plan) {
    // Sums are worth splitting if there are few windows and many channels.
    for channels in [3, 8, 203, 208] {
        for filters in [3, 8, 203, 208] {
            for window in [Window::square(2, 1, 1), Window::square(3, 2, 1), Window::square(3, 11, 1)] {
                for element in [F32, F16] {
                    convolve(plan, element, [channels, filters], window);
                }
            }
        }
    }
}

/// The product kernels that ops are lowered to, for any adapter, must be exactly those listed.
#[test]
fn products_and_convolutions_use_all_kernels_of_products_and_no_others() {
    let mut plan = Plan::new();
    plan.begin("products");
    record_products(&mut plan);
    plan.begin("convolutions");
    record_convolutions(&mut plan);
    let mut used = BTreeSet::new();
    for class in TileClass::of_today() {
        let facts = GpuFacts { matmul: Some(class), split_sums: true, ..GpuFacts::default() };
        let ops = plan.steps().iter().flat_map(|step| &step.ops);
        let dispatches = ops.filter(|op| op.name() != "gather").flat_map(|op| op.lower(&facts));
        let names = dispatches.map(|dispatch| dispatch.kernel.name.to_string());
        used.extend(names.filter(|name| name.starts_with("matmul_")));
    }
    let listed: BTreeSet<String> = matmul::kernels().iter().map(|kernel| kernel.name.to_string()).collect();
    let unlisted: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(unlisted.is_empty() && unused.is_empty(), "not listed: {unlisted:?}; not used: {unused:?}");
}

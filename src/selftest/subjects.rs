//! The cases of the selftest: every op, forward and backward, in shapes that are not multiples of a
//! tile.

use super::subject::{Subject, subject};
use crate::augmentation::{Augmentation, Flip};
use crate::ops::classifier::{self, InputGradient};
use crate::ops::fixture::Draft;
use crate::ops::gather::{self, Images, NO_LABEL};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::online_steps::{self, BLOCK, Head};
use crate::ops::sgd::{self, Momentum, Update};
use crate::ops::softmax_cross_entropy::Target;
use crate::ops::{
    Rate, adam, average, cast, clip_norm, column_sum, fixture, l2_penalty, lion, muon, relu,
    softmax_cross_entropy,
};
use crate::plan::{Array, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Number of slots of metric rings.
pub(super) const SLOTS: usize = 3;

/// Sizes of two products: in the first, the rows are not multiples of a vector; in the second, they
/// are. Both are larger than the small tiles and smaller than the other tiles.
const ODD: [usize; 3] = [13, 33, 29];
const EVEN: [usize; 3] = [40, 68, 44];

/// Returns the cases of all ops. Products are tested with every epilogue, with rows that are
/// multiples of a vector or not, with floats and pixels, and with sums long enough for split-K.
pub(super) fn all() -> Vec<Subject> {
    let mut all = vec![
        gathered([3, 5, 5], 17, 11),
        gathered([1, 28, 28], 5, 5),
        gathered_maps([3, 5, 7], 17, 11),
        augmented(Flip::Random),
        augmented(Flip::Alternating),
        subject("relu", "forward, 1009", |draft| {
            let x = draft.activation("x", [1009]);
            relu::forward(&mut draft.plan, x);
        }),
        subject("relu", "backward, 1009", |draft| {
            let [y, dy] = ["y", "dy"].map(|name| draft.activation(name, [1009]));
            relu::backward(&mut draft.plan, y, dy);
        }),
        subject("column_sum", "131x67", |draft| {
            let x = draft.activation("x", [131, 67]);
            column_sum::forward(&mut draft.plan, x);
        }),
        subject("cast", "1009", |draft| {
            let x = draft.noise("x", Role::Input, [1009]);
            if draft.element == Element::F16 {
                cast::to_f16(&mut draft.plan, x);
            }
        }),
        subject("l2_penalty", "10007", |draft| {
            let w = draft.noise("w", Role::Parameter, [10_007]);
            l2_penalty::value(&mut draft.plan, w, SLOTS);
        }),
        subject("adam", "1009", |draft| {
            let dw = draft.noise("dw", Role::Input, [1009]);
            let [parameter, mean, square] =
                ["w", "m", "s"].map(|name| draft.noise(name, Role::Parameter, [1009]));
            // Beta2 is 0, because random operands may make the second moment negative.
            let (betas, epsilon, coupled, decoupled) = ([0.9, 0.0], 0.5, 0.25, 0.125);
            let update = adam::Update {
                parameter,
                mean,
                square,
                betas,
                epsilon,
                rate: Rate::Scaled(0.5),
                coupled,
                decoupled,
            };
            adam::step(&mut draft.plan, update, dw);
        }),
        subject("lion", "1009", |draft| {
            let dw = draft.noise("dw", Role::Input, [1009]);
            let [parameter, mean] = ["w", "m"].map(|name| draft.noise(name, Role::Parameter, [1009]));
            let (betas, coupled, decoupled) = ([0.9, 0.99], 0.25, 0.125);
            lion::step(
                &mut draft.plan,
                lion::Update { parameter, mean, betas, rate: Rate::Scaled(0.5), coupled, decoupled },
                dw,
            );
        }),
        muon_step("wide", [13, 77]),
        muon_step("tall", [77, 13]),
        subject("average", "follow, 1009", |draft| {
            let w = draft.noise("w", Role::Input, [1009]);
            let average = draft.noise("average", Role::State, [1009]);
            average::follow(&mut draft.plan, w, average);
        }),
        subject("average", "exchange, 1009", |draft| {
            let [w, average] = ["w", "average"].map(|name| draft.noise(name, Role::Parameter, [1009]));
            average::exchange(&mut draft.plan, w, average);
        }),
        subject("clip_norm", "10007 and 33", |draft| {
            let gradients = [10_007, 33].map(|length| {
                let dw = draft.noise("dw", Role::Parameter, [length]);
                clip_norm::Gradient { dw, w: draft.noise("w", Role::Input, [length]), penalty: 0.25 }
            });
            clip_norm::clip(&mut draft.plan, &gradients, 1.0);
        }),
        softmax(67, 10, 61),
        softmax(3, 257, 3),
        classified(67, 36, 10, 61, InputGradient::Masked),
        classified(35, 100, 13, 35, InputGradient::None),
        steps(),
    ];
    for momentum in [None, Some(false), Some(true)] {
        all.push(descent(momentum));
    }
    let bias = |relu| {
        move |draft: &mut Draft, [_, n, _]: [usize; 3], _: Element| Epilogue::Bias {
            bias: draft.noise("bias", Role::Input, [n]),
            relu,
        }
    };
    let mask = |draft: &mut Draft, [m, n, _]: [usize; 3], element: Element| {
        Epilogue::Mask(draft.noise_of(element, "mask", [m, n]))
    };
    let none = |_: &mut Draft, _: [usize; 3], _: Element| Epilogue::None;
    for form in [Form::Nn, Form::Nt, Form::Tn] {
        all.push(product(form, ODD, "", none));
    }
    // A split-K product with two splits and a remainder.
    all.push(product(Form::Nt, [5, 8, 1001], "", none));
    all.push(product(Form::Nt, ODD, ", bias", bias(false)));
    for sizes in [ODD, EVEN] {
        all.push(product(Form::Nt, sizes, ", bias, relu", bias(true)));
        all.push(product(Form::Nn, sizes, ", mask", mask));
        all.push(update(sizes, Some(true)));
    }
    all.push(subject("matmul", "tn 13x33x29, change", |draft| {
        let [m, n, _] = ODD;
        let (a, b) = operands(draft, Form::Tn, ODD);
        let w = draft.noise("w", Role::Parameter, [m, n]);
        matmul::change(&mut draft.plan, a, b, w, 0.1);
    }));
    all.extend([of_pixels(false), of_pixels(true)]);
    all.extend(super::maps::all());
    all
}

fn images(draft: &mut Draft, [channels, height, width]: [usize; 3]) -> (Images, Tensor) {
    let count = 23;
    let stride = (channels * height * width).next_multiple_of(4);
    let piece = |draft: &mut Draft, images: usize| {
        draft.give("piece", Role::Input, [images, stride], fixture::bytes(images * stride))
    };
    let source = Images {
        pieces: vec![piece(draft, 12), piece(draft, 11)],
        labels: draft.give("labels", Role::Input, [count], fixture::indices(count, 10)),
        normalisation: draft.noise("normalisation", Role::Input, [channels, 2]),
        height,
        width,
        augmentation: Augmentation::default(),
    };
    let order = draft.give("order", Role::Input, [100], fixture::indices(100, count as u32));
    (source, order)
}

fn gathered(shape: [usize; 3], batch: usize, rows: usize) -> Subject {
    let record = move |draft: &mut Draft| {
        let (source, order) = images(draft, shape);
        gather::forward(&mut draft.plan, &source, order, batch, draft.element);
    };
    Subject { rows, ..subject("gather", gathering(shape, batch), record) }
}

fn gathered_maps(shape: [usize; 3], batch: usize, rows: usize) -> Subject {
    let record = move |draft: &mut Draft| {
        let (source, order) = images(draft, shape);
        gather::maps(&mut draft.plan, &source, order, batch, draft.element);
    };
    Subject { rows, ..subject("gather", format!("{}, maps", gathering(shape, batch)), record) }
}

fn augmented(flip: Flip) -> Subject {
    let (shape, batch) = ([3, 9, 11], 17);
    let record = move |draft: &mut Draft| {
        let (mut source, order) = images(draft, shape);
        source.augmentation = Augmentation { seed: 1 << 40 | 7, flip, crop: 3, cutout: 4 };
        gather::maps(&mut draft.plan, &source, order, batch, draft.element);
        gather::forward(&mut draft.plan, &source, order, batch, draft.element);
    };
    let case = format!("{}, flip {}", gathering(shape, batch), flip.name());
    Subject { rows: batch, ..subject("gather", case, record) }
}

fn gathering([channels, height, width]: [usize; 3], batch: usize) -> String {
    format!("{batch}x{channels}x{height}x{width}")
}

/// Creates the labels of a batch with `rows` images.
fn labels(draft: &mut Draft, batch: usize, classes: usize, rows: usize) -> Tensor {
    let Array::U32(mut labels) = fixture::indices(batch, classes as u32) else {
        unreachable!("indices are integers")
    };
    labels[rows..].fill(NO_LABEL);
    draft.give("labels", Role::Input, [batch], Array::U32(labels))
}

fn softmax(batch: usize, classes: usize, rows: usize) -> Subject {
    let record = move |draft: &mut Draft| {
        let logits = draft.noise("logits", Role::Input, [batch, classes]);
        let labels = labels(draft, batch, classes, rows);
        softmax_cross_entropy::forward(
            &mut draft.plan,
            logits,
            Target { labels, smoothing: 0.0, slots: SLOTS },
        );
    };
    Subject { rows, ..subject("softmax_cross_entropy", format!("{batch}x{classes}"), record) }
}

fn classified(batch: usize, inputs: usize, classes: usize, rows: usize, gradient: InputGradient) -> Subject {
    let record = move |draft: &mut Draft| {
        let x = draft.activation("x", [batch, inputs]);
        let weight = draft.noise("weight", Role::Parameter, [classes, inputs]);
        let bias = draft.noise("bias", Role::Parameter, [classes]);
        let labels = labels(draft, batch, classes, rows);
        let target = Target { labels, smoothing: 0.1, slots: SLOTS };
        classifier::forward(&mut draft.plan, x, [weight, bias], target, gradient);
    };
    Subject {
        rows,
        ..subject("classifier", format!("{batch}x{inputs}x{classes}, {gradient:?} dx").to_lowercase(), record)
    }
}

fn steps() -> Subject {
    let (hidden, classes, rows) = (37, 10, BLOCK - 3);
    let record = move |draft: &mut Draft| {
        let products = draft.noise("products", Role::Input, [BLOCK, hidden]);
        let overlaps = draft.noise("overlaps", Role::Input, [BLOCK, BLOCK]);
        let labels = draft.give("labels", Role::Input, [BLOCK], fixture::indices(BLOCK, classes as u32));
        let head = Head {
            bias: draft.noise("bias", Role::Parameter, [hidden]),
            weight2: draft.noise("weight2", Role::Parameter, [classes, hidden]),
            bias2: draft.noise("bias2", Role::Parameter, [classes]),
            weight_decay: 0.01,
            bias_decay: 0.02,
        };
        online_steps::forward(&mut draft.plan, products, overlaps, labels, head, SLOTS);
    };
    Subject { rows, ..subject("online_steps", format!("{BLOCK}x{hidden}x{classes}"), record) }
}

/// Creates an SGD update. `momentum` is `None` without momentum, else whether it is Nesterov
/// momentum.
fn follow(draft: &mut Draft, name: &str, shape: &[usize], momentum: Option<bool>) -> Update {
    Update {
        parameter: draft.noise(name, Role::Parameter, shape),
        rate: Rate::Scaled(0.75),
        decay: 0.1,
        momentum: momentum.map(|nesterov| Momentum {
            velocity: draft.noise("velocity", Role::State, shape),
            factor: 0.9,
            nesterov,
        }),
    }
}

fn muon_step(what: &str, shape: [usize; 2]) -> Subject {
    let [rows, columns] = shape;
    subject("muon", format!("{what}, {rows}x{columns}"), move |draft| {
        let dw = draft.noise("dw", Role::Input, shape);
        let [parameter, velocity] = ["w", "v"].map(|name| draft.noise(name, Role::Parameter, shape));
        let momentum = Momentum { velocity, factor: 0.6, nesterov: true };
        let rate = Rate::Linear { first: 0.5, steps: 10.0 };
        muon::step(&mut draft.plan, muon::Update { parameter, rate, decay: 0.125, momentum }, dw);
    })
}

fn with(momentum: Option<bool>) -> &'static str {
    match momentum {
        None => "",
        Some(false) => ", momentum",
        Some(true) => ", nesterov",
    }
}

fn descent(momentum: Option<bool>) -> Subject {
    subject("sgd", format!("1009{}", with(momentum)), move |draft| {
        let dw = draft.noise("dw", Role::Input, [1009]);
        let update = follow(draft, "w", &[1009], momentum);
        sgd::step(&mut draft.plan, update, dw);
    })
}

fn operands(draft: &mut Draft, form: Form, sizes: [usize; 3]) -> (Tensor, Tensor) {
    operands_of(draft, [Element::F32; 2], form, sizes)
}

fn operands_of(
    draft: &mut Draft,
    [a_type, b_type]: [Element; 2],
    form: Form,
    [m, n, k]: [usize; 3],
) -> (Tensor, Tensor) {
    let (a, b) = match form {
        Form::Nn => ([m, k], [k, n]),
        Form::Nt => ([m, k], [n, k]),
        Form::Tn => ([k, m], [k, n]),
    };
    (draft.noise_of(a_type, "a", a), draft.noise_of(b_type, "b", b))
}

/// Element types of a, b and the product: inside a model, and in its last layer.
fn types(form: Form, element: Element) -> Vec<[Element; 3]> {
    use Element::{F16, F32};
    match (element, form) {
        (F16, Form::Nn) => vec![[F16, F16, F16], [F32, F32, F16]],
        (F16, Form::Nt) => vec![[F16, F16, F16], [F16, F32, F32]],
        (F16, Form::Tn) => vec![[F16, F16, F32], [F32, F16, F32]],
        _ => vec![[F32; 3]],
    }
}

fn product(
    form: Form,
    sizes: [usize; 3],
    what: &str,
    epilogue: impl Fn(&mut Draft, [usize; 3], Element) -> Epilogue + 'static,
) -> Subject {
    let [m, n, k] = sizes;
    let shape = format!("{form:?} {m}x{n}x{k}{what}").to_lowercase();
    subject("matmul", shape, move |draft| {
        for [a, b, y] in types(form, draft.element) {
            let (a, b) = operands_of(draft, [a, b], form, sizes);
            let epilogue = epilogue(draft, sizes, y);
            matmul::product_in(&mut draft.plan, y, form, a, b, epilogue);
        }
    })
}

fn update([m, n, k]: [usize; 3], momentum: Option<bool>) -> Subject {
    subject("matmul", format!("tn {m}x{n}x{k}, sgd{}", with(momentum)), move |draft| {
        for [dy, x, _] in types(Form::Tn, draft.element) {
            let (dy, x) = operands_of(draft, [dy, x], Form::Tn, [m, n, k]);
            let weight = follow(draft, "w", &[m, n], momentum);
            let bias = follow(draft, "b", &[m], momentum);
            matmul::update(&mut draft.plan, dy, x, weight, Some(bias));
        }
    })
}

/// Creates a case of a product with a batch of pixels, forward or backward.
fn of_pixels(backward: bool) -> Subject {
    let (shape, batch, outputs) = ([3, 6, 8], 21, 19);
    let inputs = shape.iter().product();
    let record = move |draft: &mut Draft| {
        let (mut source, order) = images(draft, shape);
        // The eight bits of a pixel times a power of two, plus a multiple of it, are exact in f16.
        let factors = [0.5f32, -0.25, 0.125].into_iter().zip([-90.0, -128.0, -33.0]);
        let factors = factors.flat_map(|(scale, shift)| [scale, scale * shift]).collect();
        source.normalisation = draft.give("exact normalisation", Role::Input, [3, 2], Array::F32(factors));
        let x = gather::pixels(&mut draft.plan, &source, order, batch, draft.element).x;
        let weights = [outputs, inputs];
        if backward {
            let dy = draft.activation("dy", [batch, outputs]);
            let weight = follow(draft, "w", &weights, None);
            matmul::update(&mut draft.plan, dy, x, weight, None);
        } else {
            let w = draft.activation("w", weights);
            matmul::product_in(&mut draft.plan, draft.element, Form::Nt, x, w, Epilogue::None);
        }
    };
    let what = if backward { "tn, sgd" } else { "nt" };
    Subject {
        rows: batch,
        ..subject("matmul", format!("{what} of pixels, {batch}x{outputs}x{inputs}"), record)
    }
}

/// Returns the outputs of a plan that the host can compare. Pixels are excluded, because devices
/// store them differently, and so are split-K partial sums, which only some tile classes write.
pub(super) fn outputs(plan: &Plan) -> Vec<Tensor> {
    let ops = plan.steps().iter().flat_map(|step| &step.ops).map(|op| op.operands());
    let written = ops.flat_map(|operands| [operands.writes, operands.updates].concat());
    written.filter(|tensor| tensor.element() != Element::Pixel && plan.name(*tensor) != "parts").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_op_is_a_subject() {
        let subjects = all();
        for op in crate::ops::ALL {
            assert!(subjects.iter().any(|subject| subject.op == *op), "no subject for {op}");
        }
    }
}

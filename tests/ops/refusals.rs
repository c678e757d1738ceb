//! Plans that recording rejects, and the messages: shapes that do not fit, empty tensors, reads
//! before writes, and one tensor as input and output.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shadegrad::augmentation::Augmentation;
use shadegrad::ops::classifier::{self, InputGradient};
use shadegrad::ops::gather::{self, Images};
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::online_steps::{self, BLOCK, Head};
use shadegrad::ops::sgd::{self, Momentum, Update};
use shadegrad::ops::softmax_cross_entropy::Target;
use shadegrad::ops::{Rate, Window, column_sum, conv2d, l2_penalty, max_pool, relu, softmax_cross_entropy};
use shadegrad::plan::{Plan, Role};
use shadegrad::tensor::{Element, Tensor};

/// Recording must panic with a message that contains `words`.
#[track_caller]
fn refused(words: &str, record: impl FnOnce(&mut Plan)) {
    let mut plan = Plan::new();
    plan.begin("refused");
    let panic = catch_unwind(AssertUnwindSafe(|| record(&mut plan))).expect_err("nothing was refused");
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .expect("a panic has a message");
    assert!(message.contains(words), "wanted {words:?} in {message:?}");
}

fn floats(plan: &mut Plan, shape: &[usize]) -> Tensor {
    plan.declare("floats", Role::Input, Element::F32, shape)
}

fn integers(plan: &mut Plan, shape: &[usize]) -> Tensor {
    plan.declare("integers", Role::Input, Element::U32, shape)
}

fn parameter(plan: &mut Plan, shape: &[usize]) -> Tensor {
    plan.declare("parameter", Role::Parameter, Element::F32, shape)
}

/// An update with plain SGD.
fn plain(parameter: Tensor) -> Update {
    Update { parameter, rate: Rate::Scaled(1.0), decay: 0.0, momentum: None }
}

/// Images of 3 x 3 pixels in these pieces.
fn images(plan: &mut Plan, pieces: Vec<Tensor>) -> Images {
    Images {
        pieces,
        labels: integers(plan, &[4]),
        normalisation: floats(plan, &[1, 2]),
        height: 3,
        width: 3,
        augmentation: Augmentation::default(),
    }
}

pub fn convolutions_that_do_not_fit() {
    let window = Window::square(3, 1, 1);
    let forward = |plan: &mut Plan, x: &[usize], weight: &[usize], window| {
        let (x, weight) = (floats(plan, x), floats(plan, weight));
        conv2d::forward(plan, x, weight, None, false, window);
    };
    refused("x must be a map", |plan| forward(plan, &[2, 5], &[4, 3, 3, 1], window));
    refused("weight must be [filters, height, width, channels]", |plan| {
        forward(plan, &[1, 5, 5, 2], &[4, 18], window);
    });
    refused("weight must be F32 [4, 3, 3, 2]", |plan| forward(plan, &[1, 5, 5, 2], &[4, 3, 3, 1], window));
    refused("does not fit x", |plan| {
        forward(plan, &[1, 1, 5, 2], &[4, 4, 4, 2], Window::square(4, 1, 1));
    });
    refused("does not fit x", |plan| forward(plan, &[1, 5, 5, 2], &[4, 3, 3, 2], Window::square(3, 0, 1)));
    refused("[1, 3, 3, 466100] filters is too large", |plan| {
        forward(plan, &[1, 3, 3, 466_100], &[1, 3, 3, 466_100], window);
    });
    refused("bias must be F32 [4]", |plan| {
        let [x, weight, bias] = [&[1, 5, 5, 2][..], &[4, 3, 3, 2], &[3]].map(|shape| floats(plan, shape));
        conv2d::forward(plan, x, weight, Some(bias), false, window);
    });
    refused("dy must be F32 [1, 5, 5, 4]", |plan| {
        let (dy, weight) = (floats(plan, &[1, 4, 5, 4]), floats(plan, &[4, 3, 3, 2]));
        conv2d::data_gradient(plan, dy, weight, [1, 5, 5, 2], None, window);
    });
    refused("mask must be F32 [1, 5, 5, 2]", |plan| {
        let [dy, weight, mask] =
            [&[1, 5, 5, 4][..], &[4, 3, 3, 2], &[1, 5, 5, 4]].map(|shape| floats(plan, shape));
        conv2d::data_gradient(plan, dy, weight, [1, 5, 5, 2], Some(mask), window);
    });
    refused("dy must be F32 [1, 5, 5, 4]", |plan| {
        let (dy, x) = (floats(plan, &[1, 5, 4, 4]), floats(plan, &[1, 5, 5, 2]));
        conv2d::weight_gradient(plan, dy, x, window);
    });
}

pub fn pools_whose_windows_may_lie_in_the_padding() {
    refused("does not fit x", |plan| {
        let x = floats(plan, &[1, 5, 5, 2]);
        max_pool::forward(plan, x, Window { height: 4, width: 3, stride: 1, padding: 2 });
    });
}

pub fn empty_tensors() {
    for shape in [[0, 3], [3, 0]] {
        refused("is empty", |plan| {
            floats(plan, &shape);
        });
    }
    refused("1 to 4 dimensions", |plan| {
        floats(plan, &[]);
    });
    refused("too large", |plan| {
        floats(plan, &[1 << 20, 1 << 20]);
    });
}

pub fn products_that_do_not_fit() {
    for (form, a, b) in [(Form::Nn, [2, 3], [4, 5]), (Form::Nt, [2, 3], [5, 4]), (Form::Tn, [3, 2], [4, 5])] {
        refused("the inner sizes differ", |plan| {
            let (a, b) = (floats(plan, &a), floats(plan, &b));
            matmul::product(plan, form, a, b, Epilogue::None);
        });
    }
    refused("sums of 4194305 terms, the limit is 4194304", |plan| {
        let (a, b) = (floats(plan, &[4_194_305, 1]), floats(plan, &[4_194_305, 1]));
        matmul::product(plan, Form::Tn, a, b, Epilogue::None);
    });
    for (words, a, b) in [
        ("a must be a matrix", (Element::F32, &[6][..]), Element::F32),
        ("cannot read b as U32", (Element::F32, &[2, 3]), Element::U32),
        ("cannot read a as Pixel", (Element::Pixel, &[2, 3]), Element::F32),
    ] {
        refused(words, |plan| {
            let a = plan.declare("a", Role::Input, a.0, a.1);
            let b = plan.declare("b", Role::Input, b, [3, 2]);
            matmul::product(plan, Form::Nn, a, b, Epilogue::None);
        });
    }
    refused("bias must be F32 [5]", |plan| {
        let (a, b, bias) = (floats(plan, &[2, 3]), floats(plan, &[3, 5]), floats(plan, &[4]));
        matmul::product(plan, Form::Nn, a, b, Epilogue::Bias { bias, relu: true });
    });
    refused("mask must be F32 [2, 5]", |plan| {
        let (a, b, mask) = (floats(plan, &[2, 3]), floats(plan, &[3, 5]), floats(plan, &[5, 2]));
        matmul::product(plan, Form::Nn, a, b, Epilogue::Mask(mask));
    });
    refused("parameter must be F32 [3, 5]", |plan| {
        let (a, b, w) = (floats(plan, &[2, 3]), floats(plan, &[2, 5]), parameter(plan, &[5, 3]));
        matmul::update(plan, a, b, plain(w), None);
    });
}

pub fn other_ops_that_do_not_fit() {
    refused("dy must be", |plan| {
        let (y, dy) = (floats(plan, &[2, 3]), floats(plan, &[3, 2]));
        relu::backward(plan, y, dy);
    });
    refused("x must be F32", |plan| {
        let x = integers(plan, &[2, 3]);
        relu::forward(plan, x);
    });
    refused("x must be a matrix", |plan| {
        let x = floats(plan, &[6]);
        column_sum::forward(plan, x);
    });
    refused("w must be F32", |plan| {
        let w = integers(plan, &[6]);
        l2_penalty::value(plan, w, 1);
    });
    refused("column sums of 134215681 rows, the limit is 134215680", |plan| {
        let x = floats(plan, &[column_sum::MOST_ROWS + 1, 1]);
        column_sum::forward(plan, x);
    });
    refused("labels must be U32 [2]", |plan| {
        let (logits, labels) = (floats(plan, &[2, 3]), integers(plan, &[3]));
        softmax_cross_entropy::forward(plan, logits, Target { labels, smoothing: 0.0, slots: 1 });
    });
    refused("labels must be U32 [2]", |plan| {
        let (x, labels) = (floats(plan, &[2, 4]), integers(plan, &[3]));
        let parameters = [parameter(plan, &[3, 4]), parameter(plan, &[3])];
        let target = Target { labels, smoothing: 0.0, slots: 1 };
        classifier::forward(plan, x, parameters, target, InputGradient::None);
    });
    refused("a classifier of 65 classes and 4 inputs", |plan| {
        let (x, labels) = (floats(plan, &[2, 4]), integers(plan, &[2]));
        let parameters = [parameter(plan, &[65, 4]), parameter(plan, &[65])];
        let target = Target { labels, smoothing: 0.0, slots: 1 };
        classifier::forward(plan, x, parameters, target, InputGradient::None);
    });
    refused("dw must be F32 [6]", |plan| {
        let (w, dw) = (parameter(plan, &[6]), floats(plan, &[5]));
        sgd::step(plan, plain(w), dw);
    });
    refused("the update of a product supports only multiples of the step's learning rate", |plan| {
        let [a, b] = [&[2, 3], &[2, 4]].map(|sizes| floats(plan, sizes));
        let rate = Rate::Linear { first: 1.0, steps: 5.0 };
        let weight = Update { parameter: parameter(plan, &[3, 4]), rate, decay: 0.0, momentum: None };
        matmul::update(plan, a, b, weight, None);
    });
    refused("velocity must be F32 [6]", |plan| {
        let (w, velocity, dw) = (parameter(plan, &[6]), parameter(plan, &[5]), floats(plan, &[6]));
        let momentum = Some(Momentum { velocity, factor: 0.9, nesterov: false });
        sgd::step(plan, Update { momentum, ..plain(w) }, dw);
    });
}

/// Records a block of single-image steps on a network with these sizes.
fn online_block(plan: &mut Plan, block: usize, hidden: usize, classes: usize) {
    let products = floats(plan, &[block, hidden]);
    let overlaps = floats(plan, &[block, block]);
    let labels = integers(plan, &[block]);
    let head = Head {
        bias: parameter(plan, &[hidden]),
        weight2: parameter(plan, &[classes, hidden]),
        bias2: parameter(plan, &[classes]),
        weight_decay: 0.0,
        bias_decay: 0.0,
    };
    online_steps::forward(plan, products, overlaps, labels, head, 1);
}

pub fn blocks_of_steps_that_are_too_large() {
    for (hidden, classes, words) in [
        (1025, 1, "1025 hidden values, the limit is 1024"),
        (1, 65, "65 classes, the limit is 64"),
        (1024, 64, "iterations of the kernel's loops, the limit is 65535"),
    ] {
        assert!(!online_steps::fits(BLOCK, hidden, classes));
        refused(words, |plan| online_block(plan, BLOCK, hidden, classes));
    }
}

/// Records the gathering of two of four images of 3 x 3 pixels in two pieces, augmented by
/// `change`.
fn gather_changed(plan: &mut Plan, change: impl FnOnce(&mut Plan, &mut Images)) {
    let pieces = [2, 2].map(|held| plan.declare("piece", Role::Input, Element::U8, [held, 12]));
    let mut images = images(plan, pieces.to_vec());
    change(plan, &mut images);
    let order = integers(plan, &[4]);
    gather::forward(plan, &images, order, 2, Element::F32);
}

pub fn images_that_do_not_fit() {
    let mut plan = Plan::new();
    plan.begin("accepted");
    gather_changed(&mut plan, |_, _| {});
    refused("labels must be U32 [4]", |plan| {
        gather_changed(plan, |plan, images| images.labels = integers(plan, &[3]));
    });
    refused("bytes apart", |plan| gather_changed(plan, |_, images| (images.height, images.width) = (1, 13)));
    refused("cannot be shifted by 3", |plan| {
        gather_changed(plan, |_, images| images.augmentation.crop = 3);
    });
    refused("piece must be U8", |plan| {
        gather_changed(plan, |plan, images| images.pieces[0] = floats(plan, &[2, 12]));
    });
    refused("as many images", |plan| {
        gather_changed(plan, |plan, images| {
            images.pieces[0] = plan.declare("piece", Role::Input, Element::U8, [1, 12]);
            images.pieces[1] = plan.declare("piece", Role::Input, Element::U8, [3, 12]);
        });
    });
    refused("order must be U32", |plan| {
        let piece = plan.declare("piece", Role::Input, Element::U8, [4, 12]);
        let (images, order) = (images(plan, vec![piece]), floats(plan, &[4, 2]));
        gather::forward(plan, &images, order, 2, Element::F32);
    });
}

pub fn steps_that_do_not_work() {
    refused("which nothing in this step has written", |plan| {
        let x = plan.scratch("x", [2, 2]);
        relu::forward(plan, x);
    });
    refused("which nothing in this step has written", |plan| {
        let x = floats(plan, &[2, 2]);
        let y = relu::forward(plan, x);
        // The output of another step may have been overwritten.
        plan.begin("next");
        relu::forward(plan, y);
    });
    refused("reads and writes parameter", |plan| {
        let w = parameter(plan, &[2, 2]);
        sgd::step(plan, plain(w), w);
    });
    refused("reads and writes parameter", |plan| {
        let (a, w) = (floats(plan, &[2, 2]), parameter(plan, &[2, 2]));
        matmul::update(plan, a, w, plain(w), None);
    });
    refused("twice", |plan| {
        let (w, dw) = (parameter(plan, &[2, 2]), floats(plan, &[2, 2]));
        let momentum = Some(Momentum { velocity: w, factor: 0.9, nesterov: false });
        sgd::step(plan, Update { momentum, ..plain(w) }, dw);
    });
    refused("writes the input", |plan| {
        let (w, dw) = (floats(plan, &[2, 2]), floats(plan, &[2, 2]));
        sgd::step(plan, plain(w), dw);
    });
}

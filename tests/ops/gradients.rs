//! Every backward pass against central differences of the float64 forward pass.
//!
//! The loss is a weighted sum of the forward pass's output, with random weights `dy`; its gradient
//! is what the backward pass computes from `dy`. Central differences need no derivatives, so a
//! gradient that is wrong both in the ops and in the tests' references is found here.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::ops::classifier::{self, InputGradient};
use shadegrad::ops::dropout::{self, Dropout};
use shadegrad::ops::matmul::{self, Epilogue, Form, Size};
use shadegrad::ops::sgd::{self, Update};
use shadegrad::ops::softmax_cross_entropy::Target;
use shadegrad::ops::{
    Rate, Window, activation, average_pool, batch_norm, column_sum, conv2d, max_pool, relu,
    softmax_cross_entropy,
};
use shadegrad::plan::{Array, StepRecord};
use shadegrad::tensor::Element;

use crate::bench::{Cases, PLAIN_RUN, SLOTS, boxed, case, widen};
use crate::cases::PoolSize;
use crate::cases::activation::activations;
use crate::cases::conv2d::ConvolutionSize;
use crate::cases::dropout::thinned;
use crate::cases::matmul::{FORMS, operand_shapes};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;
use crate::runner::check_cases;
use crate::subject::Subject;

/// Step of the differences: their error is its square, or the rounding of the loss in float64
/// divided by it.
const STEP: f64 = 1e-6;

/// Rounding error of f32 in sums this short.
const TOLERANCE: Tolerance = Tolerance { absolute: 2e-6, relative: 1e-5, nmse: 1e-10 };

/// The gradient of `loss` at `at`, element by element.
fn differences(at: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut at = at.to_vec();
    let mut gradient = Vec::new();
    for index in 0..at.len() {
        let here = at[index];
        at[index] = here + STEP;
        let above = loss(&at);
        at[index] = here - STEP;
        let below = loss(&at);
        at[index] = here;
        gradient.push((above - below) / (2.0 * STEP));
    }
    gradient
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

// The gradient of a product with respect to each operand is another product.
case!(Product { form: Form, size: Size }, |bench| {
    let (a_shape, b_shape) = operand_shapes(form, size);
    let (a, a_wide) = bench.noise("a", a_shape, UNIT);
    let (b, b_wide) = bench.noise("b", b_shape, UNIT);
    let (dy, dy_wide) = bench.noise("dy", [size.m, size.n], UNIT);
    // As in the module's documentation, with the operands exchanged.
    let (da, db) = match form {
        Form::Nn => ((Form::Nt, dy, b), (Form::Tn, a, dy)),
        Form::Nt => ((Form::Nn, dy, b), (Form::Tn, dy, a)),
        Form::Tn => ((Form::Nt, b, dy), (Form::Nn, a, dy)),
    };
    let [da, db] = [da, db].map(|(form, a, b)| matmul::product(bench.plan, form, a, b, Epilogue::None));
    bench.expect_each([("da", da, TOLERANCE), ("db", db, TOLERANCE)], move || {
        let loss = |a: &[f64], b: &[f64]| dot(&reference::matmul(form, size, a, b), &dy_wide);
        [differences(&a_wide, |a| loss(a, &b_wide)), differences(&b_wide, |b| loss(&a_wide, b))]
    });
});

// The gradient of a bias that is added to every row.
case!(Bias { rows: usize, columns: usize }, |bench| {
    let x = widen(&bench.numbers.floats(rows * columns, UNIT));
    let bias = widen(&bench.numbers.floats(columns, UNIT));
    let (dy, dy_wide) = bench.noise("dy", [rows, columns], UNIT);
    let db = column_sum::forward(bench.plan, dy);
    bench.expect("db", db, TOLERANCE, move || {
        differences(&bias, |bias| dot(&reference::add_bias(&x, bias), &dy_wide))
    });
});

/// Moves values away from the kink, where differences would cover both sides.
fn off_zero(mut values: Vec<f32>) -> Vec<f32> {
    values.iter_mut().for_each(|x| *x += 0.01 * x.signum());
    values
}

// A ReLU, on its own and as the mask on the next layer's product.
case!(Relu { size: Size }, |bench| {
    let Size { m, n, k } = size;
    let x_values = off_zero(bench.numbers.floats(m * k, UNIT));
    let (x, x_wide) = bench.given("x", [m, k], &x_values);
    let (w, w_wide) = bench.noise("w", [n, k], UNIT);
    let (dy, dy_wide) = bench.noise("dy", [m, n], UNIT);
    let (dh, dh_wide) = bench.noise("dh", [m, k], UNIT);
    let h = relu::forward(bench.plan, x);
    let alone = relu::backward(bench.plan, h, dh);
    let masked = matmul::product(bench.plan, Form::Nn, dy, w, Epilogue::Mask(h));
    let outputs = [("dx alone", alone, TOLERANCE), ("dx through a layer", masked, TOLERANCE)];
    bench.expect_each(outputs, move || {
        let layer = |x: &[f64]| reference::matmul(Form::Nt, size, &reference::relu(x), &w_wide);
        let alone = differences(&x_wide, |x| dot(&reference::relu(x), &dh_wide));
        [alone, differences(&x_wide, |x| dot(&layer(x), &dy_wide))]
    });
});

// The gradient of the mean loss with respect to the logits.
case!(SoftmaxCrossEntropy { batch: usize, classes: usize, range: f32 }, |bench| {
    let (logits, wide) = bench.noise("logits", [batch, classes], range);
    let targets = bench.numbers.indices(batch, classes);
    let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
    let target = Target { labels, smoothing: 0.0, slots: SLOTS };
    let output = softmax_cross_entropy::forward(bench.plan, logits, target);
    bench.run_with(&[StepRecord { rows: batch as u32, ..PLAIN_RUN }]);
    bench.expect("dlogits", output.dlogits, TOLERANCE, move || {
        differences(&wide, |logits| mean_loss(logits, &targets, classes))
    });
});

// The gradient of the mean loss with respect to the inputs of a last layer.
case!(Classifier { batch: usize, inputs: usize, classes: usize }, |bench| {
    let (x, x_wide) = bench.noise("x", [batch, inputs], UNIT);
    let (weight, w) = bench.noise("weight", [classes, inputs], UNIT);
    let targets = bench.numbers.indices(batch, classes);
    let bias = bench.floats("bias", [classes], &vec![0.0; classes]);
    let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
    let target = Target { labels, smoothing: 0.0, slots: SLOTS };
    let output = classifier::forward(bench.plan, x, [weight, bias], target, InputGradient::Plain);
    bench.run_with(&[StepRecord { rows: batch as u32, ..PLAIN_RUN }]);
    bench.expect("dx", output.dx.expect("it was asked for"), TOLERANCE, move || {
        let size = Size { m: batch, n: classes, k: inputs };
        differences(&x_wide, |x| mean_loss(&reference::matmul(Form::Nt, size, x, &w), &targets, classes))
    });
});

/// log(sum of exp) - logit: the textbook formula, accurate enough for small logits.
fn mean_loss(logits: &[f64], targets: &[u32], classes: usize) -> f64 {
    let row_loss = |(row, &label): (&[f64], &u32)| {
        row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - row[label as usize]
    };
    logits.chunks_exact(classes).zip(targets).map(row_loss).sum::<f64>() / targets.len() as f64
}

// A step of plain SGD on a product's weight, and on a weight without any data, both with an L2
// penalty: the weight moves against the gradient of the whole loss.
case!(Penalised { size: Size, l2: f32 }, |bench| {
    let Size { m, n, k } = size;
    let (a, a_wide) = bench.noise("a", [k, m], UNIT);
    let (b, b_wide) = bench.noise("b", [k, n], UNIT);
    let w_values = bench.numbers.floats(m * n, UNIT);
    let zeros = bench.floats("dw", [m, n], &vec![0.0; m * n]);
    let [alone, w] = ["alone", "w"].map(|name| bench.parameter(name, [m, n], &w_values));
    let update = |parameter| Update { parameter, rate: Rate::Scaled(1.0), decay: l2, momentum: None };
    sgd::step(bench.plan, update(alone), zeros);
    matmul::update(bench.plan, a, b, update(w), None);

    let rate = f64::from(PLAIN_RUN.learning_rate);
    let penalty = move |w: &[f64]| 0.5 * f64::from(l2) * reference::sum_of_squares(w);
    let step = move |w: &[f64], loss: &dyn Fn(&[f64]) -> f64| {
        let gradient = differences(w, loss);
        w.iter().zip(gradient).map(|(w, dw)| w - rate * dw).collect::<Vec<f64>>()
    };
    bench.expect_each([("w without data", alone, TOLERANCE), ("w", w, TOLERANCE)], move || {
        let before = widen(&w_values);
        // Rows of a and b are a layer's output gradients and inputs: dy . (x w^T).
        let layer = |w: &[f64]| reference::matmul(Form::Nt, Size { m: k, n: m, k: n }, &b_wide, w);
        [step(&before, &penalty), step(&before, &|w| dot(&layer(w), &a_wide) + penalty(w))]
    });
});

// Both kinds of pool.
case!(Pools { pool: PoolSize }, |bench| {
    let (x, x_wide) = bench.noise("x", pool.shape(), UNIT);
    let (dy, dy_wide) = bench.noise("dy", pool.output(), UNIT);
    let y = max_pool::forward(bench.plan, x, pool.window);
    let of_maximum = max_pool::backward(bench.plan, x, y, dy, pool.window);
    let of_average = average_pool::backward(bench.plan, x, dy, pool.window);
    let outputs =
        [("dx of the maximum", of_maximum, TOLERANCE), ("dx of the average", of_average, TOLERANCE)];
    bench.expect_each(outputs, move || {
        let of_maximum = differences(&x_wide, |x| dot(&reference::max_pool(pool, x), &dy_wide));
        [of_maximum, differences(&x_wide, |x| dot(&reference::average_pool(pool, x), &dy_wide))]
    });
});

// The elements that dropout keeps are those whose gradient it keeps.
case!(Thinned { dropout: Dropout }, |bench| {
    let (length, step) = (203, 9);
    let x = widen(&bench.numbers.floats(length, UNIT));
    let (dy, dy_wide) = bench.noise("dy", [length], UNIT);
    let dx = dropout::backward(bench.plan, dropout, dy);
    bench.run_with(&[StepRecord { step, ..PLAIN_RUN }]);
    bench.expect("dx", dx, TOLERANCE, move || differences(&x, |x| dot(&thinned(x, dropout, step), &dy_wide)));
});

// An activation.
case!(Activated { activation: activation::Activation }, |bench| {
    // Away from kinks, where differences would see both sides.
    let mut x_values = bench.numbers.floats(97, 8.0);
    for kink in [-3.0, 0.0, 3.0, 6.0] {
        x_values.iter_mut().filter(|x| (**x - kink).abs() < 0.01).for_each(|x| *x = kink + 0.01);
    }
    let (x, x_wide) = bench.given("x", [97], &x_values);
    let (dy, dy_wide) = bench.noise("dy", [97], UNIT);
    let dx = activation::backward(bench.plan, activation, x, dy);
    bench.expect("dx", dx, TOLERANCE, move || {
        let y = |x: &[f64]| x.iter().map(|&x| reference::activation(activation, x)).collect::<Vec<_>>();
        differences(&x_wide, |x| dot(&y(x), &dy_wide))
    });
});

// Batch normalisation with the batch's own moments.
case!(BatchNorm { rows: usize, channels: usize }, |bench| {
    let constants = batch_norm::Normalisation { epsilon: 1e-5, momentum: 0.1 };
    let (x, x_wide) = bench.noise("x", [rows, channels], UNIT);
    let (dy, dy_wide) = bench.noise("dy", [rows, channels], UNIT);
    let (weight, weight_wide) = bench.noise("weight", [channels], UNIT);
    let biases = bench.numbers.floats(channels, UNIT);
    let running = batch_norm::Running {
        mean: bench.parameter("running_mean", [channels], &biases),
        variance: bench.parameter("running_var", [channels], &biases),
    };
    let moments = batch_norm::statistics(bench.plan, x, running, constants);
    let found = batch_norm::backward(bench.plan, x, moments, weight, dy);
    bench.run_with(&[StepRecord { rows: rows as u32, ..PLAIN_RUN }]);
    let outputs = [("dx", found.dx), ("dweight", found.dweight), ("dbias", found.dbias)];
    bench.expect_each(outputs.map(|(name, tensor)| (name, tensor, TOLERANCE)), move || {
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&reference::batch_norm(x, constants.epsilon.into(), weight, bias), &dy_wide)
        };
        let (x, weight, bias) = (&x_wide, &weight_wide, &widen(&biases));
        [
            differences(x, |x| loss(x, weight, bias)),
            differences(weight, |weight| loss(x, weight, bias)),
            differences(bias, |bias| loss(x, weight, bias)),
        ]
    });
});

// A convolution, behind a ReLU.
case!(Convolution { size: ConvolutionSize }, |bench| {
    let x_values = off_zero(bench.numbers.floats(size.input().iter().product(), UNIT));
    let (x, x_wide) = bench.given("x", size.input(), &x_values);
    let (w, w_wide) = bench.noise("w", size.weight(), UNIT);
    let (dy, dy_wide) = bench.noise("dy", size.output(), UNIT);
    let h = relu::forward(bench.plan, x);
    let dx = conv2d::data_gradient(bench.plan, dy, w, size.input(), Some(h), size.window);
    let dw = conv2d::weight_gradient(bench.plan, dy, h, size.window);
    bench.expect_each([("dx", dx, TOLERANCE), ("dw", dw, TOLERANCE)], move || {
        let loss = |x: &[f64], w: &[f64]| dot(&reference::conv2d(size, &reference::relu(x), w), &dy_wide);
        [differences(&x_wide, |x| loss(x, &w_wide)), differences(&w_wide, |w| loss(&x_wide, w))]
    });
});

fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (m, n, k) in [(1, 1, 1), (4, 8, 12), (3, 5, 7), (17, 2, 9), (2, 33, 5)] {
        let size = Size { m, n, k };
        cases.extend(boxed(FORMS.map(|form| Product { form, size })));
        cases.push(Box::new(Relu { size }));
        cases.push(Box::new(Bias { rows: m, columns: n }));
        cases.push(Box::new(Penalised { size, l2: 0.25 }));
        cases.push(Box::new(Penalised { size, l2: 0.0 }));
    }
    for (batch, classes, range) in [(1, 1, 1.0), (1, 2, 1.0), (5, 10, 1.0), (65, 3, 5.0), (3, 37, 10.0)] {
        cases.push(Box::new(SoftmaxCrossEntropy { batch, classes, range }));
    }
    for (batch, inputs, classes) in [(1, 4, 2), (5, 8, 3), (33, 12, 10)] {
        cases.push(Box::new(Classifier { batch, inputs, classes }));
    }
    for (size, stride, padding) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0)] {
        let window = Window::square(size, stride, padding);
        cases.push(Box::new(Pools { pool: PoolSize { batch: 2, height: 6, width: 7, channels: 3, window } }));
    }
    for (channels, filters, window) in [
        (3, 2, Window::square(3, 1, 1)),
        (4, 5, Window::square(3, 2, 1)),
        (1, 3, Window { height: 2, width: 5, stride: 3, padding: 2 }),
    ] {
        let size = ConvolutionSize { batch: 2, height: 5, width: 6, channels, filters, window };
        cases.push(Box::new(Convolution { size }));
    }
    cases.extend(boxed([(8, 3), (37, 17)].map(|(rows, channels)| BatchNorm { rows, channels })));
    for rate in [0.0, 0.25, 0.9] {
        cases.push(Box::new(Thinned { dropout: Dropout { rate, seed: 1 << 33, layer: 1 } }));
    }
    cases.extend(boxed(activations().into_iter().map(|activation| Activated { activation })));
    cases
}

pub fn gradients_are_slopes() {
    let (gpu, _) = Subject::gpu(Capabilities::Adapter);
    check_cases(&cases(), &Subject::cpu(), &[gpu], Element::F32).assert_agreement();
}

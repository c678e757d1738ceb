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

use crate::bench::{Bench, Case, Cases, PLAIN_RUN, SLOTS, widen};
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

/// The gradient of a product with respect to each operand is another product.
#[derive(Debug)]
struct Product {
    form: Form,
    size: Size,
}

impl Case for Product {
    fn record(&self, bench: &mut Bench) {
        let &Product { form, size } = self;
        let Size { m, n, k } = size;
        let (a_shape, b_shape) = operand_shapes(form, size);
        let [a_values, b_values, dy_values] =
            [m * k, k * n, m * n].map(|length| bench.numbers.floats(length, UNIT));
        let a = bench.floats("a", a_shape, &a_values);
        let b = bench.floats("b", b_shape, &b_values);
        let dy = bench.floats("dy", [m, n], &dy_values);
        // As in the module's documentation, with the operands exchanged.
        let (da, db) = match form {
            Form::Nn => ((Form::Nt, dy, b), (Form::Tn, a, dy)),
            Form::Nt => ((Form::Nn, dy, b), (Form::Tn, dy, a)),
            Form::Tn => ((Form::Nt, b, dy), (Form::Nn, a, dy)),
        };
        let [da, db] = [da, db].map(|(form, a, b)| matmul::product(bench.plan, form, a, b, Epilogue::None));
        let [a, b, dy] = [a_values, b_values, dy_values].map(|values| widen(&values));
        let (a_again, b_again, dy_again) = (a.clone(), b.clone(), dy.clone());
        bench.expect("da", da, TOLERANCE, move || {
            differences(&a, |a| dot(&reference::matmul(form, size, a, &b), &dy))
        });
        bench.expect("db", db, TOLERANCE, move || {
            differences(&b_again, |b| dot(&reference::matmul(form, size, &a_again, b), &dy_again))
        });
    }
}

/// The gradient of a bias that is added to every row.
#[derive(Debug)]
struct Bias {
    rows: usize,
    columns: usize,
}

impl Case for Bias {
    fn record(&self, bench: &mut Bench) {
        let &Bias { rows, columns } = self;
        let x = widen(&bench.numbers.floats(rows * columns, UNIT));
        let bias = widen(&bench.numbers.floats(columns, UNIT));
        let dy_values = bench.numbers.floats(rows * columns, UNIT);
        let dy = bench.floats("dy", [rows, columns], &dy_values);
        let db = column_sum::forward(bench.plan, dy);
        let dy = widen(&dy_values);
        bench.expect("db", db, TOLERANCE, move || {
            differences(&bias, |bias| dot(&reference::add_bias(&x, bias), &dy))
        });
    }
}

/// A ReLU, on its own and as the mask on the next layer's product.
#[derive(Debug)]
struct Relu {
    size: Size,
}

impl Case for Relu {
    fn record(&self, bench: &mut Bench) {
        let size = self.size;
        let Size { m, n, k } = size;
        // Away from the kink, where differences would cover both sides.
        let x_values: Vec<f32> =
            bench.numbers.floats(m * k, UNIT).into_iter().map(|x| x + 0.01 * x.signum()).collect();
        let w_values = bench.numbers.floats(n * k, UNIT);
        let dy_values = bench.numbers.floats(m * n, UNIT);
        let dh_values = bench.numbers.floats(m * k, UNIT);
        let x = bench.floats("x", [m, k], &x_values);
        let w = bench.floats("w", [n, k], &w_values);
        let dy = bench.floats("dy", [m, n], &dy_values);
        let dh = bench.floats("dh", [m, k], &dh_values);
        let h = relu::forward(bench.plan, x);
        let alone = relu::backward(bench.plan, h, dh);
        let masked = matmul::product(bench.plan, Form::Nn, dy, w, Epilogue::Mask(h));
        let [x, w, dy, dh] = [x_values, w_values, dy_values, dh_values].map(|values| widen(&values));
        let x_again = x.clone();
        bench.expect("dx alone", alone, TOLERANCE, move || {
            differences(&x_again, |x| dot(&reference::relu(x), &dh))
        });
        bench.expect("dx through a layer", masked, TOLERANCE, move || {
            let layer = |x: &[f64]| reference::matmul(Form::Nt, size, &reference::relu(x), &w);
            differences(&x, |x| dot(&layer(x), &dy))
        });
    }
}

/// The gradient of the mean loss with respect to the logits.
#[derive(Debug)]
struct SoftmaxCrossEntropy {
    batch: usize,
    classes: usize,
    range: f32,
}

impl Case for SoftmaxCrossEntropy {
    fn record(&self, bench: &mut Bench) {
        let &SoftmaxCrossEntropy { batch, classes, range } = self;
        let values = bench.numbers.floats(batch * classes, range);
        let targets = bench.numbers.indices(batch, classes);
        let logits = bench.floats("logits", [batch, classes], &values);
        let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
        let output = softmax_cross_entropy::forward(
            bench.plan,
            logits,
            Target { labels, smoothing: 0.0, slots: SLOTS },
        );
        bench.run_with(&[StepRecord { rows: batch as u32, ..PLAIN_RUN }]);
        bench.expect("dlogits", output.dlogits, TOLERANCE, move || {
            differences(&widen(&values), |logits| mean_loss(logits, &targets, classes))
        });
    }
}

/// The gradient of the mean loss with respect to the inputs of a last layer.
#[derive(Debug)]
struct Classifier {
    batch: usize,
    inputs: usize,
    classes: usize,
}

impl Case for Classifier {
    fn record(&self, bench: &mut Bench) {
        let &Classifier { batch, inputs, classes } = self;
        let x_values = bench.numbers.floats(batch * inputs, UNIT);
        let w_values = bench.numbers.floats(classes * inputs, UNIT);
        let targets = bench.numbers.indices(batch, classes);
        let x = bench.floats("x", [batch, inputs], &x_values);
        let weight = bench.floats("weight", [classes, inputs], &w_values);
        let bias = bench.floats("bias", [classes], &vec![0.0; classes]);
        let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
        let target = Target { labels, smoothing: 0.0, slots: SLOTS };
        let output = classifier::forward(bench.plan, x, [weight, bias], target, InputGradient::Plain);
        bench.run_with(&[StepRecord { rows: batch as u32, ..PLAIN_RUN }]);
        let w = widen(&w_values);
        bench.expect("dx", output.dx.expect("it was asked for"), TOLERANCE, move || {
            let size = Size { m: batch, n: classes, k: inputs };
            differences(&widen(&x_values), |x| {
                mean_loss(&reference::matmul(Form::Nt, size, x, &w), &targets, classes)
            })
        });
    }
}

/// log(sum of exp) - logit: the textbook formula, accurate enough for small logits.
fn mean_loss(logits: &[f64], targets: &[u32], classes: usize) -> f64 {
    let row_loss = |(row, &label): (&[f64], &u32)| {
        row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - row[label as usize]
    };
    logits.chunks_exact(classes).zip(targets).map(row_loss).sum::<f64>() / targets.len() as f64
}

/// A step of plain SGD on a product's weight, and on a weight without any data, both with an L2
/// penalty: the weight moves against the gradient of the whole loss.
#[derive(Debug)]
struct Penalised {
    size: Size,
    l2: f32,
}

impl Case for Penalised {
    fn record(&self, bench: &mut Bench) {
        let &Penalised { size, l2 } = self;
        let Size { m, n, k } = size;
        let [a_values, b_values, w_values] =
            [k * m, k * n, m * n].map(|length| bench.numbers.floats(length, UNIT));
        let zeros = bench.floats("dw", [m, n], &vec![0.0; m * n]);
        let alone = bench.parameter("alone", [m, n], &w_values);
        let a = bench.floats("a", [k, m], &a_values);
        let b = bench.floats("b", [k, n], &b_values);
        let w = bench.parameter("w", [m, n], &w_values);
        let update = |parameter| Update { parameter, rate: Rate::Scaled(1.0), decay: l2, momentum: None };
        sgd::step(bench.plan, update(alone), zeros);
        matmul::update(bench.plan, a, b, update(w), None);

        let rate = f64::from(PLAIN_RUN.learning_rate);
        let penalty = move |w: &[f64]| 0.5 * f64::from(l2) * reference::sum_of_squares(w);
        let step = move |w: &[f64], loss: &dyn Fn(&[f64]) -> f64| {
            let gradient = differences(w, loss);
            w.iter().zip(gradient).map(|(w, dw)| w - rate * dw).collect::<Vec<f64>>()
        };
        let [a, b, w_before] = [a_values, b_values, w_values].map(|values| widen(&values));
        let alone_before = w_before.clone();
        bench.expect("w without data", alone, TOLERANCE, move || step(&alone_before, &penalty));
        bench.expect("w", w, TOLERANCE, move || {
            // Rows of a and b are a layer's output gradients and inputs: dy . (x w^T).
            let layer = |w: &[f64]| reference::matmul(Form::Nt, Size { m: k, n: m, k: n }, &b, w);
            step(&w_before, &|w| dot(&layer(w), &a) + penalty(w))
        });
    }
}

/// Both kinds of pool.
#[derive(Debug)]
struct Pools {
    pool: PoolSize,
}

impl Case for Pools {
    fn record(&self, bench: &mut Bench) {
        let pool = self.pool;
        let x_values = bench.numbers.floats(pool.shape().iter().product(), UNIT);
        let dy_values = bench.numbers.floats(pool.output().iter().product(), UNIT);
        let x = bench.floats("x", pool.shape(), &x_values);
        let dy = bench.floats("dy", pool.output(), &dy_values);
        let y = max_pool::forward(bench.plan, x, pool.window);
        let of_maximum = max_pool::backward(bench.plan, x, y, dy, pool.window);
        let of_average = average_pool::backward(bench.plan, x, dy, pool.window);
        let [x, dy] = [x_values, dy_values].map(|values| widen(&values));
        let (x_again, dy_again) = (x.clone(), dy.clone());
        bench.expect("dx of the maximum", of_maximum, TOLERANCE, move || {
            differences(&x, |x| dot(&reference::max_pool(pool, x), &dy))
        });
        bench.expect("dx of the average", of_average, TOLERANCE, move || {
            differences(&x_again, |x| dot(&reference::average_pool(pool, x), &dy_again))
        });
    }
}

/// The elements that dropout keeps are those whose gradient it keeps.
#[derive(Debug)]
struct Thinned {
    dropout: Dropout,
}

impl Case for Thinned {
    fn record(&self, bench: &mut Bench) {
        let dropout = self.dropout;
        let (length, step) = (203, 9);
        let [x_values, dy_values] = [UNIT, UNIT].map(|range| bench.numbers.floats(length, range));
        let dy = bench.floats("dy", [length], &dy_values);
        let dx = dropout::backward(bench.plan, dropout, dy);
        bench.run_with(&[StepRecord { step, ..PLAIN_RUN }]);
        let (x, dy) = (widen(&x_values), widen(&dy_values));
        bench.expect("dx", dx, TOLERANCE, move || differences(&x, |x| dot(&thinned(x, dropout, step), &dy)));
    }
}

/// An activation.
#[derive(Debug)]
struct Activated {
    activation: activation::Activation,
}

impl Case for Activated {
    fn record(&self, bench: &mut Bench) {
        let kind = self.activation;
        // Away from kinks, where differences would see both sides.
        let mut x_values = bench.numbers.floats(97, 8.0);
        for kink in [-3.0, 0.0, 3.0, 6.0] {
            x_values.iter_mut().filter(|x| (**x - kink).abs() < 0.01).for_each(|x| *x = kink + 0.01);
        }
        let dy_values = bench.numbers.floats(97, UNIT);
        let x = bench.floats("x", [97], &x_values);
        let dy = bench.floats("dy", [97], &dy_values);
        let dx = activation::backward(bench.plan, kind, x, dy);
        let [x, dy] = [x_values, dy_values].map(|values| widen(&values));
        bench.expect("dx", dx, TOLERANCE, move || {
            differences(&x, |x| {
                let y: Vec<f64> = x.iter().map(|&x| reference::activation(kind, x)).collect();
                dot(&y, &dy)
            })
        });
    }
}

/// Batch normalisation with the batch's own moments.
#[derive(Debug)]
struct BatchNorm {
    rows: usize,
    channels: usize,
}

impl Case for BatchNorm {
    fn record(&self, bench: &mut Bench) {
        let &BatchNorm { rows, channels } = self;
        let constants = batch_norm::Normalisation { epsilon: 1e-5, momentum: 0.1 };
        let [x_values, dy_values] = [(); 2].map(|()| bench.numbers.floats(rows * channels, UNIT));
        let [weights, biases] = [(); 2].map(|()| bench.numbers.floats(channels, UNIT));
        let x = bench.floats("x", [rows, channels], &x_values);
        let dy = bench.floats("dy", [rows, channels], &dy_values);
        let weight = bench.floats("weight", [channels], &weights);
        let running = batch_norm::Running {
            mean: bench.parameter("running_mean", [channels], &biases),
            variance: bench.parameter("running_var", [channels], &weights),
        };
        let moments = batch_norm::statistics(bench.plan, x, running, constants);
        let found = batch_norm::backward(bench.plan, x, moments, weight, dy);
        bench.run_with(&[StepRecord { rows: rows as u32, ..PLAIN_RUN }]);
        let [x, dy, weight, bias] = [x_values, dy_values, weights, biases].map(|values| widen(&values));
        let loss = move |x: &[f64], weight: &[f64], bias: &[f64]| {
            dot(&reference::batch_norm(x, constants.epsilon.into(), weight, bias), &dy)
        };
        let (for_weight, for_bias) = (
            (loss.clone(), x.clone(), weight.clone(), bias.clone()),
            (loss.clone(), x.clone(), weight.clone(), bias.clone()),
        );
        bench.expect("dx", found.dx, TOLERANCE, move || differences(&x, |x| loss(x, &weight, &bias)));
        bench.expect("dweight", found.dweight, TOLERANCE, move || {
            let (loss, x, weight, bias) = for_weight;
            differences(&weight, |weight| loss(&x, weight, &bias))
        });
        bench.expect("dbias", found.dbias, TOLERANCE, move || {
            let (loss, x, weight, bias) = for_bias;
            differences(&bias, |bias| loss(&x, &weight, bias))
        });
    }
}

/// A convolution, behind a ReLU.
#[derive(Debug)]
struct Convolution {
    size: ConvolutionSize,
}

impl Case for Convolution {
    fn record(&self, bench: &mut Bench) {
        let size = self.size;
        let [mut x_values, w_values, dy_values] =
            [size.input(), size.weight(), size.output()].map(|shape| ConvolutionSize::noise(shape, bench));
        // Away from the kink, where differences would cover both sides.
        x_values.iter_mut().for_each(|x| *x += 0.01 * x.signum());
        let x = bench.floats("x", size.input(), &x_values);
        let w = bench.floats("w", size.weight(), &w_values);
        let dy = bench.floats("dy", size.output(), &dy_values);
        let h = relu::forward(bench.plan, x);
        let dx = conv2d::data_gradient(bench.plan, dy, w, size.input(), Some(h), size.window);
        let dw = conv2d::weight_gradient(bench.plan, dy, h, size.window);
        let [x, w, dy] = [x_values, w_values, dy_values].map(|values| widen(&values));
        let (x_again, w_again, dy_again) = (x.clone(), w.clone(), dy.clone());
        bench.expect("dx", dx, TOLERANCE, move || {
            differences(&x, |x| dot(&reference::conv2d(size, &reference::relu(x), &w), &dy))
        });
        bench.expect("dw", dw, TOLERANCE, move || {
            let h = reference::relu(&x_again);
            differences(&w_again, |w| dot(&reference::conv2d(size, &h, w), &dy_again))
        });
    }
}

fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (m, n, k) in [(1, 1, 1), (4, 8, 12), (3, 5, 7), (17, 2, 9), (2, 33, 5)] {
        let size = Size { m, n, k };
        cases.extend(FORMS.map(|form| Box::new(Product { form, size }) as Box<dyn Case>));
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
    cases.extend(
        [(8, 3), (37, 17)].map(|(rows, channels)| Box::new(BatchNorm { rows, channels }) as Box<dyn Case>),
    );
    for rate in [0.0, 0.25, 0.9] {
        cases.push(Box::new(Thinned { dropout: Dropout { rate, seed: 1 << 33, layer: 1 } }));
    }
    cases.extend(
        activations().into_iter().map(|activation| Box::new(Activated { activation }) as Box<dyn Case>),
    );
    cases
}

pub fn gradients_are_slopes() {
    let (gpu, _) = Subject::gpu(Capabilities::Adapter);
    let gpus = [gpu];
    let cases = cases();
    check_cases(&cases, &Subject::cpu(), &gpus, Element::F32).assert_agreement();
}

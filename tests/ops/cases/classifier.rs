//! Cases of a last layer with its loss: full and partial batches, with and without the gradient of
//! the input.

use shadegrad::ops::classifier::{self, InputGradient};
use shadegrad::ops::gather::NO_LABEL;
use shadegrad::ops::matmul::{Form, Size};
use shadegrad::ops::softmax_cross_entropy::Target;
use shadegrad::plan::{Array, StepRecord};

use super::softmax_cross_entropy::{Expected, expect_metrics};
use crate::bench::{Bench, Case, Cases, PLAIN_RUN, SLOTS, boxed, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

#[derive(Debug)]
struct Classifier {
    batch: usize,
    classes: usize,
    inputs: usize,
    /// Number of rows that hold an image.
    rows: usize,
    gradient: InputGradient,
    smoothing: f32,
    range: f32,
}

impl Classifier {
    /// Tolerance of logits.
    fn of_logits(&self) -> Tolerance {
        let range = f64::from(self.range);
        Tolerance::sum(self.inputs, (self.inputs as f64).sqrt() * range * range + range)
    }

    /// Tolerance of values of about `size` that depend on the logits, which have errors themselves.
    fn behind_logits(&self, size: f64) -> Tolerance {
        let Tolerance { absolute, nmse, .. } = self.of_logits();
        Tolerance { absolute: size * (absolute + 1e-6), relative: 1e-5, nmse }
    }
}

impl Case for Classifier {
    fn record(&self, bench: &mut Bench) {
        let &Classifier { batch, classes, inputs, rows, gradient, smoothing, range } = self;
        let mut x_values = bench.numbers.floats(batch * inputs, range);
        if gradient == InputGradient::Masked {
            // The output of a ReLU: half of it zeros, where the gradient stops.
            x_values.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        let [w_values, bias_values] =
            [classes * inputs, classes].map(|length| bench.numbers.floats(length, range));
        let mut targets = bench.numbers.indices(batch, classes);
        targets[rows..].fill(NO_LABEL);
        let x = bench.activation_input("x", [batch, inputs], &x_values);
        let weight = bench.floats("weight", [classes, inputs], &w_values);
        let bias = bench.floats("bias", [classes], &bias_values);
        let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
        let target = Target { labels, smoothing, slots: SLOTS };
        let output = classifier::forward(bench.plan, x, [weight, bias], target, gradient);
        let row_weight = 1.0 / rows as f32;
        bench.run_with(&[StepRecord { rows: rows as u32, row_weight, ..PLAIN_RUN }]);

        let [x, w, bias] = [&x_values, &w_values, &bias_values].map(|values| widen(values));
        let (x_again, w_again) = (x.clone(), w.clone());
        let logits = move || {
            let product =
                reference::matmul(Form::Nt, Size { m: batch, n: classes, k: inputs }, &x_again, &w_again);
            reference::add_bias(&product, &bias)
        };
        let for_loss = logits.clone();
        let expected = move || {
            let shape = [batch, classes];
            Expected::of(&for_loss(), &targets[..rows], shape, smoothing.into(), row_weight.into())
        };
        let for_dx = expected.clone();
        bench.expect("logits", output.logits, self.of_logits(), logits);
        expect_metrics(bench, output.loss.metrics, self.behind_logits(1.0), expected.clone());
        let dlogits = self.behind_logits(1.0 / rows as f64);
        bench.expect("dlogits", output.loss.dlogits, dlogits, move || expected().gradient);
        if let Some(dx) = output.dx {
            let tolerance = self.behind_logits(f64::from(range) * (classes as f64).sqrt() / rows as f64);
            let scale = bench.gradient_scale(rows);
            bench.expect("dx", dx, tolerance.times(scale), move || {
                let size = Size { m: batch, n: inputs, k: classes };
                let scaled: Vec<f64> = for_dx().gradient.into_iter().map(|dz| scale * dz).collect();
                let product = reference::matmul(Form::Nn, size, &scaled, &w);
                match gradient {
                    InputGradient::Masked => reference::relu_backward(&x, &product),
                    _ => product,
                }
            });
        }
    }
}

pub fn cases() -> Cases {
    let gradients = [InputGradient::Masked, InputGradient::None, InputGradient::Plain];
    let mut cases = Vec::new();
    for classes in [1, 2, 3, 9, 10, 11, 37, 64] {
        for (place, (batch, rows)) in
            [(1, 1), (5, 3), (31, 31), (32, 32), (33, 33), (64, 64), (100, 67)].into_iter().enumerate()
        {
            let inputs = [4, 8, 12, 60, 128, 132, 508][(classes + place) % 7];
            let range = [UNIT, TINY][(classes + batch) % 2];
            let smoothing = if place % 3 == 0 { 0.2 } else { 0.0 };
            let gradient = gradients[(classes + place) % 3];
            cases.push(Classifier { batch, classes, inputs, rows, gradient, smoothing, range });
        }
    }
    let whole = Classifier {
        batch: 64,
        classes: 10,
        inputs: 128,
        rows: 64,
        gradient: InputGradient::Masked,
        smoothing: 0.0,
        range: UNIT,
    };
    cases.push(Classifier { range: LARGE, inputs: 100, batch: 32, rows: 32, ..whole });
    cases.push(Classifier { classes: 64, inputs: 4096, batch: 70, rows: 70, ..whole });
    cases.push(Classifier { batch: 1000, rows: 999, gradient: InputGradient::None, ..whole });
    // More than 65,535 workgroups.
    let batch = 65_536 * 32 + 9;
    cases.push(Classifier { batch, classes: 2, inputs: 4, rows: batch - 5, ..whole });
    cases.push(whole);
    boxed(cases)
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let whole = "batch: 64, classes: 10, inputs: 128, rows: 64";
    edits! {
        [whole] "a part of the inputs lost": "+ parts[part + 3u]" => "";
        [whole] "one class without its inputs": "y7 += w[w7 + k]" => "y7 += 0.0 * w[w7 + k]";
        ["classes: 11"] "second block of classes over the first":
            "values[block * GROUPS" => "values[0u * block";
        [whole] "logit of the row before":
            "store_logit(row + 3u, j, sums.w)" => "store_logit(row + 2u, j, sums.w)";
        [whole] "last vector of columns lost": "if k < quads {" => "if k + 1u < quads {";
        ["Masked"] "mask that lets zeros through, classifier": "vector(at) > " => "vector(at) >= ";
        ["Plain"] "mask that nobody wants": "params.masked == 0u" => "params.masked == 2u";
        ["rows: 67"] "gradient of the padding": "hand_out(lane, j, 0.0)" => "hand_out(lane, j, 1.0)";
        in F16 ["Masked"] "classifier without the scale": " * gradient_scale()" => "";
    }
}

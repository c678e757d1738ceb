//! Cases of batch normalisation: statistics, normalisation and gradients.

use shadegrad::ops::batch_norm::{self, Normalisation, Running};
use shadegrad::plan::StepRecord;
use shadegrad::tensor::Tensor;

use crate::bench::{Bench, Cases, PLAIN_RUN, boxed, case, widen};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

const CONSTANTS: Normalisation = Normalisation { epsilon: 1e-5, momentum: 0.1 };

/// A batch of maps, some of them padding, and the mean of its values.
#[derive(Clone, Copy, Debug)]
struct Batch {
    images: usize,
    padding: usize,
    cells: usize,
    channels: usize,
    centre: f32,
}

impl Batch {
    fn shape(&self) -> [usize; 4] {
        [self.images + self.padding, self.cells, 1, self.channels]
    }

    fn valid(&self) -> usize {
        self.images * self.cells * self.channels
    }

    /// Values of all rows. Those of padding are far away, so that counting one of them would be
    /// noticed.
    fn values(&self, bench: &mut Bench) -> Vec<f32> {
        let mut values = bench.numbers.floats(self.shape().iter().product(), UNIT);
        values[..self.valid()].iter_mut().for_each(|value| *value += self.centre);
        values[self.valid()..].iter_mut().for_each(|value| *value += 1000.0);
        bench.numbers.rounded(values)
    }

    /// Whether a channel has a single value, which has no variance.
    fn is_single(&self) -> bool {
        self.images * self.cells == 1
    }

    fn run(&self, bench: &mut Bench) {
        bench.run_with(&[StepRecord { rows: self.images as u32, ..PLAIN_RUN }]);
    }

    /// Error of a mean or a deviation: that of a sum, divided by the number of its terms.
    fn tolerance(&self) -> Tolerance {
        let rows = (self.images * self.cells) as f64;
        Tolerance::sum(self.images * self.cells, f64::from(self.centre.abs() + 1.0) / rows.sqrt())
    }
}

case!(Statistics { batch: Batch }, |bench| {
    let channels = batch.channels;
    let values = batch.values(bench);
    let x = bench.activation_input("x", batch.shape(), &values);
    let means = bench.numbers.floats(channels, UNIT);
    let variances: Vec<f32> = bench.numbers.floats(channels, UNIT).iter().map(|v| v.abs()).collect();
    let running = Running {
        mean: bench.parameter("running_mean", [channels], &means),
        variance: bench.parameter("running_var", [channels], &variances),
    };
    let moments = batch_norm::statistics(bench.plan, x, running, CONSTANTS);
    batch.run(bench);
    let [of_moments, of_running] = match batch.is_single() {
        true => [Tolerance::relative(1e-6, 0.0), Tolerance::EXACT],
        // The scale is 1 / deviation: its relative error is that of the variance, halved by the
        // root.
        false => [Tolerance { relative: 4e-6, ..batch.tolerance() }, batch.tolerance()],
    };
    let outputs = [
        ("moments", moments, of_moments),
        ("running_mean", running.mean, of_running),
        ("running_var", running.variance, of_running),
    ];
    bench.expect_each(outputs, move || {
        let (old_means, old_variances) = (widen(&means), widen(&variances));
        if batch.is_single() {
            return [with_scales(&old_means, &old_variances), old_means, old_variances];
        }
        let images = widen(&values[..batch.valid()]);
        let (means, variances): (Vec<f64>, Vec<f64>) =
            reference::column_moments(&images, channels).into_iter().unzip();
        let rows = (images.len() / channels) as f64;
        let unbiased = rows / (rows - 1.0).max(1.0);
        let moved = |old: Vec<f64>, new: &[f64], factor: f64| {
            let momentum = f64::from(CONSTANTS.momentum);
            let moved =
                old.iter().zip(new).map(|(old, new)| (1.0 - momentum) * old + momentum * factor * new);
            moved.collect()
        };
        let moments = with_scales(&means, &variances);
        [moments, moved(old_means, &means, 1.0), moved(old_variances, &variances, unbiased)]
    });
});

/// Means, and the factors that belong to variances.
fn with_scales(means: &[f64], variances: &[f64]) -> Vec<f64> {
    let scale = |variance: &f64| 1.0 / (variance + f64::from(CONSTANTS.epsilon)).sqrt();
    means.iter().copied().chain(variances.iter().map(scale)).collect()
}

case!(Recall { channels: usize }, |bench| {
    let means = bench.numbers.floats(channels, UNIT);
    let mut variances: Vec<f32> = bench.numbers.floats(channels, UNIT).iter().map(|v| v.abs()).collect();
    variances[channels / 2] = 0.0;
    let running = Running {
        mean: bench.floats("running_mean", [channels], &means),
        variance: bench.floats("running_var", [channels], &variances),
    };
    let moments = batch_norm::recall(bench.plan, running, CONSTANTS);
    let tolerance = Tolerance::relative(1e-6, 0.0);
    bench.expect("moments", moments, tolerance, move || with_scales(&widen(&means), &widen(&variances)));
});

/// Moments of the images of a batch, as a forward pass computes them, with weight and bias. Those
/// of a single value differ, because they are running ones.
fn operands(bench: &mut Bench, batch: Batch, values: &[f32]) -> (Tensor, [Tensor; 2], [Vec<f32>; 2]) {
    let channels = batch.channels;
    let found = reference::column_moments(&widen(&values[..batch.valid()]), channels);
    let (means, variances): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
    let mut moments: Vec<f32> = with_scales(&means, &variances).iter().map(|&value| value as f32).collect();
    if batch.is_single() {
        moments[..channels].iter_mut().for_each(|mean| *mean += 0.5);
        moments[channels..].fill(1.25);
    }
    let moments = bench.floats("moments", [2, channels], &moments);
    let [weights, biases] = [(); 2].map(|()| bench.numbers.floats(channels, UNIT));
    let tensors = [bench.floats("weight", [channels], &weights), bench.floats("bias", [channels], &biases)];
    (moments, tensors, [weights, biases])
}

case!(Apply { batch: Batch }, |bench| {
    // All rows are normalised alike, so padding would not differ.
    let batch = Batch { padding: 0, ..batch };
    let values = batch.values(bench);
    let x = bench.activation_input("x", batch.shape(), &values);
    let (moments, [weight, bias], [weights, biases]) = operands(bench, batch, &values);
    let y = batch_norm::apply(bench.plan, x, moments, weight, bias);
    bench.expect("y", y, Tolerance::rounded(10.0 * f64::from(batch.centre.abs() + 1.0)), move || {
        let epsilon = CONSTANTS.epsilon.into();
        reference::batch_norm(&widen(&values), epsilon, &widen(&weights), &widen(&biases))
    });
});

case!(Backward { batch: Batch }, |bench| {
    let values = batch.values(bench);
    let x = bench.activation_input("x", batch.shape(), &values);
    let (dy, dy_wide) = bench.noise("dy", batch.shape(), UNIT);
    let (moments, [weight, _], [weights, _]) = operands(bench, batch, &values);
    let found = batch_norm::backward(bench.plan, x, moments, weight, dy);
    batch.run(bench);
    let rows = batch.images * batch.cells;
    let size = 10.0 * f64::from(batch.centre.abs() + 1.0);
    let factor = 1.0 / bench.gradient_scale(batch.images);
    let of_sum = Tolerance::sum(rows, size * (rows as f64).sqrt()).times(factor);
    let outputs = [
        ("dx", found.dx, Tolerance::rounded(size)),
        ("dweight", found.dweight, of_sum),
        ("dbias", found.dbias, of_sum),
    ];
    bench.expect_each(outputs, move || {
        let (x, dy) = (widen(&values[..batch.valid()]), &dy_wide[..batch.valid()]);
        let [mut dx, dweight, dbias] = match batch.is_single() {
            true => {
                let dx = dy.iter().zip(&weights).map(|(dy, &weight)| f64::from(weight) * 1.25 * dy);
                let dweight = dy.iter().map(|dy| dy * -0.5 * 1.25);
                [dx.collect(), dweight.collect(), dy.to_vec()]
            }
            false => reference::batch_norm_backward(&x, CONSTANTS.epsilon.into(), &widen(&weights), dy),
        };
        dx.resize(values.len(), 0.0);
        let scaled = |sums: Vec<f64>| sums.into_iter().map(|sum| factor * sum).collect();
        [dx, scaled(dweight), scaled(dbias)]
    });
});

pub fn cases() -> Cases {
    let mut batches = Vec::new();
    // One workgroup sums 1,024 rows of 16 channels, with 16 lanes per channel.
    for (images, cells) in [(5, 3), (4, 4), (17, 1), (4, 255), (4, 256), (5, 205), (7, 361), (32, 196)] {
        for channels in [1, 3, 16, 17] {
            let padding = (images + channels) % 3;
            batches.push(Batch { images, padding, cells, channels, centre: 0.0 });
        }
    }
    // A mean far from zero, in which sums of squares would lose all precision; a last batch that is
    // mostly padding; parts without any image.
    batches.push(Batch { images: 9, padding: 1, cells: 300, channels: 5, centre: 100.0 });
    batches.push(Batch { images: 3, padding: 29, cells: 100, channels: 7, centre: 0.0 });
    let mut cases: Cases = Vec::new();
    for batch in batches {
        cases.push(Box::new(Statistics { batch }));
        cases.push(Box::new(Apply { batch }));
        cases.push(Box::new(Backward { batch }));
    }
    for (channels, padding) in [(1, 0), (1, 2), (3, 1), (16, 4), (17, 0), (65, 1)] {
        let batch = Batch { images: 1, padding, cells: 1, channels, centre: 0.0 };
        cases.push(Box::new(Statistics { batch }));
        cases.push(Box::new(Backward { batch }));
    }
    cases.extend(boxed([1, 63, 64, 65, 1009].map(|channels| Recall { channels })));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["Apply"] "mean not subtracted": "(f32(x[i]) - moments[channel])" => "f32(x[i])";
        ["Apply"] "weight of the first channel": "weight[channel]" => "weight[0]";
        ["Recall"] "epsilon forgotten": " + params.epsilon" => "";
        ["Recall"] "variance for a deviation":
            "sqrt(running_var[channel] + params.epsilon)" => "running_var[channel]";
        ["Statistics"] "last channel forgotten":
            "channel < params.channels" => "channel + 1u < params.channels";
        ["Statistics"] "padding counted": "step.rows * params.cells" => "params.rows";
        in F16 ["Backward"] "gradients of a norm with their scale": " / gradient_scale()" => "";
        in F16 ["Backward"] "shares without the scale": "gradient_scale() * share" => "share";
    }
}

//! The reference: the results of ops, as plain loops in float64. Those of optimizers are beside
//! their cases.
//!
//! Written from the ops' formulas, not from their code, and not meant to be fast.

use shadegrad::ops::Window;
use shadegrad::ops::activation::Activation;
use shadegrad::ops::matmul::{Form, Size};

use crate::cases::PoolSize;
use crate::cases::conv2d::ConvolutionSize;

/// `y[m, n] = sum over k`, of operands in the memory layout of `form`.
pub fn matmul(form: Form, size: Size, a: &[f64], b: &[f64]) -> Vec<f64> {
    let Size { m, n, k } = size;
    let mut y = vec![0.0; m * n];
    for row in 0..m {
        for column in 0..n {
            for term in 0..k {
                let a = match form {
                    Form::Nn | Form::Nt => a[row * k + term],
                    Form::Tn => a[term * m + row],
                };
                let b = match form {
                    Form::Nn | Form::Tn => b[term * n + column],
                    Form::Nt => b[column * k + term],
                };
                y[row * n + column] += a * b;
            }
        }
    }
    y
}

/// `x[m, n] + bias[n]`
pub fn add_bias(x: &[f64], bias: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(index, x)| x + bias[index % bias.len()]).collect()
}

/// `max(x, 0)`, NaN kept.
pub fn relu(x: &[f64]) -> Vec<f64> {
    x.iter().map(|&x| if x.is_nan() { x } else { x.max(0.0) }).collect()
}

/// `dy` where `y` is positive, else 0.
pub fn relu_backward(y: &[f64], dy: &[f64]) -> Vec<f64> {
    y.iter().zip(dy).map(|(&y, &dy)| if y > 0.0 { dy } else { 0.0 }).collect()
}

/// Sums over the rows of `x[m, n]`.
pub fn column_sum(x: &[f64], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for (index, x) in x.iter().enumerate() {
        sums[index % columns] += x;
    }
    sums
}

/// Sum of squares.
pub fn sum_of_squares(w: &[f64]) -> f64 {
    w.iter().map(|w| w * w).sum()
}

/// One step of SGD without momentum on the parameter `w`.
pub fn sgd(rate: f64, decay: f64, w: &mut [f64], dw: &[f64]) {
    for (w, dw) in w.iter_mut().zip(dw) {
        *w -= rate * (dw + decay * *w);
    }
}

/// PyTorch's `clip_grad_norm_`.
pub fn clip_norm(gradients: &mut [Vec<f64>], most: f64) {
    let norm = gradients.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
    let factor = most / (norm + 1e-6);
    if factor < 1.0 {
        gradients.iter_mut().flatten().for_each(|value| *value *= factor);
    }
}

/// Loss of one row of logits, and its gradient.
pub fn softmax_cross_entropy(logits: &[f64], label: usize) -> (f64, Vec<f64>) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    let others: f64 =
        powers.iter().enumerate().filter(|&(class, _)| class != label).map(|(_, power)| power).sum();
    let mut gradient: Vec<f64> = powers.iter().map(|power| power / sum).collect();
    // p - 1 without cancellation: minus the probability of all others.
    gradient[label] = -others / sum;
    // log(sum) + largest - logit; if the label's logit is the largest, the sum is 1 plus the
    // others.
    let loss = match logits[label] == largest {
        true => others.ln_1p(),
        false => sum.ln() + (largest - logits[label]),
    };
    (loss, gradient)
}

/// The same with label smoothing: the mean, weighted accordingly, of the losses for each class.
pub fn smoothed_cross_entropy(logits: &[f64], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
    let (mut loss, mut gradient) = softmax_cross_entropy(logits, label);
    loss *= 1.0 - smoothing;
    gradient.iter_mut().for_each(|value| *value *= 1.0 - smoothing);
    let share = smoothing / logits.len() as f64;
    for class in 0..logits.len() {
        let (other, slope) = softmax_cross_entropy(logits, class);
        loss += share * other;
        gradient.iter_mut().zip(slope).for_each(|(sum, value)| *sum += share * value);
    }
    (loss, gradient)
}

/// Whether the first of the largest logits is the label's.
pub fn hits(logits: &[f64], label: usize) -> bool {
    let before = logits[..label].iter().all(|&other| other < logits[label]);
    before && logits[label..].iter().all(|&other| other <= logits[label])
}

/// The cells of every element of a pool's output, in the output's order: their indices in `x`, row
/// by row.
pub fn pooled_cells(pool: PoolSize) -> Vec<Vec<usize>> {
    let PoolSize { batch, height, width, channels, window } = pool;
    let [_, bottom, right, _] = pool.output();
    let mut all = Vec::new();
    for image in 0..batch {
        for top in 0..bottom {
            for left in 0..right {
                for channel in 0..channels {
                    let mut cells = Vec::new();
                    for row in 0..window.height {
                        for column in 0..window.width {
                            let row = (top * window.stride + row).wrapping_sub(window.padding);
                            let column = (left * window.stride + column).wrapping_sub(window.padding);
                            if row < height && column < width {
                                cells.push(((image * height + row) * width + column) * channels + channel);
                            }
                        }
                    }
                    all.push(cells);
                }
            }
        }
    }
    all
}

/// The largest of each window.
pub fn max_pool(pool: PoolSize, x: &[f64]) -> Vec<f64> {
    let larger = |largest: f64, x: f64| if x.is_nan() { x } else { largest.max(x) };
    let largest = |cells: Vec<usize>| {
        cells.into_iter().map(|cell| x[cell]).reduce(|a, b| if a.is_nan() { a } else { larger(a, b) })
    };
    pooled_cells(pool).into_iter().map(|cells| largest(cells).expect("a window covers a cell")).collect()
}

/// Each window's gradient goes to the first of its largest cells.
pub fn max_pool_backward(pool: PoolSize, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; x.len()];
    for (cells, dy) in pooled_cells(pool).into_iter().zip(dy) {
        let winner = cells.into_iter().reduce(|best, cell| if x[cell] > x[best] { cell } else { best });
        dx[winner.expect("a window covers a cell")] += dy;
    }
    dx
}

/// The mean of each window, padding being zeros.
pub fn average_pool(pool: PoolSize, x: &[f64]) -> Vec<f64> {
    let area = (pool.window.height * pool.window.width) as f64;
    let mean = |cells: Vec<usize>| cells.into_iter().map(|cell| x[cell]).sum::<f64>() / area;
    pooled_cells(pool).into_iter().map(mean).collect()
}

/// Each window's gradient is divided equally among its cells.
pub fn average_pool_backward(pool: PoolSize, dy: &[f64]) -> Vec<f64> {
    let area = (pool.window.height * pool.window.width) as f64;
    let mut dx = vec![0.0; pool.batch * pool.height * pool.width * pool.channels];
    for (cells, dy) in pooled_cells(pool).into_iter().zip(dy) {
        cells.into_iter().for_each(|cell| dx[cell] += dy / area);
    }
    dx
}

/// The cumulative normal distribution at `x`, in float64: the series 1/2 + phi(x) (x + x^3 / 3 +
/// x^5 / (3 5) + ...), all of whose terms have one sign.
pub fn normal_below(x: f64) -> f64 {
    // The rest is below 1e-20.
    if x.abs() > 9.5 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum) = (x, x);
    for factor in (3..600).step_by(2) {
        term *= x * x / f64::from(factor);
        sum += term;
    }
    0.5 + normal_density(x) * sum
}

/// Density of the normal distribution.
pub fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// An activation of one value.
pub fn activation(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Gelu => x * normal_below(x),
        Activation::Silu => x * sigmoid(x),
        Activation::Hardswish => x * ((x + 3.0) / 6.0).clamp(0.0, 1.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Scale { factor } => f64::from(factor) * x,
        Activation::LeakyRelu { slope } if x < 0.0 => f64::from(slope) * x,
        Activation::LeakyRelu { .. } => x,
    }
}

/// The derivative of an activation.
pub fn activation_slope(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => f64::from(x > 0.0),
        Activation::Gelu => normal_below(x) + x * normal_density(x),
        Activation::Silu => sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
        Activation::Hardswish if x.abs() >= 3.0 => f64::from(x > 0.0),
        Activation::Hardswish => (2.0 * x + 3.0) / 6.0,
        Activation::Relu6 => f64::from(x > 0.0 && x < 6.0),
        Activation::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
        Activation::Tanh => 1.0 - x.tanh().powi(2),
        Activation::Scale { factor } => f64::from(factor),
        Activation::LeakyRelu { .. } if x > 0.0 => 1.0,
        Activation::LeakyRelu { slope } => f64::from(slope),
    }
}

/// Mean and biased variance of every column of `x`.
pub fn column_moments(x: &[f64], columns: usize) -> Vec<(f64, f64)> {
    let rows = (x.len() / columns) as f64;
    let moments = |column: usize| {
        let values = || x.iter().skip(column).step_by(columns);
        let mean = values().sum::<f64>() / rows;
        (mean, values().map(|x| (x - mean).powi(2)).sum::<f64>() / rows)
    };
    (0..columns).map(moments).collect()
}

/// The columns of `x`, normalised with their own moments, then scaled and shifted.
pub fn batch_norm(x: &[f64], epsilon: f64, weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let columns = weight.len();
    let moments = column_moments(x, columns);
    let normalised = x.iter().enumerate().map(|(index, x)| {
        let column = index % columns;
        let (mean, variance) = moments[column];
        (x - mean) / (variance + epsilon).sqrt() * weight[column] + bias[column]
    });
    normalised.collect()
}

/// Gradients of [`batch_norm`] with respect to x, weight and bias, with the derivatives through
/// mean and variance computed one by one (Ioffe and Szegedy, section 3).
pub fn batch_norm_backward(x: &[f64], epsilon: f64, weight: &[f64], dy: &[f64]) -> [Vec<f64>; 3] {
    let columns = weight.len();
    let rows = (x.len() / columns) as f64;
    let (mut dx, mut dweight, mut dbias) = (vec![0.0; x.len()], vec![], vec![]);
    for (column, (mean, variance)) in column_moments(x, columns).into_iter().enumerate() {
        let places = || (column..x.len()).step_by(columns);
        let deviation = (variance + epsilon).sqrt();
        dbias.push(places().map(|i| dy[i]).sum());
        dweight.push(places().map(|i| dy[i] * (x[i] - mean) / deviation).sum());
        let dnormal = |i: usize| dy[i] * weight[column];
        let dvariance: f64 = places().map(|i| dnormal(i) * (x[i] - mean) * -0.5 / deviation.powi(3)).sum();
        let dmean: f64 = places().map(|i| -dnormal(i) / deviation).sum();
        for i in places() {
            dx[i] = dnormal(i) / deviation + dvariance * 2.0 * (x[i] - mean) / rows + dmean / rows;
        }
    }
    [dx, dweight, dbias]
}

/// Every product that a convolution sums: its index in y, in x and in the weight.
fn convolution_terms(size: ConvolutionSize, mut visit: impl FnMut(usize, usize, usize)) {
    let Window { height, width, stride, padding } = size.window;
    let [batch, output_height, output_width, filters] = size.output();
    for window in 0..batch * output_height * output_width {
        let (line, column) = (window / output_width, window % output_width);
        let (image, row) = (line / output_height, line % output_height);
        for (above, left) in (0..height).flat_map(|above| (0..width).map(move |left| (above, left))) {
            let (row, column) = (row * stride + above, column * stride + left);
            let in_map = (padding..padding + size.height).contains(&row)
                && (padding..padding + size.width).contains(&column);
            if !in_map {
                continue;
            }
            let cell = (image * size.height + row - padding) * size.width + column - padding;
            for filter in 0..filters {
                for channel in 0..size.channels {
                    let w = ((filter * height + above) * width + left) * size.channels + channel;
                    visit(window * filters + filter, cell * size.channels + channel, w);
                }
            }
        }
    }
}

/// A convolution without a bias.
pub fn conv2d(size: ConvolutionSize, x: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; size.output().iter().product()];
    convolution_terms(size, |of_y, of_x, of_w| y[of_y] += x[of_x] * weight[of_w]);
    y
}

/// The gradient of a convolution with respect to the map.
pub fn conv2d_data_gradient(size: ConvolutionSize, dy: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; size.input().iter().product()];
    convolution_terms(size, |of_y, of_x, of_w| dx[of_x] += dy[of_y] * weight[of_w]);
    dx
}

/// The gradient of a convolution with respect to the weight.
pub fn conv2d_weight_gradient(size: ConvolutionSize, dy: &[f64], x: &[f64]) -> Vec<f64> {
    let mut dw = vec![0.0; size.weight().iter().product()];
    convolution_terms(size, |of_y, of_x, of_w| dw[of_w] += dy[of_y] * x[of_x]);
    dw
}

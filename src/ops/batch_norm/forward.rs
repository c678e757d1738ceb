//! The forward passes: statistics of a batch or running statistics, and the normalisation.

use rayon::prelude::*;

use super::matrix::{LANES, Matrix, Normalisation, PART};
use crate::kernel::{iterations, shaders};
use crate::ops::frame::op;
use crate::plan::{Operands, Plan};
use crate::tensor::{Element, Tensor};

/// The running statistics, `[channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Running mean, initially zeros.
    pub mean: Tensor,
    /// Running variance, initially ones.
    pub variance: Tensor,
}

impl Running {
    #[track_caller]
    fn expect(&self, channels: usize) {
        self.mean.expect("running mean", Element::F32, [channels]);
        self.variance.expect("running variance", Element::F32, [channels]);
    }
}

/// Records the statistics of `x` in training and the update of the running statistics; returns the
/// moments.
///
/// # Panics
/// If the shapes do not match, or if the batch has too many rows for one dispatch.
#[track_caller]
pub fn statistics(plan: &mut Plan, x: Tensor, running: Running, normalisation: Normalisation) -> Tensor {
    let matrix = Matrix::of(x);
    running.expect(matrix.channels);
    let partials = plan.scratch("batch_norm.partials", matrix.partials());
    let moments = plan.scratch("batch_norm.moments", matrix.moments());
    let params = matrix.params(normalisation);
    let rows = PART.min(matrix.rows).div_ceil(LANES as usize);
    let of_part = 2 * (iterations(rows, 0) + iterations(LANES.ilog2() as usize, 0));
    let joined = [partials, moments, running.mean, running.variance];
    let kernels = vec![
        matrix.by_part(&shaders::BATCH_NORM_MOMENTS, params, &[x, partials], of_part),
        matrix.by_channel(&shaders::BATCH_NORM_JOIN, params, &joined, iterations(matrix.parts(), 0)),
    ];
    let operands = Operands::new(&[x], &[moments, partials]).updating([running.mean, running.variance]);
    plan.record(op("batch_norm_statistics", operands, kernels, move |memory, step| {
        let channels = matrix.channels;
        let x = memory.f32(x);
        let x = &x[..matrix.valid(step)];
        let mut partials = memory.f32_mut(partials);
        let parts = partials.par_chunks_exact_mut(2 * channels).zip(x.par_chunks(PART * channels));
        parts.for_each(|(partial, x)| {
            let (mean, squares) = partial.split_at_mut(channels);
            mean.fill(0.0);
            squares.fill(0.0);
            let rows = x.chunks_exact(channels);
            let count = rows.len() as f32;
            for row in rows.clone() {
                mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
            }
            mean.iter_mut().for_each(|mean| *mean /= count);
            for row in rows {
                for ((squares, &x), &mean) in squares.iter_mut().zip(row).zip(&*mean) {
                    *squares += (x - mean) * (x - mean);
                }
            }
        });
        let mut moments = memory.f32_mut(moments);
        let mut running_mean = memory.f32_mut(running.mean);
        let mut running_variance = memory.f32_mut(running.variance);
        let Normalisation { epsilon, momentum } = normalisation;
        for channel in 0..channels {
            // Chan, Golub and LeVeque 1983, equations 2.1.
            let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
            for (partial, x) in partials.chunks_exact(2 * channels).zip(x.chunks(PART * channels)) {
                let more = (x.len() / channels) as f64;
                let apart = f64::from(partial[channel]) - mean;
                let share = more / (count + more);
                mean += apart * share;
                squares += f64::from(partial[channels + channel]) + apart * apart * count * share;
                count += more;
            }
            if count == 1.0 {
                let variance = running_variance[channel];
                moments[channel] = running_mean[channel];
                moments[channels + channel] = 1.0 / (variance + epsilon).sqrt();
                continue;
            }
            let variance = squares / f64::max(count, 1.0);
            let unbiased = squares / f64::max(count - 1.0, 1.0);
            moments[channel] = mean as f32;
            moments[channels + channel] = (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32;
            running_mean[channel] += momentum * (mean as f32 - running_mean[channel]);
            running_variance[channel] += momentum * (unbiased as f32 - running_variance[channel]);
        }
    }));
    moments
}

/// Records the moments of an evaluation, from the running statistics; returns them.
#[track_caller]
pub fn recall(plan: &mut Plan, running: Running, normalisation: Normalisation) -> Tensor {
    let channels = running.mean.len();
    running.expect(channels);
    let matrix = Matrix { rows: 1, cells: 1, channels };
    let moments = plan.scratch("batch_norm.moments", matrix.moments());
    let Running { mean, variance } = running;
    let params = matrix.params(normalisation);
    let kernel = matrix.by_channel(&shaders::BATCH_NORM_RECALL, params, &[mean, variance, moments], 0);
    let operands = Operands::new(&[mean, variance], &[moments]);
    plan.record(op("batch_norm_recall", operands, vec![kernel], move |memory, _| {
        let mut moments = memory.f32_mut(moments);
        let (means, scales) = moments.split_at_mut(channels);
        means.copy_from_slice(&memory.f32(mean));
        for (scale, variance) in scales.iter_mut().zip(&*memory.f32(variance)) {
            *scale = 1.0 / (variance + normalisation.epsilon).sqrt();
        }
    }));
    moments
}

/// Records `y = (x - mean) / deviation * weight + bias` and returns `y`; `weight` and `bias` are
/// `[channels]`.
#[track_caller]
pub fn apply(plan: &mut Plan, x: Tensor, moments: Tensor, weight: Tensor, bias: Tensor) -> Tensor {
    let matrix = Matrix::of(x);
    moments.expect("moments", Element::F32, matrix.moments());
    weight.expect("weight", Element::F32, [matrix.channels]);
    bias.expect("bias", Element::F32, [matrix.channels]);
    let y = plan.scratch_of(x.element(), "batch_norm.y", x.shape());
    // The moments already include epsilon.
    let params = matrix.params(Normalisation { epsilon: 0.0, momentum: 0.0 });
    let tensors = [x, moments, weight, bias, y];
    let kernel = matrix.by_element(&shaders::BATCH_NORM_APPLY, params, &tensors);
    let operands = Operands::new(&[x, moments, weight, bias], &[y]);
    plan.record(op("batch_norm_apply", operands, vec![kernel], move |memory, _| {
        let channels = matrix.channels;
        let (x, moments) = (memory.f32(x), memory.f32(moments));
        let (weight, bias) = (memory.f32(weight), memory.f32(bias));
        let (weight, bias) = (&*weight, &*bias);
        let (mean, scale) = moments.split_at(channels);
        let mut y = memory.f32_mut(y);
        let parts = y.par_chunks_mut(PART * channels).zip(x.par_chunks(PART * channels));
        parts.for_each(|(y, x)| {
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for channel in 0..channels {
                    let normal = (x[channel] - mean[channel]) * scale[channel];
                    y[channel] = normal * weight[channel] + bias[channel];
                }
            }
        });
    }));
    y
}

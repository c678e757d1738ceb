//! The forward passes: statistics of a batch or running statistics, and the normalisation.

use rayon::prelude::*;

use super::matrix::{LANES, Matrix, Normalisation, PART};
use crate::kernel::{Dispatch, GpuFacts, iterations, shaders};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
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
    plan.record(Statistics { matrix, normalisation, x, running, partials, moments });
    moments
}

/// Records the moments of an evaluation, from the running statistics; returns them.
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn recall(plan: &mut Plan, running: Running, normalisation: Normalisation) -> Tensor {
    let channels = running.mean.len();
    running.expect(channels);
    let matrix = Matrix { rows: 1, cells: 1, channels };
    let moments = plan.scratch("batch_norm.moments", matrix.moments());
    plan.record(Recall { matrix, normalisation, running, moments });
    moments
}

/// Records `y = (x - mean) / deviation * weight + bias` and returns `y`; `weight` and `bias` are
/// `[channels]`.
///
/// # Panics
/// If the shapes do not match.
#[track_caller]
pub fn apply(plan: &mut Plan, x: Tensor, moments: Tensor, weight: Tensor, bias: Tensor) -> Tensor {
    let matrix = Matrix::of(x);
    moments.expect("moments", Element::F32, matrix.moments());
    weight.expect("weight", Element::F32, [matrix.channels]);
    bias.expect("bias", Element::F32, [matrix.channels]);
    let y = plan.scratch_of(x.element(), "batch_norm.y", x.shape());
    plan.record(Apply { matrix, x, moments, weight, bias, y });
    y
}

#[derive(Debug)]
struct Statistics {
    matrix: Matrix,
    normalisation: Normalisation,
    x: Tensor,
    running: Running,
    partials: Tensor,
    moments: Tensor,
}

#[derive(Debug)]
struct Recall {
    matrix: Matrix,
    normalisation: Normalisation,
    running: Running,
    moments: Tensor,
}

#[derive(Debug)]
struct Apply {
    matrix: Matrix,
    x: Tensor,
    moments: Tensor,
    weight: Tensor,
    bias: Tensor,
    y: Tensor,
}

impl Op for Statistics {
    fn name(&self) -> &'static str {
        "batch_norm_statistics"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.moments, self.partials])
            .updating([self.running.mean, self.running.variance])
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let channels = self.matrix.channels;
        let x = memory.f32(self.x);
        let x = &x[..self.matrix.valid(step)];
        let mut partials = memory.f32_mut(self.partials);
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
        let mut moments = memory.f32_mut(self.moments);
        let mut running_mean = memory.f32_mut(self.running.mean);
        let mut running_variance = memory.f32_mut(self.running.variance);
        let Normalisation { epsilon, momentum } = self.normalisation;
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
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let matrix = self.matrix;
        let params = matrix.params(self.normalisation);
        let rows = PART.min(matrix.rows).div_ceil(LANES as usize);
        let of_part = 2 * (iterations(rows, 0) + iterations(LANES.ilog2() as usize, 0));
        let joined = [self.partials, self.moments, self.running.mean, self.running.variance];
        vec![
            matrix.by_part(&shaders::BATCH_NORM_MOMENTS, params, &[self.x, self.partials], of_part),
            matrix.by_channel(&shaders::BATCH_NORM_JOIN, params, &joined, iterations(matrix.parts(), 0)),
        ]
    }
}

impl Op for Recall {
    fn name(&self) -> &'static str {
        "batch_norm_recall"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.running.mean, self.running.variance], &[self.moments])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let mut moments = memory.f32_mut(self.moments);
        let (means, scales) = moments.split_at_mut(self.matrix.channels);
        means.copy_from_slice(&memory.f32(self.running.mean));
        for (scale, variance) in scales.iter_mut().zip(&*memory.f32(self.running.variance)) {
            *scale = 1.0 / (variance + self.normalisation.epsilon).sqrt();
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let tensors = [self.running.mean, self.running.variance, self.moments];
        vec![self.matrix.by_channel(
            &shaders::BATCH_NORM_RECALL,
            self.matrix.params(self.normalisation),
            &tensors,
            0,
        )]
    }
}

impl Op for Apply {
    fn name(&self) -> &'static str {
        "batch_norm_apply"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x, self.moments, self.weight, self.bias], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let channels = self.matrix.channels;
        let (x, moments) = (memory.f32(self.x), memory.f32(self.moments));
        let (weight, bias) = (memory.f32(self.weight), memory.f32(self.bias));
        let (weight, bias) = (&*weight, &*bias);
        let (mean, scale) = moments.split_at(channels);
        let mut y = memory.f32_mut(self.y);
        let parts = y.par_chunks_mut(PART * channels).zip(x.par_chunks(PART * channels));
        parts.for_each(|(y, x)| {
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for channel in 0..channels {
                    let normal = (x[channel] - mean[channel]) * scale[channel];
                    y[channel] = normal * weight[channel] + bias[channel];
                }
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        // The moments already include epsilon.
        let params = self.matrix.params(Normalisation { epsilon: 0.0, momentum: 0.0 });
        let tensors = [self.x, self.moments, self.weight, self.bias, self.y];
        vec![self.matrix.by_element(&shaders::BATCH_NORM_APPLY, params, &tensors)]
    }
}

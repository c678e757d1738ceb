//! The backward pass of training.

use rayon::prelude::*;

use super::matrix::{LANES, Matrix, Normalisation, PART};
use crate::kernel::{iterations, shaders};
use crate::ops::frame::op;
use crate::plan::{Operands, Plan};
use crate::tensor::{Element, Tensor};

/// The outputs of the backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Gradients {
    /// Gradient of the input; zero in rows of padding.
    pub dx: Tensor,
    /// Gradient of the norm weight, `[channels]`.
    pub dweight: Tensor,
    /// Gradient of the norm bias, `[channels]`.
    pub dbias: Tensor,
}

/// Records the gradients of a forward pass that used the batch's own `moments`, and returns them.
#[track_caller]
pub fn backward(plan: &mut Plan, x: Tensor, moments: Tensor, weight: Tensor, dy: Tensor) -> Gradients {
    let matrix = Matrix::of(x);
    moments.expect("moments", Element::F32, matrix.moments());
    weight.expect("weight", Element::F32, [matrix.channels]);
    dy.expect("dy", x.element(), x.shape());
    let partials = plan.scratch("batch_norm.partials", matrix.partials());
    let gradients = Gradients {
        dx: plan.scratch_of(x.element(), "batch_norm.dx", x.shape()),
        dweight: plan.scratch("batch_norm.dweight", [matrix.channels]),
        dbias: plan.scratch("batch_norm.dbias", [matrix.channels]),
    };
    // The moments already include epsilon.
    let params = matrix.params(Normalisation { epsilon: 0.0, momentum: 0.0 });
    let Gradients { dx, dweight, dbias } = gradients;
    let rows = PART.min(matrix.rows).div_ceil(LANES as usize);
    let of_part = iterations(rows, 0) + iterations(LANES.ilog2() as usize, 0);
    let (parts, join) = (&shaders::BATCH_NORM_GRADIENT_PARTS, &shaders::BATCH_NORM_GRADIENT_JOIN);
    let of_join = iterations(matrix.parts(), 0);
    let by_element = [x, dy, moments, weight, dweight, dbias, dx];
    let kernels = vec![
        matrix.by_part(parts, params, &[x, dy, moments, partials], of_part),
        matrix.by_channel(join, params, &[partials, dweight, dbias], of_join),
        matrix.by_element(&shaders::BATCH_NORM_BACKWARD, params, &by_element),
    ];
    let operands = Operands::new(&[x, moments, weight, dy], &[dx, dweight, dbias, partials]);
    plan.record(op("batch_norm_backward", operands, kernels, move |memory, step| {
        let channels = matrix.channels;
        let valid = matrix.valid(step);
        let gradient_scale = step.gradient_scale(dy);
        let (x, dy) = (memory.f32(x), memory.f32(dy));
        let (x, dy) = (&x[..valid], &dy[..valid]);
        let (moments, weight) = (memory.f32(moments), memory.f32(weight));
        let weight = &*weight;
        let (mean, scale) = moments.split_at(channels);
        let normal = |x: &[f32], channel: usize| (x[channel] - mean[channel]) * scale[channel];

        let mut partials = memory.f32_mut(partials);
        partials.fill(0.0);
        let inputs = x.par_chunks(PART * channels).zip(dy.par_chunks(PART * channels));
        partials.par_chunks_exact_mut(2 * channels).zip(inputs).for_each(|(partial, (x, dy))| {
            let (sum, product) = partial.split_at_mut(channels);
            for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
                for channel in 0..channels {
                    sum[channel] += dy[channel];
                    product[channel] += dy[channel] * normal(x, channel);
                }
            }
        });
        let (mut dweight, mut dbias) = (memory.f32_mut(dweight), memory.f32_mut(dbias));
        for channel in 0..channels {
            let sum = |place: usize| -> f64 {
                partials.chunks_exact(2 * channels).map(|partial| f64::from(partial[place])).sum()
            };
            dbias[channel] = sum(channel) as f32 / gradient_scale;
            dweight[channel] = sum(channels + channel) as f32 / gradient_scale;
        }
        let (dweight, dbias) = (&*dweight, &*dbias);

        let count = valid / channels;
        let mut dx = memory.f32_mut(dx);
        let (images, padding) = dx.split_at_mut(valid);
        padding.fill(0.0);
        let inputs = x.par_chunks(PART * channels).zip(dy.par_chunks(PART * channels));
        images.par_chunks_mut(PART * channels).zip(inputs).for_each(|(dx, (x, dy))| {
            let inputs = x.chunks_exact(channels).zip(dy.chunks_exact(channels));
            for (dx, (x, dy)) in dx.chunks_exact_mut(channels).zip(inputs) {
                for channel in 0..channels {
                    let share = match count {
                        1 => 0.0,
                        _ => (dbias[channel] + normal(x, channel) * dweight[channel]) / count as f32,
                    };
                    dx[channel] = weight[channel] * scale[channel] * (dy[channel] - gradient_scale * share);
                }
            }
        });
    }));
    gradients
}

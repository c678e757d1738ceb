//! Average-pool: `y = the sum of x in each window / the window's area`, per image and channel; see
//! [`Window`].
//!
//! Padding counts as zeros, as with PyTorch's default `count_include_pad=True`. The gradient:
//! `dx = the sum of dy over the windows that cover this cell / the window's area`.
//!
//! `x` and `dx` are `[batch, height, width, channels]`, `y` and `dy` `[batch, output height, output
//! width, channels]`.

use rayon::prelude::*;

use super::frame::op;
use super::window::{Pool, Window};
use crate::kernel::shaders;
use crate::plan::{Operands, Plan};
use crate::tensor::Tensor;

/// Records `y = average-pool of x` and returns `y`.
///
/// # Panics
/// If `x` is not a map, or if the window does not fit.
#[track_caller]
pub fn forward(plan: &mut Plan, x: Tensor, window: Window) -> Tensor {
    let pool = Pool::new(x, window);
    let y = plan.scratch_of(x.element(), "average_pool.y", pool.output());
    let (params, iterations) = (pool.params(y.len()), pool.iterations_over_cells());
    let kernel = shaders::AVERAGE_POOL.for_each(y.len(), params, &[x, y], iterations);
    plan.record(op("average_pool", Operands::new(&[x], &[y]), vec![kernel], move |memory, _| {
        let area = pool.area() as f32;
        let [input, output] = pool.image();
        let (x, mut y) = (memory.f32(x), memory.f32_mut(y));
        y.par_chunks_exact_mut(output).zip(x.par_chunks_exact(input)).for_each(|(y, x)| {
            for (row, column, channels) in pool.each_window() {
                let y = &mut y[channels];
                y.fill(0.0);
                for cell in pool.cells(row, column) {
                    for (y, &x) in y.iter_mut().zip(&x[cell..]) {
                        *y += x;
                    }
                }
                y.iter_mut().for_each(|y| *y /= area);
            }
        });
    }));
    y
}

/// Records the gradient of `x` and returns it. `x` is the forward pass's input, of which only the
/// shape matters.
///
/// # Panics
/// If `x` is not a map, if the window does not fit, or if `dy` does not have the output's shape.
#[track_caller]
pub fn backward(plan: &mut Plan, x: Tensor, dy: Tensor, window: Window) -> Tensor {
    let pool = Pool::new(x, window);
    dy.expect("dy", x.element(), pool.output());
    let dx = plan.scratch_of(x.element(), "average_pool.dx", pool.input());
    let (params, iterations) = (pool.params(dx.len()), pool.iterations_over_windows(0));
    let kernel = shaders::AVERAGE_POOL_BACKWARD.for_each(dx.len(), params, &[dy, dx], iterations);
    let operands = Operands::new(&[dy], &[dx]);
    plan.record(op("average_pool_backward", operands, vec![kernel], move |memory, _| {
        let area = pool.area() as f32;
        let [input, output] = pool.image();
        let (dy, mut dx) = (memory.f32(dy), memory.f32_mut(dx));
        dx.par_chunks_exact_mut(input).zip(dy.par_chunks_exact(output)).for_each(|(dx, dy)| {
            dx.fill(0.0);
            for (row, column, channels) in pool.each_window() {
                let dy = &dy[channels];
                for cell in pool.cells(row, column) {
                    for (dx, &dy) in dx[cell..].iter_mut().zip(dy) {
                        *dx += dy;
                    }
                }
            }
            dx.iter_mut().for_each(|dx| *dx /= area);
        });
    }));
    dx
}

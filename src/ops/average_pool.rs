//! Average-pool: `y = the sum of x in each window / the window's area`, per image and channel; see
//! [`Window`].
//!
//! Padding counts as zeros, as with PyTorch's default `count_include_pad=True`. The gradient:
//! `dx = the sum of dy over the windows that cover this cell / the window's area`.
//!
//! `x` and `dx` are `[batch, height, width, channels]`, `y` and `dy` `[batch, output height, output
//! width, channels]`.

use rayon::prelude::*;

use super::window::{Pool, Window};
use crate::kernel::{Dispatch, GpuFacts, shaders};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::Tensor;

/// Records `y = average-pool of x` and returns `y`.
///
/// # Panics
/// If `x` is not a map, or if the window does not fit.
#[track_caller]
pub fn forward(plan: &mut Plan, x: Tensor, window: Window) -> Tensor {
    let pool = Pool::new(x, window);
    let y = plan.scratch_of(x.element(), "average_pool.y", pool.output());
    plan.record(Forward { pool, x, y });
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
    plan.record(Backward { pool, dy, dx });
    dx
}

#[derive(Debug)]
struct Forward {
    pool: Pool,
    x: Tensor,
    y: Tensor,
}

#[derive(Debug)]
struct Backward {
    pool: Pool,
    dy: Tensor,
    dx: Tensor,
}

impl Op for Forward {
    fn name(&self) -> &'static str {
        "average_pool"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let pool = self.pool;
        let area = pool.area() as f32;
        let [input, output] = pool.image();
        let x = memory.f32(self.x);
        let mut y = memory.f32_mut(self.y);
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
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.y.len();
        let iterations = self.pool.iterations_over_cells();
        let params = self.pool.params(length);
        vec![shaders::AVERAGE_POOL.for_each(length, params, &[self.x, self.y], iterations)]
    }
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "average_pool_backward"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.dy], &[self.dx])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let pool = self.pool;
        let area = pool.area() as f32;
        let [input, output] = pool.image();
        let dy = memory.f32(self.dy);
        let mut dx = memory.f32_mut(self.dx);
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
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.dx.len();
        let iterations = self.pool.iterations_over_windows(0);
        let params = self.pool.params(length);
        vec![shaders::AVERAGE_POOL_BACKWARD.for_each(length, params, &[self.dy, self.dx], iterations)]
    }
}

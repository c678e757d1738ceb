//! Max-pool: `y = the largest x in each window`, per image and channel; see [`Window`].
//!
//! Its gradient: `dx = the sum of dy over the windows in which this cell is the first of the
//! largest`, where *first* is row by row, as in PyTorch. Padding is never the maximum. NaN always
//! is, so that divergence becomes visible in the loss; the gradient of such a window is dropped.
//!
//! `x` and `dx` are `[batch, height, width, channels]`, `y` and `dy` `[batch, output height, output
//! width, channels]`.
//!
//! ```
//! use shadegrad::ops::{Window, max_pool};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [2, 8, 8, 3]);
//! plan.begin("example");
//! let y = max_pool::forward(&mut plan, x, Window::square(2, 2, 0));
//! assert_eq!(y.shape().sizes(), [2, 4, 4, 3]);
//! ```

use pulp::Arch;
use rayon::prelude::*;

use super::frame::op;
use super::window::{Pool, Window};
use crate::kernel::shaders;
use crate::plan::{Operands, Plan};
use crate::tensor::Tensor;

/// Records `y = max-pool of x` and returns `y`.
///
/// # Panics
/// If `x` is not a map, or if the window does not fit.
#[track_caller]
pub fn forward(plan: &mut Plan, x: Tensor, window: Window) -> Tensor {
    let pool = Pool::new(x, window);
    let y = plan.scratch_of(x.element(), "max_pool.y", pool.output());
    let (items, by_four) = pool.by_four();
    let (kernel, length) =
        (if by_four { &shaders::MAX_POOL_4 } else { &shaders::MAX_POOL }, items.output().len());
    let kernel = kernel.for_each(length, items.params(length), &[x, y], pool.iterations_over_cells());
    plan.record(op("max_pool", Operands::new(&[x], &[y]), vec![kernel], move |memory, _| {
        let [input, output] = pool.image();
        let (x, mut y) = (memory.f32(x), memory.f32_mut(y));
        let vectors = Arch::new();
        y.par_chunks_exact_mut(output).zip(x.par_chunks_exact(input)).for_each(|(y, x)| {
            vectors.dispatch(|| {
                for (row, column, channels) in pool.each_window() {
                    let y = &mut y[channels];
                    y.fill(f32::NEG_INFINITY);
                    for cell in pool.cells(row, column) {
                        for (y, &x) in y.iter_mut().zip(&x[cell..]) {
                            *y = if x > *y || x.is_nan() { x } else { *y };
                        }
                    }
                }
            });
        });
    }));
    y
}

/// Channels that are compared together, as vectors.
const BLOCK: usize = 16;

/// Adds a window's `dy`, of at most [`BLOCK`] channels, to dx at the first cell where x equals the
/// maximum y. `cells` are the offsets of the window's cells.
#[inline(always)]
fn hand_back(dx: &mut [f32], x: &[f32], y: &[f32], dy: &[f32], cells: impl Iterator<Item = usize>) {
    // The part of dy that no cell has taken yet. Other cells add zeros, since vectors have no
    // branches.
    let mut left = [0.0; BLOCK];
    left[..dy.len()].copy_from_slice(dy);
    for cell in cells {
        let cells = dx[cell..].iter_mut().zip(&x[cell..]);
        for (((dx, &x), &largest), left) in cells.zip(y).zip(&mut left) {
            let is_largest = x == largest;
            *dx += if is_largest { *left } else { 0.0 };
            *left = if is_largest { 0.0 } else { *left };
        }
    }
}

/// Records the gradient of `x` and returns it; `x` and `y` are the forward pass's.
///
/// # Panics
/// If `x` is not a map, if the window does not fit, or if `y` or `dy` does not have the output's
/// shape.
#[track_caller]
pub fn backward(plan: &mut Plan, x: Tensor, y: Tensor, dy: Tensor, window: Window) -> Tensor {
    let pool = Pool::new(x, window);
    y.expect("y", x.element(), pool.output());
    dy.expect("dy", x.element(), pool.output());
    let dx = plan.scratch_of(x.element(), "max_pool.dx", pool.input());
    let (by_vector, by_four) = pool.by_four();
    let (kernel, items, length, iterations) = match by_vector.iterations_over_territories() {
        Some(iterations) => {
            let kernel = match by_four {
                true => &shaders::MAX_POOL_BACKWARD_APART_4,
                false => &shaders::MAX_POOL_BACKWARD_APART,
            };
            (kernel, by_vector, by_vector.output().len(), iterations)
        }
        None => {
            let iterations = pool.iterations_over_windows(pool.iterations_over_cells());
            (&shaders::MAX_POOL_BACKWARD, pool, dx.len(), iterations)
        }
    };
    let kernel = kernel.for_each(length, items.params(length), &[x, y, dy, dx], iterations);
    let operands = Operands::new(&[x, y, dy], &[dx]);
    plan.record(op("max_pool_backward", operands, vec![kernel], move |memory, _| {
        let [input, output] = pool.image();
        let (x, y, dy) = (memory.f32(x), memory.f32(y), memory.f32(dy));
        let mut dx = memory.f32_mut(dx);
        let inputs = dx.par_chunks_exact_mut(input).zip(x.par_chunks_exact(input));
        let outputs = y.par_chunks_exact(output).zip(dy.par_chunks_exact(output));
        let vectors = Arch::new();
        inputs.zip(outputs).for_each(|((dx, x), (y, dy))| {
            dx.fill(0.0);
            vectors.dispatch(|| {
                for (row, column, channels) in pool.each_window() {
                    let (y, dy) = (&y[channels.clone()], &dy[channels]);
                    for (block, (y, dy)) in y.chunks(BLOCK).zip(dy.chunks(BLOCK)).enumerate() {
                        let cells = pool.cells(row, column).map(|cell| cell + block * BLOCK);
                        hand_back(dx, x, y, dy, cells);
                    }
                }
            });
        });
    }));
    dx
}

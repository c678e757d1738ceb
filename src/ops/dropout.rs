//! Dropout (Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
//! Overfitting", section 4; scaled during training, as in PyTorch): sets a random fraction of the
//! elements to zero, a different one in every step.
//!
//! ```text
//! word  = block(seed, dropout, layer, step 2^32 + i / 4)[i % 4]
//! y[i]  = x[i] / (1 - rate) where word >= rate 2^32, else 0
//! dx[i] = dy[i] / (1 - rate) where word >= rate 2^32, else 0
//! ```
//!
//! All tensors have one shape. The random words are those of [`rng::block`]. Nothing is stored for
//! the backward pass, which computes them again, and every device keeps the same elements. NaN
//! passes through if its element is kept.
//!
//! ```
//! use shadegrad::ops::dropout::{self, Dropout};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [2, 3]);
//! plan.begin("example");
//! let y = dropout::forward(&mut plan, Dropout { rate: 0.5, seed: 0, layer: 0 }, x);
//! assert_eq!(y.shape(), x.shape());
//! ```

use super::elementwise::Elementwise;
use crate::kernel::iterations;
use crate::kernel::shaders::{self, DropoutParams};
use crate::plan::Plan;
use crate::rng::{self, Purpose};
use crate::tensor::Tensor;

/// Words of a block, one per element.
const BLOCK: usize = 4;

/// Determines which elements are dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Fraction of the elements that become zero, at least 0 and below 1.
    pub rate: f32,
    /// Seed of the random numbers.
    pub seed: u64,
    /// A number that differs for every use of the op in a step.
    pub layer: u32,
}

impl Dropout {
    /// The smallest word of an element that is kept.
    fn threshold(self) -> u32 {
        (f64::from(self.rate) * 2f64.powi(32)).round() as u32
    }

    /// The factor that kept elements are multiplied by.
    fn scale(self) -> f32 {
        (1.0 / (1.0 - f64::from(self.rate))) as f32
    }
}

/// Records `y = x` with the dropped elements set to zero, and returns `y`.
///
/// # Panics
/// If the rate is not at least 0 and below 1.
pub fn forward(plan: &mut Plan, dropout: Dropout, x: Tensor) -> Tensor {
    record(plan, dropout, x, "dropout.y")
}

/// Records `dx` and returns it; `dropout` is the forward pass's.
///
/// # Panics
/// If the rate is not at least 0 and below 1.
pub fn backward(plan: &mut Plan, dropout: Dropout, dy: Tensor) -> Tensor {
    record(plan, dropout, dy, "dropout.dx")
}

fn record(plan: &mut Plan, dropout: Dropout, x: Tensor, name: &str) -> Tensor {
    let rate = dropout.rate;
    assert!((0.0..1.0).contains(&rate), "the dropout rate must be at least 0 and below 1, not {rate}");
    x.expect_floats("x", x.shape());
    let y = plan.scratch_of(x.element(), name, x.shape());
    let Dropout { seed, layer, .. } = dropout;
    let (threshold, scale) = (dropout.threshold(), dropout.scale());
    let [seed_low, seed_high] = rng::key(seed);
    let params = DropoutParams { length: x.len() as u32, layer, seed_low, seed_high, threshold, scale };
    let iterations = iterations(rng::ROUNDS, 0) + iterations(BLOCK, 0);
    // Forward and backward pass are one computation.
    Elementwise { name: "dropout", kernel: &shaders::DROPOUT, params, reads: [x], outputs: [y] }
        .record_in_blocks(plan, BLOCK, iterations, move |elements, [x], [y]| {
            let blocks = y.chunks_mut(BLOCK).zip(x.chunks(BLOCK));
            for (block, (y, x)) in (elements.first / BLOCK..).zip(blocks) {
                let position = u64::from(elements.step.step) << 32 | block as u64;
                let words = rng::block(seed, Purpose::Dropout, layer, position);
                for ((y, &x), word) in y.iter_mut().zip(x).zip(words) {
                    *y = if word >= threshold { x * scale } else { 0.0 };
                }
            }
        });
    y
}

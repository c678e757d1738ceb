//! The GPU half of a convolution: products with patches as an operand, on the kernels of the
//! [matrix product](crate::ops::matmul).
//!
//! The gradient of the map is itself a convolution of `dy` with the weight, whose kernel positions
//! are reversed. If the convolution has a stride, `dy` is dilated by it (lhs dilation).

use super::sizes::Sizes;
use crate::ops::matmul::gpu::{MOST_TERMS, Patches};
use crate::ops::matmul::{Epilogue, Form, Product, Size};
use crate::plan::Plan;
use crate::tensor::Tensor;

impl Sizes {
    /// The map with the windows of the forward pass.
    fn patches(&self) -> Patches {
        let axes = [self.rows, self.columns];
        Patches {
            map: axes.map(|axis| axis.input),
            channels: self.channels,
            windows: axes.map(|axis| axis.output),
            kernel_size: axes.map(|axis| axis.size),
            stride: self.rows.stride,
            lhs_dilation: 1,
            before: axes.map(|axis| axis.padding as isize),
        }
    }

    /// The gradients of the outputs, with one window per cell of the map: the outputs that the cell
    /// contributed to.
    fn patches_of_outputs(&self) -> Patches {
        let axes = [self.rows, self.columns];
        Patches {
            map: axes.map(|axis| axis.output),
            channels: self.filters,
            windows: axes.map(|axis| axis.input),
            kernel_size: axes.map(|axis| axis.size),
            stride: 1,
            lhs_dilation: self.rows.stride,
            before: axes.map(|axis| axis.size as isize - 1 - axis.padding as isize),
        }
    }

    /// Terms of the longest sum of the three passes.
    fn most_terms(&self) -> usize {
        let [patches, outputs] = [self.patches(), self.patches_of_outputs()].map(|patches| patches.terms());
        patches.max(outputs).max(self.windows())
    }

    /// Panics if a sum is too long for a GPU.
    #[track_caller]
    pub(super) fn expect_few_terms(&self) {
        let terms = self.most_terms();
        let weight = self.weight();
        assert!(
            terms <= MOST_TERMS,
            "a convolution with {weight:?} filters is too large: sums of {terms} terms"
        );
    }
}

pub(super) fn forward(
    plan: &mut Plan,
    sizes: &Sizes,
    x: Tensor,
    weight: Tensor,
    y: Tensor,
    epilogue: Epilogue,
) -> Product {
    let patches = sizes.patches();
    let size = Size { m: sizes.windows(), n: sizes.filters, k: patches.terms() };
    Product::of_patches(plan, Form::Nt, size, [x, weight], patches, y, epilogue)
}

pub(super) fn data_gradient(
    plan: &mut Plan,
    sizes: &Sizes,
    dy: Tensor,
    weight: Tensor,
    dx: Tensor,
    epilogue: Epilogue,
) -> Product {
    let patches = sizes.patches_of_outputs();
    let size = Size { m: dx.len() / sizes.channels, n: sizes.channels, k: patches.terms() };
    Product::of_patches(plan, Form::Nn, size, [dy, weight], patches, dx, epilogue)
}

pub(super) fn weight_gradient(plan: &mut Plan, sizes: &Sizes, dy: Tensor, x: Tensor, dw: Tensor) -> Product {
    let size = Size { m: sizes.filters, n: sizes.patch(), k: sizes.windows() };
    Product::of_patches(plan, Form::Tn, size, [dy, x], sizes.patches(), dw, Epilogue::None)
}

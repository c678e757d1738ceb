//! Dropout: see [`ops::dropout`](crate::ops::dropout).

use crate::nn::{Backward, Forward, Layer, Module, Phase, Size};
use crate::ops::dropout;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// PyTorch's `nn.Dropout`: `y = x` in evaluation mode.
#[derive(Debug)]
pub struct Dropout {
    /// Fraction of the values that become zero, from 0 up to (not including) 1.
    pub rate: f32,
    /// Number of this dropout in the model.
    pub index: u32,
    /// Size of the input and of the output.
    pub size: Size,
    /// Whether the input comes from a ReLU whose gradient the next layer must mask.
    pub after_relu: bool,
}

impl Layer for Dropout {
    fn spec(&self) -> String {
        format!("dropout:{}", self.rate)
    }

    fn size(&self) -> Size {
        self.size
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let Phase::Training { dropout: Some(seed), .. } = phase else {
            return Forward::new(x, |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then_some(dy));
        };
        let dropout = dropout::Dropout { rate: self.rate, seed, layer: self.index };
        let y = dropout::forward(plan, dropout, x);
        Forward::new(y, move |plan, pass, _| {
            pass.dx_wanted.then(|| dropout::backward(plan, dropout, pass.dy))
        })
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Identity]
    }

    /// A dropped value has no gradient, and a kept value is zero where `x` is, so the mask of the
    /// preceding ReLU may be taken from the output.
    fn masks_gradient(&self) -> bool {
        self.after_relu
    }
}

//! Dropout: see [`ops::dropout`](crate::ops::dropout).

use crate::nn::{Backward, Forward, Layer, Phase, Size, Stage};
use crate::ops::dropout;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// PyTorch's `nn.Dropout`: nothing, in an evaluation.
#[derive(Debug)]
pub struct Dropout {
    /// Share of the values that become zero, 0 to below 1.
    pub rate: f32,
    /// Another number for every dropout of a model.
    pub index: u32,
    /// Of what goes in and out.
    pub size: Size,
    /// Whether what comes in is the output of a ReLU whose gradient the layer behind must mask.
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

    fn stages(&self) -> Vec<Stage> {
        vec![Stage::Identity]
    }

    /// What is dropped has no gradient, and what is not is zero where `x` is: the mask of the ReLU before may be taken from
    /// the output.
    fn masks_gradient(&self) -> bool {
        self.after_relu
    }
}

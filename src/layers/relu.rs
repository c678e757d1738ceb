//! A ReLU that does not directly follow a linear layer.

use super::{Backward, GradientSink, Layer, Stage};
use crate::ops::relu;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// `y = max(x, 0)`.
#[derive(Debug)]
pub struct Relu {
    /// Values for one image, in and out.
    pub size: usize,
}

impl Layer for Relu {
    fn spec(&self) -> String {
        "relu".into()
    }

    fn outputs(&self) -> usize {
        self.size
    }

    fn forward(&self, plan: &mut Plan, x: Tensor) -> Tensor {
        relu::forward(plan, x)
    }

    fn backward(&self, plan: &mut Plan, pass: Backward, _: &mut dyn GradientSink) -> Option<Tensor> {
        pass.dx_wanted.then(|| {
            let dx = relu::backward(plan, pass.y, pass.dy);
            if pass.mask_dx { relu::backward(plan, pass.x, dx) } else { dx }
        })
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage::Relu]
    }
}

//! Pooling: one value for each window and channel.

use crate::nn::{Forward, Layer, Module, Phase, PoolKind, Size};
use crate::ops::window::Window;
use crate::ops::{average_pool, max_pool};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// PyTorch's `nn.MaxPool2d` or `nn.AvgPool2d`.
#[derive(Debug)]
pub struct Pool {
    /// The layer's text.
    pub spec: String,
    /// Maximum or mean.
    pub kind: PoolKind,
    /// Size, stride and padding.
    pub window: Window,
    /// Size of the output.
    pub size: Size,
    /// Whether the input comes from a ReLU whose gradient the next layer must mask.
    pub after_relu: bool,
}

impl Layer for Pool {
    fn spec(&self) -> String {
        self.spec.clone()
    }

    fn size(&self) -> Size {
        self.size
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, _: Phase) -> Forward<'a> {
        let window = self.window;
        match self.kind {
            PoolKind::Max => {
                let y = max_pool::forward(plan, x, window);
                Forward::new(y, move |plan, pass, _| {
                    pass.dx_wanted.then(|| max_pool::backward(plan, x, y, pass.dy, window))
                })
            }
            PoolKind::Average => {
                let y = average_pool::forward(plan, x, window);
                Forward::new(y, move |plan, pass, _| {
                    pass.dx_wanted.then(|| {
                        let dx = average_pool::backward(plan, x, pass.dy, window);
                        pass.masked(plan, x, dx)
                    })
                })
            }
        }
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Pool(self.kind, self.window)]
    }

    /// The gradient of the preceding ReLU may be masked with the maxima, of which there are fewer:
    /// a maximum is zero only if its whole window is.
    fn masks_gradient(&self) -> bool {
        self.after_relu && self.kind == PoolKind::Max
    }
}

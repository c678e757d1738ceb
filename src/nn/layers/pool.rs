//! Pools: what a window has in a channel becomes one value.

use crate::nn::{Forward, Layer, Phase, Size, Stage};
use crate::ops::window::Window;
use crate::ops::{average_pool, max_pool};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// What becomes of the values in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The largest is kept.
    Max,
    /// Their mean; padding counts as zeros.
    Average,
}

/// PyTorch's `nn.MaxPool2d` or `nn.AvgPool2d`.
#[derive(Debug)]
pub struct Pool {
    /// The layer's text.
    pub spec: String,
    /// Largest or mean.
    pub fold: Fold,
    /// Size, stride and padding.
    pub window: Window,
    /// What the layer hands on.
    pub size: Size,
    /// Whether what comes in is the output of a ReLU whose gradient the layer behind must mask.
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
        match self.fold {
            Fold::Max => {
                let y = max_pool::forward(plan, x, window);
                Forward::new(y, move |plan, pass, _| {
                    pass.dx_wanted.then(|| max_pool::backward(plan, x, y, pass.dy, window))
                })
            }
            Fold::Average => {
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

    fn stages(&self) -> Vec<Stage> {
        vec![match self.fold {
            Fold::Max => Stage::MaxPool(self.window),
            Fold::Average => Stage::AveragePool(self.window),
        }]
    }

    /// The gradient of the ReLU before may be masked by a largest value, of which there are fewer: it is zero only where
    /// all of its window are.
    fn masks_gradient(&self) -> bool {
        self.after_relu && self.fold == Fold::Max
    }
}

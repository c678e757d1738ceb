//! Flattens a map to a row.

use crate::nn::{Backward, Forward, Layer, Module, Phase, Size};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// PyTorch's `nn.Flatten`. No value is moved: the row also has channels last, and the
/// [layout in files](crate::tensor::layout) accounts for the different order.
#[derive(Debug)]
pub struct Flatten {
    /// Number of values of one image.
    pub values: usize,
    /// Whether the input comes from a ReLU whose gradient the next layer must mask.
    pub after_relu: bool,
}

impl Layer for Flatten {
    fn spec(&self) -> String {
        "flatten".into()
    }

    fn size(&self) -> Size {
        Size::Row(self.values)
    }

    fn reads_pixels(&self) -> bool {
        true
    }

    fn forward<'a>(&'a self, _: &mut Plan, x: Tensor, _: Phase) -> Forward<'a> {
        let y = x.reshaped([x.len() / self.values, self.values]);
        // If the gradient has to be masked, the next layer has done so.
        Forward::new(y, move |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then(|| dy.reshaped(x.shape())))
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Flatten]
    }

    fn masks_gradient(&self) -> bool {
        self.after_relu
    }
}

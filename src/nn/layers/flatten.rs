//! A map's values in a row.

use crate::nn::{Backward, Forward, Layer, Module, Phase, Size};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// PyTorch's `nn.Flatten`. No value moves: the row has channels last, too, and the
/// [layout in files](crate::tensor::layout) takes care of the order.
#[derive(Debug)]
pub struct Flatten {
    /// Values of one image.
    pub values: usize,
    /// Whether the input is the output of a ReLU whose gradient the layer behind must mask.
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
        // If the gradient is to be masked, the layer behind has done so.
        Forward::new(y, move |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then(|| dy.reshaped(x.shape())))
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Flatten]
    }

    fn masks_gradient(&self) -> bool {
        self.after_relu
    }
}

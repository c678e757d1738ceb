//! A map's values in a row.

use crate::nn::{Backward, Forward, Layer, Phase, Size, Stage};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// Nothing moves: the row has the channels last, too, and [files](crate::tensor::layout) are told.
#[derive(Debug)]
pub struct Flatten {
    /// Values of one image.
    pub values: usize,
    /// Whether what comes in is the output of a ReLU whose gradient is masked by the layer behind this one.
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
        // Where the gradient is to be masked, the layer behind has done so.
        Forward::new(y, move |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then(|| dy.reshaped(x.shape())))
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage::Flatten]
    }

    fn masks_gradient(&self) -> bool {
        self.after_relu
    }
}

//! Flattens a map to a row.

use crate::nn::{Backward, Forward, Layer, Module, Size};

/// PyTorch's `nn.Flatten`, to rows of this many values. No value is moved: the row also has
/// channels last, and the [layout in files](crate::tensor::layout) accounts for the other order.
///
/// If the input comes from a ReLU whose gradient has to be masked (`after_relu`), the next layer
/// does so.
pub(in crate::nn) fn flatten(values: usize, after_relu: bool) -> Layer {
    let layer = Layer::new("flatten", Size::Row(values), Module::Flatten, move |_, x, _| {
        let y = x.reshaped([x.len() / values, values]);
        Forward::new(y, move |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then(|| dy.reshaped(x.shape())))
    });
    Layer { reads_pixels: true, masks_gradient: after_relu, ..layer }
}

//! Dropout: see [`ops::dropout`](crate::ops::dropout).

use crate::nn::{Backward, Forward, Layer, Module, Phase, Size};
use crate::ops::dropout::{self, Dropout};

/// PyTorch's `nn.Dropout`: `y = x` in evaluation mode. `index` is its number in the model.
///
/// A dropped value has no gradient, and a kept value is zero where `x` is. So if the input comes
/// from a ReLU whose gradient the next layer must mask (`after_relu`), the mask may be taken from
/// the output.
pub(in crate::nn) fn dropout(rate: f32, index: u32, size: Size, after_relu: bool) -> Layer {
    let layer = Layer::new(format!("dropout:{rate}"), size, Module::Identity, move |plan, x, phase| {
        let Phase::Training { dropout: Some(seed), .. } = phase else {
            return Forward::new(x, |_, Backward { dy, dx_wanted, .. }, _| dx_wanted.then_some(dy));
        };
        let dropout = Dropout { rate, seed, layer: index };
        let y = dropout::forward(plan, dropout, x);
        Forward::new(y, move |plan, pass, _| {
            pass.dx_wanted.then(|| dropout::backward(plan, dropout, pass.dy))
        })
    });
    Layer { masks_gradient: after_relu, ..layer }
}

//! An activation that is not fused into the previous layer: see
//! [`ops::activation`](crate::ops::activation).

use crate::nn::{Forward, Layer, Module, Size};
use crate::ops::activation::{self, Activation};

/// An activation of maps or rows of this size.
pub(in crate::nn) fn activation(function: Activation, size: Size) -> Layer {
    let masks_gradient = function == Activation::Relu;
    let layer = Layer::new(function.to_string(), size, Module::Activation(function), move |plan, x, _| {
        let y = activation::forward(plan, function, x);
        Forward::new(y, move |plan, pass, _| {
            pass.dx_wanted.then(|| {
                let dx = match masks_gradient {
                    // The next layer has applied the mask, often at no cost.
                    true => pass.dy,
                    false => activation::backward(plan, function, x, pass.dy),
                };
                pass.masked(plan, x, dx)
            })
        })
    });
    Layer { masks_gradient, ..layer }
}

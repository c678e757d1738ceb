//! Activations: see [`ops::activation`](crate::ops::activation).

use crate::nn::{Forward, Layer, Module, Phase, Size};
use crate::ops::activation;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// An activation that is not fused into the previous layer.
#[derive(Debug)]
pub struct Activation {
    /// The activation function.
    pub function: activation::Activation,
    /// Size of the input and of the output.
    pub size: Size,
}

impl Layer for Activation {
    fn spec(&self) -> String {
        self.function.to_string()
    }

    fn size(&self) -> Size {
        self.size
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, _: Phase) -> Forward<'a> {
        let y = activation::forward(plan, self.function, x);
        Forward::new(y, move |plan, pass, _| {
            pass.dx_wanted.then(|| {
                let dx = match self.masks_gradient() {
                    // The next layer has applied the mask, often at no cost.
                    true => pass.dy,
                    false => activation::backward(plan, self.function, x, pass.dy),
                };
                pass.masked(plan, x, dx)
            })
        })
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Activation(self.function)]
    }

    fn masks_gradient(&self) -> bool {
        self.function == activation::Activation::Relu
    }
}

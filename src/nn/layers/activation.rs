//! Layers that make one value of another, whatever its place.

use crate::nn::{Forward, Layer, Phase, Size, Stage};
use crate::ops::activation::{self, Activation};
use crate::ops::relu;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// `y = max(x, 0)`: a ReLU that is not part of the layer before.
#[derive(Debug)]
pub struct Relu {
    /// Of what goes in and out.
    pub size: Size,
}

impl Layer for Relu {
    fn spec(&self) -> String {
        "relu".into()
    }

    fn size(&self) -> Size {
        self.size
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, _: Phase) -> Forward<'a> {
        let y = relu::forward(plan, x);
        // The layer behind has masked the gradient: often it can on the way, which saves a pass over the map.
        Forward::new(y, move |plan, pass, _| pass.dx_wanted.then(|| pass.masked(plan, x, pass.dy)))
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage::Relu]
    }

    fn masks_gradient(&self) -> bool {
        true
    }
}

/// An [`Activation`].
#[derive(Debug)]
pub struct Curve {
    /// Which function.
    pub activation: Activation,
    /// Of what goes in and out.
    pub size: Size,
}

impl Layer for Curve {
    fn spec(&self) -> String {
        match self.activation {
            Activation::Gelu => "gelu".into(),
            Activation::LeakyRelu { slope } => format!("leakyrelu:{slope}"),
            Activation::Scale { factor } => format!("scale:{factor}"),
        }
    }

    fn size(&self) -> Size {
        self.size
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, _: Phase) -> Forward<'a> {
        let y = activation::forward(plan, self.activation, x);
        Forward::new(y, move |plan, pass, _| {
            pass.dx_wanted.then(|| {
                let dx = activation::backward(plan, self.activation, x, pass.dy);
                pass.masked(plan, x, dx)
            })
        })
    }

    fn stages(&self) -> Vec<Stage> {
        vec![match self.activation {
            Activation::Gelu => Stage::Gelu,
            Activation::LeakyRelu { slope } => Stage::LeakyRelu { slope },
            Activation::Scale { factor } => Stage::Scale { factor },
        }]
    }
}

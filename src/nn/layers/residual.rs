//! A residual block, `y = body(x) + shortcut(x)` (He et al., "Deep residual learning for image
//! recognition", 2016, section 3.2).

use crate::nn::{Backward, Forward, GradientSink, Layer, Module, Parameter, Phase, Sequence, Size};
use crate::ops::{add, relu};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A residual block: two sequences of layers with the same input and the same output size.
#[derive(Debug)]
pub struct Residual {
    /// The body, with at least one layer.
    pub body: Sequence,
    /// The shortcut. If it is empty, it is the identity; else its output has the size of the
    /// body's.
    pub shortcut: Sequence,
}

/// Records the backward pass of the body or the shortcut. The sum after it does not mask the
/// gradient of a ReLU at its end.
fn back(
    plan: &mut Plan,
    sequence: &Sequence,
    pass: Forward<'_>,
    whole: Backward,
    sink: &mut dyn GradientSink,
) -> Option<Tensor> {
    let dy = if sequence.masks_gradient() { relu::backward(plan, pass.y, whole.dy) } else { whole.dy };
    pass.backward(plan, Backward { dy, mask_dx: false, ..whole }, sink)
}

impl Layer for Residual {
    fn spec(&self) -> String {
        let shortcut = self.shortcut.spec();
        let bar = if shortcut.is_empty() { "" } else { "|" };
        format!("residual({}{bar}{shortcut})", self.body.spec())
    }

    fn size(&self) -> Size {
        self.body.size()
    }

    fn parameters(&self) -> Vec<&Parameter> {
        self.body.parameters().chain(self.shortcut.parameters()).collect()
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let body = self.body.forward(plan, x, phase);
        let shortcut = self.shortcut.forward(plan, x, phase);
        let y = add::forward(plan, body.y, shortcut.y);
        Forward::new(y, move |plan, pass, sink| {
            let dx = back(plan, &self.body, body, pass, sink);
            let around = back(plan, &self.shortcut, shortcut, pass, sink);
            pass.dx_wanted.then(|| {
                let [dx, around] = [dx, around].map(|dx| dx.expect("a gradient that is wanted is recorded"));
                let dx = add::forward(plan, dx, around);
                pass.masked(plan, x, dx)
            })
        })
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::Residual { body: self.body.modules(), shortcut: self.shortcut.modules() }]
    }

    fn operations(&self) -> u64 {
        self.body.operations() + self.shortcut.operations()
    }

    fn inside(&self) -> Vec<(&'static str, &[Box<dyn Layer>])> {
        vec![("body", self.body.layers()), ("shortcut", self.shortcut.layers())]
    }
}

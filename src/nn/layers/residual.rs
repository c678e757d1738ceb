//! A residual block, `y = body(x) + shortcut(x)` (He et al., "Deep residual learning for image
//! recognition", 2016, section 3.2).

use crate::nn::{Backward, Forward, GradientSink, Layer, Model, Module};
use crate::ops::{add, relu};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A residual block: two sequences of layers with the same input and the same output size. `body`
/// has at least one layer. If `shortcut` is empty, it is the identity.
pub(in crate::nn) fn residual(body: Model, shortcut: Model) -> Layer {
    let (inside, around) = (body.spec(), shortcut.spec());
    let bar = if around.is_empty() { "" } else { "|" };
    let spec = format!("residual({inside}{bar}{around})");
    let module = Module::Residual { body: body.modules(), shortcut: shortcut.modules() };
    let parts = [&body, &shortcut];
    let parameters = parts.iter().flat_map(|part| part.parameters()).copied().collect();
    let operations = parts.iter().map(|part| part.operations()).sum();
    let inside = vec![("body", body.shared_layers()), ("shortcut", shortcut.shared_layers())];
    let layer = Layer::new(spec, body.size(), module, move |plan, x, phase| {
        let passes = [&body, &shortcut].map(|part| (part.masks_gradient(), part.forward(plan, x, phase)));
        let [inside, around] = &passes;
        let y = add::forward(plan, inside.1.y, around.1.y);
        Forward::new(y, move |plan, pass, sink| {
            let [dx, around] = passes.map(|(masks, part)| back(plan, masks, part, pass, sink));
            pass.dx_wanted.then(|| {
                let [dx, around] = [dx, around].map(|dx| dx.expect("a gradient that is wanted is recorded"));
                let dx = add::forward(plan, dx, around);
                pass.masked(plan, x, dx)
            })
        })
    });
    Layer { parameters, operations, inside, ..layer }
}

/// Records the backward pass of the body or the shortcut. The sum after it does not mask the
/// gradient of a ReLU at its end (`masks`).
fn back(
    plan: &mut Plan,
    masks: bool,
    pass: Forward,
    whole: Backward,
    sink: &mut dyn GradientSink,
) -> Option<Tensor> {
    let dy = if masks { relu::backward(plan, pass.y, whole.dy) } else { whole.dy };
    pass.backward(plan, Backward { dy, mask_dx: false, ..whole }, sink)
}

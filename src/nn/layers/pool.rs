//! Pooling: one value for each window and channel.

use crate::nn::{Forward, Layer, Module, PoolKind, Size};
use crate::ops::window::Window;
use crate::ops::{average_pool, max_pool};

/// PyTorch's `nn.MaxPool2d` or `nn.AvgPool2d`.
///
/// If the input comes from a ReLU whose gradient the next layer must mask (`after_relu`), it may be
/// masked with the maxima, of which there are fewer: a maximum is zero only if its whole window is.
pub(in crate::nn) fn pool(
    spec: String,
    kind: PoolKind,
    window: Window,
    size: Size,
    after_relu: bool,
) -> Layer {
    let layer = Layer::new(spec, size, Module::Pool(kind, window), move |plan, x, _| match kind {
        PoolKind::Max => {
            let y = max_pool::forward(plan, x, window);
            Forward::new(y, move |plan, pass, _| {
                pass.dx_wanted.then(|| max_pool::backward(plan, x, y, pass.dy, window))
            })
        }
        PoolKind::Average => {
            let y = average_pool::forward(plan, x, window);
            Forward::new(y, move |plan, pass, _| {
                pass.dx_wanted.then(|| {
                    let dx = average_pool::backward(plan, x, pass.dy, window);
                    pass.masked(plan, x, dx)
                })
            })
        }
    });
    Layer { masks_gradient: after_relu && kind == PoolKind::Max, ..layer }
}

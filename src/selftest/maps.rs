//! Selftest cases of ops on maps: convolutions, pooling, activations and batch norms.

use super::subject::{Subject, subject};
use crate::ops::activation::{self, Activation};
use crate::ops::batch_norm::{self, Normalisation, Running};
use crate::ops::dropout::{self, Dropout};
use crate::ops::fixture::Draft;
use crate::ops::{Window, add, average_pool, conv2d, max_pool};
use crate::plan::{Array, Role};

const CONSTANTS: Normalisation = Normalisation { epsilon: 1e-5, momentum: 0.1 };

/// Shape of the maps: images, height, width, channels.
const MAP: [usize; 4] = [11, 13, 9, 19];

pub(super) fn all() -> Vec<Subject> {
    let mut all = vec![subject("add", "1009", |draft| {
        let [a, b] = ["a", "b"].map(|name| draft.activation(name, [1009]));
        add::forward(&mut draft.plan, a, b);
    })];
    for window in [Window::square(2, 2, 0), Window::square(3, 2, 1), Window::whole(13, 9)] {
        let Window { height, width, stride, padding } = window;
        let shape = format!("{height}x{width}, stride {stride}, padding {padding}");
        all.push(subject("max_pool", &*shape, move |draft| {
            let x = draft.activation("x", MAP);
            let y = max_pool::forward(&mut draft.plan, x, window);
            let dy = draft.activation("dy", y.shape().sizes());
            max_pool::backward(&mut draft.plan, x, y, dy, window);
        }));
        all.push(subject("average_pool", &*shape, move |draft| {
            let x = draft.activation("x", MAP);
            let y = average_pool::forward(&mut draft.plan, x, window);
            let dy = draft.activation("dy", y.shape().sizes());
            average_pool::backward(&mut draft.plan, x, dy, window);
        }));
    }
    // ReLU is a separate op with its own cases.
    for kind in Activation::all().filter(|kind| *kind != Activation::Relu) {
        all.push(subject("activation", format!("{kind}, 1009"), move |draft| {
            let [x, dy] = ["x", "dy"].map(|name| draft.activation(name, [1009]));
            activation::forward(&mut draft.plan, kind, x);
            activation::backward(&mut draft.plan, kind, x, dy);
        }));
    }
    all.push(subject("dropout", "1009", |draft| {
        let x = draft.activation("x", [1009]);
        dropout::forward(&mut draft.plan, Dropout { rate: 0.3, seed: 1 << 40 | 7, layer: 2 }, x);
    }));
    // Channels that are read one at a time and four at a time, with and without ops that are fused
    // into the product.
    for (channels, window, around) in [
        (3, Window::square(3, 1, 1), true),
        (19, Window::square(3, 2, 1), false),
        (8, Window::square(5, 2, 2), true),
        (20, Window::square(1, 1, 0), false),
    ] {
        let Window { height, width, stride, padding } = window;
        let shape = format!("{channels} to 7, {height}x{width}, stride {stride}, padding {padding}");
        all.push(subject("conv2d", shape, move |draft| convolved(draft, channels, window, around)));
    }
    all.push(Subject { rows: MAP[0], ..subject("batch_norm", "training, 11x13x9x19", trained) });
    all.push(subject("batch_norm", "evaluation, 19", |draft| {
        let variances = (1..=19).map(|index| index as f32 / 10.0).collect();
        let running = Running {
            mean: draft.noise("running_mean", Role::Input, [19]),
            variance: draft.give("running_var", Role::Input, [19], Array::F32(variances)),
        };
        batch_norm::recall(&mut draft.plan, running, CONSTANTS);
    }));
    all
}

/// Records a convolution and its gradients. If `around`, a bias, a ReLU and the mask of the
/// previous ReLU are fused into the products.
fn convolved(draft: &mut Draft, channels: usize, window: Window, around: bool) {
    let [images, height, width, _] = MAP;
    let filters = 7;
    let input = [images, height, width, channels];
    let x = draft.activation("x", input);
    let weight = draft.activation("weight", [filters, window.height, window.width, channels]);
    let bias = around.then(|| draft.noise("bias", Role::Input, [filters]));
    let y = conv2d::forward(&mut draft.plan, x, weight, bias, around, window);
    let dy = draft.activation("dy", y.shape().sizes());
    conv2d::data_gradient(&mut draft.plan, dy, weight, input, around.then_some(x), window);
    conv2d::weight_gradient(&mut draft.plan, dy, x, window);
}

fn trained(draft: &mut Draft) {
    let channels = MAP[3];
    let [x, dy] = ["x", "dy"].map(|name| draft.activation(name, MAP));
    let [weight, bias] = ["weight", "bias"].map(|name| draft.noise(name, Role::Input, [channels]));
    let [mean, variance] =
        ["running_mean", "running_var"].map(|name| draft.noise(name, Role::Parameter, [channels]));
    let moments = batch_norm::statistics(&mut draft.plan, x, Running { mean, variance }, CONSTANTS);
    batch_norm::apply(&mut draft.plan, x, moments, weight, bias);
    batch_norm::backward(&mut draft.plan, x, moments, weight, dy);
}

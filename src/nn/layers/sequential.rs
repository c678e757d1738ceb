//! A sequence of layers.

use crate::nn::{Backward, Forward, GradientSink, Layer, Module, Parameter, Phase, Size};
use crate::ops::classifier::InputGradient;
use crate::ops::softmax_cross_entropy::{self, Loss, Target};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A sequence of layers: a model, or a part of a layer.
#[derive(Debug)]
pub struct Sequence {
    layers: Vec<Box<dyn Layer>>,
    input: Size,
}

impl Sequence {
    /// Creates a sequence of `layers`. The input of the first layer has the size `input`.
    pub fn new(layers: Vec<Box<dyn Layer>>, input: Size) -> Self {
        Sequence { layers, input }
    }

    /// Returns the layers, first to last.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// Returns the size of the input for one image.
    pub fn input(&self) -> Size {
        self.input
    }

    /// Returns the size of the output for one image.
    pub fn size(&self) -> Size {
        self.layers.last().map_or(self.input, |layer| layer.size())
    }

    /// Returns the text of the layers.
    pub fn spec(&self) -> String {
        self.layers.iter().map(|layer| layer.spec()).collect::<Vec<_>>().join(",")
    }

    /// Returns the layers in evaluation mode.
    pub fn modules(&self) -> Vec<Module> {
        self.layers.iter().flat_map(|layer| layer.modules()).collect()
    }

    /// Returns all trained tensors, first layer first.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.layers.iter().flat_map(|layer| layer.parameters())
    }

    /// Returns the number of multiplications and additions of the forward pass for one image.
    pub fn operations(&self) -> u64 {
        self.layers.iter().map(|layer| layer.operations()).sum()
    }

    /// Returns the number of values for one image of the input or of the largest layer output,
    /// including layers inside others.
    pub fn most_values(&self) -> usize {
        most_values(&self.layers).max(self.input.values())
    }

    /// Whether the input may be a batch of [pixels](crate::tensor::Element::Pixel).
    pub fn reads_pixels(&self) -> bool {
        // A flatten does not change its input.
        let flattens = self.layers.iter().take_while(|layer| layer.modules() == [Module::Flatten]).count();
        self.layers.get(flattens).is_some_and(|layer| layer.reads_pixels())
    }

    /// Whether the last layer ends in a ReLU whose gradient the next layer masks.
    pub fn masks_gradient(&self) -> bool {
        self.layers.last().is_some_and(|layer| layer.masks_gradient())
    }

    /// Records the forward pass.
    pub fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let passes = record(&self.layers, plan, x, phase);
        let y = passes.last().map_or(x, |pass| pass.y);
        self.joined(y, passes)
    }

    /// Records the forward pass of a model and its loss, which is fused with the last layer if
    /// possible.
    ///
    /// # Panics
    /// If there are no layers.
    pub fn forward_with_loss<'a>(
        &'a self,
        plan: &mut Plan,
        x: Tensor,
        target: Target,
        phase: Phase,
    ) -> (Forward<'a>, Loss) {
        let (last, before) = self.layers.split_last().expect("a model has a layer");
        // The logits and the last weight are f32. A constant factor may follow the layer with that
        // weight.
        let inner = self.layers.iter().rposition(|layer| !layer.parameters().is_empty()).unwrap_or(0);
        let mut passes = record(&before[..inner], plan, x, phase);
        let x = passes.last().map_or(x, |pass| pass.y);
        passes.extend(record(&before[inner..], plan, x, phase.in_full()));
        let x = passes.last().map_or(x, |pass| pass.y);
        let is_masked = before.last().is_some_and(|layer| layer.masks_gradient());
        let gradient = match matches!(phase, Phase::Training { .. }) && are_trained(before) {
            false => InputGradient::None,
            true if is_masked => InputGradient::Masked,
            true => InputGradient::Plain,
        };
        let (pass, loss) = last.forward_with_loss(plan, x, target, gradient).unwrap_or_else(|| {
            let pass = last.forward(plan, x, phase.in_full());
            let loss = softmax_cross_entropy::forward(plan, pass.y, target);
            (pass, loss)
        });
        let y = pass.y;
        passes.push(pass);
        (self.joined(y, passes), loss)
    }

    /// Combines the passes of all layers into one with the output `y`.
    fn joined<'a>(&'a self, y: Tensor, passes: Vec<Forward<'a>>) -> Forward<'a> {
        Forward::new(y, move |plan, pass, sink| self.backward(plan, passes, pass, sink))
    }

    fn backward(
        &self,
        plan: &mut Plan,
        passes: Vec<Forward<'_>>,
        whole: Backward,
        sink: &mut dyn GradientSink,
    ) -> Option<Tensor> {
        let mut dy = whole.dy;
        for (index, pass) in passes.into_iter().enumerate().rev() {
            let before = &self.layers[..index];
            let backward = Backward {
                dy,
                dx_wanted: whole.dx_wanted || are_trained(before),
                mask_dx: before.last().map_or(whole.mask_dx, |layer| layer.masks_gradient()),
            };
            dy = pass.backward(plan, backward, sink)?;
        }
        Some(dy)
    }
}

/// Records the forward pass of `x` through `layers` in order.
fn record<'a>(layers: &'a [Box<dyn Layer>], plan: &mut Plan, x: Tensor, phase: Phase) -> Vec<Forward<'a>> {
    let mut passes: Vec<Forward<'a>> = Vec::new();
    for layer in layers {
        let x = passes.last().map_or(x, |pass| pass.y);
        passes.push(layer.forward(plan, x, phase));
    }
    passes
}

/// Whether `layers` have trained parameters.
fn are_trained(layers: &[Box<dyn Layer>]) -> bool {
    layers.iter().any(|layer| !layer.parameters().is_empty())
}

/// Returns the number of values for one image of the largest layer output, including layers inside
/// others.
fn most_values(layers: &[Box<dyn Layer>]) -> usize {
    let of = |layer: &dyn Layer| {
        let inside = layer.inside().into_iter().map(|(_, layers)| most_values(layers));
        inside.max().unwrap_or(0).max(layer.size().values())
    };
    layers.iter().map(|layer| of(layer.as_ref())).max().unwrap_or(0)
}

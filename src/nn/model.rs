//! Models: layers in sequence, with their parameters declared in a plan.

use std::rc::Rc;

use super::layer::{Backward, Forward, GradientSink, Layer, Parameter, Phase};
use super::module::Module;
use super::size::Size;
use super::summary::Summary;
use crate::ops::classifier::InputGradient;
use crate::ops::softmax_cross_entropy::{self, Loss, Target};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A model whose parameters are declared in a plan, or the layers in a part of a layer.
#[derive(Debug)]
pub struct Model {
    layers: Rc<[Layer]>,
    input: Size,
}

impl Model {
    /// Creates a model of `layers`. The input of the first layer has the size `input`.
    pub(super) fn of(layers: Vec<Layer>, input: Size) -> Self {
        Model { layers: layers.into(), input }
    }

    /// Returns the layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Returns another handle to the layers.
    pub(super) fn shared_layers(&self) -> Rc<[Layer]> {
        Rc::clone(&self.layers)
    }

    /// Returns the size of the input for one image.
    pub fn input(&self) -> Size {
        self.input
    }

    /// Returns the size of the output for one image.
    pub(super) fn size(&self) -> Size {
        self.layers.last().map_or(self.input, |layer| layer.size)
    }

    /// Returns the completed text of the model.
    pub fn spec(&self) -> String {
        self.layers.iter().map(|layer| layer.spec.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Returns the forward pass of the trained model as the modules of PyTorch's `nn.Sequential`.
    pub fn modules(&self) -> Vec<Module> {
        self.layers.iter().flat_map(|layer| layer.modules.iter().cloned()).collect()
    }

    /// Returns all trained tensors, first layer first.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.layers.iter().flat_map(|layer| &layer.parameters)
    }

    /// Returns the number of multiplications and additions of the forward pass for one image.
    pub(super) fn operations(&self) -> u64 {
        self.layers.iter().map(|layer| layer.operations).sum()
    }

    /// Returns the filters that are computed from the training images, `[filters, height, width,
    /// channels]`, if the first layer whitens the images.
    pub fn whitening(&self) -> Option<Tensor> {
        self.layers.first().and_then(|layer| layer.whitening)
    }

    /// Returns the number of values for one image of the input or of the largest layer output,
    /// including layers inside others.
    pub fn most_values(&self) -> usize {
        most_values(&self.layers).max(self.input.values())
    }

    /// Whether the input may be a batch of [pixels](crate::tensor::Element::Pixel).
    pub fn reads_pixels(&self) -> bool {
        // A flatten does not change its input.
        let mut layers = self.layers.iter().skip_while(|layer| layer.modules == [Module::Flatten]);
        layers.next().is_some_and(|layer| layer.reads_pixels)
    }

    /// Whether the last layer ends in a ReLU whose gradient the next layer masks.
    pub(super) fn masks_gradient(&self) -> bool {
        self.layers.last().is_some_and(|layer| layer.masks_gradient)
    }

    /// Returns the layers with their sizes, parameters and operations.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.layers)
    }

    /// Records the forward pass of `x`, a batch of [inputs](Self::input). The output of a whole
    /// model is the logits, `[batch, classes]`.
    pub fn forward(&self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward {
        let passes = record(&self.layers, plan, x, phase);
        let y = passes.last().map_or(x, |pass| pass.y);
        self.joined(y, passes)
    }

    /// Records the forward pass of a model and its loss, which is fused with the last layer if
    /// possible.
    pub(crate) fn forward_with_loss(
        &self,
        plan: &mut Plan,
        x: Tensor,
        target: Target,
        phase: Phase,
    ) -> (Forward, Loss) {
        let (last, before) = self.layers.split_last().expect("a model has a layer");
        // The logits and the last weight are f32. A constant factor may follow the layer with that
        // weight.
        let inner = self.layers.iter().rposition(|layer| !layer.parameters.is_empty()).unwrap_or(0);
        let mut passes = record(&before[..inner], plan, x, phase);
        let x = passes.last().map_or(x, |pass| pass.y);
        passes.extend(record(&before[inner..], plan, x, phase.in_full()));
        let x = passes.last().map_or(x, |pass| pass.y);
        let is_masked = before.last().is_some_and(|layer| layer.masks_gradient);
        let gradient = match matches!(phase, Phase::Training { .. }) && are_trained(before) {
            false => InputGradient::None,
            true if is_masked => InputGradient::Masked,
            true => InputGradient::Plain,
        };
        let fused = last.forward_with_loss.as_ref().and_then(|record| record(plan, x, target, gradient));
        let (pass, loss) = fused.unwrap_or_else(|| {
            let pass = (last.forward)(plan, x, phase.in_full());
            let loss = softmax_cross_entropy::forward(plan, pass.y, target);
            (pass, loss)
        });
        let y = pass.y;
        passes.push(pass);
        (self.joined(y, passes), loss)
    }

    /// Combines the passes of all layers into one with the output `y`.
    fn joined(&self, y: Tensor, passes: Vec<Forward>) -> Forward {
        let layers = self.shared_layers();
        Forward::new(y, move |plan, whole, sink| {
            let mut dy = whole.dy;
            for (index, pass) in passes.into_iter().enumerate().rev() {
                let before = &layers[..index];
                let backward = Backward {
                    dy,
                    dx_wanted: whole.dx_wanted || are_trained(before),
                    mask_dx: before.last().map_or(whole.mask_dx, |layer| layer.masks_gradient),
                };
                dy = pass.backward(plan, backward, sink)?;
            }
            Some(dy)
        })
    }
}

/// Records the forward pass of `x` through `layers` in order.
fn record(layers: &[Layer], plan: &mut Plan, x: Tensor, phase: Phase) -> Vec<Forward> {
    let mut passes: Vec<Forward> = Vec::new();
    for layer in layers {
        let x = passes.last().map_or(x, |pass| pass.y);
        passes.push((layer.forward)(plan, x, phase));
    }
    passes
}

/// Whether `layers` have trained parameters.
fn are_trained(layers: &[Layer]) -> bool {
    layers.iter().any(|layer| !layer.parameters.is_empty())
}

/// Returns the number of values for one image of the largest layer output, including layers inside
/// others.
fn most_values(layers: &[Layer]) -> usize {
    let of = |layer: &Layer| {
        let inside = layer.inside.iter().map(|(_, layers)| most_values(layers));
        inside.max().unwrap_or(0).max(layer.size.values())
    };
    layers.iter().map(of).max().unwrap_or(0)
}

/// Records the backward pass of a model's `forward` pass from the gradient of the logits. `sink`
/// receives the gradients of all parameters, last layer first. No model ends in a ReLU, so
/// `dlogits` needs no mask.
pub fn backward(plan: &mut Plan, forward: Forward, dlogits: Tensor, sink: &mut dyn GradientSink) {
    forward.backward(plan, Backward { dy: dlogits, dx_wanted: false, mask_dx: false }, sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;
    use crate::nn::{ModelSpec, known_layers};
    use crate::ops::activation::Activation;

    const IMAGE: Size = Size::Map { height: 28, width: 28, channels: 1 };

    fn spec(text: &str) -> Result<String> {
        let spec = ModelSpec::parse(text, 10)?;
        spec.check_sizes(IMAGE, 1)?;
        Ok(Model::new(&mut Plan::new(), &spec, IMAGE).spec())
    }

    #[test]
    fn a_last_layer_to_the_classes_is_added_where_it_is_missing() {
        assert_eq!(spec("linear:128,relu").unwrap(), "linear:128,relu,linear:10");
        assert_eq!(spec("linear:128, relu, linear:10").unwrap(), "linear:128,relu,linear:10");
        assert_eq!(spec("linear:10").unwrap(), "linear:10");
        assert_eq!(spec("relu,linear:10,relu").unwrap(), "relu,linear:10,relu,linear:10");
        assert_eq!(spec("linear:10,scale:0.5").unwrap(), "linear:10,scale:0.5");
        assert_eq!(spec("relu,scale:0.5").unwrap(), "relu,scale:0.5,linear:10");
    }

    #[test]
    fn maps_are_flattened_in_front_of_the_first_row() {
        assert_eq!(spec("conv:8x3,relu").unwrap(), "conv:8x3,relu,flatten,linear:10");
        assert_eq!(spec("conv:8x3,flatten").unwrap(), "conv:8x3,flatten,linear:10");
        assert_eq!(spec("flatten,linear:20,relu").unwrap(), "flatten,linear:20,relu,linear:10");
        assert_eq!(spec("batchnorm").unwrap(), "batchnorm,flatten,linear:10");
        assert_eq!(spec("linear:7,batchnorm,relu").unwrap(), "linear:7,batchnorm,relu,linear:10");
        // Maps with a single position have the same layout in files and on devices.
        let narrow = "conv:8x3,globalavgpool,flatten,residual(linear:8,relu),linear:10";
        assert_eq!(spec(narrow).unwrap(), narrow);
    }

    #[test]
    fn defaults_are_left_out_and_repetitions_are_written_out() {
        for (text, shown) in [
            ("conv:8x3s1p1", "conv:8x3"),
            ("conv:8x4p0s2", "conv:8x4s2"),
            ("conv:8x3p0", "conv:8x3p0"),
            ("conv:8x5s2", "conv:8x5s2"),
            ("maxpool:2s2", "maxpool:2"),
            ("avgpool:3s2p1", "avgpool:3s2p1"),
            ("conv:1x1,leakyrelu", "conv:1x1,leakyrelu:0.01"),
            ("conv:1x1,dropout:.50", "conv:1x1,dropout:0.5"),
            ("2*(conv:4x3, relu)", "conv:4x3,relu,conv:4x3,relu"),
            ("2 * residual( conv:1x3 , relu )", "residual(conv:1x3,relu),residual(conv:1x3,relu)"),
            ("whiten:2, batchnorm:0.10, batchnorm:.4", "whiten:2,batchnorm,batchnorm:0.4"),
            ("residual(conv:4x3|conv:4x1)", "residual(conv:4x3|conv:4x1)"),
            (
                "conv:4x3,residual(2*(batchnorm,relu,conv:4x3)),globalavgpool",
                "conv:4x3,residual(batchnorm,relu,conv:4x3,batchnorm,relu,conv:4x3),globalavgpool",
            ),
        ] {
            let found = spec(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(found, format!("{shown},flatten,linear:10"), "{text}");
            assert_eq!(spec(&found).unwrap(), found);
        }
    }

    fn declared(text: &str) -> Vec<(String, Vec<usize>)> {
        let mut plan = Plan::new();
        let spec = ModelSpec::parse(text, 10).unwrap();
        spec.check_sizes(IMAGE, 1).unwrap();
        Model::new(&mut plan, &spec, IMAGE);
        plan.saved().map(|saved| (saved.name.clone(), saved.file_shape())).collect()
    }

    #[test]
    fn parameters_have_pytorchs_names_and_shapes() {
        let named = |wanted: &[(&str, &[usize])]| -> Vec<(String, Vec<usize>)> {
            wanted.iter().map(|(name, shape)| ((*name).into(), shape.to_vec())).collect()
        };
        let wanted = named(&[
            ("0.weight", &[128, 784]),
            ("0.bias", &[128]),
            ("3.weight", &[10, 128]),
            ("3.bias", &[10]),
        ]);
        assert_eq!(declared("linear:128,relu,relu,linear:10"), wanted);
        let wanted = named(&[
            ("0.bias", &[18]),
            // A convolution before a batch norm has no bias.
            ("1.weight", &[4, 18, 3, 3]),
            ("3.weight", &[4]),
            ("3.bias", &[4]),
            ("5.weight", &[10, 4 * 13 * 13]),
            ("5.bias", &[10]),
            ("0.weight", &[18, 1, 3, 3]),
            ("3.running_mean", &[4]),
            ("3.running_var", &[4]),
        ]);
        assert_eq!(declared("whiten:3,conv:4x3,maxpool:2,batchnorm:0.4"), wanted);
        let wanted = named(&[
            ("0.weight", &[8, 1, 5, 5]),
            // A convolution before a batch norm has no bias.
            ("1.weight", &[8]),
            ("1.bias", &[8]),
            ("3.body.0.weight", &[4, 8, 3, 3]),
            ("3.body.0.bias", &[4]),
            ("3.shortcut.0.weight", &[4, 8, 1, 1]),
            ("3.shortcut.0.bias", &[4]),
            ("6.weight", &[10, 4 * 7 * 7]),
            ("6.bias", &[10]),
            ("1.running_mean", &[8]),
            ("1.running_var", &[8]),
        ]);
        let text = "conv:8x5s2,batchnorm,relu,residual(conv:4x3|conv:4x1),maxpool:2";
        assert_eq!(declared(text), wanted);
    }

    /// Also covers a ReLU that is fused into a linear layer, which is a separate module in PyTorch.
    #[test]
    fn modules_are_the_modules_of_pytorchs_sequential() {
        let mut plan = Plan::new();
        let spec = ModelSpec::parse("relu,linear:7,relu,relu,linear:5,linear:3", 3).unwrap();
        let modules = Model::new(&mut plan, &spec, Size::Row(4)).modules();
        let shown: Vec<_> = modules
            .iter()
            .map(|stage| match stage {
                Module::Linear { weight, .. } => plan.name(*weight),
                Module::Activation(Activation::Relu) => "relu",
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(shown, ["relu", "1.weight", "relu", "relu", "4.weight", "5.weight"]);
    }

    #[test]
    fn a_summary_counts_what_layers_make_train_and_cost() {
        let spec = ModelSpec::parse("conv:8x3,relu,residual(conv:8x3),maxpool:2,linear:10", 10).unwrap();
        let summary = Model::new(&mut Plan::new(), &spec, IMAGE).summary();
        let rows: Vec<_> =
            summary.rows.iter().map(|row| (row.depth, row.layer.as_str(), row.output.as_str())).collect();
        let wanted = [
            (0, "conv:8x3,relu", "8x28x28"),
            (0, "residual", "8x28x28"),
            (1, "body", "8x28x28"),
            (2, "conv:8x3", "8x28x28"),
            (0, "maxpool:2", "8x14x14"),
            (0, "flatten", "1568"),
            (0, "linear:10", "10"),
        ];
        assert_eq!(rows, wanted);
        let parameters = [8 * 9 + 8, 8 * 8 * 9 + 8, 10 * 1568 + 10];
        assert_eq!(summary.parameters, parameters.iter().sum::<usize>());
        let operations = [2 * 784 * 8 * 9, 2 * 784 * 8 * 8 * 9, 2 * 10 * 1568];
        assert_eq!(summary.operations, operations.iter().sum::<u64>());
    }

    #[test]
    fn examples_of_layers_are_read_as_they_are_written() {
        for layer in known_layers() {
            let spec = ModelSpec::parse(&layer.example, 10).unwrap();
            assert_eq!(spec.layers[0].to_string(), layer.example);
        }
    }
}

//! Models: a list of layers from one line of text.
//!
//! `linear:128,relu,linear:10` names the layers in order. Inputs are inferred, images are flattened
//! in front of the first linear layer, and a last `linear` to the number of classes is added where
//! it is missing.

use crate::error::{Error, Result};
use crate::layers::{Backward, GradientSink, Layer, Linear, Parameter, Relu, Stage};
use crate::nearest::nearest;
use crate::ops::classifier::{self, Head, InputGradient};
use crate::ops::gather::Batch;
use crate::ops::softmax_cross_entropy;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// Most values that one layer may hand on for one image, and most layers: far beyond use, so that
/// a slip of the keyboard is an error message and not an attempt to allocate.
const MOST_OUTPUTS: usize = 1 << 20;
const MOST_LAYERS: usize = 1000;

/// Most values of one tensor.
const MOST_VALUES: usize = 1 << 28;

/// What a layer is, before its sizes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LayerSpec {
    Linear { outputs: usize },
    Relu,
}

/// A model as text, understood but without sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpec {
    layers: Vec<LayerSpec>,
}

impl ModelSpec {
    /// Reads a model's text and completes it for `classes` classes.
    pub fn parse(text: &str, classes: usize) -> Result<Self> {
        let mut layers =
            text.split(',').map(|layer| parse_layer(layer.trim())).collect::<Result<Vec<_>>>()?;
        if layers.last() != Some(&LayerSpec::Linear { outputs: classes }) {
            layers.push(LayerSpec::Linear { outputs: classes });
        }
        if layers.len() > MOST_LAYERS {
            return Err(Error::usage(format!("a model of {} layers is too deep", layers.len()))
                .advise(format!("use at most {MOST_LAYERS} layers")));
        }
        Ok(ModelSpec { layers })
    }

    /// Fails where a weight, or what a layer hands on for `rows` images of `inputs` values, has
    /// more values than a device can index.
    pub fn check_sizes(&self, inputs: usize, rows: usize) -> Result<()> {
        let too_large = |what: String, values: usize| {
            Error::usage(format!("{what} would have {values} values, more than the {MOST_VALUES} possible"))
                .advise("use a smaller --model or --batch-size")
        };
        let mut size = inputs;
        if rows.saturating_mul(size) > MOST_VALUES {
            return Err(too_large(format!("a batch of {rows} images"), rows.saturating_mul(size)));
        }
        for layer in &self.layers {
            if let LayerSpec::Linear { outputs } = *layer {
                for (what, values) in [("weight", outputs * size), ("output", rows.saturating_mul(outputs))] {
                    if values > MOST_VALUES {
                        return Err(too_large(format!("the {what} of linear:{outputs}"), values));
                    }
                }
                size = outputs;
            }
        }
        Ok(())
    }
}

fn parse_layer(text: &str) -> Result<LayerSpec> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    match (name, argument) {
        ("linear", Some(argument)) => match argument.parse() {
            Ok(outputs) if (1..=MOST_OUTPUTS).contains(&outputs) => Ok(LayerSpec::Linear { outputs }),
            _ => Err(Error::usage(format!("model layer `{text}`: `{argument}` is not a size"))
                .advise(format!("write linear:N with N from 1 to {MOST_OUTPUTS}"))),
        },
        ("linear", None) => Err(Error::usage("model layer `linear` needs a size").advise("write linear:128")),
        ("relu", None) => Ok(LayerSpec::Relu),
        ("relu", Some(_)) => {
            Err(Error::usage(format!("model layer `{text}`: relu takes no size")).advise("write relu"))
        }
        _ => {
            let guess = nearest(name, ["linear", "relu"])
                .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            Err(Error::usage(format!("`{text}` is not a layer"))
                .advise(format!("{guess}layers are linear:N and relu, joined by commas")))
        }
    }
}

/// Layers with their parameters declared in a plan.
#[derive(Debug)]
pub struct Model {
    layers: Vec<Box<dyn Layer>>,
}

/// What a forward pass computed: the input of each layer, and the output of the last.
#[derive(Debug)]
pub struct Activations {
    values: Vec<Tensor>,
    /// Gradient of the last layer's input, where the loss came with it.
    dx: Option<Tensor>,
}

impl Activations {
    /// The last layer's output, `[batch, classes]`.
    pub fn logits(&self) -> Tensor {
        *self.values.last().expect("a model has an input")
    }
}

impl Model {
    /// Declares the parameters of `spec` for `inputs` values per image.
    pub fn new(plan: &mut Plan, spec: &ModelSpec, inputs: usize) -> Self {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        let mut size = inputs;
        let mut specs = spec.layers.iter().enumerate().peekable();
        while let Some((index, &layer)) = specs.next() {
            let layer: Box<dyn Layer> = match layer {
                LayerSpec::Linear { outputs } => {
                    let relu = specs.next_if(|(_, next)| **next == LayerSpec::Relu).is_some();
                    Box::new(Linear::new(plan, index, size, outputs, relu))
                }
                LayerSpec::Relu => Box::new(Relu { size }),
            };
            size = layer.outputs();
            layers.push(layer);
        }
        Model { layers }
    }

    /// The model's text, with everything inferred.
    pub fn spec(&self) -> String {
        self.layers.iter().map(|layer| layer.spec()).collect::<Vec<_>>().join(",")
    }

    /// What the trained model computes, step by step: the modules of PyTorch's `nn.Sequential`.
    pub fn stages(&self) -> Vec<Stage> {
        self.layers.iter().flat_map(|layer| layer.stages()).collect()
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// All trained tensors, first layer first.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.layers.iter().flat_map(|layer| layer.parameters())
    }

    /// Whether the input may be a batch of [pixels](crate::tensor::Element::Pixel).
    pub fn reads_pixels(&self) -> bool {
        self.layers[0].reads_pixels()
    }

    /// Records the forward pass of `x`, `[batch, inputs]`.
    pub fn forward(&self, plan: &mut Plan, x: Tensor) -> Activations {
        let mut values = vec![x];
        for layer in &self.layers {
            values.push(layer.forward(plan, values[values.len() - 1]));
        }
        Activations { values, dx: None }
    }

    /// Records the forward pass of a batch and its loss, in one op with the last layer where that fits.
    /// `backward_follows` says whether gradients are wanted.
    pub fn measure(
        &self,
        plan: &mut Plan,
        batch: Batch,
        smoothing: f32,
        slots: usize,
        backward_follows: bool,
    ) -> (Activations, softmax_cross_entropy::Output) {
        let (last, others) = self.layers.split_last().expect("a model has a layer");
        let mut values = vec![batch.x];
        for layer in others {
            values.push(layer.forward(plan, values[values.len() - 1]));
        }
        let x = values[values.len() - 1];
        match last.as_product() {
            Some([weight, bias]) if classifier::fits(x, weight) => {
                let trains = others.iter().any(|layer| !layer.parameters().is_empty());
                let gradient = match (backward_follows && trains, others.last()) {
                    (true, Some(layer)) if layer.masks_gradient() => InputGradient::Masked,
                    (true, _) => InputGradient::Plain,
                    (false, _) => InputGradient::None,
                };
                let head = Head { weight, bias, smoothing };
                let output = classifier::forward(plan, x, head, batch.labels, gradient, slots);
                values.push(output.logits);
                (Activations { values, dx: output.dx }, output.loss)
            }
            _ => {
                values.push(last.forward(plan, x));
                let logits = values[values.len() - 1];
                let loss = softmax_cross_entropy::forward(plan, logits, batch.labels, smoothing, slots);
                (Activations { values, dx: None }, loss)
            }
        }
    }

    /// Records the backward pass from the gradient of the logits; the gradients of all parameters
    /// go to `sink`, the last layer's first. The last layer is linear, so nothing masks `dlogits`.
    pub fn backward(
        &self,
        plan: &mut Plan,
        activations: &Activations,
        dlogits: Tensor,
        sink: &mut dyn GradientSink,
    ) {
        let mut dy = dlogits;
        let mut known_dx = activations.dx;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let known = known_dx.take();
            let pass = Backward {
                x: activations.values[index],
                y: activations.values[index + 1],
                dy,
                dx_wanted: known.is_none()
                    && self.layers[..index].iter().any(|layer| !layer.parameters().is_empty()),
                mask_dx: index > 0 && self.layers[index - 1].masks_gradient(),
            };
            match layer.backward(plan, pass, sink).or(known) {
                Some(dx) => dy = dx,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Result<String> {
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, &ModelSpec::parse(text, 10)?, 784);
        Ok(model.spec())
    }

    #[test]
    fn a_last_layer_to_the_classes_is_added_where_it_is_missing() {
        assert_eq!(spec("linear:128,relu").unwrap(), "linear:128,relu,linear:10");
        assert_eq!(spec("linear:128, relu, linear:10").unwrap(), "linear:128,relu,linear:10");
        assert_eq!(spec("linear:10").unwrap(), "linear:10");
        assert_eq!(spec("relu,linear:10,relu").unwrap(), "relu,linear:10,relu,linear:10");
    }

    #[test]
    fn parameters_have_pytorchs_names_and_layout() {
        let mut plan = Plan::new();
        let spec = ModelSpec::parse("linear:128,relu,relu,linear:10", 10).unwrap();
        Model::new(&mut plan, &spec, 784);
        let names: Vec<_> = plan
            .parameters()
            .map(|parameter| (parameter.name.as_str(), parameter.tensor.shape().sizes().to_vec()))
            .collect();
        let wanted = [
            ("0.weight", vec![128, 784]),
            ("0.bias", vec![128]),
            ("3.weight", vec![10, 128]),
            ("3.bias", vec![10]),
        ];
        assert_eq!(names, wanted);
    }

    /// Also for a ReLU inside a linear layer's products: PyTorch has a module for it.
    #[test]
    fn stages_are_the_modules_of_pytorchs_sequential() {
        let mut plan = Plan::new();
        let spec = ModelSpec::parse("relu,linear:7,relu,relu,linear:5,linear:3", 3).unwrap();
        let stages = Model::new(&mut plan, &spec, 4).stages();
        let shown: Vec<_> = stages
            .iter()
            .map(|stage| match stage {
                Stage::Relu => "relu",
                Stage::Linear { weight, .. } => plan.name(*weight),
            })
            .collect();
        assert_eq!(shown, ["relu", "1.weight", "relu", "relu", "4.weight", "5.weight"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            ("", "`` is not a layer"),
            ("linear", "needs a size"),
            ("linear:0", "`0` is not a size"),
            ("linear:99999999999999999999", "is not a size"),
            ("linear:12x", "`12x` is not a size"),
            ("relu:3", "relu takes no size"),
            ("conv:3x3", "`conv:3x3` is not a layer"),
        ] {
            let error = spec(text).unwrap_err();
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
        assert!(spec("liner:12").unwrap_err().advice().unwrap().contains("did you mean `linear`?"));
    }
}

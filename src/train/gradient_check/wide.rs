//! The forward pass of a model in float64, in training mode: the reference of a gradient check.

use std::collections::HashMap;

use super::pieces::{Path, Pieces};
use super::values::Values;
use crate::nn::{Size, Stage};
use crate::tensor::Tensor;

/// The stages of a model with the values of their parameters.
#[derive(Debug)]
pub(super) struct WideModel {
    stages: Vec<Stage>,
    parameters: HashMap<Tensor, Vec<f64>>,
}

/// The activations of a forward pass, and the pieces that it used.
#[derive(Debug)]
pub(super) struct Trace {
    /// The input of every stage, then the logits.
    values: Vec<Values>,
    path: Path,
    /// Position on the path at which each stage begins.
    begins: Vec<usize>,
}

/// One element of a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) parameter: Tensor,
    pub(super) index: usize,
}

impl WideModel {
    /// A model of `stages` with these parameters.
    pub(super) fn new(stages: Vec<Stage>, parameters: HashMap<Tensor, Vec<f64>>) -> Self {
        WideModel { stages, parameters }
    }

    /// The value of an element.
    pub(super) fn value(&self, place: Place) -> f64 {
        self.parameters[&place.parameter][place.index]
    }

    /// Runs `x` through all stages.
    pub(super) fn forward(&self, x: Values) -> Trace {
        let mut trace = Trace { values: vec![x], path: Path::default(), begins: Vec::new() };
        let is_trained = |stage: &Stage| self.parameters.keys().any(|&known| uses(stage, known));
        let untrained = self.stages.iter().take_while(|stage| !is_trained(stage)).count();
        for (index, stage) in self.stages.iter().enumerate() {
            if index == untrained {
                trace.path.reach_parameters();
            }
            trace.begins.push(trace.path.position());
            let y = self.stage(stage, &trace.values[index], &mut trace.path);
            trace.values.push(y);
        }
        trace
    }

    /// The logits after adding `change` to one element of a parameter, on the pieces recorded in
    /// `trace`.
    pub(super) fn with_change(&mut self, place: Place, change: f64, trace: &mut Trace) -> Values {
        let Place { parameter, index } = place;
        let known = |stage: &Stage| uses(stage, parameter);
        let changed = self.stages.iter().position(known).expect("the parameter is of a stage");
        let before = self.value(place);
        self.value_mut(place, before + change);
        let x = &trace.values[changed];
        trace.path.seek(trace.begins[changed]);
        let stage = &self.stages[changed];
        let mut y = match stage {
            Stage::Residual { .. } => self.stage(stage, x, &mut trace.path),
            // An element of a parameter affects only one output channel of its stage.
            _ => {
                let mut y = trace.values[changed + 1].clone();
                let channel = index / (parameter.len() / y.channels());
                y.set_channel(channel, self.channel(stage, x, channel));
                y
            }
        };
        for stage in &self.stages[changed + 1..] {
            y = self.stage(stage, &y, &mut trace.path);
        }
        self.value_mut(place, before);
        y
    }

    fn value_mut(&mut self, Place { parameter, index }: Place, value: f64) {
        self.parameters.get_mut(&parameter).expect("the parameter is of a stage")[index] = value;
    }

    fn through(&self, stages: &[Stage], x: &Values, path: &mut Path) -> Values {
        stages.iter().fold(x.clone(), |x, stage| self.stage(stage, &x, path))
    }

    /// The output of a stage for the input `x`.
    fn stage(&self, stage: &Stage, x: &Values, path: &mut Path) -> Values {
        match stage {
            Stage::Linear { bias, .. } => self.channels(stage, x, Size::Row(bias.len())),
            Stage::Conv { weight, window, .. } => {
                self.channels(stage, x, x.size_under(*window, weight.shape().sizes()[0]))
            }
            Stage::BatchNorm { .. } => self.channels(stage, x, x.size),
            Stage::MaxPool(window) => x.picked(*window, path.next(|| Pieces::of_largest(x, *window))),
            Stage::AveragePool(window) => x.averaged(*window),
            Stage::Flatten => Values { size: Size::Row(x.size.values()), ..x.clone() },
            Stage::Relu => sided(x, 0.0, path),
            Stage::LeakyRelu { slope } => sided(x, f64::from(*slope), path),
            Stage::Gelu => x.each(|x| x * 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)),
            Stage::Scale { factor } => x.each(|x| f64::from(*factor) * x),
            Stage::Identity => x.clone(),
            Stage::Residual { body, shortcut } => {
                let (mut y, around) = (self.through(body, x, path), self.through(shortcut, x, path));
                y.values.iter_mut().zip(around.values).for_each(|(y, around)| *y += around);
                y
            }
        }
    }

    /// The output of a stage with parameters, computed channel by channel.
    fn channels(&self, stage: &Stage, x: &Values, size: Size) -> Values {
        let images = x.images().count();
        let mut y = Values { size, values: vec![0.0; images * size.values()] };
        for channel in 0..y.channels() {
            y.set_channel(channel, self.channel(stage, x, channel));
        }
        y
    }

    /// One output channel of a stage with parameters.
    fn channel(&self, stage: &Stage, x: &Values, channel: usize) -> Vec<f64> {
        let row = |tensor: &Tensor| {
            let length = tensor.len() / tensor.shape().sizes()[0];
            &self.parameters[tensor][channel * length..][..length]
        };
        match stage {
            Stage::Linear { weight, bias } => x.unit(row(weight), row(bias)[0]),
            Stage::Conv { weight, bias, window } => {
                x.filtered(*window, row(weight), bias.as_ref().map_or(0.0, |bias| row(bias)[0]))
            }
            Stage::BatchNorm { weight, bias, epsilon, .. } => {
                x.normalised(channel, f64::from(*epsilon), row(weight)[0], row(bias)[0])
            }
            other => unreachable!("{other:?} has no parameters"),
        }
    }
}

/// `x` where it is positive, else `slope x`.
fn sided(x: &Values, slope: f64, path: &mut Path) -> Values {
    let sides = path.next(|| Pieces::of_sides(x));
    let values = x.values.iter().zip(sides).map(|(&x, &above)| if above == 1 { x } else { slope * x });
    Values { size: x.size, values: values.collect() }
}

/// Whether the stage, or one inside it, has this parameter.
fn uses(stage: &Stage, parameter: Tensor) -> bool {
    match stage {
        Stage::Linear { weight, bias } | Stage::BatchNorm { weight, bias, .. } => {
            [*weight, *bias].contains(&parameter)
        }
        Stage::Conv { weight, bias, .. } => *weight == parameter || *bias == Some(parameter),
        Stage::Residual { body, shortcut } => body.iter().chain(shortcut).any(|stage| uses(stage, parameter)),
        _ => false,
    }
}

impl Trace {
    pub(super) fn logits(&self) -> &Values {
        self.values.last().expect("a trace has an input")
    }

    /// For each image, whether one of its values is so close to a kink that the gradient is
    /// undefined.
    pub(super) fn at_kinks(&self) -> Vec<bool> {
        self.path.at_kinks(self.values[0].images().count())
    }
}

/// The training target: labels and label smoothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) labels: &'a [u32],
    /// Label smoothing factor.
    pub(super) smoothing: f64,
}

impl Target<'_> {
    /// The mean cross-entropy.
    pub(super) fn loss(self, logits: &Values) -> f64 {
        let Target { labels, smoothing } = self;
        let losses = logits.images().zip(labels).map(|(logits, &label)| {
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
            let surprise = |logit: f64| largest + sum.ln() - logit;
            let mean = logits.iter().map(|&logit| surprise(logit)).sum::<f64>() / logits.len() as f64;
            (1.0 - smoothing) * surprise(logits[label as usize]) + smoothing * mean
        });
        losses.sum::<f64>() / labels.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::window::Window;
    use crate::plan::{Plan, Role};
    use crate::tensor::Element;

    fn at_kinks(
        stages: &[Stage],
        parameters: &[(Tensor, Vec<f64>)],
        size: Size,
        values: &[f64],
    ) -> Vec<bool> {
        let model = WideModel::new(stages.to_vec(), parameters.iter().cloned().collect());
        model.forward(Values { size, values: values.to_vec() }).at_kinks()
    }

    #[test]
    fn images_at_a_kink_are_found() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let (weight, bias) = (declare(&[2, 1]), declare(&[2]));
        let linear = Stage::Linear { weight, bias };
        let parameters = [(weight, vec![1.0, -1.0]), (bias, vec![0.0, 0.5])];
        let images = [1.0, 0.5, 0.5 + 1e-7, 0.5 + 1e-3, -1e-9];
        for behind in [Stage::Relu, Stage::LeakyRelu { slope: 0.1 }] {
            let body = vec![behind.clone(), Stage::Relu];
            let inside = Stage::Residual { body, shortcut: Vec::new() };
            // No gradient depends on a ReLU before the first parameter.
            for stages in [[Stage::Relu, linear.clone(), behind], [Stage::Relu, linear.clone(), inside]] {
                let found = at_kinks(&stages, &parameters, Size::Row(1), &images);
                assert_eq!(found, [false, false, true, false, false], "{stages:?}");
            }
        }
    }

    #[test]
    fn max_pools_are_at_a_kink_where_two_cells_are_nearly_the_largest() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let weight = declare(&[1, 1, 1, 1]);
        let conv = Stage::Conv { weight, bias: None, window: Window::square(1, 1, 0) };
        let stages = [conv, Stage::MaxPool(Window::square(2, 1, 0))];
        let size = Size::Map { height: 2, width: 3, channels: 1 };
        let images = [
            [3.0, 1.0, 0.0, 2.0, 0.0, 5.0],
            // Equal pixels give equal values, whatever the weights.
            [3.0, 3.0, 0.0, 3.0, 0.0, 5.0],
            [3.0, 1.0, 5.0, 2.0, 0.0, 5.0 - 1e-7],
            [1.0, 1.0 + 1e-7, 4.0, 2.0, 0.0, 5.0],
        ];
        let found = at_kinks(&stages, &[(weight, vec![1.5])], size, &images.concat());
        assert_eq!(found, [false, false, true, false]);
    }
}

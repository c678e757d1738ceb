//! The forward pass of a model in float64, in training mode: the reference of a gradient check.

use std::collections::HashMap;

use super::pieces::{Path, Pieces};
use super::values::Values;
use crate::nn::{Module, PoolKind, Size};
use crate::ops::activation::Activation;
use crate::tensor::Tensor;

/// The stages of a model with the values of their parameters.
#[derive(Debug)]
pub(super) struct WideModel {
    modules: Vec<Module>,
    parameters: HashMap<Tensor, Vec<f64>>,
}

/// The activations of a forward pass, and the pieces that it used.
#[derive(Debug)]
pub(super) struct Trace {
    /// The input of every module, then the logits.
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
    /// The model of `modules`, whose parameters have these values.
    pub(super) fn new(modules: Vec<Module>, parameters: HashMap<Tensor, Vec<f64>>) -> Self {
        WideModel { modules, parameters }
    }

    pub(super) fn value(&self, place: Place) -> f64 {
        self.parameters[&place.parameter][place.index]
    }

    /// Runs `x` through all modules.
    pub(super) fn forward(&self, x: Values) -> Trace {
        let mut trace = Trace { values: vec![x], path: Path::default(), begins: Vec::new() };
        let is_trained = |module: &Module| self.parameters.keys().any(|&known| uses(module, known));
        let untrained = self.modules.iter().take_while(|module| !is_trained(module)).count();
        for (index, module) in self.modules.iter().enumerate() {
            if index == untrained {
                trace.path.reach_parameters();
            }
            trace.begins.push(trace.path.position());
            let y = self.module(module, &trace.values[index], &mut trace.path);
            trace.values.push(y);
        }
        trace
    }

    /// The logits after adding `change` to one element of a parameter, on the pieces recorded in
    /// `trace`.
    pub(super) fn with_change(&mut self, place: Place, change: f64, trace: &mut Trace) -> Values {
        let Place { parameter, index } = place;
        let known = |module: &Module| uses(module, parameter);
        let changed = self.modules.iter().position(known).expect("the parameter is of a module");
        let before = self.value(place);
        self.value_mut(place, before + change);
        let x = &trace.values[changed];
        trace.path.seek(trace.begins[changed]);
        let module = &self.modules[changed];
        let mut y = match module {
            Module::Residual { .. } => self.module(module, x, &mut trace.path),
            // A value belongs to one channel of its module's output.
            _ => {
                let mut y = trace.values[changed + 1].clone();
                let channel = index / (parameter.len() / y.channels());
                y.set_channel(channel, self.channel(module, x, channel));
                y
            }
        };
        for module in &self.modules[changed + 1..] {
            y = self.module(module, &y, &mut trace.path);
        }
        self.value_mut(place, before);
        y
    }

    fn value_mut(&mut self, Place { parameter, index }: Place, value: f64) {
        self.parameters.get_mut(&parameter).expect("the parameter is of a module")[index] = value;
    }

    fn through(&self, modules: &[Module], x: &Values, path: &mut Path) -> Values {
        modules.iter().fold(x.clone(), |x, module| self.module(module, &x, path))
    }

    fn module(&self, module: &Module, x: &Values, path: &mut Path) -> Values {
        match module {
            Module::Linear { bias, .. } => self.channels(module, x, Size::Row(bias.len())),
            Module::Conv { weight, window, .. } => {
                self.channels(module, x, x.size_under(*window, weight.shape().sizes()[0]))
            }
            Module::BatchNorm { .. } => self.channels(module, x, x.size),
            Module::Pool(PoolKind::Max, window) => {
                x.picked(*window, path.next(|| Pieces::of_largest(x, *window)))
            }
            Module::Pool(PoolKind::Average, window) => x.averaged(*window),
            Module::Flatten => Values { size: Size::Row(x.size.values()), ..x.clone() },
            Module::Activation(activation) => activated(x, *activation, path),
            Module::Identity => x.clone(),
            Module::Residual { body, shortcut } => {
                let (mut y, around) = (self.through(body, x, path), self.through(shortcut, x, path));
                y.values.iter_mut().zip(around.values).for_each(|(y, around)| *y += around);
                y
            }
        }
    }

    /// The output of a module with parameters for `x`, channel by channel.
    fn channels(&self, module: &Module, x: &Values, size: Size) -> Values {
        let images = x.images().count();
        let mut y = Values { size, values: vec![0.0; images * size.values()] };
        for channel in 0..y.channels() {
            y.set_channel(channel, self.channel(module, x, channel));
        }
        y
    }

    /// One channel of the output of a module with parameters for `x`.
    fn channel(&self, module: &Module, x: &Values, channel: usize) -> Vec<f64> {
        let row = |tensor: &Tensor| {
            let length = tensor.len() / tensor.shape().sizes()[0];
            &self.parameters[tensor][channel * length..][..length]
        };
        match module {
            Module::Linear { weight, bias } => x.unit(row(weight), row(bias)[0]),
            Module::Conv { weight, bias, window } => {
                x.filtered(*window, row(weight), bias.as_ref().map_or(0.0, |bias| row(bias)[0]))
            }
            Module::BatchNorm { weight, bias, epsilon, .. } => {
                x.normalised(channel, f64::from(*epsilon), row(weight)[0], row(bias)[0])
            }
            other => unreachable!("{other:?} has no parameters"),
        }
    }
}

/// An activation of every value, on the pieces that the path has for one with kinks.
fn activated(x: &Values, activation: Activation, path: &mut Path) -> Values {
    let kinks = activation.kinks();
    if kinks.is_empty() {
        return x.each(|x| activation.exact(x, 0));
    }
    let pieces = path.next(|| Pieces::of_sides(x, kinks));
    let values = x.values.iter().zip(pieces).map(|(&x, &piece)| activation.exact(x, piece));
    Values { size: x.size, values: values.collect() }
}

/// Whether the module, or one inside it, is trained in this parameter.
fn uses(module: &Module, parameter: Tensor) -> bool {
    match module {
        Module::Linear { weight, bias } | Module::BatchNorm { weight, bias, .. } => {
            [*weight, *bias].contains(&parameter)
        }
        Module::Conv { weight, bias, .. } => *weight == parameter || *bias == Some(parameter),
        Module::Residual { body, shortcut } => {
            body.iter().chain(shortcut).any(|module| uses(module, parameter))
        }
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
        modules: &[Module],
        parameters: &[(Tensor, Vec<f64>)],
        size: Size,
        values: &[f64],
    ) -> Vec<bool> {
        let model = WideModel::new(modules.to_vec(), parameters.iter().cloned().collect());
        model.forward(Values { size, values: values.to_vec() }).at_kinks()
    }

    #[test]
    fn images_at_a_kink_are_found() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let (weight, bias) = (declare(&[2, 1]), declare(&[2]));
        let linear = Module::Linear { weight, bias };
        let parameters = [(weight, vec![1.0, -1.0]), (bias, vec![0.0, 0.5])];
        let images = [1.0, 0.5, 0.5 + 1e-7, 0.5 + 1e-3, -1e-9];
        let relu = Module::Activation(Activation::Relu);
        for behind in [relu.clone(), Module::Activation(Activation::LeakyRelu { slope: 0.1 })] {
            let body = vec![behind.clone(), relu.clone()];
            let inside = Module::Residual { body, shortcut: Vec::new() };
            // No gradient depends on a ReLU before the first parameter.
            for modules in [[relu.clone(), linear.clone(), behind], [relu.clone(), linear.clone(), inside]] {
                let found = at_kinks(&modules, &parameters, Size::Row(1), &images);
                assert_eq!(found, [false, false, true, false, false], "{modules:?}");
            }
        }
    }

    #[test]
    fn images_at_any_kink_of_an_activation_are_found() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let (weight, bias) = (declare(&[1, 1]), declare(&[1]));
        let modules = [Module::Linear { weight, bias }, Module::Activation(Activation::Relu6)];
        let parameters = [(weight, vec![1.0]), (bias, vec![0.0])];
        let found = at_kinks(&modules, &parameters, Size::Row(1), &[5.0, 6.0 + 1e-6, 6.01, 1e-6]);
        assert_eq!(found, [false, true, false, true]);
    }

    #[test]
    fn max_pools_are_at_a_kink_where_two_cells_are_nearly_the_largest() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let weight = declare(&[1, 1, 1, 1]);
        let conv = Module::Conv { weight, bias: None, window: Window::square(1, 1, 0) };
        let modules = [conv, Module::Pool(PoolKind::Max, Window::square(2, 1, 0))];
        let size = Size::Map { height: 2, width: 3, channels: 1 };
        let images = [
            [3.0, 1.0, 0.0, 2.0, 0.0, 5.0],
            // Equal pixels give equal values, whatever the weights.
            [3.0, 3.0, 0.0, 3.0, 0.0, 5.0],
            [3.0, 1.0, 5.0, 2.0, 0.0, 5.0 - 1e-7],
            [1.0, 1.0 + 1e-7, 4.0, 2.0, 0.0, 5.0],
        ];
        let found = at_kinks(&modules, &[(weight, vec![1.5])], size, &images.concat());
        assert_eq!(found, [false, false, true, false]);
    }
}

//! A model's forward pass in float64, the slow and obvious way: what slopes are taken of.

use crate::layers::Stage;
use crate::tensor::Tensor;

/// One step of the forward pass, with its values.
#[derive(Debug)]
enum Wide {
    Linear { parameters: [Tensor; 2], weight: Vec<f64>, bias: Vec<f64> },
    Relu,
}

/// The stages of a model, for a batch of images.
#[derive(Debug)]
pub(super) struct WideModel {
    stages: Vec<Wide>,
}

/// What a forward pass went through: the input of every stage, then the logits.
#[derive(Debug)]
pub(super) struct Trace {
    values: Vec<Vec<f64>>,
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) parameter: Tensor,
    pub(super) index: usize,
}

/// How near to zero, beside the largest value of its layer, the input of a ReLU may not be: there float32 and
/// float64 may disagree on its side, and no slope is a gradient.
const MARGIN: f64 = 1e-5;

impl WideModel {
    /// The model of `stages`, whose parameters have these values.
    pub(super) fn new(stages: &[Stage], mut values: impl FnMut(Tensor) -> Vec<f64>) -> Self {
        let widened = stages.iter().map(|stage| match *stage {
            Stage::Linear { weight, bias } => {
                Wide::Linear { parameters: [weight, bias], weight: values(weight), bias: values(bias) }
            }
            Stage::Relu => Wide::Relu,
            ref other => unimplemented!("{other:?}"),
        });
        WideModel { stages: widened.collect() }
    }

    /// Runs `x`, images one after the other, through all stages.
    pub(super) fn forward(&self, x: Vec<f64>, rows: usize) -> Trace {
        let mut trace = Trace { values: vec![x] };
        self.extend(&mut trace, rows);
        trace
    }

    /// Runs what the trace has so far through the stages that are left.
    fn extend(&self, trace: &mut Trace, rows: usize) {
        for stage in &self.stages[trace.values.len() - 1..] {
            let x = trace.values.last().expect("a trace has an input");
            let y = match stage {
                Wide::Linear { weight, bias, .. } => {
                    let outputs = 0..bias.len();
                    let row = |x| outputs.clone().map(move |output| unit(weight, bias, x, output));
                    x.chunks_exact(x.len() / rows).flat_map(row).collect()
                }
                Wide::Relu => x.iter().map(|&value| if value > 0.0 { value } else { 0.0 }).collect(),
            };
            trace.values.push(y);
        }
    }

    /// The forward pass again, with one value of a parameter changed by `change`. A value belongs to one output of its
    /// stage, so nothing before that is computed again.
    pub(super) fn with_change(&mut self, place: Place, change: f64, trace: &Trace, rows: usize) -> Trace {
        let before = self.value(place);
        *self.value_mut(place) = before + change;
        let (stage, output) = self.output_of(place);
        let Wide::Linear { weight, bias, .. } = &self.stages[stage] else {
            unreachable!("only linear stages have parameters")
        };
        let mut values = trace.values[..=stage + 1].to_vec();
        let (x, y) = (&trace.values[stage], &mut values[stage + 1]);
        for (x, y) in x.chunks_exact(x.len() / rows).zip(y.chunks_exact_mut(bias.len())) {
            y[output] = unit(weight, bias, x, output);
        }
        let mut changed = Trace { values };
        self.extend(&mut changed, rows);
        *self.value_mut(place) = before;
        changed
    }

    /// A parameter's value.
    pub(super) fn value(&self, Place { parameter, index }: Place) -> f64 {
        let found = self.stages.iter().find_map(|stage| match stage {
            Wide::Linear { parameters, weight, bias } => {
                parameters.iter().position(|&known| known == parameter).map(|which| [weight, bias][which])
            }
            Wide::Relu => None,
        });
        found.expect("the parameter is of a stage")[index]
    }

    fn value_mut(&mut self, Place { parameter, index }: Place) -> &mut f64 {
        let found = self.stages.iter_mut().find_map(|stage| match stage {
            Wide::Linear { parameters: [known, _], weight, .. } if *known == parameter => Some(weight),
            Wide::Linear { parameters: [_, known], bias, .. } if *known == parameter => Some(bias),
            _ => None,
        });
        &mut found.expect("the parameter is of a stage")[index]
    }

    /// The stage that a value belongs to, and which of its outputs.
    fn output_of(&self, Place { parameter, index }: Place) -> (usize, usize) {
        let found = self.stages.iter().enumerate().find_map(|(position, stage)| match stage {
            Wide::Linear { parameters: [known, _], weight, bias } if *known == parameter => {
                Some((position, index / (weight.len() / bias.len())))
            }
            Wide::Linear { parameters: [_, known], .. } if *known == parameter => Some((position, index)),
            _ => None,
        });
        found.expect("the parameter is of a stage")
    }

    /// Whether every ReLU that a gradient passes is clearly on one of its two sides.
    pub(super) fn is_smooth(&self, trace: &Trace) -> bool {
        let first = self.stages.iter().position(|stage| matches!(stage, Wide::Linear { .. })).unwrap_or(0);
        let relus =
            self.stages.iter().enumerate().skip(first).filter(|(_, stage)| matches!(stage, Wide::Relu));
        relus.map(|(position, _)| &trace.values[position]).all(|x| {
            let largest = x.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            // Exactly zero is what another ReLU left.
            x.iter().all(|&value| value == 0.0 || value.abs() > MARGIN * largest)
        })
    }

    /// Whether two passes have all ReLUs on the same sides.
    pub(super) fn same_sides(&self, one: &Trace, other: &Trace) -> bool {
        let relus = self.stages.iter().enumerate().filter(|(_, stage)| matches!(stage, Wide::Relu));
        relus
            .map(|(position, _)| [&one.values[position], &other.values[position]])
            .all(|[one, other]| one.iter().zip(other).all(|(one, other)| (*one > 0.0) == (*other > 0.0)))
    }
}

fn unit(weight: &[f64], bias: &[f64], x: &[f64], output: usize) -> f64 {
    let weights = &weight[output * x.len()..][..x.len()];
    bias[output] + x.iter().zip(weights).map(|(x, weight)| x * weight).sum::<f64>()
}

impl Trace {
    /// The mean cross-entropy, where all classes alike have the share `smoothing` of the target.
    pub(super) fn loss(&self, labels: &[u32], smoothing: f64) -> f64 {
        let logits = self.values.last().expect("a trace ends in logits");
        let rows = logits.chunks_exact(logits.len() / labels.len());
        let losses = rows.zip(labels).map(|(logits, &label)| {
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
    use crate::plan::{Plan, Role};
    use crate::tensor::Element;

    #[test]
    fn images_at_a_kink_are_not_smooth() {
        let mut plan = Plan::new();
        let mut declare = |shape: &[usize]| plan.declare("parameter", Role::Parameter, Element::F32, shape);
        let (weight, bias) = (declare(&[2, 1]), declare(&[2]));
        let stages = [Stage::Relu, Stage::Linear { weight, bias }, Stage::Relu, Stage::Relu];
        let model =
            WideModel::new(&stages, |tensor| if tensor == weight { vec![1.0, -1.0] } else { vec![0.0, 0.5] });
        for (x, smooth) in [(1.0, true), (0.5, true), (0.5 + 1e-7, false), (0.5 + 1e-3, true), (-1e-9, true)]
        {
            let trace = model.forward(vec![x], 1);
            assert_eq!(model.is_smooth(&trace), smooth, "{x}: {trace:?}");
        }
        let [one, other] = [0.4, 0.6].map(|x| model.forward(vec![x], 1));
        assert!(model.same_sides(&one, &one) && !model.same_sides(&one, &other));
    }
}

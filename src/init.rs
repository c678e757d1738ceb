//! The first weights of a run.

use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::config::InitRule;
use crate::rng::{Purpose, Stream};

/// The values of one of a layer's trained tensors.
///
/// `index` is the parameter's position in the model and picks its random numbers.
pub fn values(rule: InitRule, seed: u64, index: u32, parameter: Start) -> Vec<f32> {
    let Start { kind, count, fan_in, fan_out } = parameter;
    let stream = Stream::new(seed, Purpose::Init, index);
    let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
    match (kind, rule) {
        (ParameterKind::Weight, InitRule::He) => normal(stream, count, (2.0 / fan_in).sqrt()),
        (ParameterKind::Weight, InitRule::Normal) => normal(stream, count, 1.0),
        (ParameterKind::Weight, InitRule::Xavier) => {
            uniform(stream, count, (6.0 / (fan_in + fan_out)).sqrt())
        }
        (ParameterKind::Weight, InitRule::Pytorch) => uniform(stream, count, 1.0 / fan_in.sqrt()),
        (ParameterKind::Bias, InitRule::Pytorch) => uniform(stream, count, 1.0 / fan_in.sqrt()),
        (ParameterKind::Bias | ParameterKind::Shift, _) => vec![0.0; count],
        (ParameterKind::Gain, _) => vec![1.0; count],
    }
}

/// What the first values of a trained tensor depend on.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// What the tensor is to its layer.
    pub kind: ParameterKind,
    /// Number of values.
    pub count: usize,
    /// Values that one output of the layer is made of.
    pub fan_in: usize,
    /// Outputs that one value goes into.
    pub fan_out: usize,
}

/// What a parameter is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Multiplied with the input; the L2 penalty counts it.
    Weight,
    /// Added to the output.
    Bias,
    /// A norm's weight: what a normalised channel is multiplied with.
    Gain,
    /// A norm's bias: what is added to a normalised channel.
    Shift,
}

fn normal(mut stream: Stream, count: usize, deviation: f64) -> Vec<f32> {
    let mut draw = || -> f64 { StandardNormal.sample(&mut stream) };
    (0..count).map(|_| (draw() * deviation) as f32).collect()
}

fn uniform(mut stream: Stream, count: usize, bound: f64) -> Vec<f32> {
    let range = Uniform::new_inclusive(-bound, bound).expect("the bound is finite and not negative");
    (0..count).map(|_| range.sample(&mut stream) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of 100,000 draws: within five standard errors of what the rule promises.
    #[test]
    fn rules_have_their_moments() {
        let (inputs, outputs) = (400, 250);
        let cases = [
            (InitRule::He, 2.0 / 400.0),
            (InitRule::Normal, 1.0),
            (InitRule::Xavier, 2.0 / 650.0),
            (InitRule::Pytorch, 1.0 / (3.0 * 400.0)),
        ];
        for (rule, variance) in cases {
            let count = inputs * outputs;
            let start = Start { kind: ParameterKind::Weight, count, fan_in: inputs, fan_out: outputs };
            let values = values(rule, 5, 0, start);
            assert_eq!(values.len(), inputs * outputs);
            let count = values.len() as f64;
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
            let square = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / count;
            assert!(mean.abs() <= 5.0 * (variance / count).sqrt(), "{rule:?}: mean {mean}");
            assert!((square / variance - 1.0).abs() <= 0.03, "{rule:?}: variance {square}");
        }
    }

    #[test]
    fn biases_start_as_zeros_but_for_pytorch() {
        let start = Start { kind: ParameterKind::Bias, count: 1000, fan_in: 16, fan_out: 1000 };
        let bias = |rule| values(rule, 5, 1, start);
        assert!(bias(InitRule::He).iter().all(|&value| value == 0.0));
        let pytorch = bias(InitRule::Pytorch);
        assert!(pytorch.iter().any(|&value| value != 0.0));
        assert!(pytorch.iter().all(|&value| value.abs() <= 0.25));
    }
}

//! The first weights of a run.

use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::config::InitRule;
use crate::rng::{Purpose, Stream};

/// The values of one layer's weight or bias.
///
/// `index` is the parameter's position in the model and picks its random numbers; `inputs` and
/// `outputs` are the sizes of its layer.
pub fn values(
    rule: InitRule,
    seed: u64,
    index: u32,
    kind: ParameterKind,
    inputs: usize,
    outputs: usize,
) -> Vec<f32> {
    let stream = Stream::new(seed, Purpose::Init, index);
    let fan_in = inputs as f64;
    match (kind, rule) {
        (ParameterKind::Weight, InitRule::He) => normal(stream, inputs * outputs, (2.0 / fan_in).sqrt()),
        (ParameterKind::Weight, InitRule::Normal) => normal(stream, inputs * outputs, 1.0),
        (ParameterKind::Weight, InitRule::Xavier) => {
            uniform(stream, inputs * outputs, (6.0 / (fan_in + outputs as f64)).sqrt())
        }
        (ParameterKind::Weight, InitRule::Pytorch) => uniform(stream, inputs * outputs, 1.0 / fan_in.sqrt()),
        (ParameterKind::Bias, InitRule::Pytorch) => uniform(stream, outputs, 1.0 / fan_in.sqrt()),
        (ParameterKind::Bias, _) => vec![0.0; outputs],
    }
}

/// What a parameter is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Multiplied with the input; the L2 penalty counts it.
    Weight,
    /// Added to the output.
    Bias,
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
            let values = values(rule, 5, 0, ParameterKind::Weight, inputs, outputs);
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
        let bias = |rule| values(rule, 5, 1, ParameterKind::Bias, 16, 1000);
        assert!(bias(InitRule::He).iter().all(|&value| value == 0.0));
        let pytorch = bias(InitRule::Pytorch);
        assert!(pytorch.iter().any(|&value| value != 0.0));
        assert!(pytorch.iter().all(|&value| value.abs() <= 0.25));
    }
}

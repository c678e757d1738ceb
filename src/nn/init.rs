//! Initial weights.
//!
//! ```
//! use shadegrad::nn::InitRule;
//! use shadegrad::nn::init::{ParameterKind, Start, values};
//!
//! let kind = ParameterKind::Weight;
//! let start = Start { kind, shape: [10, 64].into(), fan_in: 64, fan_out: 10, is_last: true };
//! let weight = values(InitRule::Pytorch, 7, 0, start);
//! assert!(weight.iter().all(|value| value.abs() <= 1.0 / 8.0));
//! ```

use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::rng::{Purpose, Stream};
use crate::tensor::Shape;
use crate::text::named::named;

named! {
    /// A distribution of initial weights.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum InitRule {
        /// Normal with variance 2 / inputs (He et al. 2015, section 2.2); biases are zeros.
        He = "he",
        /// Uniform with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, eq. 16); biases
        /// are zeros.
        Xavier = "xavier",
        /// Weights and biases uniform in ±1/sqrt(inputs), as in PyTorch's `nn.Linear`.
        Pytorch = "pytorch",
        /// PyTorch's rule, except that the first filters of a convolution, one for each input
        /// channel, are identities, and the last weight has standard deviation 1 (Jordan 2024, "94%
        /// on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.3).
        Dirac = "dirac",
        /// Standard normal weights for layers of any size; biases are zeros.
        Normal = "normal",
    }
}

/// Returns the initial values of a parameter. `index` is its position in the model, which selects
/// its random numbers.
pub fn values(rule: InitRule, seed: u64, index: u32, parameter: Start) -> Vec<f32> {
    let Start { kind, shape, fan_in, fan_out, is_last } = parameter;
    let count = shape.len();
    let stream = Stream::new(seed, Purpose::Init, index);
    let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
    match (kind, rule) {
        (ParameterKind::Weight, InitRule::He) => normal(stream, count, (2.0 / fan_in).sqrt()),
        (ParameterKind::Weight, InitRule::Normal) => normal(stream, count, 1.0),
        (ParameterKind::Weight, InitRule::Xavier) => {
            uniform(stream, count, (6.0 / (fan_in + fan_out)).sqrt())
        }
        (ParameterKind::Weight, InitRule::Pytorch) => uniform(stream, count, 1.0 / fan_in.sqrt()),
        (ParameterKind::Weight, InitRule::Dirac) => {
            let values = uniform(stream, count, 1.0 / fan_in.sqrt());
            match *shape.sizes() {
                [filters, height, width, channels] => {
                    with_identities(values, [filters, height, width, channels])
                }
                _ if is_last => with_deviation_one(values),
                _ => values,
            }
        }
        (ParameterKind::Bias, InitRule::Pytorch | InitRule::Dirac) => {
            uniform(stream, count, 1.0 / fan_in.sqrt())
        }
        (ParameterKind::Bias | ParameterKind::NormBias, _) => vec![0.0; count],
        (ParameterKind::NormWeight, _) => vec![1.0; count],
    }
}

/// The properties of a parameter that its initial values depend on.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The role of the parameter in its layer.
    pub kind: ParameterKind,
    /// Shape of the tensor; the weight of a convolution is `[filters, height, width, channels]`.
    pub shape: Shape,
    /// Number of inputs of each output.
    pub fan_in: usize,
    /// Number of outputs that use each input.
    pub fan_out: usize,
    /// Whether it is the last weight of the model.
    pub is_last: bool,
}

/// The role of a parameter in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Multiplied with the input, and included in the L2 penalty.
    Weight,
    /// Added to the output.
    Bias,
    /// The weight of a norm: the factor of a normalised channel.
    NormWeight,
    /// The bias of a norm: added to a normalised channel.
    NormBias,
}

fn normal(mut stream: Stream, count: usize, deviation: f64) -> Vec<f32> {
    let mut draw = || -> f64 { StandardNormal.sample(&mut stream) };
    (0..count).map(|_| (draw() * deviation) as f32).collect()
}

fn uniform(mut stream: Stream, count: usize, bound: f64) -> Vec<f32> {
    let range = Uniform::new_inclusive(-bound, bound).expect("the bound is finite and not negative");
    (0..count).map(|_| range.sample(&mut stream) as f32).collect()
}

/// Replaces the first filters of a convolution, one for each channel, by identities, as PyTorch's
/// `dirac_` does.
fn with_identities(mut values: Vec<f32>, [filters, height, width, channels]: [usize; 4]) -> Vec<f32> {
    let middle = height / 2 * width + width / 2;
    let identities = filters.min(channels);
    for (index, filter) in values.chunks_exact_mut(height * width * channels).take(identities).enumerate() {
        filter.fill(0.0);
        filter[middle * channels + index] = 1.0;
    }
    values
}

/// Divides `values` by their sample standard deviation (as PyTorch's `std`).
fn with_deviation_one(values: Vec<f32>) -> Vec<f32> {
    let wide = || values.iter().map(|&value| f64::from(value));
    let mean = wide().sum::<f64>() / values.len() as f64;
    let square = wide().map(|value| (value - mean).powi(2)).sum::<f64>();
    let deviation = (square / (values.len() as f64 - 1.0)).sqrt();
    if deviation > 0.0 { wide().map(|value| (value / deviation) as f32).collect() } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks mean and variance of 100,000 draws: within five standard errors of the rule's values.
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
            let (kind, shape) = (ParameterKind::Weight, [outputs, inputs].into());
            let start = Start { kind, shape, fan_in: inputs, fan_out: outputs, is_last: false };
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
    fn dirac_hands_channels_on_and_scales_the_last_weight() {
        let kind = ParameterKind::Weight;
        for (filters, channels) in [(5, 3), (3, 5)] {
            let shape = [filters, 3, 3, channels].into();
            let start = Start { kind, shape, fan_in: 9 * channels, fan_out: 9 * filters, is_last: false };
            let [dirac, pytorch] = [InitRule::Dirac, InitRule::Pytorch].map(|rule| values(rule, 5, 0, start));
            for (index, value) in dirac.into_iter().enumerate() {
                let (filter, cell, channel) =
                    (index / (9 * channels), index / channels % 9, index % channels);
                let wanted = match filter < channels {
                    true => f32::from(u8::from(cell == 4 && channel == filter)),
                    false => pytorch[index],
                };
                assert_eq!(value, wanted, "{filter} {cell} {channel}");
            }
        }
        let last = Start { kind, shape: [10, 256].into(), fan_in: 256, fan_out: 10, is_last: true };
        let values = values(InitRule::Dirac, 5, 0, last);
        let square = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / 2559.0;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / 2560.0;
        assert!((square - mean * mean * 2560.0 / 2559.0 - 1.0).abs() < 1e-6, "{square}");
    }

    #[test]
    fn biases_start_as_zeros_but_for_pytorch() {
        let (kind, shape) = (ParameterKind::Bias, [1000].into());
        let start = Start { kind, shape, fan_in: 16, fan_out: 1000, is_last: false };
        let bias = |rule| values(rule, 5, 1, start);
        assert!(bias(InitRule::He).iter().all(|&value| value == 0.0));
        let pytorch = bias(InitRule::Pytorch);
        assert!(pytorch.iter().any(|&value| value != 0.0));
        assert!(pytorch.iter().all(|&value| value.abs() <= 0.25));
    }
}

//! The steps of an optimizer's update: recorded tensors, and the same steps in float64.

use shadegrad::ops::Rate;
use shadegrad::plan::StepRecord;
use shadegrad::tensor::Tensor;

use crate::bench::{Bench, PLAIN_RUN, widen};
use crate::compare::Tolerance;

/// Learning rates of successive steps.
pub const RATES: [f32; 3] = [0.125, 0.1, 0.01];

/// Learning rates of a parameter group: a factor, and linear decays that end within those steps and
/// after them.
pub const OWN: [Rate; 4] = [
    Rate::Scaled(1.0),
    Rate::Scaled(0.3),
    Rate::Linear { first: 0.2, steps: 1.5 },
    Rate::Linear { first: 0.1, steps: 7.0 },
];

/// Records of those steps.
pub fn steps() -> [StepRecord; 3] {
    [0, 1, 2].map(|step| StepRecord { learning_rate: RATES[step], step: step as u32, ..PLAIN_RUN })
}

/// A parameter's learning rate in each step.
pub fn own_rates(own: Rate) -> [f64; 3] {
    [0, 1, 2].map(|step| match own {
        Rate::Scaled(factor) => f64::from(factor) * f64::from(RATES[step]),
        Rate::Linear { first, steps } => f64::from(first) * (1.0 - step as f64 / f64::from(steps)).max(0.0),
    })
}

/// A parameter and its optimizer state, with the values before the first step.
pub struct Kept<const N: usize> {
    pub tensors: [Tensor; N],
    pub start: [Vec<f32>; N],
}

impl<const N: usize> Kept<N> {
    /// Declares them with these names.
    pub fn new(bench: &mut Bench, shape: &[usize], names: [&str; N], start: [Vec<f32>; N]) -> Self {
        let mut named = names.into_iter().zip(&start);
        let tensors = names.map(|_| {
            let (name, values) = named.next().expect("as many names as values");
            bench.parameter(name, shape, values)
        });
        Kept { tensors, start }
    }

    /// Expects them to be where `step` takes them in float64. It receives the index of the step,
    /// the learning rate, the values and the gradient `dw`.
    pub fn expect(
        self,
        bench: &mut Bench,
        tolerances: [Tolerance; N],
        rate: Rate,
        dw: impl Fn() -> Vec<f64> + 'static,
        step: impl Fn(usize, f64, &mut [Vec<f64>; N], &[f64]) + 'static,
    ) {
        let Kept { tensors, start } = self;
        let names = tensors.map(|tensor| bench.plan.name(tensor).to_owned());
        let outputs = std::array::from_fn(|index| (&*names[index], tensors[index], tolerances[index]));
        bench.expect_each(outputs, move || {
            let (mut values, dw) = (start.map(|values| widen(&values)), dw());
            for (index, rate) in own_rates(rate).into_iter().enumerate() {
                step(index, rate, &mut values, &dw);
            }
            values
        });
    }
}

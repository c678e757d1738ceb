//! The CPU half of the matrix product: [`dot`] for form nt, [`outer`] for nn and tn.
//!
//! The products of training are small and skinny, and each has an epilogue. These kernels keep the
//! epilogue in registers and never pack or transpose a whole operand.
//!
//! Results are bitwise the same for any number of threads. They differ in rounding between
//! processors with vectors of different widths.

mod dot;
mod outer;
mod parallel;

use super::product::{Epilogue, Form, Product};
use crate::ops::column_sum;
use crate::ops::relu::relu;
use crate::ops::sgd::Momentum;
use crate::plan::{HostMemory, StepRecord};
use outer::{Finish, Steps};

pub(super) fn run(op: &Product, memory: &HostMemory, step: &StepRecord) {
    let size = op.size;
    let (a, b) = (&*memory.f32(op.a), &*memory.f32(op.b));
    let factor = op.factor(step);
    let scaled: Vec<f32>;
    let a = if factor == 1.0 {
        a
    } else {
        scaled = a.iter().map(|a| a * factor).collect();
        &scaled
    };
    let y = &mut *memory.f32_mut(op.y);
    if op.form == Form::Nt {
        return match op.epilogue {
            Epilogue::Bias { bias, relu: with_relu } => {
                let bias = &*memory.f32(bias);
                if with_relu {
                    dot::product(size, y, a, b, |column, sum| relu(sum + bias[column]));
                } else {
                    dot::product(size, y, a, b, |column, sum| sum + bias[column]);
                }
            }
            Epilogue::None => dot::product(size, y, a, b, |_, sum| sum),
            Epilogue::Mask(mask) => {
                dot::product(size, y, a, b, |_, sum| sum);
                for (y, &mask) in y.iter_mut().zip(&*memory.f32(mask)) {
                    *y = if mask > 0.0 { *y } else { 0.0 };
                }
            }
            Epilogue::Update { .. } | Epilogue::Change { .. } => unreachable!("recorded in form tn only"),
        };
    }
    let steps = match op.form {
        Form::Tn => Steps { row: 1, term: size.m },
        _ => Steps { row: size.k, term: 1 },
    };
    let product = |y: &mut [f32], finish| outer::product(size, y, a, steps, b, finish);
    match op.epilogue {
        Epilogue::None => product(y, Finish::Store),
        Epilogue::Mask(mask) => product(y, Finish::Mask(&memory.f32(mask))),
        Epilogue::Bias { bias, relu: with_relu } => {
            product(y, Finish::Store);
            add_bias(y, &memory.f32(bias), with_relu);
        }
        Epilogue::Change { decay } => {
            let kept = f64::from(step.learning_rate) * f64::from(decay);
            let decayed = 1.0 - (1.0 - kept).powi(step.rows as i32);
            product(y, Finish::Subtract { factor: 1.0, decayed: decayed as f32 });
        }
        Epilogue::Update { weight, bias } => {
            let (rate, decay) = (weight.rate.at(step), weight.decay);
            if let Some(bias) = bias {
                pulp::Arch::new().dispatch(|| {
                    column_sum::sums(a, size.m, |first, sums| bias.run(memory, step, first, sums));
                });
            }
            match weight.momentum {
                None => product(y, Finish::Subtract { factor: rate, decayed: rate * decay }),
                Some(Momentum { velocity, factor, nesterov }) => {
                    let velocity = &mut memory.f32_mut(velocity);
                    product(y, Finish::Momentum { velocity, rate, decay, factor, nesterov });
                }
            }
        }
    }
}

fn add_bias(y: &mut [f32], bias: &[f32], with_relu: bool) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &bias) in row.iter_mut().zip(bias) {
            let sum = *y + bias;
            *y = if with_relu { relu(sum) } else { sum };
        }
    }
}

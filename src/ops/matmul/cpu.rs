//! The CPU half of the matrix product, on the `gemm` crate.
//!
//! The update of a parameter costs no extra pass where it is plain SGD: `w = (1 - lr decay) w -
//! lr a^T b` is what a general matrix product computes. With momentum, the product is added to the
//! decayed velocity, and one pass over the weights follows.

use super::{Epilogue, Form, Matmul, Size};
use crate::host::HostMemory;
use crate::ops::relu::relu;
use crate::ops::sgd::{Momentum, Update};
use crate::plan::StepRecord;

/// Multiply-adds below which one thread is faster than two.
const PARALLEL_FROM: usize = 1 << 19;

pub(super) fn run(op: &Matmul, memory: &HostMemory, step: &StepRecord) {
    let (a, b) = (memory.f32(op.a), memory.f32(op.b));
    let multiply = |y: &mut [f32], keep: f32, factor: f32| {
        gemm(op.form, op.size(), y, keep, &a, &b, factor);
    };
    match op.epilogue {
        Epilogue::None => multiply(&mut memory.f32_mut(op.y), 0.0, 1.0),
        Epilogue::Bias { bias, relu } => {
            let y = &mut *memory.f32_mut(op.y);
            multiply(y, 0.0, 1.0);
            add_bias(y, &memory.f32(bias), relu);
        }
        Epilogue::Mask(mask) => {
            let y = &mut *memory.f32_mut(op.y);
            multiply(y, 0.0, 1.0);
            for (y, &mask) in y.iter_mut().zip(&*memory.f32(mask)) {
                *y = if mask > 0.0 { *y } else { 0.0 };
            }
        }
        Epilogue::Update(update) => {
            let w = &mut *memory.f32_mut(update.parameter);
            apply(update, w, memory, step.learning_rate, multiply);
        }
        Epilogue::Change { decay } => {
            let keep = (1.0 - f64::from(step.learning_rate * decay)).powi(step.rows as i32);
            multiply(&mut memory.f32_mut(op.y), keep as f32, -1.0);
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

/// Updates `w`, where `multiply(y, keep, factor)` computes `y = keep y + factor gradient`.
fn apply(
    update: Update,
    w: &mut [f32],
    memory: &HostMemory,
    rate: f32,
    multiply: impl Fn(&mut [f32], f32, f32),
) {
    let decay = update.decay;
    let Some(Momentum {
        velocity,
        factor,
        nesterov,
    }) = update.momentum
    else {
        return multiply(w, 1.0 - rate * decay, -rate);
    };
    let v = &mut *memory.f32_mut(velocity);
    if !nesterov {
        if decay != 0.0 {
            // factor v + (g + decay w): the decay goes in first, the product on top.
            for (v, &w) in v.iter_mut().zip(&*w) {
                *v = factor * *v + decay * w;
            }
            multiply(v, 1.0, 1.0);
        } else {
            multiply(v, factor, 1.0);
        }
        for (w, &v) in w.iter_mut().zip(&*v) {
            *w -= rate * v;
        }
        return;
    }
    // w - lr (g + factor v') with v' = factor v + g is w - lr ((1 + factor) v' - factor v):
    // the old velocity's share leaves w first, then v' comes in.
    for (w, v) in w.iter_mut().zip(&mut *v) {
        let old = *v;
        *v = factor * old + decay * *w;
        *w += rate * factor * old;
    }
    multiply(v, 1.0, 1.0);
    for (w, &v) in w.iter_mut().zip(&*v) {
        *w -= rate * (1.0 + factor) * v;
    }
}

/// `y = keep y + factor op(a) op(b)`; a `keep` of zero never reads `y`.
fn gemm(form: Form, size: Size, y: &mut [f32], keep: f32, a: &[f32], b: &[f32], factor: f32) {
    let Size { m, n, k } = size;
    assert!(y.len() == m * n && a.len() == m * k && b.len() == k * n);
    // Steps from one column and from one row to the next.
    let (a_column, a_row) = match form {
        Form::Nn | Form::Nt => (1, k),
        Form::Tn => (m, 1),
    };
    let (b_column, b_row) = match form {
        Form::Nn | Form::Tn => (1, n),
        Form::Nt => (k, 1),
    };
    let parallelism = if m * n * k < PARALLEL_FROM {
        gemm::Parallelism::None
    } else {
        gemm::Parallelism::Rayon(0)
    };
    // SAFETY: the assertion above and the strides keep every access inside the three slices; `y` is
    // borrowed mutably, so nothing else reads or writes it.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            y.as_mut_ptr(),
            1,
            n as isize,
            keep != 0.0,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            keep,
            factor,
            false,
            false,
            false,
            parallelism,
        );
    }
}

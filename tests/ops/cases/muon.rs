//! Cases of Muon: several steps of weights that are wide, tall, square and vectors, from velocities
//! that are not zero; and the polynomial by itself.

use shadegrad::ops::matmul::{Form, Size};
use shadegrad::ops::muon::{self, Update};
use shadegrad::ops::sgd::Momentum;

use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference::{self, sum_of_squares};
use crate::update_steps::{Kept, OWN, own_rates, steps};
use crate::wrong_kernels::{Edit, edits};

/// Momentum, whether it is Nesterov's, and weight decay.
const KINDS: [(f32, bool, f32); 4] =
    [(0.0, false, 0.0), (0.9, false, 0.0), (0.6, true, 0.0), (0.5, true, 0.25)];

/// The growth of a rounding error in three rounds of the polynomial. Its slope is at most 3.9 in
/// size for singular values up to 1.21, the largest that it makes of values up to 1, so an error in
/// one round grows to 3.9^2 + 3.9 + 1 = 20 times as much. A sum with a rounding error of its size
/// is multiplied by coefficients that are 3 in the root mean square.
const GROWTH: f64 = 60.0;

/// The longest sum in the products of a matrix of these sizes.
fn terms(shape: &[usize]) -> usize {
    shape[0].max(shape[1..].iter().product())
}

case!(Muon { shape: Vec<usize>, kind: (f32, bool, f32), own: usize, range: f32 }, |bench| {
    let (factor, nesterov, decay) = kind;
    let length = shape.iter().product();
    let [weights, velocities, gradients] = [(); 3].map(|()| bench.numbers.floats(length, range));
    let dw = bench.floats("dw", shape.as_slice(), &gradients);
    let kept = Kept::new(bench, &shape, ["w", "v"], [weights, velocities]);
    let [parameter, velocity] = kept.tensors;
    let momentum = Momentum { velocity, factor, nesterov };
    muon::step(bench.plan, Update { parameter, rate: OWN[own], decay, momentum }, dw);
    bench.run_with(&steps());

    let rows = shape[0];
    // The norm of the weight is the root of its rows; the largest element of its direction is
    // about 1.
    let moved: f64 = own_rates(OWN[own]).iter().sum();
    let of_w = 3.0 * (rows as f64).sqrt() + moved * GROWTH;
    // With decay it follows the weight, which has an ordinary size after the first step.
    let of_v = 8.0 * f64::from(range) + f64::from(decay) * of_w;
    let tolerances = [of_w, of_v].map(|largest| Tolerance::sum(terms(&shape), largest));
    let (decay, momentum) = (f64::from(decay), f64::from(factor));
    let dw = move || widen(&gradients);
    kept.expect(bench, tolerances, OWN[own], dw, move |_, rate, [w, v], dw| {
        let mut x = vec![0.0; w.len()];
        for i in 0..w.len() {
            let g = dw[i] + decay * w[i];
            v[i] = momentum * v[i] + g;
            x[i] = if nesterov { g + momentum * v[i] } else { v[i] };
        }
        let norm = sum_of_squares(&x).sqrt() + 1e-7;
        x.iter_mut().for_each(|x| *x /= norm);
        let scale = (rows as f64 / sum_of_squares(w)).sqrt();
        for (w, x) in w.iter_mut().zip(orthogonalised(&x, rows)) {
            *w = *w * scale - rate * x;
        }
    });
});

/// Three times `3.4445 x - 4.775 x x^T x + 2.0315 x x^T x x^T x`, as written, without transposing
/// tall matrices.
fn orthogonalised(x: &[f64], rows: usize) -> Vec<f64> {
    let columns = x.len() / rows;
    let square = Size { m: rows, n: rows, k: columns };
    let product = Size { m: rows, n: columns, k: rows };
    let mut x = x.to_vec();
    for _ in 0..3 {
        let xx = reference::matmul(Form::Nt, square, &x, &x);
        let third = reference::matmul(Form::Nn, product, &xx, &x);
        let fifth = reference::matmul(Form::Nn, product, &xx, &third);
        for ((x, third), fifth) in x.iter_mut().zip(third).zip(fifth) {
            *x = 3.4445 * *x - 4.775 * third + 2.0315 * fifth;
        }
    }
    x
}

// The polynomial, applied three times to a matrix of norm 1.
case!(Orthogonalised { shape: [usize; 2] }, |bench| {
    let [rows, columns] = shape;
    let mut values = bench.numbers.floats(rows * columns, UNIT);
    let norm = sum_of_squares(&widen(&values)).sqrt();
    values.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
    let x = bench.floats("x", shape, &values);
    let y = muon::orthogonalised(bench.plan, x);
    let tolerance = Tolerance::sum(terms(&shape), GROWTH);
    bench.expect("y", y, tolerance, move || orthogonalised(&widen(&values), rows));
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    let shapes: [&[usize]; 16] = [
        &[1, 1],
        &[1, 7],
        &[7, 1],
        &[2, 2],
        &[5, 3],
        &[3, 5],
        &[17, 31],
        &[31, 17],
        &[64, 64],
        &[10, 784],
        &[131, 10],
        &[8, 3, 3, 3],
        &[24, 2, 2, 3],
        &[64, 3, 3, 8],
        &[33, 5, 5, 3],
        &[65, 257],
    ];
    for (index, shape) in shapes.into_iter().enumerate() {
        for (round, kind) in KINDS.into_iter().enumerate() {
            // Weights of ordinary size decay into tiny gradients until nothing else is left.
            let ranges = if kind.2 == 0.0 { [UNIT, LARGE, TINY] } else { [UNIT, LARGE, UNIT] };
            let range = ranges[(index + round) % 3];
            cases.push(Box::new(Muon { shape: shape.to_vec(), kind, own: (index + round) % 4, range }));
        }
        if let [rows, columns] = *shape {
            cases.push(Box::new(Orthogonalised { shape: [rows, columns] }));
        }
    }
    // Split-K sums, and many workgroups.
    cases.push(Box::new(Muon { shape: vec![24, 2053], kind: KINDS[2], own: 1, range: UNIT }));
    cases.push(Box::new(Muon { shape: vec![1031, 24], kind: KINDS[2], own: 1, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["Muon", "(0.6, true, 0.0)"] "Muon without Nesterov":
            "params.nesterov == 1u" => "params.nesterov == 2u";
        ["Muon", "(0.5, true, 0.25)"] "Muon's decay lost": "params.decay * weight" => "0.0";
        ["Muon", "[10, 784]"] "norm of the first chunk": "sums[i], sums[count + i]" => "sums[0], sums[count]";
        ["Muon", "[31, 17]"] "weight that keeps its norm": "factors[1] * w[i]" => "w[i]";
        ["Muon", "[31, 17]"] "direction of the step before": "x[i] = direction;" => "x[i] += direction;";
        ["Muon", "own: 2"] "a rate that never ends": "f32(step.step)" => "0.0 * f32(step.step)";
    }
}

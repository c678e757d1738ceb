//! Cases of dropout, forward and backward.

use shadegrad::ops::dropout::{self, Dropout};
use shadegrad::plan::StepRecord;
use shadegrad::rng::{self, Purpose};

use super::lengths;
use crate::bench::{Cases, PLAIN_RUN, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, UNIT};
use crate::wrong_kernels::{Edit, edits};

#[derive(Clone, Copy, Debug)]
enum Pass {
    Forward,
    Backward,
}

case!(Thinned { pass: Pass, length: usize, rate: f32, layer: u32, step: u32, range: f32 }, |bench| {
    let dropout = Dropout { rate, seed: 0xfedc_ba98_7654_3210, layer };
    let (x, wide) = bench.noise("x", [length], range);
    let y = match pass {
        Pass::Forward => dropout::forward(bench.plan, dropout, x),
        Pass::Backward => dropout::backward(bench.plan, dropout, x),
    };
    bench.run_with(&[StepRecord { step, ..PLAIN_RUN }]);
    // Two roundings: of the factor and of the product.
    let tolerance = Tolerance::relative(2.01 / f64::from(1 << 24), 0.0);
    bench.expect("y", y, tolerance, move || thinned(&wide, dropout, step));
});

/// `x / (1 - rate)`, or zero for elements whose uniform number is below the rate.
pub fn thinned(x: &[f64], Dropout { rate, seed, layer }: Dropout, step: u32) -> Vec<f64> {
    let rate = f64::from(rate);
    let uniform = |element: usize| {
        let position = u64::from(step) * (1 << 32) + (element / 4) as u64;
        f64::from(rng::block(seed, Purpose::Dropout, layer, position)[element % 4]) / (1u64 << 32) as f64
    };
    x.iter()
        .enumerate()
        .map(|(element, x)| if uniform(element) < rate { 0.0 } else { x / (1.0 - rate) })
        .collect()
}

// NaN and infinity pass through where they are kept.
case!(Special {}, |bench| {
    let dropout = Dropout { rate: 0.5, seed: 1, layer: 0 };
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0].repeat(4);
    let x = bench.floats("x", [4, 4], &values);
    let y = dropout::forward(bench.plan, dropout, x);
    bench.expect("y", y, Tolerance::EXACT, move || thinned(&widen(&values), dropout, PLAIN_RUN.step));
});

pub fn cases() -> Cases {
    let mut cases: Cases = vec![Box::new(Special {})];
    for length in lengths() {
        for (rate, layer, step) in [(0.0, 0, 0), (0.1, 1, 77), (0.5, 3, 1), (0.5, 3, 100_000), (0.99, 9, 5)] {
            for pass in [Pass::Forward, Pass::Backward] {
                let range = if step == 1 { LARGE } else { UNIT };
                cases.push(Box::new(Thinned { pass, length, rate, layer, step, range }));
            }
        }
    }
    // More workgroups than a row of a grid may have would need more bytes than every device binds.
    let length = 1_000_003;
    let pass = Pass::Forward;
    cases.push(Box::new(Thinned { pass, length, rate: 0.25, layer: 0, step: 3, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let thinned = "length: 1009, rate: 0.5";
    edits! {
        [thinned] "same mask in every step": "step.step, params.layer" => "0u * step.step, params.layer";
        [thinned] "same mask in every layer": "step.step, params.layer" => "step.step, 0u * params.layer";
        [thinned] "one word for four elements": "is_kept[place]" => "is_kept[0u * place]";
        [thinned] "kept elements not scaled": "f32(x[i]) * params.scale" => "f32(x[i])";
        [thinned] "dropped instead of kept": "words >= vec4" => "words < vec4";
    }
}

/// The rate is the fraction of dropped elements, and steps, layers and seeds are independent.
pub fn masks_are_random() {
    const LENGTH: usize = 20_000;
    let ones = vec![1.0; LENGTH];
    let kept = |rate, seed, layer, step| -> Vec<bool> {
        thinned(&ones, Dropout { rate, seed, layer }, step).into_iter().map(|y| y != 0.0).collect()
    };
    let assert_about = |count: usize, share: f64| {
        let deviation = (LENGTH as f64 * share * (1.0 - share)).sqrt();
        assert!((count as f64 - LENGTH as f64 * share).abs() < 4.7 * deviation, "{count} are not {share}");
    };
    for rate in [0.1, 0.5, 0.75] {
        let count = kept(rate, 1, 0, 0).into_iter().filter(|kept| *kept).count();
        assert_about(count, 1.0 - f64::from(rate));
    }
    let first = kept(0.5, 1, 0, 0);
    for other in [kept(0.5, 2, 0, 0), kept(0.5, 1, 1, 0), kept(0.5, 1, 0, 1)] {
        assert_about(first.iter().zip(&other).filter(|(one, other)| one == other).count(), 0.5);
    }
}

//! The cases of every op, and the tests that run them.

use shadegrad::device::gpu::adapter::Capabilities;

use crate::announce;
use crate::bench::Cases;
use crate::runner::hold;
use crate::subject::Subject;

/// Learning rates of successive steps.
pub const RATES: [f32; 3] = [0.125, 0.1, 0.01];

/// Lengths around the sizes of workgroups, primes, and one.
pub fn lengths() -> Vec<usize> {
    vec![1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 255, 256, 257, 1009, 4095, 4097, 65_537]
}

/// Least number of cases of an op.
const LEAST: usize = 50;

macro_rules! suites {
    ($($op:ident,)+) => {
        $(
            pub mod $op;

            #[test]
            fn $op() {
                hold_op(stringify!($op), &$op::cases());
            }
        )+

        /// Every op that has cases, with their number.
        fn suites() -> Vec<(&'static str, usize)> {
            vec![$((stringify!($op), $op::cases().len())),+]
        }
    };
}

suites! {
    adam,
    clip_norm,
    column_sum,
    gather,
    l2_penalty,
    lion,
    matmul,
    online_steps,
    relu,
    sgd,
    softmax_cross_entropy,
}

/// The CPU against float64, the GPU against the CPU, and the same with nothing but WebGPU's defaults.
fn hold_op(op: &str, cases: &Cases) {
    let (gpu, _) = Subject::gpu(Capabilities::Adapter);
    let (plain, _) = Subject::gpu(Capabilities::WebGpuDefaults);
    let gpus = [gpu, plain];
    let started = std::time::Instant::now();
    hold(cases, &Subject::cpu(), &gpus).assert_agreement();
    announce(&format!("{op}: {} cases on CPU, {gpus:?}, {:.1?}", cases.len(), started.elapsed()));
}

#[test]
fn every_op_has_enough_cases() {
    let suites = suites();
    for op in shadegrad::ops::ALL {
        let suite = suites.iter().find(|(name, _)| name == op);
        let (_, cases) = suite.unwrap_or_else(|| panic!("{op} has no cases in tests/ops/cases"));
        assert!(*cases >= LEAST, "{op} has only {cases} cases");
    }
    assert_eq!(suites.len(), shadegrad::ops::ALL.len(), "suites of ops that are none");
}

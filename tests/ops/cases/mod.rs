//! The cases of every op, and the tests that run them.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{GpuFacts, Kernel};
use shadegrad::ops::{Rate, Window};
use shadegrad::plan::{Plan, StepRecord};
use shadegrad::tensor::Element;

use crate::bench::{Bench, Case, Cases, PLAIN_RUN};
use crate::numbers::{LARGE, TINY};
use crate::runner::hold;
use crate::subject::Subject;
use crate::{announce, announce_no_halves};

/// Learning rates of successive steps.
pub const RATES: [f32; 3] = [0.125, 0.1, 0.01];

/// Learning rates of a parameter's own: a factor, and falls that end within those steps and after them.
pub const OWN: [Rate; 4] = [
    Rate::Scaled(1.0),
    Rate::Scaled(0.3),
    Rate::Falling { first: 0.2, steps: 1.5 },
    Rate::Falling { first: 0.1, steps: 7.0 },
];

/// Those steps.
pub fn steps() -> [StepRecord; 3] {
    [0, 1, 2].map(|step| StepRecord { learning_rate: RATES[step], step: step as u32, ..PLAIN_RUN })
}

/// A parameter's learning rate in each of them.
pub fn own_rates(own: Rate) -> [f64; 3] {
    [0, 1, 2].map(|step| match own {
        Rate::Scaled(factor) => f64::from(factor) * f64::from(RATES[step]),
        Rate::Falling { first, steps } => f64::from(first) * (1.0 - step as f64 / f64::from(steps)).max(0.0),
    })
}

/// A pool of a map, as data.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub window: Window,
}

impl PoolSize {
    /// Shape of the map.
    pub fn shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.channels]
    }

    /// Shape of what the pool makes of it.
    pub fn output(&self) -> [usize; 4] {
        let outputs =
            |input: usize, size: usize| (input + 2 * self.window.padding - size) / self.window.stride + 1;
        let [height, width] =
            [outputs(self.height, self.window.height), outputs(self.width, self.window.width)];
        [self.batch, height, width, self.channels]
    }
}

/// Windows that overlap, touch and leave gaps, with and without padding, on maps that they divide or do not.
pub fn pools() -> Vec<PoolSize> {
    let mut pools = Vec::new();
    for (size, stride, padding) in
        [(1, 1, 0), (2, 2, 0), (2, 1, 1), (3, 2, 1), (3, 1, 1), (3, 3, 0), (2, 3, 0), (5, 2, 2)]
    {
        for (batch, height, width, channels) in
            [(1, 5, 5, 1), (2, 6, 7, 3), (3, 28, 28, 5), (1, 13, 8, 17), (2, 11, 10, 12)]
        {
            pools.push(PoolSize {
                batch,
                height,
                width,
                channels,
                window: Window::square(size, stride, padding),
            });
        }
    }
    for (batch, height, width, channels) in [(1, 1, 1, 1), (2, 7, 7, 64), (5, 4, 9, 3), (1, 180, 180, 2)] {
        pools.push(PoolSize { batch, height, width, channels, window: Window::whole(height, width) });
    }
    // More than 65,535 workgroups of 256.
    pools.push(PoolSize {
        batch: 1,
        height: 1031,
        width: 1021,
        channels: 16,
        window: Window::square(2, 2, 0),
    });
    pools
}

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
                hold_op(stringify!($op), $op::cases);
            }
        )+

        /// The cases of every op.
        fn suites() -> Vec<(&'static str, Cases)> {
            vec![$((stringify!($op), $op::cases())),+]
        }
    };
}

shadegrad::for_each_op!(suites);

/// The CPU against float64, the GPU against the CPU, and the same with nothing but WebGPU's defaults. Ops that keep floats
/// in 16 bits are held a second time, with some of the cases, where the GPU has such floats.
fn hold_op(op: &str, cases: fn() -> Cases) {
    let has_full = cases().iter().any(|case| !lowered(&**case, Element::F32).iter().any(Kernel::needs_f16));
    let has_half = cases().iter().any(|case| lowered(&**case, Element::Half).iter().any(Kernel::needs_f16));
    let (gpu, facts) = Subject::gpu(Capabilities::Adapter);
    if has_full {
        let (plain, _) = Subject::gpu(Capabilities::WebGpuDefaults);
        hold_cases(op, &cases(), &[Subject::gpu(Capabilities::Adapter).0, plain], Element::F32);
    }
    if !has_half {
        return;
    }
    if facts.f16 {
        let some = cases().into_iter().step_by(if has_full { 3 } else { 1 });
        hold_cases(op, &within_half(some), &[gpu], Element::Half);
    } else {
        announce_no_halves(op);
    }
}

/// The kernels that a case uses where layers hand on floats of type `element`.
fn lowered(case: &dyn Case, element: Element) -> Vec<Kernel> {
    let mut plan = Plan::new();
    Bench::record(&mut plan, case, element);
    let ops = plan.steps().iter().flat_map(|step| &step.ops);
    let dispatches = ops.flat_map(|op| op.lower(&GpuFacts::default()));
    dispatches.map(|dispatch| dispatch.kernel.into_owned()).collect()
}

/// The cases whose numbers are of ordinary size: others, or the squares of others, do not fit 16 bits.
pub fn within_half(cases: impl IntoIterator<Item = Box<dyn Case>>) -> Cases {
    let is_extreme =
        |text: &str| [LARGE, TINY].iter().any(|range| text.contains(&format!("range: {range:?}")));
    cases.into_iter().filter(|case| !is_extreme(&format!("{case:?}"))).collect()
}

fn hold_cases(op: &str, cases: &Cases, gpus: &[Subject], element: Element) {
    let started = std::time::Instant::now();
    hold(cases, &Subject::cpu(), gpus, element).assert_agreement();
    announce(&format!(
        "{op}: {} cases of {element:?} on CPU, {gpus:?}, {:.1?}",
        cases.len(),
        started.elapsed()
    ));
}

#[test]
fn every_op_has_enough_cases() {
    for (op, cases) in suites() {
        assert!(cases.len() >= LEAST, "{op} has only {} cases", cases.len());
    }
}

//! The cases of every op, and the tests that run them.

use libtest_mimic::Trial;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::ops::{Window, fixture};
use shadegrad::tensor::Element;

use crate::bench::{Case, Cases};
use crate::numbers::{LARGE, TINY};
use crate::runner::check_cases;
use crate::samples::trials::{Need, trial};
use crate::subject::Subject;
use crate::wrong_kernels::Edit;

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

    /// Shape of the pool's output.
    pub fn output(&self) -> [usize; 4] {
        let outputs =
            |input: usize, size: usize| (input + 2 * self.window.padding - size) / self.window.stride + 1;
        let [height, width] =
            [outputs(self.height, self.window.height), outputs(self.width, self.window.width)];
        [self.batch, height, width, self.channels]
    }
}

/// Windows that overlap, touch and leave gaps, with and without padding, on maps that they divide
/// or do not.
pub fn pools() -> Vec<PoolSize> {
    let mut pools = Vec::new();
    let mut add = |(batch, height, width, channels), window| {
        pools.push(PoolSize { batch, height, width, channels, window });
    };
    for (size, stride, padding) in
        [(1, 1, 0), (2, 2, 0), (2, 1, 1), (3, 2, 1), (3, 1, 1), (3, 3, 0), (2, 3, 0), (5, 2, 2)]
    {
        for map in [(1, 5, 5, 1), (2, 6, 7, 3), (3, 28, 28, 5), (1, 13, 8, 17), (2, 11, 10, 12)] {
            add(map, Window::square(size, stride, padding));
        }
    }
    for map in [(1, 1, 1, 1), (2, 7, 7, 64), (5, 4, 9, 3), (1, 180, 180, 2)] {
        add(map, Window::whole(map.1, map.2));
    }
    // More than 65,535 workgroups of 256.
    add((1, 1031, 1021, 16), Window::square(2, 2, 0));
    pools
}

/// Lengths around the sizes of workgroups, primes, and one.
pub fn lengths() -> Vec<usize> {
    vec![1, 2, 3, 5, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 255, 256, 257, 1009, 4095, 4097, 65_537]
}

/// Minimum number of cases of an op.
const LEAST: usize = 50;

macro_rules! suites {
    ($($op:ident,)+) => {
        $(
            pub mod $op;
        )+

        /// One trial per op with f32, and one with f16 if it has f16 kernels.
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            $(
                let (in_f32, in_f16) = elements_of(stringify!($op));
                if in_f32 {
                    let name = concat!("cases::", stringify!($op));
                    trials.push(trial(name, Need::Nothing, || check_f32(&$op::cases())));
                }
                if in_f16 {
                    let name = concat!("cases::", stringify!($op), "_of_f16");
                    let test = || check_f16(stringify!($op), $op::cases());
                    trials.push(trial(name, Need::F16, test));
                }
            )+
            trials
        }

        /// The cases of every op.
        fn suites() -> Vec<(&'static str, Cases)> {
            vec![$((stringify!($op), $op::cases())),+]
        }

        /// The wrong kernels of every op, with its cases.
        pub fn edits() -> Vec<(&'static str, fn() -> Cases, Vec<Edit>)> {
            vec![$((stringify!($op), $op::cases, $op::edits())),+]
        }
    };
}

shadegrad::for_each_op!(suites);

/// Whether an op has fixtures for f32, and whether it has fixtures for f16.
fn elements_of(op: &str) -> (bool, bool) {
    let fixtures = fixture::all();
    let has = |element| fixtures.iter().any(|fixture| fixture.op == op && fixture.supports(element));
    (has(Element::F32), has(Element::F16))
}

/// Compares the CPU with float64, and the GPU with the CPU, with all of its features and with only
/// WebGPU's defaults.
fn check_f32(cases: &Cases) {
    let gpus = [Capabilities::Adapter, Capabilities::WebGpuDefaults]
        .map(|capabilities| Subject::gpu(capabilities).0);
    check_cases(cases, &Subject::cpu(), &gpus, Element::F32).assert_agreement();
}

/// The same with f16, and with only some of the cases if f32 has run them all.
fn check_f16(op: &str, cases: Cases) {
    let (in_f32, _) = elements_of(op);
    let some = within_f16(cases.into_iter().step_by(if in_f32 { 3 } else { 1 }));
    let (gpu, _) = Subject::gpu(Capabilities::Adapter);
    check_cases(&some, &Subject::cpu(), &[gpu], Element::F16).assert_agreement();
}

/// The cases with numbers of ordinary size: f16 cannot represent others, or their squares.
pub fn within_f16(cases: impl IntoIterator<Item = Box<dyn Case>>) -> Cases {
    let is_extreme =
        |text: &str| [LARGE, TINY].iter().any(|range| text.contains(&format!("range: {range:?}")));
    cases.into_iter().filter(|case| !is_extreme(&format!("{case:?}"))).collect()
}

pub fn every_op_has_enough_cases() {
    for (op, cases) in suites() {
        assert!(cases.len() >= LEAST, "{op} has only {} cases", cases.len());
    }
}

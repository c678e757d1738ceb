//! The running average of a parameter, beside it: in each step
//!
//! ```text
//! average = average + share (w - average)
//! ```
//!
//! where `share` is the step's `average_share`: 1 in the first, so that whatever the average held is forgotten, then 1 - decay.
//! That is PyTorch's `swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`.
//!
//! A model is measured and saved with its averages: [`exchange`] puts them where the parameters are, and back.

use std::borrow::Cow;

use crate::kernel::{Binding, Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// What a step's record says of averages with `decay`, in the `step`-th step, counted from 0.
pub fn share(record: StepRecord, decay: f32, step: usize) -> StepRecord {
    let average_share = if step == 0 { 1.0 } else { (1.0 - f64::from(decay)) as f32 };
    StepRecord { average_share, ..record }
}

/// Records that `average` follows `w`, of the same shape.
#[track_caller]
pub fn follow(plan: &mut Plan, w: Tensor, average: Tensor) {
    check(w, average);
    plan.record(Average { w, average, what: What::Follow });
}

/// Records that `w` and `average`, of the same shape, change places.
#[track_caller]
pub fn exchange(plan: &mut Plan, w: Tensor, average: Tensor) {
    check(w, average);
    plan.record(Average { w, average, what: What::Exchange });
}

#[track_caller]
fn check(w: Tensor, average: Tensor) {
    w.expect("w", Element::F32, w.shape());
    average.expect("average", Element::F32, w.shape());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Follow,
    Exchange,
}

#[derive(Debug)]
struct Average {
    w: Tensor,
    average: Tensor,
    what: What,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
    }
}

const WORKGROUP: u32 = 256;

const FOLLOW_BINDINGS: [Binding; 2] = [read("w"), write("average")];
const EXCHANGE_BINDINGS: [Binding; 2] = [write("w"), write("average")];

static FOLLOW: Kernel = Kernel {
    name: Cow::Borrowed("average"),
    source: shader!("step.wgsl", "average.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&FOLLOW_BINDINGS),
    reads_step: true,
    subgroups: false,
};

static EXCHANGE: Kernel = Kernel {
    name: Cow::Borrowed("average_exchange"),
    source: shader!("average_exchange.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&EXCHANGE_BINDINGS),
    reads_step: false,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![FOLLOW.clone(), EXCHANGE.clone()]
}

impl Op for Average {
    fn name(&self) -> &'static str {
        match self.what {
            What::Follow => "average",
            What::Exchange => "average_exchange",
        }
    }

    fn operands(&self) -> Operands {
        match self.what {
            What::Follow => Operands::new(&[self.w], &[]).updating([self.average]),
            What::Exchange => Operands::default().updating([self.w, self.average]),
        }
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let mut average = memory.f32_mut(self.average);
        match self.what {
            What::Follow => {
                for (average, &w) in average.iter_mut().zip(&*memory.f32(self.w)) {
                    *average += step.average_share * (w - *average);
                }
            }
            What::Exchange => average.swap_with_slice(&mut memory.f32_mut(self.w)),
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.w.len();
        let kernel = match self.what {
            What::Follow => &FOLLOW,
            What::Exchange => &EXCHANGE,
        };
        let params = Params { length: length as u32 };
        vec![Dispatch::new(kernel, params, &[self.w, self.average], fold(length, WORKGROUP), 0)]
    }
}

//! Cast: `y = x`, where x has 32 bits and y 16: a weight as products read it, which keeps what is trained in 32.
//!
//! Both have one shape. There is no gradient of its own: that of y is taken for that of x ("straight through").

use std::borrow::Cow;

use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// Records `y = x` in 16 bits and returns `y`.
#[track_caller]
pub fn to_half(plan: &mut Plan, x: Tensor) -> Tensor {
    x.expect("x", Element::F32, x.shape());
    let y = plan.scratch_of(Element::Half, "cast.y", x.shape());
    plan.record(Cast { x, y });
    y
}

#[derive(Debug)]
struct Cast {
    x: Tensor,
    y: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
    }
}

const WORKGROUP: u32 = 256;

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("cast"),
    source: shader!("stored_f32.wgsl", "cast.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("x"), write("y")]),
    reads_step: false,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![KERNEL.in_half()]
}

impl Op for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        memory.f32_mut(self.y).copy_from_slice(&memory.f32(self.x));
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.x.len();
        let params = Params { length: length as u32 };
        vec![Dispatch::new(&KERNEL, params, &[self.x, self.y], fold(length, WORKGROUP), 0)]
    }
}

//! Cast: `y = x`, where x has 32 bits and y 16: a weight as products read it, which keeps what is
//! trained in 32.
//!
//! Both have one shape. There is no gradient of its own: that of y is taken for that of x
//! ("straight through").

use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, LengthParams};
use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// Records `y = x` in 16 bits and returns `y`.
#[track_caller]
pub fn to_half(plan: &mut Plan, x: Tensor) -> Tensor {
    x.expect("x", Element::F32, x.shape());
    let y = plan.scratch_of(Element::Half, "cast.y", x.shape());
    let params = LengthParams { length: x.len() as u32 };
    Elementwise { name: "cast", kernel: &shaders::CAST_F16, params, reads: [x], outputs: [y] }
        .record(plan, |_, [x], [y]| y.copy_from_slice(x));
    y
}

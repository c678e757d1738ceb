//! Cast: `y = x`, with x in f32 and y in f16. It makes the f16 copy of a weight that products read,
//! while the weight itself is trained in f32.
//!
//! Both tensors have one shape. The op has no backward pass: the gradient of y is used as the
//! gradient of x ("straight through").

use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, LengthParams};
use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// Records `y = x` in f16 and returns `y`.
#[track_caller]
pub fn to_f16(plan: &mut Plan, x: Tensor) -> Tensor {
    x.expect("x", Element::F32, x.shape());
    let y = plan.scratch_of(Element::F16, "cast.y", x.shape());
    let params = LengthParams { length: x.len() as u32 };
    Elementwise { name: "cast", kernel: &shaders::CAST_F16, params, reads: [x], outputs: [y] }
        .record(plan, |_, [x], [y]| y.copy_from_slice(x));
    y
}

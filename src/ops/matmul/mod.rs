//! Matrix product: three forms, so that no operand is ever transposed in memory.
//!
//! ```text
//! nn   y[m, n] = sum over k of a[m, k] b[k, n]     dx = dy w      (gradient of a layer's input)
//! nt   y[m, n] = sum over k of a[m, k] b[n, k]     y  = x w^T     (a layer's forward pass)
//! tn   y[m, n] = sum over k of a[k, m] b[k, n]     dw = dy^T x    (gradient of a layer's weight)
//! ```
//!
//! Each form is a gradient of the others, so one module has all products of a linear layer. The
//! computation after the product, before it is stored, is an [`Epilogue`]: bias, ReLU, the mask of
//! a ReLU's gradient, or the optimizer's update of the weight whose gradient the product is.
//!
//! The operand that is a layer's input (a in form nt, b in form tn) may be a batch of
//! [pixels](Element::Pixel). A GPU reads its bytes and normalises them in registers; on the CPU it
//! is stored as floats. On a GPU an operand may also be the patches of a map: that is how a GPU
//! computes a [convolution](super::conv2d).
//!
//! Operands and the product may be f16 ([`Element::F16`]); sums are f32. In forms nn and tn the
//! product is a gradient, and f16 gradients have a [scale](StepRecord::gradient_scale). If a and
//! the product differ in type, the product is multiplied by the scale or divided by it.
//!
//! The CPU half is in `cpu`; the GPU half, with its kernel classes and how one is chosen, is
//! [`gpu`].
//!
//! ```
//! use shadegrad::ops::matmul::{self, Epilogue, Form};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [2, 3]);
//! let w = plan.declare("w", Role::Parameter, Element::F32, [4, 3]);
//! plan.begin("example");
//! let y = matmul::product(&mut plan, Form::Nt, x, w, Epilogue::None);
//! assert_eq!(y.shape().sizes(), [2, 4]);
//! ```

mod cpu;
pub mod gpu;
mod product;
mod size;

use super::Rate;
use super::sgd::Update;
use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord, TuneSet};
use crate::tensor::{Element, Tensor};

pub use gpu::kernels;
pub(in crate::ops) use product::Product;
pub use product::{Epilogue, Form};
pub use size::Size;

/// Records a product and returns it, a new `[m, n]` tensor of f32.
///
/// # Panics
/// If the shapes do not match, or if the epilogue changes a parameter (use [`update`]).
#[track_caller]
pub fn product(plan: &mut Plan, form: Form, a: Tensor, b: Tensor, epilogue: Epilogue) -> Tensor {
    product_in(plan, Element::F32, form, a, b, epilogue)
}

/// The same with floats of type `element`, which a mask must have, too.
///
/// # Panics
/// If [`product()`] panics.
#[track_caller]
pub fn product_in(
    plan: &mut Plan,
    element: Element,
    form: Form,
    a: Tensor,
    b: Tensor,
    epilogue: Epilogue,
) -> Tensor {
    let Size { m, n, .. } = form.size(a, b);
    match epilogue {
        Epilogue::None => {}
        Epilogue::Bias { bias, .. } => bias.expect("bias", Element::F32, [n]),
        Epilogue::Mask(mask) => mask.expect("mask", element, [m, n]),
        Epilogue::Update { .. } | Epilogue::Change { .. } => {
            panic!("a product that changes a parameter has no output")
        }
    }
    let y = plan.scratch_of(element, "product", [m, n]);
    let product = Product::new(plan, form, a, b, y, epilogue).with_split_k(plan);
    plan.record(Matmul(product));
    y
}

/// Records the update of a weight with the gradient `a^T b` (form tn), and of a bias with the sum
/// of a's rows: `db[m] = sum over k of a[k, m]`. Neither gradient is stored.
///
/// # Panics
/// If the shapes do not match, if weight and bias differ in momentum, or if a learning rate is not
/// a multiple of the step's learning rate.
#[track_caller]
pub fn update(plan: &mut Plan, a: Tensor, b: Tensor, weight: Update, bias: Option<Update>) {
    let Size { m, n, .. } = Form::Tn.size(a, b);
    weight.parameter.expect("parameter", Element::F32, [m, n]);
    weight.check();
    if let Some(bias) = &bias {
        bias.parameter.expect("bias", Element::F32, [m]);
        bias.check();
        assert!(bias.factors() == weight.factors(), "bias and weight must have the same momentum");
    }
    let is_scaled = |update: &Update| matches!(update.rate, Rate::Scaled(_));
    assert!(
        is_scaled(&weight) && bias.iter().all(is_scaled),
        "the update of a product supports only multiples of the step's learning rate"
    );
    let epilogue = Epilogue::Update { weight, bias };
    let product = Product::new(plan, Form::Tn, a, b, weight.parameter, epilogue).with_split_k(plan);
    plan.record(Matmul(product));
}

/// Records `parameter = (1 - lr decay)^rows parameter - a^T b` (form tn).
#[track_caller]
pub fn change(plan: &mut Plan, a: Tensor, b: Tensor, parameter: Tensor, decay: f32) {
    let Size { m, n, .. } = Form::Tn.size(a, b);
    parameter.expect("parameter", Element::F32, [m, n]);
    let epilogue = Epilogue::Change { decay };
    let change = Matmul::new(plan, Form::Tn, a, b, parameter, epilogue);
    plan.record(change);
}

/// A recorded product of matrices.
#[derive(Debug)]
pub(super) struct Matmul(Product);

impl Matmul {
    pub(super) fn new(plan: &Plan, form: Form, a: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue) -> Self {
        Matmul(Product::new(plan, form, a, b, y, epilogue))
    }
}

impl Op for Matmul {
    fn name(&self) -> &'static str {
        match (self.0.form, &self.0.epilogue) {
            (_, Epilogue::Update { .. }) => "matmul_update",
            (_, Epilogue::Change { .. }) => "matmul_change",
            (Form::Nn, _) => "matmul_nn",
            (Form::Nt, _) => "matmul_nt",
            (Form::Tn, _) => "matmul_tn",
        }
    }

    fn operands(&self) -> Operands {
        self.0.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        cpu::run(&self.0, memory, step);
    }

    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
        gpu::lower(&self.0, gpu)
    }

    fn tune_set(&self, gpu: &GpuFacts) -> Option<TuneSet> {
        gpu::tune_set(&self.0, gpu)
    }
}

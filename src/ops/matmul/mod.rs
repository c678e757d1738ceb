//! Matrix product: three forms, so that no operand is ever transposed in memory.
//!
//! ```text
//! nn   y[m, n] = sum over k of a[m, k] b[k, n]     dx = dy w      (gradient of a layer's input)
//! nt   y[m, n] = sum over k of a[m, k] b[n, k]     y  = x w^T     (a layer's forward pass)
//! tn   y[m, n] = sum over k of a[k, m] b[k, n]     dw = dy^T x    (gradient of a layer's weight)
//! ```
//!
//! Each is the others' gradient, so one module holds all of a linear layer. What is done to the
//! product before it reaches memory is an [`Epilogue`]: bias, ReLU, the mask of a ReLU's gradient,
//! or the optimizer's update of the weight whose gradient the product is.
//!
//! A batch of [pixels](Element::Pixel) may be the operand that a layer's input is: a in form nt, b
//! in form tn. A GPU reads its bytes and normalises them in registers, the CPU has them as floats.
//! On a GPU the patches of a map may be an operand, too, which is what a
//! [convolution](super::conv2d) is there.
//!
//! Operands and the product may be kept in 16 bits ([`Element::Half`]); sums have 32. In forms nn
//! and tn the product is a gradient, of which those in 16 bits have a
//! [scale](StepRecord::gradient_scale): a product of one type out of an operand a of another gets
//! it or loses it.
//!
//! The CPU half is in `cpu`; the GPU half, with its kernel classes and how one is chosen, is
//! [`gpu`].

mod cpu;
pub mod gpu;
mod product;
mod size;

use super::Rate;
use super::sgd::Update;
use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{Choice, HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

pub use gpu::kernels;
pub(in crate::ops) use product::Product;
pub use product::{Epilogue, Form};
pub use size::Size;

/// Records a product and returns it, a new `[m, n]` tensor of floats in 32 bits.
///
/// Panics if the shapes do not fit, or if the epilogue changes a parameter (use [`update`]).
#[track_caller]
pub fn product(plan: &mut Plan, form: Form, a: Tensor, b: Tensor, epilogue: Epilogue) -> Tensor {
    product_in(plan, Element::F32, form, a, b, epilogue)
}

/// The same with floats of this type, as which a mask is given, too.
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
    let product = Product::new(plan, form, a, b, y, epilogue).with_parts(plan);
    plan.record(Matmul(product));
    y
}

/// Records the update of a weight by the gradient `a^T b` (form tn), and that of a bias by the sum
/// of a's rows: `db[m] = sum over k of a[k, m]`. Neither gradient is stored.
///
/// Panics if the shapes do not fit, if one follows with another momentum than the other, or if a
/// learning rate is not the step's times a factor.
#[track_caller]
pub fn update(plan: &mut Plan, a: Tensor, b: Tensor, weight: Update, bias: Option<Update>) {
    let Size { m, n, .. } = Form::Tn.size(a, b);
    weight.parameter.expect("parameter", Element::F32, [m, n]);
    weight.check();
    if let Some(bias) = &bias {
        bias.parameter.expect("bias", Element::F32, [m]);
        bias.check();
        assert!(bias.factors() == weight.factors(), "the bias has another momentum than the weight");
    }
    let is_scaled = |update: &Update| matches!(update.rate, Rate::Scaled(_));
    assert!(
        is_scaled(&weight) && bias.iter().all(is_scaled),
        "a product knows no learning rate but the step's"
    );
    let epilogue = Epilogue::Update { weight, bias };
    let product = Product::new(plan, Form::Tn, a, b, weight.parameter, epilogue).with_parts(plan);
    plan.record(Matmul(product));
}

/// Records `parameter = (1 - lr decay)^rows parameter - a^T b` (form tn).
///
/// Panics if the shapes do not fit.
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

    fn choice(&self, gpu: &GpuFacts) -> Option<Choice> {
        gpu::choice(&self.0, gpu)
    }
}

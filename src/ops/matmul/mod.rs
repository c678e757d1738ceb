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
//! A batch of [pixels](Element::Pixel) may be the operand that a layer's input is: a in form nt, b in form tn. A GPU
//! reads its bytes and normalises them in registers, the CPU has them as floats. On a GPU the patches of a map may be an
//! operand, too, which is what a [convolution](super::conv2d) is there.
//!
//! Operands and the product may be kept in 16 bits ([`Element::Half`]); sums have 32. In forms nn and tn the product is a
//! gradient, of which those in 16 bits have a [scale](StepRecord::gradient_scale): a product of one type out of an operand a of
//! another gets it or loses it.
//!
//! The CPU half is in `cpu`; the GPU half, with its kernel classes and how one is chosen, is [`gpu`].

mod cpu;
pub mod gpu;

use super::Rate;
use super::sgd::Update;
use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{Choice, HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

pub use gpu::kernels;

/// Which operand is read transposed. See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `a[m, k] b[k, n]`
    Nn,
    /// `a[m, k] b[n, k]`
    Nt,
    /// `a[k, m] b[k, n]`
    Tn,
}

/// What happens to the product on its way to memory.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan has few of them, each recorded once")]
pub enum Epilogue {
    /// `y = product`
    None,
    /// `y = product + bias`, then ReLU if `relu`; `bias` is `[n]`.
    Bias {
        /// Added to every row.
        bias: Tensor,
        /// Whether negative sums become zeros.
        relu: bool,
    },
    /// `y = product where mask > 0, else 0`: the gradient of a ReLU whose output was `mask`, `[m, n]`.
    Mask(Tensor),
    /// The product is the gradient of a weight, `[m, n]`, which follows it at once. So does a bias, `[m]`,
    /// whose gradient is the sum of a over all terms.
    Update {
        /// How the weight follows.
        weight: Update,
        /// How the bias follows, where there is one.
        bias: Option<Update>,
    },
    /// `y = (1 - lr decay)^rows y - product`: what a block of steps changes in a weight that only
    /// decays meanwhile (see [`online_steps`](super::online_steps)).
    Change {
        /// The weight's decay in one step.
        decay: f32,
    },
}

/// The sizes of a product: `[m, k]` times `[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Rows of the product.
    pub m: usize,
    /// Columns of the product.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
}

impl Form {
    /// The product's sizes; panics if the operands do not fit each other or the sums are too long.
    #[track_caller]
    fn size(self, a: Tensor, b: Tensor) -> Size {
        let is_float = |tensor: Tensor, may_be_pixels: bool| match tensor.element() {
            Element::F32 | Element::Half => true,
            Element::Pixel => may_be_pixels,
            _ => false,
        };
        assert!(is_float(a, self == Form::Nt), "matmul {self:?} cannot read a as {:?}", a.element());
        assert!(is_float(b, self == Form::Tn), "matmul {self:?} cannot read b as {:?}", b.element());
        let (a, b) = (a.matrix("a"), b.matrix("b"));
        let (m, k, inner, n) = match self {
            Form::Nn => (a[0], a[1], b[0], b[1]),
            Form::Nt => (a[0], a[1], b[1], b[0]),
            Form::Tn => (a[1], a[0], b[0], b[1]),
        };
        assert!(k == inner, "matmul {self:?} of a {a:?} and b {b:?}: the inner sizes differ");
        let most = gpu::MOST_TERMS;
        assert!(k <= most, "matmul {self:?} of a {a:?} and b {b:?}: sums of {k} terms, {most} is the most");
        Size { m, n, k }
    }
}

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

/// Records the update of a weight by the gradient `a^T b` (form tn), and that of a bias by the sum of
/// a's rows: `db[m] = sum over k of a[k, m]`. Neither gradient is stored.
///
/// Panics if the shapes do not fit, if one follows with another momentum than the other, or if a learning rate is not the
/// step's times a factor.
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

/// How the elements of the operand that is a layer's input are found: a in form nt, b in form tn.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// Where a matrix has them.
    Matrix,
    /// They are pixels, which this tensor says how to normalise.
    Pixels(Tensor),
    /// They are patches of a map. In form nn, a is, and b the weight of a convolution, whose places are in reverse order and
    /// which is read `[place, filter, channel]`.
    Patches(gpu::Patches),
}

/// A product. `y` is the output, or the parameter that an update changes.
#[derive(Debug)]
pub(super) struct Product {
    form: Form,
    size: Size,
    pub(super) a: Tensor,
    pub(super) b: Tensor,
    pub(super) y: Tensor,
    pub(super) epilogue: Epilogue,
    source: Source,
    /// How the sums may be cut for a GPU, and where their parts go.
    parts: Option<(gpu::Parts, Tensor)>,
}

impl Product {
    fn new(plan: &Plan, form: Form, a: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue) -> Self {
        let normalisation = plan.normalisation(a).or(plan.normalisation(b));
        let source = normalisation.map_or(Source::Matrix, Source::Pixels);
        Product { form, size: form.size(a, b), a, b, y, epilogue, source, parts: None }
    }

    /// A product with patches, of this size; the operands are a and b.
    pub(super) fn of_patches(
        plan: &mut Plan,
        form: Form,
        size: Size,
        [a, b]: [Tensor; 2],
        patches: gpu::Patches,
        y: Tensor,
        epilogue: Epilogue,
    ) -> Self {
        let source = Source::Patches(patches);
        Product { form, size, a, b, y, epilogue, source, parts: None }.with_parts(plan)
    }

    /// With room for the parts of its sums where they may be cut.
    fn with_parts(mut self, plan: &mut Plan) -> Self {
        self.parts = gpu::Parts::of(self.size).map(|parts| {
            let row_sums = matches!(self.epilogue, Epilogue::Update { bias: Some(_), .. });
            let stride = gpu::Parts::stride(self.size, row_sums);
            (parts, plan.scratch("parts", [parts.count, stride]))
        });
        self
    }

    /// What a CPU multiplies the product by: gradients in 16 bits have a scale, which those in 32 have not. In form nt there
    /// are none.
    pub(super) fn factor(&self, step: &StepRecord) -> f32 {
        match self.form {
            Form::Nt => 1.0,
            Form::Nn | Form::Tn => step.gradient_scale(self.y) / step.gradient_scale(self.a),
        }
    }

    /// Which tensors the product touches.
    pub(super) fn operands(&self) -> Operands {
        let inputs = [self.a, self.b];
        let mut operands = match self.epilogue {
            Epilogue::None => Operands::new(&inputs, &[self.y]),
            Epilogue::Bias { bias: extra, .. } | Epilogue::Mask(extra) => {
                Operands::new(&[self.a, self.b, extra], &[self.y])
            }
            Epilogue::Update { weight, bias } => {
                let bias = bias.into_iter().flat_map(|bias| bias.tensors());
                Operands::new(&inputs, &[]).updating(weight.tensors()).updating(bias)
            }
            Epilogue::Change { .. } => Operands::new(&inputs, &[]).updating([self.y]),
        };
        operands.reads.extend(self.normalisation());
        // Written by some GPUs, read by nobody else.
        operands.writes.extend(self.parts.map(|(_, sums)| sums));
        operands
    }

    fn normalisation(&self) -> Option<Tensor> {
        match self.source {
            Source::Pixels(normalisation) => Some(normalisation),
            Source::Matrix | Source::Patches(_) => None,
        }
    }
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

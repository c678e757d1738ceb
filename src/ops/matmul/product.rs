//! A product of two matrices, or of a matrix and the patches of a map, as it is recorded.

use super::gpu::{MOST_TERMS, Parts, Patches};
use super::size::Size;
use crate::ops::sgd::Update;
use crate::plan::{Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

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

impl Form {
    /// The product's sizes; panics if the operands do not fit each other or the sums are too long.
    #[track_caller]
    pub(super) fn size(self, a: Tensor, b: Tensor) -> Size {
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
        let most = MOST_TERMS;
        assert!(k <= most, "matmul {self:?} of a {a:?} and b {b:?}: sums of {k} terms, {most} is the most");
        Size { m, n, k }
    }
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
    /// `y = product where mask > 0, else 0`: the gradient of a ReLU whose output was `mask`, `[m,
    /// n]`.
    Mask(Tensor),
    /// The product is the gradient of a weight, `[m, n]`, which follows it at once. So does a bias,
    /// `[m]`, whose gradient is the sum of a over all terms.
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

/// How the elements of the operand that is a layer's input are found: a in form nt, b in form tn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Where a matrix has them.
    Matrix,
    /// They are pixels, which this tensor says how to normalise.
    Pixels(Tensor),
    /// They are patches of a map. In form nn, a is, and b the weight of a convolution, whose places
    /// are in reverse order and which is read `[place, filter, channel]`.
    Patches(Patches),
}

/// A product. `y` is the output, or the parameter that an update changes.
#[derive(Debug)]
pub(in crate::ops) struct Product {
    pub(super) form: Form,
    pub(super) size: Size,
    pub(in crate::ops) a: Tensor,
    pub(in crate::ops) b: Tensor,
    pub(in crate::ops) y: Tensor,
    pub(in crate::ops) epilogue: Epilogue,
    pub(super) source: Source,
    /// How the sums may be cut for a GPU, and where their parts go.
    pub(super) parts: Option<(Parts, Tensor)>,
}

impl Product {
    pub(super) fn new(plan: &Plan, form: Form, a: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue) -> Self {
        let normalisation = plan.normalisation(a).or(plan.normalisation(b));
        let source = normalisation.map_or(Source::Matrix, Source::Pixels);
        Product { form, size: form.size(a, b), a, b, y, epilogue, source, parts: None }
    }

    /// A product with patches, of this size; the operands are a and b.
    pub(in crate::ops) fn of_patches(
        plan: &mut Plan,
        form: Form,
        size: Size,
        [a, b]: [Tensor; 2],
        patches: Patches,
        y: Tensor,
        epilogue: Epilogue,
    ) -> Self {
        let source = Source::Patches(patches);
        Product { form, size, a, b, y, epilogue, source, parts: None }.with_parts(plan)
    }

    /// With room for the parts of its sums where they may be cut.
    pub(super) fn with_parts(mut self, plan: &mut Plan) -> Self {
        self.parts = Parts::of(self.size).map(|parts| {
            let row_sums = matches!(self.epilogue, Epilogue::Update { bias: Some(_), .. });
            let stride = Parts::stride(self.size, row_sums);
            (parts, plan.scratch("parts", [parts.count, stride]))
        });
        self
    }

    /// What a CPU multiplies the product by: gradients in 16 bits have a scale, which those in 32
    /// have not. In form nt there are none.
    pub(in crate::ops) fn factor(&self, step: &StepRecord) -> f32 {
        match self.form {
            Form::Nt => 1.0,
            Form::Nn | Form::Tn => step.gradient_scale(self.y) / step.gradient_scale(self.a),
        }
    }

    /// Which tensors the product touches.
    pub(in crate::ops) fn operands(&self) -> Operands {
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

    pub(super) fn normalisation(&self) -> Option<Tensor> {
        match self.source {
            Source::Pixels(normalisation) => Some(normalisation),
            Source::Matrix | Source::Patches(_) => None,
        }
    }
}

//! A recorded product of two matrices, or of a matrix and the patches of a map.

use super::gpu::{MOST_TERMS, Patches, SplitK};
use super::size::Size;
use crate::ops::sgd::Update;
use crate::plan::{Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// Which operand is transposed. See the module's documentation.
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
    /// The product's sizes. Panics if the operands do not match or the sums are too long.
    #[track_caller]
    pub(super) fn size(self, a: Tensor, b: Tensor) -> Size {
        let is_float = |tensor: Tensor, may_be_pixels: bool| match tensor.element() {
            Element::F32 | Element::F16 => true,
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
        assert!(k <= most, "matmul {self:?} of a {a:?} and b {b:?}: sums of {k} terms, the limit is {most}");
        Size { m, n, k }
    }
}

/// The computation on the product before it is stored.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan has few of them, each recorded once")]
pub enum Epilogue {
    /// `y = product`
    None,
    /// `y = product + bias`, then ReLU if `relu`; `bias` is `[n]`.
    Bias {
        /// The bias, which is added to every row.
        bias: Tensor,
        /// Whether a ReLU follows.
        relu: bool,
    },
    /// `y = product where mask > 0, else 0`: the gradient of a ReLU whose output was `mask`, `[m,
    /// n]`.
    Mask(Tensor),
    /// The product is the gradient of a weight, `[m, n]`, which is updated at once. So is a bias,
    /// `[m]`, whose gradient is the sum of a over all terms.
    Update {
        /// The update of the weight.
        weight: Update,
        /// The update of the bias, if there is one.
        bias: Option<Update>,
    },
    /// `y = (1 - lr decay)^rows y - product`: the change that a block of steps makes to a weight
    /// that only decays during the block (see [`online_steps`](crate::ops::online_steps)).
    Change {
        /// The weight's decay in one step.
        decay: f32,
    },
}

/// How the elements of the operand that is a layer's input are stored: a in form nt, b in form tn.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// As a matrix.
    Matrix,
    /// As pixels, which are normalised with this tensor.
    Pixels(Tensor),
    /// In a map, of which the operand is the patches. In form nn, a is patches, and b the weight of
    /// a convolution, read as `[kernel position, filter, channel]` with kernel positions in reverse
    /// order.
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
    /// How a GPU may split the sums, and the tensor for the partial sums.
    pub(super) split_k: Option<(SplitK, Tensor)>,
}

impl Product {
    pub(super) fn new(plan: &Plan, form: Form, a: Tensor, b: Tensor, y: Tensor, epilogue: Epilogue) -> Self {
        let normalisation = plan.normalisation(a).or(plan.normalisation(b));
        let source = normalisation.map_or(Source::Matrix, Source::Pixels);
        Product { form, size: form.size(a, b), a, b, y, epilogue, source, split_k: None }
    }

    /// A product of this size with patches; the operands are a and b.
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
        Product { form, size, a, b, y, epilogue, source, split_k: None }.with_split_k(plan)
    }

    /// Reserves memory for the partial sums if the sums may be split.
    pub(super) fn with_split_k(mut self, plan: &mut Plan) -> Self {
        self.split_k = SplitK::of(self.size).map(|parts| {
            let row_sums = matches!(self.epilogue, Epilogue::Update { bias: Some(_), .. });
            let stride = SplitK::stride(self.size, row_sums);
            (parts, plan.scratch("parts", [parts.count, stride]))
        });
        self
    }

    /// The factor by which a CPU multiplies the product: f16 gradients have a scale, f32 gradients
    /// have none. Products in form nt are not gradients.
    pub(in crate::ops) fn factor(&self, step: &StepRecord) -> f32 {
        match self.form {
            Form::Nt => 1.0,
            Form::Nn | Form::Tn => step.gradient_scale(self.y) / step.gradient_scale(self.a),
        }
    }

    /// The tensors that the product reads and writes.
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
        // Some GPUs write the partial sums; no other op reads them.
        operands.writes.extend(self.split_k.map(|(_, sums)| sums));
        operands
    }

    pub(super) fn normalisation(&self) -> Option<Tensor> {
        match self.source {
            Source::Pixels(normalisation) => Some(normalisation),
            Source::Matrix | Source::Patches(_) => None,
        }
    }
}

//! The properties of a product that determine its kernel's text.

use super::finish::Finish;
use super::scale::Scale;
use crate::ops::matmul::Size;
use crate::ops::matmul::product::{Form, Product, Source};
use crate::tensor::Element;

/// All properties of a product that determine its kernel's text, besides the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Which operand is transposed.
    pub form: Form,
    /// The epilogue.
    pub finish: Finish,
    /// Whether a, b and y can be accessed four elements at a time.
    pub vectors: [bool; 3],
    /// The kind of the operand that is a layer's input: a in form nt, b in form tn.
    pub operand: Operand,
    /// Whether a and b are f16. Pixels are not.
    pub halves: [bool; 2],
}

/// The kind of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A matrix of floats.
    Matrix,
    /// A batch of pixels.
    Pixels,
    /// Patches of a map. In form nn, a is patches, and b the weight of a convolution.
    Patches,
    /// Patches of a dilated map (form nn only).
    DilatedPatches,
}

impl Operand {
    /// The name in kernel names; none for a matrix.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Operand::Matrix => None,
            Operand::Pixels => Some("pixels"),
            Operand::Patches => Some("patches"),
            Operand::DilatedPatches => Some("spread_patches"),
        }
    }

    pub(super) fn is_patches(self) -> bool {
        matches!(self, Operand::Patches | Operand::DilatedPatches)
    }
}

impl Variant {
    pub(super) fn of(op: &Product) -> Self {
        let &Product { form, size: Size { m, n, k }, source, .. } = op;
        let (a_line, b_line) = match form {
            Form::Nn => (k, n),
            Form::Nt => (k, k),
            Form::Tn => (m, n),
        };
        let mut vectors = [a_line, b_line, n].map(|line| line.is_multiple_of(4));
        let operand = match &source {
            Source::Matrix => Operand::Matrix,
            Source::Pixels(_) => Operand::Pixels,
            Source::Patches(patches) => {
                match form {
                    Form::Nn => vectors[0] = patches.vectors(),
                    Form::Nt => vectors[..2].fill(patches.vectors()),
                    Form::Tn => vectors[1] = patches.vectors(),
                }
                if patches.lhs_dilation == 1 { Operand::Patches } else { Operand::DilatedPatches }
            }
        };
        let halves = [op.a, op.b].map(|operand| operand.element() == Element::F16);
        Variant { form, finish: Finish::of(op), vectors, operand, halves }
    }

    /// Every combination of vector accesses in a product of this form with this kind of layer
    /// input.
    fn all_vectors(form: Form, operand: Operand) -> impl Iterator<Item = [bool; 3]> {
        let all = (0..8).map(|bits| [1, 2, 4].map(|bit| bits & bit != 0));
        all.filter(move |&[a, b, y]| match (form, operand) {
            // Rows of b and of y are equally long, but a patch may be whole vectors where a cell is
            // not.
            (Form::Tn, Operand::Patches) => y || !b,
            (Form::Nn | Form::Tn, _) => b == y && (operand != Operand::Pixels || b),
            (Form::Nt, _) => a == b && (operand != Operand::Pixels || a),
        })
    }

    /// Every variant that some f32 product has.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for form in [Form::Nn, Form::Nt, Form::Tn] {
            let operands: &[Operand] = match form {
                Form::Nn => &[Operand::Matrix, Operand::Patches, Operand::DilatedPatches],
                Form::Nt | Form::Tn => &[Operand::Matrix, Operand::Pixels, Operand::Patches],
            };
            for &operand in operands {
                let finishes: Vec<Finish> = match operand.is_patches() {
                    true => Finish::all_of_patches(form).collect(),
                    false => Finish::all(form).collect(),
                };
                for finish in finishes {
                    let ways = Variant::all_vectors(form, operand);
                    all.extend(ways.map(|vectors| Variant {
                        form,
                        finish,
                        vectors,
                        operand,
                        halves: [false; 2],
                    }));
                }
            }
        }
        all
    }

    /// The same product with f16 activations, gradients of activations, and weights. In the last
    /// layer, the weight and the gradient of the logits stay f32.
    pub(super) fn as_f16(self) -> Vec<Self> {
        let Variant { form, finish, operand, .. } = self;
        let is_part = finish.epilogue == "part";
        let half = |a, b, y, scale| {
            let finish = if is_part { finish } else { Finish { half: y, scale, ..finish } };
            Variant { halves: [a, b], finish, ..self }
        };
        let pixels = operand == Operand::Pixels;
        let mut all = match form {
            _ if finish.epilogue == "change" => Vec::new(),
            Form::Nt => vec![half(!pixels, true, true, Scale::None)],
            Form::Nn => vec![half(true, true, true, Scale::None)],
            Form::Tn => vec![half(true, !pixels, false, Scale::Down)],
        };
        // The last layer.
        if operand == Operand::Matrix && finish.epilogue != "change" {
            all.extend(match form {
                Form::Nt => Some(half(true, false, false, Scale::None)),
                // Partial sums are f32.
                Form::Nn => (!is_part).then(|| half(false, false, true, Scale::Up)),
                Form::Tn => Some(half(false, true, false, Scale::None)),
            });
        }
        all
    }

    /// Whether both operands are f16, as cooperative matrices require. Normalised pixels count as
    /// f16, since a batch that is gathered as floats would be f16.
    pub(super) fn is_f16(self) -> bool {
        let [a, b] = self.halves;
        match (self.operand, self.form) {
            (Operand::Pixels, Form::Nt) => b,
            (Operand::Pixels, _) => a,
            _ => a && b,
        }
    }

    /// Whether any tensor is f16.
    pub(super) fn has_f16(self) -> bool {
        self.finish.half || self.halves.contains(&true)
    }
}

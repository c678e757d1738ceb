//! What the text of a product's kernel depends on.

use super::finish::Finish;
use super::scale::Scale;
use crate::ops::matmul::Size;
use crate::ops::matmul::product::{Form, Product, Source};
use crate::tensor::Element;

/// What a kernel's text depends on, besides its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Which operand is transposed.
    pub form: Form,
    /// What becomes of the sums.
    pub finish: Finish,
    /// Whether a, b and y can be accessed four elements at a time.
    pub vectors: [bool; 3],
    /// What the operand is that is a layer's input: a in form nt, b in form tn.
    pub operand: Operand,
    /// Whether a and b are kept in 16 bits. Pixels are not.
    pub halves: [bool; 2],
}

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A matrix of floats.
    Matrix,
    /// A batch of pixels.
    Pixels,
    /// Patches of a map. In form nn, a is, and b the weight of a convolution.
    Patches,
    /// Patches of a map whose cells lie apart (form nn only).
    SpreadPatches,
}

impl Operand {
    /// Its name in those of kernels, but for a matrix.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Operand::Matrix => None,
            Operand::Pixels => Some("pixels"),
            Operand::Patches => Some("patches"),
            Operand::SpreadPatches => Some("spread_patches"),
        }
    }

    pub(super) fn is_patches(self) -> bool {
        matches!(self, Operand::Patches | Operand::SpreadPatches)
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
                if patches.spread == 1 { Operand::Patches } else { Operand::SpreadPatches }
            }
        };
        let halves = [op.a, op.b].map(|operand| operand.element() == Element::Half);
        Variant { form, finish: Finish::of(op), vectors, operand, halves }
    }

    /// Every way to read and write in a product of this form whose operand that is a layer's input
    /// is this.
    fn all_vectors(form: Form, operand: Operand) -> impl Iterator<Item = [bool; 3]> {
        let all = (0..8).map(|bits| [1, 2, 4].map(|bit| bits & bit != 0));
        all.filter(move |&[a, b, y]| match (form, operand) {
            // Lines of b and of y are equally long, but a patch may be whole vectors where a cell
            // is not.
            (Form::Tn, Operand::Patches) => y || !b,
            (Form::Nn | Form::Tn, _) => b == y && (operand != Operand::Pixels || b),
            (Form::Nt, _) => a == b && (operand != Operand::Pixels || a),
        })
    }

    /// Every variant that some product of floats in 32 bits has.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for form in [Form::Nn, Form::Nt, Form::Tn] {
            let operands: &[Operand] = match form {
                Form::Nn => &[Operand::Matrix, Operand::Patches, Operand::SpreadPatches],
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

    /// The same product, with floats in 16 bits where layers keep them so: all that is handed on
    /// and its gradients, and weights. The last layer has its weight and the gradient of the logits
    /// in 32.
    pub(super) fn in_half(self) -> Vec<Self> {
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
                // A part is one of floats in 32 bits.
                Form::Nn => (!is_part).then(|| half(false, false, true, Scale::Up)),
                Form::Tn => Some(half(false, true, false, Scale::None)),
            });
        }
        all
    }

    /// Whether both operands have 16 bits, as cooperative matrices do. Those of pixels have, once
    /// they are normalised: as much as what is gathered from them would have.
    pub(super) fn is_of_halves(self) -> bool {
        let [a, b] = self.halves;
        match (self.operand, self.form) {
            (Operand::Pixels, Form::Nt) => b,
            (Operand::Pixels, _) => a,
            _ => a && b,
        }
    }

    /// Whether any tensor is kept in 16 bits.
    pub(super) fn has_halves(self) -> bool {
        self.finish.half || self.halves.contains(&true)
    }
}

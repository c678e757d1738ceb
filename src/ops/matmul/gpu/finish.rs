//! What becomes of a product's sums: the ways to finish them, and what each needs.

use minijinja::context;
use minijinja::value::Value;

use super::scale::Scale;
use crate::kernel::{Binding, read, write};
use crate::ops::matmul::product::{Epilogue, Form, Product};
use crate::tensor::{Element, Tensor};

/// What becomes of sums, as the templates name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finish {
    /// One of [`EPILOGUES`].
    pub epilogue: &'static str,
    /// Whether the sums of the first operand's rows are finished, too.
    pub row_sums: bool,
    /// Whether y and the mask are kept in 16 bits.
    pub half: bool,
    /// Whether the product is a gradient that is scaled on its way.
    pub scale: Scale,
}

/// Names of all epilogues in the templates.
pub const EPILOGUES: [&str; 8] =
    ["none", "bias", "bias_relu", "mask", "sgd", "sgd_momentum", "change", "part"];

impl Finish {
    /// What becomes of a product's sums as they are with `epilogue`, in 32 bits.
    pub fn plain(epilogue: &'static str, row_sums: bool) -> Self {
        Finish { epilogue, row_sums, half: false, scale: Scale::None }
    }

    pub(super) fn of(op: &Product) -> Self {
        let (name, row_sums) = match &op.epilogue {
            Epilogue::None => ("none", false),
            Epilogue::Bias { relu: false, .. } => ("bias", false),
            Epilogue::Bias { relu: true, .. } => ("bias_relu", false),
            Epilogue::Mask(_) => ("mask", false),
            Epilogue::Update { weight, bias } => {
                (if weight.momentum.is_none() { "sgd" } else { "sgd_momentum" }, bias.is_some())
            }
            Epilogue::Change { .. } => ("change", false),
        };
        let is_half = |tensor: Tensor| tensor.element() == Element::Half;
        let scale = match (op.form, is_half(op.a), is_half(op.y)) {
            (Form::Nn, false, true) => Scale::Up,
            (Form::Tn, true, false) => Scale::Down,
            _ => Scale::None,
        };
        Finish { half: is_half(op.y), scale, ..Finish::plain(name, row_sums) }
    }

    /// One part of sums that are finished like this.
    pub(super) fn part(self) -> Self {
        Finish::plain("part", self.row_sums)
    }

    /// Whether the kernel needs the step's record: where a parameter follows, or a gradient is
    /// scaled.
    pub(super) fn reads_step(self) -> bool {
        self.updates() || self.epilogue == "change" || self.scale != Scale::None
    }

    /// Whether a parameter follows the product.
    pub(super) fn updates(self) -> bool {
        matches!(self.epilogue, "sgd" | "sgd_momentum")
    }

    /// Every way to finish a product of this form with patches.
    pub(super) fn all_of_patches(form: Form) -> impl Iterator<Item = Finish> {
        let epilogues: &[_] = match form {
            Form::Nn => &["none", "mask", "part"],
            Form::Nt => &["none", "bias", "bias_relu", "part"],
            Form::Tn => &["none", "part"],
        };
        epilogues.iter().map(|&epilogue| Finish::plain(epilogue, false))
    }

    /// Every way to finish a product of this form without patches.
    pub(super) fn all(form: Form) -> impl Iterator<Item = Finish> {
        let both = EPILOGUES
            .into_iter()
            .flat_map(|epilogue| [false, true].map(|row_sums| Finish::plain(epilogue, row_sums)));
        both.filter(move |finish| match finish.epilogue {
            "sgd" | "sgd_momentum" => form == Form::Tn,
            "part" => form == Form::Tn || !finish.row_sums,
            "change" => form == Form::Tn && !finish.row_sums,
            _ => !finish.row_sums,
        })
    }

    /// What the templates need to know.
    pub(super) fn context(self) -> Value {
        let Finish { epilogue, row_sums, half, scale } = self;
        context! { epilogue, row_sums, half, scale => scale.label() }
    }

    /// What the finishing part of a kernel binds, y first.
    pub(super) fn bindings(self) -> Vec<Binding> {
        let mut bindings = vec![write("y")];
        match self.epilogue {
            "bias" | "bias_relu" => bindings.push(read("bias")),
            "mask" => bindings.push(read("mask")),
            "sgd" if self.row_sums => bindings.push(write("bias")),
            "sgd_momentum" => {
                bindings.push(write("v"));
                if self.row_sums {
                    bindings.extend([write("bias"), write("bias_v")]);
                }
            }
            _ => {}
        }
        bindings
    }

    pub(super) fn label(self) -> String {
        let rows = if self.row_sums { "_rows" } else { "" };
        let half = if self.half { "_f16" } else { "" };
        let bar = if self.scale == Scale::None { "" } else { "_" };
        format!("{}{rows}{half}{bar}{}", self.epilogue, self.scale.label())
    }
}

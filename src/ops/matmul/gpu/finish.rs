//! The epilogues of product kernels, and what each needs.

use minijinja::context;
use minijinja::value::Value;

use super::scale::Scale;
use crate::kernel::{Binding, read, write};
use crate::ops::matmul::product::{Epilogue, Form, Product};
use crate::tensor::{Element, Tensor};

/// An epilogue of a kernel, as the templates name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Finish {
    /// One of [`EPILOGUES`].
    pub epilogue: &'static str,
    /// Whether the sums of the first operand's rows are also computed.
    pub row_sums: bool,
    /// Whether y and the mask are f16.
    pub half: bool,
    /// The change of the loss scale, if the product is a gradient.
    pub scale: Scale,
}

/// Names of all epilogues in the templates.
pub const EPILOGUES: [&str; 8] =
    ["none", "bias", "bias_relu", "mask", "sgd", "sgd_momentum", "change", "part"];

impl Finish {
    /// The epilogue of an f32 product, without a change of scale.
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
        let is_half = |tensor: Tensor| tensor.element() == Element::F16;
        let scale = match (op.form, is_half(op.a), is_half(op.y)) {
            (Form::Nn, false, true) => Scale::Up,
            (Form::Tn, true, false) => Scale::Down,
            _ => Scale::None,
        };
        Finish { half: is_half(op.y), scale, ..Finish::plain(name, row_sums) }
    }

    /// The epilogue of the kernels that write partial sums for this one (split-K).
    pub(super) fn part(self) -> Self {
        Finish::plain("part", self.row_sums)
    }

    /// Whether the kernel needs the step's record: for a parameter's update, or for the scale of a
    /// gradient.
    pub(super) fn reads_step(self) -> bool {
        self.updates() || self.epilogue == "change" || self.scale != Scale::None
    }

    /// Whether the epilogue updates a parameter.
    pub(super) fn updates(self) -> bool {
        matches!(self.epilogue, "sgd" | "sgd_momentum")
    }

    /// Every epilogue of a product of this form with patches.
    pub(super) fn all_of_patches(form: Form) -> impl Iterator<Item = Finish> {
        let epilogues: &[_] = match form {
            Form::Nn => &["none", "mask", "part"],
            Form::Nt => &["none", "bias", "bias_relu", "part"],
            Form::Tn => &["none", "part"],
        };
        epilogues.iter().map(|&epilogue| Finish::plain(epilogue, false))
    }

    /// Every epilogue of a product of this form without patches.
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

    /// The values for the templates.
    pub(super) fn context(self) -> Value {
        let Finish { epilogue, row_sums, half, scale } = self;
        context! { epilogue, row_sums, half, scale => scale.label() }
    }

    /// The bindings of the epilogue, y first.
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

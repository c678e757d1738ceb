//! Kernels from templates: `shaders/matmul_*.wgsl.j2`.

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};

use super::Params;
use super::finish::Finish;
use super::scale::Scale;
use crate::kernel::{Kernel, Matrices, TileClass, Uniform, read};
use crate::ops::matmul::{Form, Product, Size, Source};
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

    fn is_patches(self) -> bool {
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

    /// Every way to read and write in a product of this form whose operand that is a layer's input is this.
    fn all_vectors(form: Form, operand: Operand) -> impl Iterator<Item = [bool; 3]> {
        let all = (0..8).map(|bits| [1, 2, 4].map(|bit| bits & bit != 0));
        all.filter(move |&[a, b, y]| match (form, operand) {
            // Lines of b and of y are equally long, but a patch may be whole vectors where a cell is not.
            (Form::Tn, Operand::Patches) => y || !b,
            (Form::Nn | Form::Tn, _) => b == y && (operand != Operand::Pixels || b),
            (Form::Nt, _) => a == b && (operand != Operand::Pixels || a),
        })
    }

    /// Every variant that some product of floats in 32 bits has.
    fn all() -> Vec<Self> {
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

    /// The same product, with floats in 16 bits where layers keep them so: all that is handed on and its gradients, and weights.
    /// The last layer has its weight and the gradient of the logits in 32.
    fn in_half(self) -> Vec<Self> {
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

    /// Whether both operands have 16 bits, as cooperative matrices do. Those of pixels have, once they are
    /// normalised: as much as what is gathered from them would have.
    pub(super) fn is_of_halves(self) -> bool {
        let [a, b] = self.halves;
        match (self.operand, self.form) {
            (Operand::Pixels, Form::Nt) => b,
            (Operand::Pixels, _) => a,
            _ => a && b,
        }
    }

    /// Whether any tensor is kept in 16 bits.
    fn has_halves(self) -> bool {
        self.finish.half || self.halves.contains(&true)
    }
}

/// Stands before all else, as does what enables 16-bit floats.
const COOPERATIVE: &str = "enable wgpu_cooperative_matrix;";
const STORED_F16: &str = include_str!("../../../../shaders/stored_f16.wgsl");

const SOURCES: [(&str, &str); 14] = [
    ("stored_f16.wgsl", STORED_F16),
    ("gradient_scale.wgsl", include_str!("../../../../shaders/gradient_scale.wgsl")),
    ("step.wgsl", include_str!("../../../../shaders/step.wgsl")),
    ("loop_bound.wgsl", include_str!("../../../../shaders/loop_bound.wgsl")),
    ("normalised.wgsl", include_str!("../../../../shaders/normalised.wgsl")),
    ("matmul_params.wgsl", include_str!("../../../../shaders/matmul_params.wgsl")),
    ("matmul_patches.wgsl.j2", include_str!("../../../../shaders/matmul_patches.wgsl.j2")),
    ("matmul_common.wgsl.j2", include_str!("../../../../shaders/matmul_common.wgsl.j2")),
    ("matmul_finish.wgsl.j2", include_str!("../../../../shaders/matmul_finish.wgsl.j2")),
    ("matmul_store.wgsl.j2", include_str!("../../../../shaders/matmul_store.wgsl.j2")),
    ("matmul_tiled.wgsl.j2", include_str!("../../../../shaders/matmul_tiled.wgsl.j2")),
    ("matmul_subgroup.wgsl.j2", include_str!("../../../../shaders/matmul_subgroup.wgsl.j2")),
    ("matmul_cooperative.wgsl.j2", include_str!("../../../../shaders/matmul_cooperative.wgsl.j2")),
    ("matmul_join.wgsl.j2", include_str!("../../../../shaders/matmul_join.wgsl.j2")),
];

/// Changes with the kernels' sources (FNV-1a, 64 bits): what was measured of others says nothing of these.
pub const FINGERPRINT: u64 = {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut source = 0;
    while source < SOURCES.len() {
        let bytes = SOURCES[source].1.as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            hash = (hash ^ bytes[byte] as u64).wrapping_mul(0x0100_0000_01b3);
            byte += 1;
        }
        source += 1;
    }
    hash
};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_keep_trailing_newline(true);
    for (name, source) in SOURCES {
        templates.add_template(name, source).expect("the shader templates are valid");
    }
    templates
});

/// A kernel's text, behind what it needs to be enabled: [`STORED_F16`] where anything is kept in 16 bits.
fn text(enabled: &[&str], template: &str, values: Value) -> Cow<'static, str> {
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(values));
    let rendered = rendered.expect("the shader templates render for every variant");
    let mut text = String::new();
    for enabled in enabled {
        text.push_str(enabled);
        text.push('\n');
    }
    text.push_str(&rendered);
    Cow::Owned(text)
}

/// Renders the kernel of a product that the class [takes](TileClass::takes).
pub fn kernel(class: TileClass, variant: Variant) -> Kernel {
    let Variant { form, finish, vectors: [a_vector, b_vector, y_vector], operand, halves } = variant;
    let [a_half, b_half] = halves;
    let stored: &[&str] = if variant.has_halves() { &[STORED_F16] } else { &[] };
    let pixels = operand == Operand::Pixels;
    let (a_pixels, b_pixels) = (pixels && form == Form::Nt, pixels && form == Form::Tn);
    let patches = operand.is_patches();
    let (a_patches, b_patches) = (patches && form != Form::Tn, patches && form == Form::Tn);
    let spread = operand == Operand::SpreadPatches;
    let form = match form {
        Form::Nn => "nn",
        Form::Nt => "nt",
        Form::Tn => "tn",
    };
    let shared = context! {
        form, a_vector, b_vector, y_vector, a_half, b_half, a_pixels, b_pixels, a_patches, b_patches, spread,
        ..finish.context()
    };
    let source = match class {
        TileClass::Tiled { tile_m, tile_n, tile_k, rows, quads } => {
            text(stored, "matmul_tiled.wgsl.j2", context! { tile_m, tile_n, tile_k, rows, quads, ..shared })
        }
        TileClass::Subgroup { lanes, rows, quads } => {
            text(stored, "matmul_subgroup.wgsl.j2", context! { lanes, rows, quads, ..shared })
        }
        TileClass::Cooperative {
            matrices: Matrices { side, vectors },
            lanes,
            rows,
            columns,
            subgroups_m,
            subgroups_n,
        } => {
            let round = class.round();
            let own = context! { side, vectors, lanes, rows, columns, subgroups_m, subgroups_n, round };
            let enabled = [COOPERATIVE, STORED_F16];
            text(&enabled, "matmul_cooperative.wgsl.j2", context! { ..own, ..shared })
        }
    };
    let mut bindings = vec![read("a"), read("b")];
    bindings.extend(pixels.then_some(read("normalisation")));
    bindings.extend(finish.bindings());
    let of_what = operand.label().map(|label| format!("_{label}")).unwrap_or_default();
    let (finish_label, vectors) = (finish.label(), letters_label(variant.vectors, "4"));
    let halves = letters_label([a_half, b_half, false], "16");
    Kernel {
        name: format!("matmul_{form}_{finish_label}{of_what}_{}{vectors}{halves}", class.label()).into(),
        source,
        workgroup: [class.workgroup(), 1, 1],
        params: Params::FIELDS,
        bindings: bindings.into(),
        reads_step: finish.reads_step(),
        subgroups: !matches!(class, TileClass::Tiled { .. }),
    }
}

/// Invocations of a workgroup of the kernel that adds up parts.
pub(super) const JOIN_WORKGROUP: u32 = 64;

/// Renders the kernel that adds up the parts of sums and finishes them.
pub(super) fn join(finish: Finish, y_vector: bool) -> Kernel {
    let mut bindings = vec![read("parts")];
    bindings.extend(finish.bindings());
    let is_stored = finish.half || finish.scale != Scale::None;
    let stored: &[&str] = if is_stored { &[STORED_F16] } else { &[] };
    Kernel {
        name: format!("matmul_join_{}{}", finish.label(), if y_vector { "_y4" } else { "" }).into(),
        source: text(stored, "matmul_join.wgsl.j2", context! { y_vector, ..finish.context() }),
        workgroup: [JOIN_WORKGROUP, 1, 1],
        params: Params::FIELDS,
        bindings: bindings.into(),
        reads_step: finish.reads_step(),
        subgroups: false,
    }
}

/// Which of a, b and y something is true of: `_ab4`.
fn letters_label(of: [bool; 3], what: &str) -> String {
    let letters = ['a', 'b', 'y'].into_iter().zip(of).filter_map(|(letter, is)| is.then_some(letter));
    let letters: String = letters.collect();
    if letters.is_empty() { letters } else { format!("_{letters}{what}") }
}

/// Every kernel that a product without patches may use, and those that add up the parts of any.
pub fn kernels() -> Vec<Kernel> {
    // A part of a sum is all that is not finished by adding parts up; nor is a block's change ever cut.
    let joined = Finish::all(Form::Tn).filter(|finish| !matches!(finish.epilogue, "part" | "change"));
    let joins = joined.flat_map(|finish| {
        let halves = [(false, Scale::None), (false, Scale::Down), (true, Scale::None), (true, Scale::Up)];
        // Parameters are kept in 32 bits.
        let halves = halves.into_iter().filter(move |(half, _)| !half || !finish.updates());
        halves.map(move |(half, scale)| Finish { half, scale, ..finish })
    });
    let joins = joins.flat_map(|finish| [false, true].map(|y_vector| join(finish, y_vector)));
    rendered(|operand| !operand.is_patches()).chain(joins).collect()
}

/// Every kernel that a product with patches may use, but for those that add up the parts of sums.
pub(in crate::ops) fn kernels_of_patches() -> Vec<Kernel> {
    rendered(Operand::is_patches).collect()
}

/// The kernels of products with such an operand, for today's devices.
fn rendered(is_operand: fn(Operand) -> bool) -> impl Iterator<Item = Kernel> {
    let variants: Vec<Variant> =
        Variant::all().into_iter().filter(|variant| is_operand(variant.operand)).collect();
    TileClass::of_today().into_iter().flat_map(move |class| {
        let halves = variants.clone().into_iter().flat_map(Variant::in_half);
        let all = variants.clone().into_iter().chain(halves).filter(move |variant| class.takes(*variant));
        all.map(move |variant| kernel(class, variant))
    })
}

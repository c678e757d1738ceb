//! Kernels from templates: `shaders/matmul_*.wgsl.j2`.

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, UndefinedBehavior, context};

use super::finish::Finish;
use super::scale::Scale;
use super::variant::{Operand, Variant};
use crate::kernel::{CooperativeMatrix, FNV_START, Kernel, TileClass, fnv, read};
use crate::ops::matmul::product::Form;

/// Comes first in the text of cooperative kernels, as does the line that enables f16.
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

/// Fingerprint of the kernels' sources: measurements of other sources are not valid for these.
pub const FINGERPRINT: u64 = {
    let mut hash = FNV_START;
    let mut source = 0;
    while source < SOURCES.len() {
        hash = fnv(hash, SOURCES[source].1.as_bytes());
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

/// A kernel's text after the lines that enable extensions: [`STORED_F16`] if any tensor is f16.
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

/// Renders the kernel of a product that the class [supports](TileClass::takes).
pub(super) fn kernel(class: TileClass, variant: Variant) -> Kernel {
    let Variant { form, finish, vectors: [a_vector, b_vector, y_vector], operand, halves } = variant;
    let [a_half, b_half] = halves;
    let stored: &[&str] = if variant.has_f16() { &[STORED_F16] } else { &[] };
    let pixels = operand == Operand::Pixels;
    let (a_pixels, b_pixels) = (pixels && form == Form::Nt, pixels && form == Form::Tn);
    let patches = operand.is_patches();
    let (a_patches, b_patches) = (patches && form != Form::Tn, patches && form == Form::Tn);
    let dilated = operand == Operand::DilatedPatches;
    let form = match form {
        Form::Nn => "nn",
        Form::Nt => "nt",
        Form::Tn => "tn",
    };
    let shared = context! {
        form, a_vector, b_vector, y_vector, a_half, b_half, a_pixels, b_pixels, a_patches, b_patches,
        dilated, ..finish.context()
    };
    let source = match class {
        TileClass::Tiled { tile_m, tile_n, tile_k, rows, quads } => {
            text(stored, "matmul_tiled.wgsl.j2", context! { tile_m, tile_n, tile_k, rows, quads, ..shared })
        }
        TileClass::Subgroup { lanes, rows, quads } => {
            text(stored, "matmul_subgroup.wgsl.j2", context! { lanes, rows, quads, ..shared })
        }
        TileClass::Cooperative {
            matrix: CooperativeMatrix { size, vec4_loads },
            lanes,
            rows,
            columns,
            subgroups_m,
            subgroups_n,
        } => {
            let round = class.round();
            let own = context! { size, vec4_loads, lanes, rows, columns, subgroups_m, subgroups_n, round };
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
        bindings: bindings.into(),
        reads_step: finish.reads_step(),
        subgroups: !matches!(class, TileClass::Tiled { .. }),
    }
}

/// Workgroup size of the kernel that adds up the partial sums.
pub(super) const JOIN_WORKGROUP: u32 = 64;

/// Renders the kernel that adds up partial sums and applies the epilogue.
pub(super) fn join(finish: Finish, y_vector: bool) -> Kernel {
    let mut bindings = vec![read("parts")];
    bindings.extend(finish.bindings());
    let is_stored = finish.half || finish.scale != Scale::None;
    let stored: &[&str] = if is_stored { &[STORED_F16] } else { &[] };
    Kernel {
        name: format!("matmul_join_{}{}", finish.label(), if y_vector { "_y4" } else { "" }).into(),
        source: text(stored, "matmul_join.wgsl.j2", context! { y_vector, ..finish.context() }),
        workgroup: [JOIN_WORKGROUP, 1, 1],
        bindings: bindings.into(),
        reads_step: finish.reads_step(),
        subgroups: false,
    }
}

/// Label for those of a, b and y that have a property: `_ab4`.
fn letters_label(of: [bool; 3], what: &str) -> String {
    let letters = ['a', 'b', 'y'].into_iter().zip(of).filter_map(|(letter, is)| is.then_some(letter));
    let letters: String = letters.collect();
    if letters.is_empty() { letters } else { format!("_{letters}{what}") }
}

/// Every kernel that a product may use, including those that add up partial sums.
pub fn kernels() -> Vec<Kernel> {
    // Kernels that store partial sums do not join them, and the change of a block of steps is never
    // split.
    let joined = Finish::all(Form::Tn).filter(|finish| !matches!(finish.epilogue, "part" | "change"));
    let joins = joined.flat_map(|finish| {
        let halves = [(false, Scale::None), (false, Scale::Down), (true, Scale::None), (true, Scale::Up)];
        // Parameters are f32.
        let halves = halves.into_iter().filter(move |(half, _)| !half || !finish.updates());
        halves.map(move |(half, scale)| Finish { half, scale, ..finish })
    });
    let joins = joins.flat_map(|finish| [false, true].map(|y_vector| join(finish, y_vector)));
    rendered().chain(joins).collect()
}

/// The kernels of products for today's devices.
fn rendered() -> impl Iterator<Item = Kernel> {
    let variants = Variant::all();
    TileClass::of_today().into_iter().flat_map(move |class| {
        let halves = variants.clone().into_iter().flat_map(Variant::as_f16);
        let all = variants.clone().into_iter().chain(halves).filter(move |variant| class.takes(*variant));
        all.map(move |variant| kernel(class, variant))
    })
}

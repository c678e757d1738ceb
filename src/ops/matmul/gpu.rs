//! The GPU half of the matrix product: kernel classes behind one face.
//!
//! | class | for | how |
//! | --- | --- | --- |
//! | [`Class::Tiled`] | discrete and integrated GPUs | tiles in workgroup memory, barriers |
//! | [`Class::Subgroup`] | software drivers, small GPUs | one subgroup per workgroup, broadcasts, no barrier |
//!
//! Registers must have names and loops be unrolled for a compiler to keep sums in registers, so
//! these kernels are rendered from templates (`shaders/matmul_*.wgsl.j2`); what they render for two
//! products is kept in `tests/snapshots/` for a reader. A class for cooperative matrices is another
//! template and another arm in [`Class`].

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, context};

use super::{Epilogue, Form, Matmul, Size};
use crate::kernel::{Dispatch, Kernel, MOST_TRIPS, Uniform, fold, read, trips, uniform, write};
use crate::ops::GpuFacts;

/// A kernel class with its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Tiles of a and b in workgroup memory.
    Tiled {
        /// Rows of the product per workgroup.
        tile_m: u32,
        /// Columns of the product per workgroup.
        tile_n: u32,
        /// Terms per round.
        tile_k: u32,
        /// Rows per invocation, a multiple of 4; its columns are 4.
        rows: u32,
    },
    /// One subgroup per workgroup.
    Subgroup {
        /// Lanes of the subgroup.
        lanes: u32,
        /// Rows of the product per workgroup, a multiple of 4.
        rows: u32,
        /// Columns per lane, in fours.
        quads: u32,
    },
}

impl Class {
    /// Rows and columns of the product that a workgroup computes.
    pub fn tile(self) -> (u32, u32) {
        match self {
            Class::Tiled { tile_m, tile_n, .. } => (tile_m, tile_n),
            Class::Subgroup { lanes, rows, quads } => (rows, 4 * lanes * quads),
        }
    }

    /// Terms of the sum that one trip of the loop takes.
    fn terms(self) -> u32 {
        match self {
            Class::Tiled { tile_k, .. } => tile_k,
            Class::Subgroup { .. } => 4,
        }
    }

    /// Trips of an invocation's loops at most: over the terms, and for some epilogues over the bits of
    /// the step's rows.
    fn trips(self, size: Size) -> u64 {
        trips(size.k.div_ceil(self.terms() as usize), 0) + EPILOGUE_TRIPS
    }

    fn workgroup(self) -> u32 {
        match self {
            Class::Tiled { tile_m, tile_n, rows, .. } => tile_m / rows * (tile_n / 4),
            Class::Subgroup { lanes, .. } => lanes,
        }
    }
}

const EPILOGUE_TRIPS: u64 = trips(u32::BITS as usize, 0);

/// Terms per round of the tiled classes.
const TILE_K: u32 = 16;

/// Most terms of a sum for which some class has trips enough.
pub(super) const MOST_TERMS: usize = TILE_K as usize * (MOST_TRIPS - EPILOGUE_TRIPS - trips(0, 0)) as usize;

/// 32 x 32, 64 invocations, 4 KiB of workgroup memory: enough workgroups for a small product.
const SMALL_TILE: Class = Class::Tiled { tile_m: 32, tile_n: 32, tile_k: TILE_K, rows: 4 };

/// 64 x 64, 128 invocations, 8 KiB of workgroup memory: two loads per four multiply-adds.
const LARGE_TILE: Class = Class::Tiled { tile_m: 64, tile_n: 64, tile_k: TILE_K, rows: 8 };

/// Every class that is used on an adapter with these facts; tests run them all.
pub fn menu(gpu: &GpuFacts) -> Vec<Class> {
    let mut menu = vec![SMALL_TILE, LARGE_TILE];
    if let Some(lanes) = gpu.subgroup_size {
        for (rows, quads) in [(16, 2), (16, 1), (8, 1)] {
            menu.push(Class::Subgroup { lanes, rows, quads });
        }
    }
    menu
}

/// The class for a product of this size. Depends on nothing else, so a run repeats bit for bit.
pub(super) fn choose(size: Size, gpu: &GpuFacts) -> Class {
    if let Some(class) = gpu.matmul {
        return class;
    }
    let Size { m, n, .. } = size;
    if let (true, Some(lanes)) = (gpu.software, gpu.subgroup_size) {
        let quads = if n <= 4 * lanes as usize { 1 } else { 2 };
        let rows = if m <= 8 && quads == 1 { 8 } else { 16 };
        let class = Class::Subgroup { lanes, rows, quads };
        if class.trips(size) <= MOST_TRIPS {
            return class;
        }
    }
    // A large tile moves half as much memory, where there are enough tiles to go around.
    let tiles = m.div_ceil(64) * n.div_ceil(64);
    if tiles >= 128 { LARGE_TILE } else { SMALL_TILE }
}

/// What a kernel's text depends on, besides its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Which operand is transposed.
    pub form: Form,
    /// Name of the epilogue in the templates.
    pub epilogue: &'static str,
    /// Whether a, b and y can be accessed four elements at a time.
    pub vectors: [bool; 3],
}

/// Names of all epilogues in the templates.
pub const EPILOGUES: [&str; 7] = ["none", "bias", "bias_relu", "mask", "sgd", "sgd_momentum", "change"];

/// Whether an epilogue changes a parameter. Only form tn has these: such a product is a gradient.
fn changes_parameter(epilogue: &str) -> bool {
    matches!(epilogue, "sgd" | "sgd_momentum" | "change")
}

impl Variant {
    fn new(form: Form, epilogue: &'static str, Size { m, n, k }: Size) -> Self {
        let (a_line, b_line) = match form {
            Form::Nn => (k, n),
            Form::Nt => (k, k),
            Form::Tn => (m, n),
        };
        let vectors = [a_line, b_line, n].map(|line| line.is_multiple_of(4));
        Variant { form, epilogue, vectors }
    }

    /// Every variant that some product has.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for form in [Form::Nn, Form::Nt, Form::Tn] {
            for epilogue in EPILOGUES {
                if changes_parameter(epilogue) && form != Form::Tn {
                    continue;
                }
                // Sizes with and without whole vectors.
                for bits in 0..8 {
                    let [m, n, k] = [1, 2, 4].map(|bit| if bits & bit == 0 { 1 } else { 4 });
                    let variant = Variant::new(form, epilogue, Size { m, n, k });
                    if !all.contains(&variant) {
                        all.push(variant);
                    }
                }
            }
        }
        all
    }
}

impl Matmul {
    fn variant(&self) -> Variant {
        let epilogue = match &self.epilogue {
            Epilogue::None => "none",
            Epilogue::Bias { relu: false, .. } => "bias",
            Epilogue::Bias { relu: true, .. } => "bias_relu",
            Epilogue::Mask(_) => "mask",
            Epilogue::Update(update) if update.momentum.is_none() => "sgd",
            Epilogue::Update(_) => "sgd_momentum",
            Epilogue::Change { .. } => "change",
        };
        Variant::new(self.form, epilogue, self.size())
    }
}

uniform! {
    struct Params {
        m: u32,
        n: u32,
        k: u32,
        /// Tiles across one row of tiles.
        tiles_n: u32,
        decay: f32,
        momentum: f32,
        nesterov: u32,
    }
}

/// The op as one dispatch of a kernel of `class`.
pub(super) fn dispatch(op: &Matmul, class: Class) -> Dispatch {
    let size = op.size();
    let (tile_m, tile_n) = class.tile();
    let tiles_m = size.m.div_ceil(tile_m as usize);
    let tiles_n = size.n.div_ceil(tile_n as usize);
    let mut tensors = vec![op.a, op.b, op.y];
    let mut params = Params {
        m: size.m as u32,
        n: size.n as u32,
        k: size.k as u32,
        tiles_n: tiles_n as u32,
        ..Params::default()
    };
    match op.epilogue {
        Epilogue::None => {}
        Epilogue::Bias { bias: extra, .. } | Epilogue::Mask(extra) => tensors.push(extra),
        Epilogue::Update(update) => {
            tensors.extend(update.momentum.map(|momentum| momentum.velocity));
            params.decay = update.decay;
            (params.momentum, params.nesterov) = update.factors();
        }
        Epilogue::Change { decay } => {
            params.decay = decay;
        }
    }
    Dispatch {
        kernel: Cow::Owned(kernel(class, op.variant())),
        params: params.to_bytes(),
        tensors,
        grid: fold(tiles_m * tiles_n, 1),
        trips: class.trips(size),
    }
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_keep_trailing_newline(true);
    for (name, source) in [
        ("step.wgsl", include_str!("../../../shaders/step.wgsl")),
        ("loop_bound.wgsl", include_str!("../../../shaders/loop_bound.wgsl")),
        ("matmul_common.wgsl.j2", include_str!("../../../shaders/matmul_common.wgsl.j2")),
        ("matmul_tiled.wgsl.j2", include_str!("../../../shaders/matmul_tiled.wgsl.j2")),
        ("matmul_subgroup.wgsl.j2", include_str!("../../../shaders/matmul_subgroup.wgsl.j2")),
    ] {
        templates.add_template(name, source).expect("the shader templates are valid");
    }
    templates
});

/// Renders one kernel.
pub fn kernel(class: Class, variant: Variant) -> Kernel {
    let Variant { form, epilogue, vectors: [a_vector, b_vector, y_vector] } = variant;
    let form = match form {
        Form::Nn => "nn",
        Form::Nt => "nt",
        Form::Tn => "tn",
    };
    let shared = context! { form, epilogue, a_vector, b_vector, y_vector };
    let (template, tile, label) = match class {
        Class::Tiled { tile_m, tile_n, tile_k, rows } => (
            "matmul_tiled.wgsl.j2",
            context! { tile_m, tile_n, tile_k, rows },
            format!("tiled_{tile_m}x{tile_n}x{tile_k}_{rows}"),
        ),
        Class::Subgroup { lanes, rows, quads } => (
            "matmul_subgroup.wgsl.j2",
            context! { lanes, rows, quads },
            format!("subgroup_{lanes}_{rows}x{quads}"),
        ),
    };
    let source = TEMPLATES
        .get_template(template)
        .and_then(|template| template.render(context! { ..shared, ..tile }))
        .expect("the shader templates render for every variant");
    let letters: String = vectors_label(variant.vectors);
    let mut bindings = vec![read("a"), read("b"), write("y")];
    match epilogue {
        "bias" | "bias_relu" => bindings.push(read("bias")),
        "mask" => bindings.push(read("mask")),
        "sgd_momentum" => bindings.push(write("v")),
        _ => {}
    }
    Kernel {
        name: Cow::Owned(format!("matmul_{form}_{epilogue}_{label}{letters}")),
        source: Cow::Owned(source),
        workgroup: [class.workgroup(), 1, 1],
        params: Params::FIELDS,
        bindings: Cow::Owned(bindings),
        reads_step: changes_parameter(epilogue),
        subgroups: matches!(class, Class::Subgroup { .. }),
    }
}

fn vectors_label(vectors: [bool; 3]) -> String {
    let letters: String = ['a', 'b', 'y']
        .into_iter()
        .zip(vectors)
        .filter_map(|(letter, vector)| vector.then_some(letter))
        .collect();
    if letters.is_empty() { letters } else { format!("_{letters}4") }
}

/// Every kernel that a product may use, for the subgroup sizes found on today's devices.
pub fn kernels() -> Vec<Kernel> {
    let mut classes = Vec::new();
    for lanes in [4, 8, 16, 32, 64] {
        let facts = GpuFacts { subgroup_size: Some(lanes), software: true, matmul: None };
        for class in menu(&facts) {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
    }
    let variants = Variant::all();
    let of_class = |class| variants.iter().map(move |&variant| kernel(class, variant));
    classes.into_iter().flat_map(of_class).collect()
}

//! Compares every kernel's Rust descriptor with its shader, without a GPU.
//!
//! The two must agree on everything that a dispatch relies on, kernels must fit WebGPU's default
//! limits, and wgpu must be able to translate them to all its languages.

#[path = "shaders/agreement.rs"]
mod agreement;
#[path = "shaders/control_flow.rs"]
mod control_flow;
#[path = "shaders/loops.rs"]
mod loops;
#[path = "shaders/parse.rs"]
mod parse;
#[path = "shaders/recorded.rs"]
mod recorded;
#[path = "shaders/translation.rs"]
mod translation;
#[path = "shaders/wrong_rows.rs"]
mod wrong_rows;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use shadegrad::kernel::{Kernel, Matrices, TileClass};
use shadegrad::ops::matmul::Form;
use shadegrad::ops::matmul::gpu::{Finish, Operand, Scale, Variant, kernel as matmul_kernel};

use parse::Parsed;

/// Number of kernels of all ops and of the peak. A commit that changes it should say why.
///
/// 21 classes of the matrix product finish their sums in 5 ways in 3 forms, and in 6 more in one,
/// each for 4 ways to divide into vectors; in two of the forms also of pixels, for 2 such ways.
/// Split-K sums are joined in 8 ways, with whole vectors or without.
///
/// With patches of a map, a product is finished in 4 ways in the forward pass, each for 4 ways to
/// divide into vectors; in 3 ways for the gradient of the map, which may be dilated; in 2 ways for
/// the gradient of the weight, where a patch may be whole vectors while a cell is not, so for 6
/// ways to divide.
///
/// 26 kernels have f16 variants, or exist only for f16. All products exist in f16, except the
/// change of a block. Products of f32 also exist as the last layer of an f16 model needs them,
/// where a split of the map's gradient is f32. Splits are joined in 4 ways with 2 more scales and
/// with y in f16 or f32, and in 4 with one more scale.
///
/// 10 classes of cooperative matrices have only products of two f16 operands, pixels among them.
const KERNELS: usize = 45
    + 21 * ((3 * 5 + 6) * 4 + (2 * 5 + 6) * 2)
    + 8 * 2
    + 21 * (4 * 4 + 3 * 4 * 2 + 2 * 6)
    + 26
    + 21 * ((2 * (3 * 5 + 5) - 1) * 4 + (2 * 5 + 5) * 2)
    + (4 * 3 + 4) * 2
    + 21 * (4 * 4 + 3 * 4 * 2 + 2 * 6)
    + 10 * ((3 * 5 + 5) * 4 + (2 * 5 + 5) * 2 + (4 * 4 + 3 * 4 * 2 + 2 * 6));

/// All f32 product kernels are validated, and one in this many is also translated.
const TRANSLATED: usize = 7;

/// One in this many f16 product kernels is validated, because they differ only in loads and stores.
/// All cooperative-matrix kernels are validated.
const VALIDATED: usize = 5;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_kernel_agrees_with_its_row() {
    let kernels = shadegrad::ops::kernels();
    assert_eq!(kernels.len(), KERNELS, "number of kernels");
    let complaints: Vec<String> = kernels
        .par_iter()
        .enumerate()
        .filter(|(position, (op, kernel))| {
            let is_twin = kernel.needs_f16() && !kernel.needs_cooperative_matrices();
            !is_rendered(op) || !is_twin || position % VALIDATED == 0
        })
        .flat_map_iter(|(position, (op, kernel))| {
            let translate = !is_rendered(op) || position % TRANSLATED == 0;
            complaints(kernel, translate)
        })
        .collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Whether an op's kernels come from templates.
fn is_rendered(op: &str) -> bool {
    ["matmul", "conv2d"].contains(&op)
}

/// Everything that is wrong with a kernel.
fn complaints(kernel: &Kernel, translate: bool) -> Vec<String> {
    let parsed = match Parsed::new(kernel) {
        Ok(parsed) => parsed,
        Err(message) => return vec![message],
    };
    let mut complaints = agreement::complaints(kernel, &parsed);
    complaints.extend(control_flow::complaints(&parsed));
    complaints.extend(loops::complaints(&parsed));
    if translate {
        complaints.extend(translation::complaints(kernel, &parsed));
    }
    complaints.into_iter().map(|complaint| format!("{}: {complaint}", kernel.name)).collect()
}

#[test]
fn every_op_has_a_kernel_and_no_name_is_used_twice() {
    let kernels = shadegrad::ops::kernels();
    for op in shadegrad::ops::ALL {
        assert!(kernels.iter().any(|(owner, _)| owner == op), "{op} has no kernel");
    }
    let names: BTreeSet<&str> = kernels.iter().map(|(_, kernel)| &*kernel.name).collect();
    assert_eq!(names.len(), kernels.len(), "kernels with names of their own");
}

/// A plain shader is the text of some descriptor, or part of it. A template is named by the crate
/// or included by another one.
#[test]
fn every_shader_file_is_used() {
    let mut kernels = shadegrad::ops::kernels();
    // Plain shaders come first, so that common mistakes are found early.
    kernels.sort_by_key(|(op, _)| is_rendered(op));
    let rendering = read(&folder("src/ops/matmul/gpu/render.rs"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder("shaders")).expect("the folder of shaders") {
        let path = entry.expect("an entry of the folder").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a file name").to_owned();
        let text = read(&path);
        let used = match name.ends_with(".wgsl.j2") {
            true => rendering.contains(&format!("shaders/{name}")),
            false => kernels.iter().any(|(_, kernel)| kernel.source.contains(&text)),
        };
        assert!(used, "no kernel uses shaders/{name}");
        seen += 1;
    }
    assert!(seen >= 13, "only {seen} files in shaders/");
}

/// Snapshots of some rendered templates, for readers and for reviewers of a change to the
/// templates. `SHADEGRAD_BLESS=1` writes them again.
#[test]
fn rendered_matmuls_are_as_their_snapshots() {
    let tiled = TileClass::Tiled { tile_m: 32, tile_n: 32, tile_k: 16, rows: 4, quads: 1 };
    let subgroup = TileClass::Subgroup { lanes: 8, rows: 8, quads: 1 };
    let cooperative = TileClass::Cooperative {
        matrices: Matrices { side: 16, vectors: true },
        lanes: 32,
        rows: 2,
        columns: 2,
        subgroups_m: 2,
        subgroups_n: 2,
    };
    let apples = TileClass::Cooperative {
        matrices: Matrices { side: 8, vectors: false },
        lanes: 32,
        rows: 2,
        columns: 2,
        subgroups_m: 2,
        subgroups_n: 2,
    };
    let forward = Variant {
        form: Form::Nt,
        finish: Finish::plain("bias_relu", false),
        vectors: [true; 3],
        operand: Operand::Matrix,
        halves: [false; 2],
    };
    let update = Variant {
        form: Form::Tn,
        finish: Finish::plain("sgd_momentum", true),
        vectors: [false; 3],
        operand: Operand::Matrix,
        halves: [false; 2],
    };
    let of_pixels = Variant { operand: Operand::Pixels, ..forward };
    let of_patches = Variant { operand: Operand::Patches, ..forward };
    let weight_gradient = Variant {
        form: Form::Tn,
        finish: Finish::plain("part", false),
        vectors: [true, false, true],
        operand: Operand::Patches,
        halves: [false; 2],
    };
    let update_by_halves =
        Variant { finish: Finish { scale: Scale::Down, ..update.finish }, halves: [true; 2], ..update };
    let in_half = Variant { vectors: [true; 3], ..update_by_halves };
    let forward_in_half =
        Variant { finish: Finish { half: true, ..forward.finish }, halves: [true; 2], ..forward };
    for kernel in [
        matmul_kernel(tiled, forward),
        matmul_kernel(subgroup, update),
        matmul_kernel(subgroup, in_half),
        matmul_kernel(subgroup, of_pixels),
        matmul_kernel(subgroup, of_patches),
        matmul_kernel(tiled, weight_gradient),
        matmul_kernel(cooperative, forward_in_half),
        matmul_kernel(apples, update_by_halves),
    ] {
        let path = folder("tests/snapshots").join(format!("{}.wgsl", kernel.name));
        if std::env::var_os("SHADEGRAD_BLESS").is_some() {
            std::fs::write(&path, &*kernel.source).expect("snapshots can be written");
        }
        assert!(
            kernel.source == read(&path),
            "{} is not what {} has; if that is meant, run with SHADEGRAD_BLESS=1 and review the change",
            kernel.name,
            path.display()
        );
    }
}

/// A template may be right for a compiler and unreadable for a person.
#[test]
fn rendered_matmuls_are_laid_out_for_a_reader() {
    for (_, kernel) in shadegrad::ops::kernels() {
        let mut depth = 0;
        let mut previous = "";
        for (number, line) in kernel.source.lines().enumerate() {
            let text = line.trim();
            let here = format!("{} line {}: {line:?}", kernel.name, number + 1);
            assert!(line == line.trim_end(), "{here} ends in spaces");
            assert!(!(text.is_empty() && previous.is_empty() && number > 0), "{here} is a second empty line");
            depth -= text.starts_with(['}', ')']) as usize;
            let indentation = line.len() - line.trim_start().len();
            assert!(text.is_empty() || indentation == 4 * depth, "{here} is not indented by {}", 4 * depth);
            depth += text.ends_with(['{', '(']) as usize;
            previous = text;
        }
        assert!(kernel.source.ends_with("}\n"), "{} does not end in one line break", kernel.name);
    }
}

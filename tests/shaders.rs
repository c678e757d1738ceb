//! Compares every kernel's Rust descriptor with its shader, without a GPU.
//!
//! The two must agree on everything that a dispatch relies on, kernels must fit WebGPU's default
//! limits, and wgpu must be able to translate them to all its languages.

mod control_flow;
mod loops;
mod parse;
mod recorded;
#[expect(dead_code, reason = "the rest is for the build script")]
#[path = "../build/shaders.rs"]
mod reflection;
mod translation;
mod wrong_kernels;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rayon::prelude::*;
use shadegrad::kernel::{Access, Binding, Kernel};

use parse::Parsed;
use reflection::Reflection;

/// All f32 product kernels are validated, and one in this many is also translated.
const TRANSLATED: usize = 7;

/// One in this many f16 product kernels is validated, because they differ only in loads and stores.
/// All cooperative-matrix kernels are validated.
const VALIDATED: usize = 5;

/// Every kernel, the plain ones first. Templates take seconds to render.
static KERNELS: LazyLock<Vec<Kernel>> = LazyLock::new(shadegrad::ops::kernels);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_kernel_is_as_its_descriptor_says_and_can_be_translated() {
    let complaints: Vec<String> = KERNELS
        .par_iter()
        .enumerate()
        .filter(|(position, kernel)| {
            let is_twin = kernel.needs_f16() && !kernel.needs_cooperative_matrices();
            !is_rendered(kernel) || !is_twin || position % VALIDATED == 0
        })
        .flat_map_iter(|(position, kernel)| {
            let translate = !is_rendered(kernel) || position % TRANSLATED == 0;
            complaints(kernel, translate)
        })
        .collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Whether a kernel is from a template.
fn is_rendered(kernel: &Kernel) -> bool {
    kernel.name.starts_with("matmul_")
}

/// Everything that is wrong with a kernel.
fn complaints(kernel: &Kernel, translate: bool) -> Vec<String> {
    let parsed = match Parsed::new(kernel) {
        Ok(parsed) => parsed,
        Err(message) => return vec![message],
    };
    let mut complaints = disagreements(kernel);
    complaints.extend(control_flow::complaints(&parsed));
    complaints.extend(loops::complaints(&parsed));
    if translate {
        complaints.extend(translation::complaints(kernel, &parsed));
    }
    complaints.into_iter().map(|complaint| format!("{}: {complaint}", kernel.name)).collect()
}

/// What a kernel's descriptor says otherwise than its text.
fn disagreements(kernel: &Kernel) -> Vec<String> {
    let found = match reflection::reflect(&kernel.name, &kernel.source) {
        Ok(found) => found,
        Err(problem) => return vec![problem],
    };
    let is_written = |binding: &Binding| binding.access == Access::ReadWrite;
    let described = Reflection {
        workgroup: kernel.workgroup,
        bindings: kernel.bindings.iter().map(|found| (found.name.to_owned(), is_written(found))).collect(),
        reads_step: kernel.reads_step,
        subgroups: kernel.subgroups,
    };
    if described == found { Vec::new() } else { vec![format!("{described:?} describes {found:?}")] }
}

#[test]
fn no_two_kernels_have_the_same_name() {
    let mut names = BTreeSet::new();
    for kernel in &*KERNELS {
        assert!(names.insert(kernel.name.to_string()), "two kernels have the name {}", kernel.name);
    }
}

/// A plain shader is the text of some descriptor, or part of it. A template is named by the crate
/// or included by another one.
#[test]
fn every_shader_file_is_used() {
    let rendering = read(&folder("src/ops/matmul/gpu/render.rs"));
    for entry in std::fs::read_dir(folder("shaders")).expect("the folder of shaders") {
        let path = entry.expect("an entry of the folder").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a file name").to_owned();
        let file = read(&path);
        let text = reflection::text(&file);
        let used = match name.ends_with(".wgsl.j2") {
            true => rendering.contains(&format!("shaders/{name}")),
            false => KERNELS.iter().any(|kernel| kernel.source.contains(text)),
        };
        assert!(used, "no kernel uses shaders/{name}");
    }
}

/// A template may be right for a compiler and unreadable for a person.
#[test]
fn rendered_matmuls_are_laid_out_for_a_reader() {
    for kernel in &*KERNELS {
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

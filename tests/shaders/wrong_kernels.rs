//! Tests of the shader checks: every error must be reported, with the right reason.

use std::borrow::Cow;

use shadegrad::kernel::{Kernel, read, write};

use super::KERNELS;
use super::reflection::{Files, declarations, uniform};

/// A correct kernel from which wrong ones are made.
fn kernel(name: &str) -> Kernel {
    let found = KERNELS.iter().find(|kernel| kernel.name == name);
    found.unwrap_or_else(|| panic!("no kernel {name}")).clone()
}

/// Exactly one complaint is expected, and it must contain the reason.
#[track_caller]
fn refused(kernel: &Kernel, because: &str) {
    let complaints = super::complaints(kernel, true);
    let is_named = matches!(&complaints[..], [complaint] if complaint.contains(because));
    assert!(is_named, "wanted one complaint, with {because:?}, but have {complaints:#?}");
}

/// The kernel `name` with `from` replaced by `to` in its text.
#[track_caller]
fn edited(name: &str, from: &str, to: &str) -> Kernel {
    again(kernel(name), from, to)
}

/// The same for a kernel that was already edited.
#[track_caller]
fn again(kernel: Kernel, from: &str, to: &str) -> Kernel {
    assert!(kernel.source.contains(from), "{} has no {from:?} to replace", kernel.name);
    Kernel { source: Cow::Owned(kernel.source.replace(from, to)), ..kernel }
}

#[test]
fn right_kernels_are_accepted() {
    for name in ["relu", "sgd_momentum", "column_sum"] {
        assert_eq!(super::complaints(&kernel(name), true), Vec::<String>::new());
    }
}

#[test]
fn descriptors_that_differ_from_the_text_are_refused() {
    let with = |bindings| Kernel { bindings: Cow::Borrowed(bindings), ..kernel("relu") };
    let because = "describes Reflection { workgroup: [256, 1, 1], bindings: [(\"x\", false), (\"y\", true)], \
                   reads_step: false, subgroups: false }";
    refused(&with(const { &[read("x"), write("z")] }), because);
    refused(&with(const { &[read("x"), read("y")] }), because);
    refused(&with(const { &[write("y"), read("x")] }), because);
    refused(&with(const { &[read("x")] }), because);
    refused(&with(const { &[read("x"), write("y"), read("z")] }), because);
    refused(&Kernel { workgroup: [128, 1, 1], ..kernel("relu") }, because);
    refused(&Kernel { reads_step: true, ..kernel("relu") }, because);
    let subgroups = KERNELS.iter().find(|kernel| kernel.subgroups);
    let with_subgroups = subgroups.expect("a kernel that uses subgroups").clone();
    assert_eq!(super::disagreements(&with_subgroups), Vec::<String>::new());
    let [complaint] = &super::disagreements(&Kernel { subgroups: false, ..with_subgroups })[..] else {
        panic!("a descriptor without subgroups must be refused once");
    };
    assert!(complaint.contains("subgroups: true"), "{complaint}");
}

#[test]
fn bindings_that_dispatches_do_not_expect_are_refused() {
    refused(&edited("relu", "@binding(2)", "@binding(3)"), "y is not expected at binding 3 of group 0");
    refused(&edited("relu", "@group(0) @binding(2)", "@group(1) @binding(2)"), "at binding 2 of group 1");
    refused(&edited("relu", "params", "parameters"), "parameters is not expected at binding 0 of group 0");
    refused(&edited("sgd", "var<uniform> step:", "var<uniform> mote:"), "no definition in scope");
    let vectors = edited("relu", "x: array<Stored>", "x: array<vec3<Stored>>");
    refused(&again(vectors, "f32(x[i])", "f32(x[i].x)"), "x: elements with padding: 16 bytes apart");
    let vector = edited("relu", "length: u32,", "length: vec2<u32>,");
    refused(&again(vector, "params.length", "params.length.x"), "length must be u32 or f32");
}

#[test]
fn what_a_device_may_not_have_is_refused() {
    refused(&edited("relu", "fn main", "fn start"), "the compute shader `main`");
    let large = edited("relu", "@workgroup_size(256)", "@workgroup_size(512)");
    refused(&Kernel { workgroup: [512, 1, 1], ..large }, "512 invocations, but the limit is 256");
    let memory = edited("column_sum", "COLUMNS * LANES>", "8192u>");
    refused(&memory, "32768 bytes of workgroup memory, but the limit is 16384");
    refused(&edited("relu", "i < params.length", "i < arrayLength(&x)"), "never from `arrayLength`");
    refused(&edited("relu", "value < 0.0", "value < 0u"), "Operation Less");
}

#[test]
fn barriers_that_not_all_invocations_reach_are_refused() {
    let early = "sums[mine] = sum;\n    if lane.x > params.columns { return; }";
    refused(&edited("column_sum", "sums[mine] = sum;", early), "a return before a barrier");
    let branch = edited("column_sum", "workgroupBarrier();", "if lane.y == 0u { workgroupBarrier(); }");
    refused(&branch, "a barrier in a branch");
}

/// The declarations of a set of files, one of which contains `text`, must be rejected.
#[track_caller]
fn undeclared(text: &str, because: &str) {
    let shared = ["stored_f32", "stored_f16", "step"].map(|name| (name.to_owned(), String::new()));
    let files: Files = shared.into_iter().chain([("own".to_owned(), text.to_owned())]).collect();
    let problem = declarations(&files).expect_err("the declaration is wrong");
    assert!(problem.contains(because), "wanted {because:?}, but have {problem:?}");
}

#[test]
fn wrong_declarations_are_refused() {
    undeclared("// kernel own = step own stored_f32\n", "the file that enables f16 must come first");
    undeclared("// kernel own = stored_f32 stored_f16 own\n", "the file that enables f16 must come first");
    undeclared("// kernel own = stp own\n", "there is no shaders/stp.wgsl");
    undeclared("// kernel own = step\n", "declared in own, but not joined from it");
    undeclared("// kernel own: own\n", "no ` = `");
    undeclared("fn f() {}\n// kernel own = own\n", "in the first lines");
}

#[test]
fn uniforms_that_have_no_twin_in_rust_are_refused() {
    let text = |field: &str| format!("struct Params {{\n    // Lines.\n    a: u32,\n    {field}\n}}\n");
    let fields = uniform(&text("b: f32,"), "Params").expect("the struct is right");
    let found: Vec<_> = fields.iter().map(|field| (&*field.name, field.kind, &*field.comment)).collect();
    assert_eq!(found, [("a", "u32", &["Lines.".to_owned()][..]), ("b", "f32", &[][..])]);
    for (field, because) in [
        ("b: vec2<u32>,", "b must be u32 or f32"),
        ("b: i32,", "b must be u32 or f32"),
        ("b: B,", "no definition"),
    ] {
        let problem = uniform(&text(field), "Params").expect_err("the struct is wrong");
        assert!(problem.contains(because), "{problem}");
    }
}

#[test]
fn counters_of_loops_around_barriers_that_bound_loops_within_are_refused() {
    let because = "the counter of a loop around a barrier";
    refused(&edited("online_steps", "s < earlier; s++", "s < t; s++"), because);
    // The counter under another name, and as part of a condition.
    refused(&edited("online_steps", "let earlier = loop_bound(t, groups)", "let earlier = t"), because);
    refused(&edited("online_steps", "s < earlier; s++", "!(s + 1u > earlier + t); s++"), because);
}

#[test]
fn loops_that_uniforms_alone_bound_are_refused() {
    let because = "the bound of a loop depends only on uniforms";
    let in_sums = |from: &str, to: &str| refused(&edited("column_sum", from, to), because);
    for bound in ["params.rows", "params.rows + 1u", "max(params.rows, params.columns)"] {
        in_sums("row < end", &format!("row < {bound}"));
        // The uniform under another name.
        let end = "let end = loop_bound(min(begin + params.part, params.rows), groups)";
        in_sums(end, &format!("let end = {bound}"));
        in_sums(end, &format!("var end = {bound}"));
    }
    refused(&edited("online_steps", "t < rows; t++", "t < step.rows; t++"), because);
    let upwards = "for (var row = begin + lane.y; row < end; row += LANES) {";
    in_sums(upwards, "for (var row = params.rows; row > 0u; row -= 1u) {");
    in_sums(upwards, "let row = 0u; loop { if lane.y >= params.rows { break; }");
}

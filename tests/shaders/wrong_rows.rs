//! Tests the checks themselves: descriptors and shaders that are wrong in one place must be
//! rejected.

use std::borrow::Cow;

use shadegrad::kernel::{Field, FieldKind, Kernel, read, write};

/// A correct descriptor to modify.
fn row(name: &str) -> Kernel {
    let found = shadegrad::ops::kernels().into_iter().find(|(_, kernel)| kernel.name == name);
    found.unwrap_or_else(|| panic!("no kernel {name}")).1
}

#[track_caller]
fn refused(kernel: &Kernel, because: &str) {
    let complaints = super::complaints(kernel, true);
    let named = complaints.iter().any(|complaint| complaint.contains(because));
    assert!(named, "wanted a complaint with {because:?}, but have {complaints:#?}");
}

/// The row `name` with `from` replaced by `to` in its shader.
#[track_caller]
fn edited(name: &str, from: &str, to: &str) -> Kernel {
    let kernel = row(name);
    assert!(kernel.source.contains(from), "{name} has no {from:?} to replace");
    Kernel { source: Cow::Owned(kernel.source.replace(from, to)), ..kernel }
}

#[test]
fn right_rows_are_accepted() {
    for name in ["relu", "sgd_momentum", "column_sum"] {
        assert_eq!(super::complaints(&row(name), true), Vec::<String>::new());
    }
}

#[test]
fn wrong_bindings_are_refused() {
    let with = |bindings| Kernel { bindings: Cow::Borrowed(bindings), ..row("relu") };
    refused(&with(const { &[read("x"), write("z")] }), "0/2 read_write z");
    refused(&with(const { &[read("x"), read("y")] }), "0/2 read y");
    refused(&with(const { &[write("y"), read("x")] }), "0/1 read_write y");
    refused(&with(const { &[read("x")] }), "the shader has 0/2 read_write y");
    refused(&with(const { &[read("x"), write("y"), read("z")] }), "the row has 0/3 read z");
    refused(&edited("relu", "@binding(2)", "@binding(3)"), "0/3 read_write y");
}

#[test]
fn wrong_uniforms_are_refused() {
    const LENGTH: Field = Field { name: "length", kind: FieldKind::U32 };
    const DECAY: Field = Field { name: "decay", kind: FieldKind::F32 };
    const MOMENTUM: Field = Field { name: "momentum", kind: FieldKind::F32 };
    const NESTEROV: Field = Field { name: "nesterov", kind: FieldKind::U32 };
    let with = |params| Kernel { params, ..row("sgd") };
    refused(&with(const { &[LENGTH, MOMENTUM, DECAY, NESTEROV] }), "momentum: f32 at 4");
    refused(&with(const { &[LENGTH, DECAY, MOMENTUM] }), "of 12 bytes");
    let float = const { &[LENGTH, DECAY, MOMENTUM, Field { kind: FieldKind::F32, ..NESTEROV }] };
    refused(&with(float), "nesterov: f32 at 12");
    refused(&Kernel { reads_step: false, ..row("sgd") }, "the shader has 1/0 uniform step");
    refused(&Kernel { reads_step: true, ..row("relu") }, "the row has 1/0 uniform step");
    refused(&edited("sgd", "slot: u32", "slit: u32"), "slit: u32 at 8");
}

#[test]
fn wrong_workgroups_are_refused() {
    refused(&Kernel { workgroup: [128, 1, 1], ..row("relu") }, "workgroups of [128, 1, 1]");
    refused(&edited("relu", "fn main", "fn start"), "`main`");
    let large = edited("relu", "@workgroup_size(256)", "@workgroup_size(512)");
    refused(&Kernel { workgroup: [512, 1, 1], ..large }, "512 invocations");
    let memory = edited("column_sum", "COLUMNS * LANES>", "8192u>");
    refused(&memory, "32768 bytes of workgroup memory");
}

#[test]
fn hidden_needs_and_hazards_are_refused() {
    let subgroups = shadegrad::ops::kernels().into_iter().find(|(_, kernel)| kernel.subgroups);
    let (_, kernel) = subgroups.expect("a kernel that uses subgroups");
    refused(&Kernel { subgroups: false, ..kernel }, "missing capability");
    refused(&edited("relu", "i < params.length", "i < arrayLength(&x)"), "arrayLength");
    refused(&edited("relu", "value < 0.0", "value < 0u"), "Operation Less");
    let early = "sums[mine] = sum;\n    if lane.x > params.columns { return; }";
    refused(&edited("column_sum", "sums[mine] = sum;", early), "a return before a barrier");
    refused(
        &edited("column_sum", "workgroupBarrier();", "if lane.y == 0u { workgroupBarrier(); }"),
        "a barrier in a branch",
    );
}

#[test]
fn counters_of_loops_around_barriers_that_bound_loops_within_are_refused() {
    let because = "the counter of a loop around a barrier";
    refused(&edited("online_steps", "s < earlier; s++", "s < t; s++"), because);
    // Under another name, and as a part of a condition.
    refused(&edited("online_steps", "let earlier = loop_bound(t, groups)", "let earlier = t"), because);
    refused(&edited("online_steps", "s < earlier; s++", "!(s + 1u > earlier + t); s++"), because);
}

#[test]
fn loops_that_uniforms_alone_bound_are_refused() {
    let because = "a loop's bound is nothing but uniforms";
    for bound in ["params.rows", "params.rows + 1u", "max(params.rows, params.columns)"] {
        refused(&edited("column_sum", "row < end", &format!("row < {bound}")), because);
        // Under another name, too.
        refused(
            &edited(
                "column_sum",
                "let end = loop_bound(min(begin + params.part, params.rows), groups)",
                &format!("let end = {bound}"),
            ),
            because,
        );
        refused(
            &edited(
                "column_sum",
                "let end = loop_bound(min(begin + params.part, params.rows), groups)",
                &format!("var end = {bound}"),
            ),
            because,
        );
    }
    refused(&edited("online_steps", "t < rows; t++", "t < step.rows; t++"), because);
    let downwards = "for (var row = params.rows; row > 0u; row -= 1u) {";
    refused(
        &edited("column_sum", "for (var row = begin + lane.y; row < end; row += LANES) {", downwards),
        because,
    );
    let left = "loop { if lane.y >= params.rows { break; }";
    refused(
        &edited(
            "column_sum",
            "for (var row = begin + lane.y; row < end; row += LANES) {",
            &format!("let row = 0u; {left}"),
        ),
        because,
    );
}

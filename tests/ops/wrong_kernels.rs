//! Tests of the test harness: ops with deliberate errors, in a GPU's shader or in the CPU's memory,
//! must each be reported.

use std::fmt::Debug;

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{GpuFacts, TileClass};
use shadegrad::plan::AlteredOp;
use shadegrad::tensor::Element;

use crate::bench::Cases;
use crate::cases::{self, matmul, relu, sgd};
use crate::runner::check_cases;
use crate::samples::wrong_op::{edited, tampered};
use crate::subject::Subject;

/// A wrong edit of a shader's text, applied to every kernel that contains `from`. An edit that fits
/// none is not detected and fails the test.
#[derive(Debug)]
pub struct Edit {
    /// Parts of the descriptions of the op's cases that must fail.
    pub parts: Vec<String>,
    pub name: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// Element type of activations: kernels for f16 contain code of their own.
    pub element: Element,
}

/// A list of edits: `["part of a case", ...] "mistake": "from" => "to";`, preceded by `in F16` if
/// the text exists only in kernels for f16. Cases that contain all of the parts must catch it.
macro_rules! edits {
    ($($(in $element:ident)? [$($part:expr),*] $name:literal: $from:expr => $to:expr;)+) => {
        vec![$(Edit {
            parts: vec![$($part.to_string()),*],
            name: $name,
            from: $from,
            to: $to,
            // The first of the two, if there are two.
            element: [$(shadegrad::tensor::Element::$element,)? shadegrad::tensor::Element::F32][0],
        }),+]
    };
}
pub(crate) use edits;

/// At most this many of a suite's cases are tried; the first ones that fit are small.
const CASES: usize = 12;

/// The first of the cases whose description contains all of `parts`.
fn some(mut cases: Cases, parts: &[impl AsRef<str> + Debug]) -> Cases {
    cases.retain(|case| {
        let description = format!("{case:?}");
        parts.iter().all(|part| description.contains(part.as_ref()))
    });
    cases.truncate(CASES);
    assert!(!cases.is_empty(), "no case has {parts:?}");
    cases
}

/// Every case must pass without the fault; with it, only complaints about the faulty side may come.
fn must_fail(name: &str, cases: &Cases, cpu: &Subject, gpus: &[Subject], element: Element) {
    let report = check_cases(cases, cpu, gpus, element);
    assert!(!report.failures.is_empty(), "{name} went unnoticed in {cases:?}");
    for failure in &report.failures {
        assert!(failure.contains(name), "{failure:?} is not about {name}");
    }
}

/// Every edit of kernels for activations of type `element` must be caught.
fn must_be_caught(element: Element) {
    for (op, cases, edits) in cases::edits() {
        assert!(!edits.is_empty(), "{op} has no wrong kernel");
        for Edit { parts, name, from, to, .. } in edits.into_iter().filter(|edit| edit.element == element) {
            let (gpu, _) = Subject::gpu(Capabilities::Adapter);
            let gpu = gpu.wrapping(name, move |op| edited(op, "", from, to));
            must_fail(name, &some(cases(), &parts), &Subject::cpu(), &[gpu], element);
        }
    }
}

pub fn every_wrong_shader_is_caught() {
    must_be_caught(Element::F32);
}

pub fn every_wrong_shader_for_16_bits_is_caught() {
    must_be_caught(Element::F16);
}

/// Edits of code that exists only in kernels of cooperative matrices.
pub fn every_wrong_cooperative_kernel_is_caught() {
    let (_, facts) = Subject::gpu(Capabilities::Adapter);
    let cooperative = TileClass::all(&facts).into_iter().rfind(TileClass::is_cooperative);
    let class = cooperative.expect("the GPU has cooperative matrices");
    let facts = GpuFacts { matmul: Some(class), ..facts };
    for (name, from, to) in [
        ("sums by columns", "coopStoreT(", "coopStore("),
        ("b by the other lines", "coopLoad<coop_mat8x8<f16, B>>", "coopLoadT<coop_mat8x8<f16, B>>"),
        ("a line too far", "load_a(m0 + line,", "load_a(m0 + line + 1u,"),
        ("sums that forget", "coopMultiplyAdd(a0, b0, y0_0)", "coopMultiplyAdd(a0, b0, y0_1)"),
        (
            "last vector of a matrix not finished",
            "let quad = lane_of_subgroup + 8u",
            "let quad = lane_of_subgroup",
        ),
    ] {
        // A class for f16 operands, not for f32 operands.
        let cases = some(matmul::cases(), &["m: 257, n: 255"]);
        let gpu = Subject::gpu(Capabilities::Adapter)
            .0
            .wrapping(name, move |op| edited(AlteredOp::with_facts(op, facts), "", from, to));
        must_fail(name, &cases, &Subject::cpu(), &[gpu], Element::F16);
    }
}

pub fn every_wrong_cpu_half_is_caught() {
    type Tamper = fn(&mut [f32], &[f32]);
    let tampers: [(&str, Tamper); 6] = [
        ("sign flip", |values, _| values.iter_mut().for_each(|value| *value = -*value)),
        ("off by one", |values, _| values.rotate_right(1)),
        ("NaN", |values, _| *values.last_mut().expect("not empty") = f32::NAN),
        ("infinity", |values, _| values[0] = f32::INFINITY),
        ("last element not written", |values, before| {
            *values.last_mut().expect("not empty") = before[before.len() - 1];
        }),
        ("one wrong element", |values, before| values[before.len() / 2] += 0.05),
    ];
    for (name, tamper) in tampers {
        let cases = [
            some(matmul::cases(), &["m: 257, n: 255"]),
            some(relu::cases(), &["Forward { length: 4097"]),
            some(sgd::cases(), &["length: 4097"]),
        ];
        for cases in &cases {
            let cpu = Subject::cpu().wrapping(name, move |op| tampered(op, tamper));
            must_fail(name, cases, &cpu, &[], Element::F32);
        }
    }
}

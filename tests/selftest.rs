//! `selftest` passes on a GPU that computes what the CPU does, and finds one that does not.
//! Training runs disable the kernels that it found wrong.

use std::path::Path;
use std::process::Command;

use shadegrad::ErrorKind;
use shadegrad::config::Key;
use shadegrad::device::Device;
use shadegrad::device::gpu::Gpu;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::selftest::{Verdict, run};
use shadegrad::train::End;

use crate::samples::altered::Altered;
use crate::samples::small_run::{self, config, device};
use crate::samples::witness;
use crate::samples::wrong_op::edited;

/// A GPU without optional features: three classes of products, which even a software driver
/// compiles quickly.
fn gpu() -> Gpu {
    small_run::gpu(Capabilities::WebGpuDefaults)
}

/// Returns a GPU on which `from` is replaced by `to` in the kernels whose names contain `kernels`.
fn wrong<'a>(gpu: &'a Gpu, kernels: &'static str, from: &'static str, to: &'static str) -> Altered<'a> {
    Altered::new(gpu, move |gpu, mut plan| {
        plan.wrap_ops(|op| edited(op, kernels, from, to));
        gpu.load(plan)
    })
}

fn verdict(device: &dyn Device, only: Option<&str>) -> Verdict {
    let checks = run(device, only, |_| Ok(())).expect("it runs");
    assert!(!checks.is_empty());
    Verdict::of(&checks, "2026-01-31".into())
}

pub fn a_gpu_that_computes_what_the_cpu_does_passes() {
    let verdict = verdict(&gpu(), None);
    assert!(verdict.is_clean() && verdict.disabled.is_empty() && verdict.broken.is_empty(), "{verdict:?}");
    assert!(verdict.checks >= 50, "{verdict:?}");
}

pub fn a_wrong_kernel_is_found_in_its_op() {
    for (op, kernels, from, to) in [
        ("relu", "relu_backward", "y[i] > Stored(0.0)", "y[i] >= Stored(-0.4)"),
        ("gather", "gather", "row >= step.rows", "row > step.rows"),
        ("column_sum", "column_sum", "+ column] = ", "+ column] = 1.001 * "),
        ("softmax_cross_entropy", "softmax", "let scale = ", "let scale = 0.999 * "),
        ("classifier", "classifier_dx", "a.w * b", "0.999 * a.w * b"),
        ("l2_penalty", "l2_penalty", "ring[step.slot * ", "ring[0u * step.slot * "),
        ("sgd", "momentum", "params.nesterov == 1u", "params.nesterov == 2u"),
        ("online_steps", "online", "kept *= c * c;", "kept *= c;"),
    ] {
        let verdict = verdict(&wrong(&gpu(), kernels, from, to), Some(op));
        assert_eq!(verdict.broken, [op], "{from}");
        assert!(verdict.disabled.is_empty() && !verdict.is_clean(), "{verdict:?}");
    }
}

fn train(device: &dyn Device) -> End {
    let config = config(&[(Key::Model, "linear:33,relu,linear:9")]);
    witness::train(&config, device).0
}

/// Another class adds the same terms in the same order, so the run is the same to the last bit.
pub fn a_wrong_class_of_products_is_done_without() {
    fn with_wrong_class(gpu: &Gpu) -> Altered<'_> {
        wrong(gpu, "tiled_32x32", "y[i] = ", "y[i] = 1.01 * ")
    }
    let verdict = verdict(&with_wrong_class(&gpu()), Some("matmul"));
    assert_eq!(verdict.disabled, ["tiled_32x32x16_4x1"]);
    assert!(verdict.broken.is_empty(), "{verdict:?}");
    let right = train(&gpu()).weights_sha256;
    assert_ne!(train(&with_wrong_class(&gpu())).weights_sha256, right, "the wrong kernel does not matter");
    assert_eq!(train(&with_wrong_class(&gpu().disable(&verdict.disabled))).weights_sha256, right);
    // A verdict about classes that no longer exist has no effect.
    assert_eq!(gpu().disable(&["tiled_1x1".into()]).facts(), gpu().facts());
}

/// If only f16 is wrong, runs do not use f16.
pub fn a_wrong_kernel_for_16_bits_leaves_32_alone() {
    let open = || small_run::gpu(Capabilities::Adapter);
    let verdict = verdict(&wrong(&open(), "relu_f16", "value < 0.0", "value < 0.3"), Some("relu"));
    assert_eq!((&*verdict.disabled, verdict.broken.is_empty()), (&["f16".to_owned()][..], true));
    assert!(!open().disable(&verdict.disabled).has_f16());
}

/// A text that no compiler accepts.
pub fn a_kernel_that_a_driver_refuses_fails() {
    let gpu = gpu();
    let refused = wrong(&gpu, "tiled_64x64", "workgroupBarrier()", "workgroupBarrier(1)");
    let verdict = verdict(&refused, Some("matmul"));
    assert_eq!((verdict.disabled, verdict.broken), (vec!["tiled_64x64x16_8x1".to_owned()], Vec::new()));
}

pub fn products_that_are_wrong_in_every_class_are_broken() {
    let verdict = verdict(&wrong(&gpu(), "matmul", "y[i] = ", "y[i] = 1.01 * "), Some("matmul"));
    assert_eq!((verdict.disabled.len(), verdict.broken), (3, vec!["matmul".into()]));
}

pub fn what_was_found_is_remembered_apart_from_what_was_tuned() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache_file = gpu().verdict_file(folder.path());
    let found = Verdict { date: "2026-01-31".into(), checks: 7, ..Verdict::default() };
    cache_file.store(&found).expect("it can be written");
    assert_eq!(gpu().verdict_file(folder.path()).load(), Some(found));
    // The tuning cache of the same GPU is separate.
    assert_eq!(cache_file.load::<std::collections::BTreeMap<String, String>>(), None);
}

pub fn the_cpu_and_unknown_ops_are_refused() {
    let refused =
        |device: &dyn Device, only| run(device, only, |_| Ok(())).expect_err("it is refused").kind();
    assert_eq!(refused(&*device("cpu"), None), ErrorKind::Usage);
    assert_eq!(refused(&gpu(), Some("rely")), ErrorKind::Usage);
}

/// Runs the program with its own cache.
fn program(cache: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shadegrad"))
        .args(arguments)
        .env_remove("SHADEGRAD_DEVICE")
        .env("XDG_CACHE_HOME", cache)
        .current_dir(cache)
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub fn a_run_reports_and_applies_the_selftest_at_its_start() {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data/six-classes-5x4");
    let cache = tempfile::tempdir().expect("a folder");
    let train = |out: &str| {
        let common = ["train", "--data", DATA, "--model", "linear:8,relu", "--device", "gpu", "--no-tune"];
        program(cache.path(), &[&common[..], &["--max-steps", "3", "--json", "--out", out]].concat())
    };
    let (code, _, notes) = train("first");
    assert_eq!(code, Some(0), "{notes}");
    assert!(notes.contains("`shadegrad selftest`"), "{notes}");

    let (code, table, notes) = program(cache.path(), &["selftest", "--device", "gpu", "--only", "relu"]);
    assert_eq!(code, Some(0), "{table}{notes}");
    let passed = table.lines().filter(|line| line.starts_with("relu") && line.ends_with("passed"));
    assert_eq!(passed.count(), if device("gpu").has_f16() { 4 } else { 2 }, "{table}");
    assert!(train("second").2.contains("`shadegrad selftest`"), "one op is no selftest");

    let cache_file = small_run::gpu(Capabilities::Adapter).verdict_file(&cache.path().join("shadegrad"));
    let clean = Verdict { date: "2026-01-31".into(), checks: 255, ..Verdict::default() };
    let one_class = Verdict { failures: 3, disabled: vec!["tiled_32x32x16_4x1".into()], ..clean.clone() };
    let broken = Verdict { broken: vec!["gather".into()], ..one_class.clone() };
    for (verdict, code, said) in [
        (clean, 0, "selftest passed on 2026-01-31"),
        (one_class, 0, "disabled: tiled_32x32x16_4x1"),
        (broken, 7, "wrong in every variant: gather"),
    ] {
        cache_file.store(&verdict).expect("it can be written");
        let run = format!("run-{code}-{}", verdict.failures);
        let (found, stdout, notes) = train(&run);
        assert_eq!(found, Some(code), "{notes}");
        assert!(notes.contains(said), "{notes}");
        if code == 0 {
            let text = std::fs::read_to_string(cache.path().join(run).join("run.json"));
            let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
            let record = json(&text.expect("it can be read"));
            let start = json(stdout.lines().next().expect("there is a start"));
            let Verdict { date, checks, failures, disabled, .. } = &verdict;
            let wanted = serde_json::json!({"date": date, "checks": checks, "failures": failures, "without": disabled});
            let bytes = record["limits"]["largest_binding_bytes"].as_u64();
            assert!(bytes.is_some_and(|bytes| bytes >= 128 << 20), "{record}");
            assert_eq!([&record["device"]["selftest"], &start["device"]["selftest"]], [&wanted, &wanted]);
        }
    }
    let text = std::fs::read(cache_file.path()).expect("it can be read");
    std::fs::write(cache_file.path(), &text[..text.len() / 2]).expect("it can be damaged");
    assert!(train("last").2.contains("`shadegrad selftest`"), "half a file is none");
}

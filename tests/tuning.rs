//! The tuner: what it selects and caches, and that neither changes a result.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use shadegrad::device::Device;
use shadegrad::device::Notice;
use shadegrad::device::gpu::Gpu;
use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::device::gpu::preparation::{Item, Observer, Stage};
use shadegrad::device::gpu::tuner::Tuning;
use shadegrad::device::profile::{Clock, Profile};
use shadegrad::kernel::TileClass;
use shadegrad::ops::Rate;
use shadegrad::ops::matmul::{self, Epilogue, Form};
use shadegrad::ops::sgd::{Momentum, Update};
use shadegrad::plan::{Array, Launch, Plan, Role, StepId, StepRecord};
use shadegrad::tensor::{Element, Tensor};

use crate::samples::small_run;

/// Notices of all tuners in this process; each test looks for its own.
static NOTICES: Mutex<Vec<Notice>> = Mutex::new(Vec::new());

fn keep(notice: &Notice) {
    NOTICES.lock().expect("no test panics while it holds this").push(notice.clone());
}

fn gpu() -> Gpu {
    small_run::gpu(Capabilities::Adapter)
}

fn tuned(folder: &Path) -> Gpu {
    gpu().on_notice(keep).with_tuning(Tuning { folder: Some(folder.into()) })
}

/// Two products worth tuning: one with a bias, and one that updates a weight and a bias.
struct Work {
    plan: Plan,
    step: StepId,
    /// Tensors with their own values.
    inputs: Vec<Tensor>,
    /// Tensors that the step writes.
    outputs: Vec<Tensor>,
}

/// Operands of type `element`; an f16 gradient has a loss scale.
fn work(element: Element) -> Work {
    let mut plan = Plan::new();
    let step = plan.begin("step");
    let mut declare = |name: &str, role, shape: &[usize]| plan.declare(name, role, Element::F32, shape);
    let w = declare("w", Role::Parameter, &[70, 300]);
    let v = declare("v", Role::State, &[70, 300]);
    let bias = declare("bias", Role::Parameter, &[70]);
    let bias_v = declare("bias_v", Role::State, &[70]);
    let [x, dy] = [("x", 300), ("dy", 70)]
        .map(|(name, columns)| plan.declare(name, Role::Input, element, [64, columns]));
    let epilogue = Epilogue::Bias { bias, relu: true };
    let y = matmul::product(&mut plan, Form::Nt, x, w, epilogue);
    let update = |parameter, velocity| {
        let momentum = Some(Momentum { velocity, factor: 0.9, nesterov: true });
        Update { parameter, rate: Rate::Scaled(0.5), decay: 0.01, momentum }
    };
    matmul::update(&mut plan, dy, x, update(w, v), Some(update(bias, bias_v)));
    Work { plan, step, inputs: vec![x, dy, w, bias], outputs: vec![y, w, v, bias, bias_v] }
}

/// The results of two steps, as bits.
fn run(device: &dyn Device) -> Vec<Vec<u32>> {
    run_in(Element::F32, device)
}

fn run_in(element: Element, device: &dyn Device) -> Vec<Vec<u32>> {
    let Work { plan, step, inputs, outputs } = work(element);
    let mut session = device.load(plan).expect("the plan can be loaded");
    for (index, &tensor) in inputs.iter().enumerate() {
        let value = |i: usize| ((i * 7919 + index * 104_729) % 2003) as f32 / 1001.0 - 1.0;
        session.write(tensor, Array::F32((0..tensor.len()).map(value).collect())).expect("it can be written");
    }
    let record = StepRecord { rows: 64, learning_rate: 0.05, ..StepRecord::default() };
    let ticket = session.submit(&[Launch { step, record }; 2], &[], 0).expect("it can be submitted");
    session.finish(ticket).expect("it can be finished");
    let bits = |&tensor: &Tensor| {
        let values = session.read(tensor).expect("it can be read").into_f32();
        values.into_iter().map(f32::to_bits).collect()
    };
    outputs.iter().map(bits).collect()
}

/// Progress events of a GPU's preparation; `None` is the end of a stage.
#[derive(Clone, Debug, Default)]
struct Preparations(Arc<Mutex<Vec<Option<Prepared>>>>);

#[derive(Clone, Debug, PartialEq)]
struct Prepared {
    stage: Stage,
    name: String,
    number: usize,
    count: usize,
}

impl Preparations {
    /// Events since the last call.
    fn take(&self) -> Vec<Option<Prepared>> {
        std::mem::take(&mut self.0.lock().expect("no test panics while it holds this"))
    }

    fn push(&self, said: Option<Prepared>) {
        self.0.lock().expect("no test panics while it holds this").push(said);
    }
}

impl Observer for Preparations {
    fn item(&self, &Item { stage, name, number, count }: &Item<'_>) {
        self.push(Some(Prepared { stage, name: name.into(), number, count }));
    }

    fn end(&self) {
        self.push(None);
    }
}

/// Events of a whole stage: each name once, counted.
fn stage(stage: Stage, names: &[impl ToString]) -> Vec<Option<Prepared>> {
    let counted = names.iter().enumerate().map(|(index, name)| {
        Some(Prepared { stage, name: name.to_string(), number: index + 1, count: names.len() })
    });
    counted.chain([None]).collect()
}

/// The only file in a folder.
fn file(folder: &Path) -> PathBuf {
    let files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn choices(file: &Path) -> serde_json::Map<String, serde_json::Value> {
    let text = fs::read(file).expect("it can be read");
    let json: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    json["content"].as_object().expect("choices").clone()
}

pub fn tuning_with_16_bits_changes_no_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let untuned = run_in(Element::F16, &gpu());
    assert!(untuned.iter().flatten().all(|&bits| f32::from_bits(bits).is_finite()));
    assert_eq!(run_in(Element::F16, &tuned(folder.path())), untuned);
    assert_eq!(choices(&file(folder.path())).len(), 2);
}

pub fn choices_are_made_once_remembered_and_change_no_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let untuned = run(&gpu());
    assert_eq!(run(&tuned(folder.path())), untuned, "with choices that were just made");
    let file = file(folder.path());
    let found = choices(&file);
    let labels: Vec<String> =
        TileClass::candidates(gpu().facts()).into_iter().map(TileClass::label).collect();
    let keys: Vec<&String> = found.keys().collect();
    assert_eq!(keys, ["matmul nt 64x70x300 bias_relu", "matmul tn 70x300x64 sgd_momentum_rows"]);
    for label in found.values() {
        assert!(labels.iter().any(|known| label == known), "{label} is no class");
    }
    let written = fs::read(&file).expect("it can be read");
    assert_eq!(run(&tuned(folder.path())), untuned, "with cached choices");
    assert_eq!(fs::read(&file).expect("it can be read"), written, "nothing was measured again");
}

pub fn a_gpu_says_how_far_it_is_with_tuning_and_compiling() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = Preparations::default();
    let load = |gpu: Gpu| {
        let Work { plan, step, .. } = work(Element::F32);
        let gpu = gpu.observed_by(Box::new(said.clone()));
        gpu.load(plan).expect("the plan can be loaded").kernels(step)
    };
    let kernels = load(gpu());
    assert_eq!(said.take(), stage(Stage::Compiling, &kernels), "by rule");

    load(tuned(folder.path()));
    let keys = ["matmul nt 64x70x300 bias_relu", "matmul tn 70x300x64 sgd_momentum_rows"];
    // Kernels that are tuned are compiled on the way.
    assert_eq!(said.take(), stage(Stage::Tuning, &keys), "for the first time");

    let kernels = load(tuned(folder.path()));
    assert_eq!(said.take(), stage(Stage::Compiling, &kernels), "with cached choices");
}

pub fn a_kernel_of_many_ops_is_compiled_once() {
    let said = Preparations::default();
    let mut plan = Plan::new();
    let step = plan.begin("step");
    let mut declare = |name: &str| plan.declare(name, Role::Input, Element::F32, [8, 8]);
    let [a, b, c] = ["a", "b", "c"].map(&mut declare);
    for [one, other] in [[a, b], [b, c], [c, a]] {
        matmul::product(&mut plan, Form::Nn, one, other, Epilogue::None);
    }
    let gpu = gpu().observed_by(Box::new(said.clone()));
    let session = gpu.load(plan).expect("the plan can be loaded");
    let kernels = session.kernels(step);
    assert_eq!(kernels.len(), 3);
    assert_eq!(said.take(), stage(Stage::Compiling, &kernels[..1]));
}

/// Without timestamp queries, kernels are timed by waiting for each. That must not change a result
/// either.
pub fn kernels_are_timed_on_devices_that_cannot_do_it_themselves() {
    let plain = || small_run::gpu(Capabilities::WebGpuDefaults);
    let profile = Profile::default();
    assert_eq!(run(&plain().with_profile(profile.clone())), run(&plain()));
    assert_eq!(profile.clock(), Some(Clock::Host));
    let kernels = profile.kernels();
    assert_eq!(kernels.len(), 2, "{kernels:?}");
    assert!(kernels.iter().all(|kernel| (kernel.launches, kernel.timed) == (2, 2)), "{kernels:?}");
}

pub fn damaged_and_outdated_files_are_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&tuned(folder.path()));
    let file = file(folder.path());
    let whole = fs::read_to_string(&file).expect("it can be read");
    let keys: Vec<String> = choices(&file).keys().cloned().collect();
    let label =
        choices(&file).values().next().and_then(|label| label.as_str().map(String::from)).expect("a label");
    for damaged in [
        String::new(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("\"version\": 2", "\"version\": 3"),
        whole.replace(&label, "tiled_1x1x1_1x1"),
        "\u{0}".repeat(whole.len()),
    ] {
        fs::write(&file, &damaged).expect("it can be damaged");
        run(&tuned(folder.path()));
        let mended: Vec<String> = choices(&file).keys().cloned().collect();
        assert_eq!(mended, keys, "after {damaged:?}");
        assert!(!fs::read_to_string(&file).expect("it can be read").contains("tiled_1x1x1_1x1"));
    }
}

pub fn a_memory_that_cannot_be_written_is_said_and_harmless() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    // There can be no folder below a file.
    let nowhere = file.path().join("below");
    assert_eq!(run(&tuned(&nowhere)), run(&gpu()));
    let notices = NOTICES.lock().expect("no test panics while it holds this");
    let named = nowhere.display().to_string();
    let is_meant =
        |notice: &Notice| matches!(notice, Notice::NotCached(error) if error.to_string().contains(&named));
    assert!(notices.iter().any(is_meant), "{notices:?}");
}

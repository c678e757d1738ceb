//! Compatibility with other programs: onnxruntime, numpy, Pillow and safetensors read shadegrad's
//! files, and shadegrad reads theirs. The programs run in a separate Python environment, which
//! `./test` creates in `target/venv`. Without it these tests fail.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use shadegrad::ops::activation::Activation;
use tempfile::TempDir;

/// A folder with a data set, and a model to train on it.
const IDX: [(&str, &str, &[&str]); 12] = [
    ("six-classes-5x4", "linear:6", &["--normalize", "unit"]),
    ("six-classes-5x4", "relu,linear:7,linear:5,relu,relu", &["--normalize", "standard"]),
    ("ten-classes-7x9", "linear:33,relu,linear:17,relu", &["--normalize", "unit"]),
    ("ten-classes-7x9", "linear:64,relu", &["--normalize", "standard"]),
    ("ten-classes-7x9", "linear:1,relu,linear:100", &["--init", "pytorch"]),
    ("six-classes-5x4", "flatten,relu,residual(linear:20,gelu),scale:0.5", &[]),
    ("six-classes-5x4", "residual(linear:20,relu),leakyrelu,linear:7,batchnorm,relu", &[]),
    ("ten-classes-7x9", "conv:6x3,batchnorm,relu,maxpool:2,conv:8x3s2p1,gelu,globalavgpool", &[]),
    (
        "six-classes-5x4",
        "conv:4x2p1,leakyrelu:0.2,avgpool:3s2p1,scale:0.7,maxpool:3s1p1",
        &["--normalize", "unit"],
    ),
    (
        "ten-classes-7x9",
        "whiten:2,gelu,conv:6x3,maxpool:2,batchnorm:0.4,gelu,linear:10,scale:0.5",
        &["--init", "dirac", "--optimizer", "muon", "--groups", "gains lr=0"],
    ),
    ("ten-classes-7x9", CONVOLUTIONS, &["--normalize", "unit"]),
    ("ten-classes-7x9", "residual(conv:3x3p1,relu,conv:1x1),globalmaxpool,linear:9,batchnorm,relu", &[]),
];

/// Every kind of parameter that files of other programs can contain, with strides, paddings and
/// sizes for which a wrong layout is noticed.
const CONVOLUTIONS: &str = "conv:6x3s2p2,batchnorm,relu,maxpool:3s1p1,residual(conv:5x3,relu,conv:7x2p1,avgpool:2s1|conv:7x1,batchnorm),\
     gelu,dropout:0.5,residual(batchnorm),leakyrelu:0.1,avgpool:2s1p1,flatten,batchnorm,linear:9,relu,scale:0.5,linear:10";

/// A temporary working folder, which is deleted at the end of the test.
struct Workshop {
    folder: TempDir,
}

impl Workshop {
    fn new() -> Self {
        Workshop { folder: TempDir::new().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program in the folder.
    #[track_caller]
    fn shadegrad<S: AsRef<OsStr>>(&self, arguments: &[S]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shadegrad"));
        run(command.current_dir(self.folder.path()).args(arguments).env("SHADEGRAD_DEVICE", "cpu"));
    }

    /// Runs one of the Python scripts of this test in the folder.
    #[track_caller]
    fn python<S: AsRef<OsStr>>(&self, script: &str, arguments: &[S]) {
        run(&mut self.python_command(script, arguments));
    }

    fn python_command<S: AsRef<OsStr>>(&self, script: &str, arguments: &[S]) -> Command {
        let script = root().join("tests/interchange").join(script);
        let mut command = Command::new(python());
        command.current_dir(self.folder.path()).arg(script).args(arguments);
        command
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A model with every activation on values on both sides of its kinks, for ten classes.
fn activations() -> String {
    let all = Activation::all().map(|activation| format!("linear:12,batchnorm,scale:4,{activation},"));
    all.collect::<String>() + "linear:10"
}

fn data(name: &str) -> String {
    root().join("tests/golden/data").join(name).to_str().expect("a plain path").into()
}

/// The Python interpreter with the other programs, in cargo's target folder.
fn python() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_shadegrad"));
    let target = built.ancestors().nth(2).expect("cargo builds in target/PROFILE");
    let python = target.join(if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" });
    assert!(
        python.exists(),
        "there is no {}: run ./test once, which makes it (it needs python3 and PyPI)",
        python.display()
    );
    python
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{error}", output.status);
}

fn train(workshop: &Workshop, data: &str, model: &str, more: &[&str]) {
    let common =
        ["train", "--data", data, "--model", model, "--lr", "0.1", "--max-steps", "40", "--out", "run"];
    workshop.shadegrad(&[&common[..], more].concat());
}

#[test]
fn onnxruntime_gives_the_same_logits_for_data_sets() {
    let activations = activations();
    for (name, model, more) in IDX.into_iter().chain([("ten-classes-7x9", &*activations, &[][..])]) {
        let (workshop, data) = (Workshop::new(), data(name));
        train(&workshop, &data, model, more);
        workshop.shadegrad(&["export", "run", "--format", "onnx", "--out", "model.onnx"]);
        for device in ["cpu", "gpu"] {
            let arguments = ["predict", "run", "--data", &data, "--logits", "logits.npy", "--device", device];
            workshop.shadegrad(&arguments);
            workshop.python("check.py", &["onnx", "model.onnx", "logits.npy", "idx", &data]);
        }
    }
}

/// Tests the comparison: logits of other weights must be noticed.
#[test]
fn logits_of_another_model_are_noticed() {
    let (workshop, data) = (Workshop::new(), data("six-classes-5x4"));
    for (out, seed) in [("one", "1"), ("other", "2")] {
        let arguments = ["train", "--data", &data, "--max-steps", "5", "--seed", seed, "--out", out];
        workshop.shadegrad(&arguments);
    }
    workshop.shadegrad(&["export", "one", "--format", "onnx", "--out", "model.onnx"]);
    workshop.shadegrad(&["predict", "other", "--data", &data, "--logits", "logits.npy"]);
    let arguments = ["onnx", "model.onnx", "logits.npy", "idx", &data];
    let output = workshop.python_command("check.py", &arguments).output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("off by"), "{said}");
}

/// Also tests that pictures of every format are decoded as by Pillow.
#[test]
fn onnxruntime_gives_the_same_logits_for_pictures() {
    let convolutions = "conv:5x3s2,batchnorm,relu,maxpool:2,conv:4x3,relu";
    for (kinds, model) in [
        (&["pictures"][..], "linear:20,relu"),
        (&["pictures", "grey"], "linear:20,relu"),
        (&["pictures"], convolutions),
        (&["pictures", "grey"], convolutions),
    ] {
        let workshop = Workshop::new();
        workshop.python("pictures.py", kinds);
        train(&workshop, "pictures", model, &["--normalize", "standard", "--batch-size", "3"]);
        workshop.shadegrad(&["export", "run", "--format", "onnx", "--out", "model.onnx"]);
        let mut pictures = Vec::new();
        for class in ["Größe", "图片"] {
            let folder = workshop.path("pictures").join(class);
            let entries = folder.read_dir().expect("the script made it");
            pictures.extend(entries.map(|entry| entry.expect("it is readable").path().into_os_string()));
        }
        assert!(pictures.len() >= 8, "{pictures:?}");
        for device in ["cpu", "gpu"] {
            let arguments =
                ["predict", "run", "--logits", "logits.npy", "--resize", "refuse", "--device", device];
            workshop.shadegrad(&[arguments.map(Into::into).as_slice(), &pictures].concat());
            let arguments = ["onnx", "model.onnx", "logits.npy", "pictures"].map(Into::into);
            workshop.python("check.py", &[arguments.as_slice(), &pictures].concat());
        }
    }
}

#[test]
fn exported_weights_are_those_of_pytorchs_sequential() {
    for layers in ["relu,linear:12,relu,linear:9,linear:10", CONVOLUTIONS, &activations()] {
        let (workshop, data) = (Workshop::new(), data("ten-classes-7x9"));
        train(&workshop, &data, layers, &["--normalize", "unit"]);
        workshop.shadegrad(&["export", "run", "--format", "safetensors", "--out", "weights.safetensors"]);
        for device in ["cpu", "gpu"] {
            let arguments = ["predict", "run", "--data", &data, "--logits", "logits.npy", "--device", device];
            workshop.shadegrad(&arguments);
            workshop.python(
                "check.py",
                &["sequential", "weights.safetensors", layers, "1x7x9", "logits.npy", &data],
            );
        }
    }
}

/// The file has no model metadata, but the metadata and the batch norm counters that PyTorch users
/// write.
#[test]
fn weights_of_another_program_are_taken_as_they_are() {
    for layers in ["linear:12,relu,linear:10", CONVOLUTIONS] {
        let (workshop, data) = (Workshop::new(), data("ten-classes-7x9"));
        workshop.python("check.py", &["draw", "drawn.safetensors", layers, "1x7x9"]);
        // With so small a learning rate, no weight changes, so the output must equal the input.
        let still = ["--init", "drawn.safetensors", "--lr", "1e-30", "--max-steps", "1"];
        let arguments = ["train", "--data", &data, "--model", layers, "--out", "run"];
        workshop.shadegrad(&[&arguments[..], &still].concat());
        workshop.shadegrad(&["export", "run", "--format", "safetensors", "--out", "kept.safetensors"]);
        workshop.python("check.py", &["same", "drawn.safetensors", "kept.safetensors"]);

        let model = ["drawn.safetensors", "--model", layers, "--data", &data];
        workshop.shadegrad(&[&["predict", "--logits", "logits.npy"], &model[..]].concat());
        workshop.shadegrad(&[&["export", "--format", "onnx", "--out", "model.onnx"], &model[..]].concat());
        workshop
            .python("check.py", &["sequential", "drawn.safetensors", layers, "1x7x9", "logits.npy", &data]);
        workshop.python("check.py", &["onnx", "model.onnx", "logits.npy", "idx", &data]);
    }
}

//! `gradcheck`: correct gradients pass on both devices, and wrong ones are found.

use std::process::Command;

use shadegrad::config::Key;
use shadegrad::data::{Dataset, ImageShape};
use shadegrad::device::Device;
use shadegrad::ops::activation::Activation;
use shadegrad::train::check_gradients;

use crate::samples::altered::Altered;
use crate::samples::small_run::{config, dataset, dataset_of, device};
use crate::samples::wrong_op::tampered;

/// Models with their options: deep, wide, without a hidden layer, ReLUs in unusual places, L2
/// penalty, batch size 1.
const CONFIGURATIONS: &[&[(Key, &str)]] = &[
    &[],
    &[(Key::Model, "linear:5")],
    &[(Key::Model, "linear:31,relu,linear:17,relu,linear:9,relu")],
    &[(Key::Model, "relu,linear:8,relu,relu,linear:6"), (Key::L2, "0.3")],
    &[(Key::L2, "0.05"), (Key::BatchSize, "1")],
    &[(Key::BatchSize, "64"), (Key::Model, "linear:40,linear:20,relu"), (Key::Normalize, "standard")],
    &[(Key::LabelSmoothing, "0.2"), (Key::Model, "linear:9,relu"), (Key::L2, "0.01")],
    // The check is independent of the optimizer.
    &[(Key::Momentum, "0.9"), (Key::WeightDecay, "0.1"), (Key::Nesterov, "true"), (Key::ClipNorm, "0.01")],
];

const MAPS: ImageShape = ImageShape { channels: 3, height: 7, width: 6 };

/// Every layer on maps, and every way in which the mask of a ReLU reaches the layer that applies
/// it. Images are 3x7x6, and batches of 9 leave the last workgroup of most kernels partly empty.
const ON_MAPS: &[&[(Key, &str)]] = &[
    &[(Key::Model, "conv:5x3,relu,dropout:0.5,maxpool:2,conv:7x3s2,relu,maxpool:2")],
    &[(Key::Model, "conv:4x3,batchnorm,relu,conv:6x2,batchnorm,gelu,globalmaxpool,scale:0.5")],
    &[(Key::Model, "conv:6x5s2,leakyrelu:0.1,avgpool:3s2p1,flatten,linear:9,relu"), (Key::L2, "0.3")],
    &[(Key::Model, "conv:4x3,relu,residual(conv:4x3,relu,conv:4x3,relu),relu,avgpool:2,conv:3x1,relu")],
    &[(
        Key::Model,
        "batchnorm,residual(conv:8x3s2,batchnorm,relu,conv:8x3|conv:8x1s2,batchnorm),relu,globalavgpool",
    )],
    &[(
        Key::Model,
        "residual(maxpool:3s1p1),relu,conv:5x3p0,relu,flatten,relu,residual(linear:9,batchnorm,relu|linear:9,gelu)",
    )],
    &[(
        Key::Model,
        "conv:4x3,relu,batchnorm,leakyrelu:-0.5,maxpool:3s2p1,flatten,batchnorm,linear:6,batchnorm,relu",
    )],
    &[
        (
            Key::Model,
            "whiten:2,gelu,conv:5x3,maxpool:2,batchnorm:0.4,gelu,conv:4x3,batchnorm,linear:5,scale:0.1",
        ),
        (Key::Init, "dirac"),
        (Key::Normalize, "standard"),
    ],
    &[
        (Key::Model, "conv:3x2s3p2,relu,gelu,relu,scale:-2,leakyrelu:0.3,globalmaxpool"),
        (Key::Init, "pytorch"),
    ],
];

fn all_are_right(configuration: &[(Key, &str)], dataset: Dataset, kind: &str) {
    let check = check_gradients(&config(configuration), dataset, &*device(kind)).expect("it runs");
    assert!(check.is_right(), "{configuration:?} on {kind}: {check:#?}");
    for tensor in &check.tensors {
        let values: usize = tensor.shape.iter().product();
        assert_eq!(tensor.checked, values.min(100), "{tensor:?}");
        // A batch norm cancels the bias in front of it.
        let is_flat = ["6.body.0.bias", "7.bias"].contains(&tensor.name.as_str());
        assert!(tensor.largest_slope > 0.0 || is_flat, "{configuration:?}: {tensor:?}");
    }
}

#[test]
fn gradients_are_slopes_on_both_devices() {
    for kind in ["cpu", "gpu"] {
        for values in CONFIGURATIONS {
            all_are_right(values, dataset(), kind);
        }
        for values in ON_MAPS {
            let values = [&[(Key::BatchSize, "9")], *values].concat();
            all_are_right(&values, dataset_of(MAPS), kind);
        }
    }
}

/// Of values on all sides of its kinks, and of an input that is trained.
#[test]
fn gradients_of_every_activation_are_slopes_on_both_devices() {
    for activation in Activation::all() {
        let model = format!("conv:5x3s2,batchnorm,scale:4,{activation},linear:9,scale:3,{activation}");
        for kind in ["cpu", "gpu"] {
            let values = [(Key::BatchSize, "9"), (Key::Model, &*model)];
            all_are_right(&values, dataset_of(MAPS), kind);
        }
    }
}

/// The compared loss includes label smoothing.
#[test]
fn label_smoothing_is_part_of_the_loss() {
    let loss = |smoothing| {
        let config = config(&[(Key::LabelSmoothing, smoothing)]);
        check_gradients(&config, dataset(), &*device("cpu")).expect("it runs").losses
    };
    let ([plain, _], [smoothed, on_device]) = (loss("0"), loss("0.5"));
    assert!((plain - smoothed).abs() > 1e-3, "{plain} {smoothed}");
    assert!((smoothed - on_device).abs() < 1e-5, "{smoothed} {on_device}");
}

/// Returns the CPU, with the result of one op modified.
fn tampering<'a>(cpu: &'a dyn Device, op: &'a str, tamper: fn(f32) -> f32) -> Altered<'a> {
    Altered::new(cpu, move |cpu, mut plan| {
        plan.wrap_ops(|inner| {
            if inner.name() != op {
                return inner;
            }
            let tamper = move |values: &mut [f32], _: &[f32]| {
                values.iter_mut().for_each(|value| *value = tamper(*value));
            };
            tampered(inner, tamper)
        });
        cpu.load(plan)
    })
}

/// Names of the tensors that are found wrong, and whether the loss is found right.
fn found(op: &'static str, tamper: fn(f32) -> f32) -> (Vec<String>, bool) {
    found_in("linear:9,relu,linear:6,relu", dataset(), op, tamper)
}

fn found_in(model: &str, dataset: Dataset, op: &'static str, tamper: fn(f32) -> f32) -> (Vec<String>, bool) {
    let config = config(&[(Key::Model, model)]);
    let cpu = device("cpu");
    let check = check_gradients(&config, dataset, &tampering(&*cpu, op, tamper)).expect("it runs");
    let wrong = check.tensors.iter().filter(|tensor| !tensor.is_right());
    (wrong.map(|tensor| tensor.name.clone()).collect(), check.loss_is_right())
}

#[test]
fn wrong_gradients_are_found_where_they_are() {
    let before_the_last = ["0.weight", "0.bias", "2.weight", "2.bias"].map(String::from).to_vec();
    let everything = [&before_the_last[..], &["4.weight", "4.bias"].map(String::from)].concat();
    // Only the inputs' gradients are wrong: the parameters of the last layer do not depend on them.
    let wrongs: [fn(f32) -> f32; 4] = [|dx| -0.5 * dx, |dx| 1.01 * dx, |dx| dx.max(0.0), |_| f32::NAN];
    for tamper in wrongs {
        assert_eq!(found("matmul_nn", tamper), (before_the_last.clone(), true));
    }
    assert_eq!(found("softmax_cross_entropy", |dlogits| 0.99 * dlogits), (everything, true));
    // If the forward pass is wrong, the loss is wrong, too.
    assert!(!found("matmul_nt", |y| 1.1 * y).1);
    assert_eq!(found("none", |value| value), (Vec::new(), true));
}

#[test]
fn wrong_gradients_on_maps_are_found_where_they_are() {
    const MODEL: &str =
        "conv:4x3,batchnorm,gelu,maxpool:2,relu,residual(conv:4x3|leakyrelu),avgpool:2s1,linear:9,relu";
    // The parameters whose gradients the result of an op contributes to.
    let first = ["0.weight", "1.weight", "1.bias"];
    let before_the_pool = [&first[..], &["5.body.0.weight", "5.body.0.bias"]].concat();
    for (op, names) in [
        ("conv2d_weight_gradient", &["0.weight", "5.body.0.weight"][..]),
        ("conv2d_data_gradient", &first),
        ("max_pool_backward", &first),
        ("activation_backward", &first),
        ("relu_backward", &first),
        ("average_pool_backward", &before_the_pool),
        ("batch_norm_backward", &["0.weight"]),
    ] {
        let (wrong, loss_is_right) = found_in(MODEL, dataset_of(MAPS), op, |gradient| 0.9 * gradient);
        assert_eq!(wrong, names, "{op}");
        assert!(loss_is_right, "{op}");
    }
    for op in ["conv2d", "batch_norm_apply", "max_pool", "average_pool", "activation", "add"] {
        let (_, loss_is_right) = found_in(MODEL, dataset_of(MAPS), op, |y| 1.1 * y);
        assert!(!loss_is_right, "{op}");
    }
}

fn gradcheck(arguments: &[&str]) -> (Option<i32>, String, String) {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data/six-classes-5x4");
    let output = Command::new(env!("CARGO_BIN_EXE_shadegrad"))
        .args(["gradcheck", "--data", DATA, "--model", "linear:8,relu"])
        .args(arguments)
        .env_remove("SHADEGRAD_DEVICE")
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_prints_a_row_for_each_tensor() {
    for device in ["cpu", "gpu"] {
        let (code, stdout, stderr) = gradcheck(&["--device", device]);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        for name in ["loss", "0.weight", "0.bias", "2.weight", "2.bias"] {
            let row =
                stdout.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{stdout}"));
            assert!(row.ends_with("passed"), "{row}");
        }
        assert!(!stdout.contains('\x1b'), "{stdout}");
    }
    let (code, stdout, _) = gradcheck(&["--device", "cpu", "--json"]);
    let event: serde_json::Value = serde_json::from_str(&stdout).expect("one object");
    assert_eq!((code, &event["event"], &event["passed"]), (Some(0), &"gradcheck".into(), &true.into()));
    assert_eq!(event["tensors"].as_array().map(Vec::len), Some(4), "{event}");
    assert_eq!(gradcheck(&["--batch-size", "none"]).0, Some(2));
    assert!(!gradcheck(&["--device", "cpu"]).2.contains("clipping"));
    let (code, _, notes) = gradcheck(&["--device", "cpu", "--clip-norm", "0.5"]);
    assert_eq!(
        (code, notes.as_str()),
        (Some(0), "note: --clip-norm 0.5 is not applied: gradients are compared before clipping\n")
    );
}

//! Layers on maps, compared with other ways to compute the same: running statistics with sums over
//! the images, ReLUs whose gradients other layers mask with ReLUs that mask their own, and GPU runs
//! with CPU runs.

use shadegrad::checkpoint::NamedTensor;
use shadegrad::config::Key;
use shadegrad::data::{Dataset, ImageShape};
use shadegrad::ops::activation::Activation;
use shadegrad::train::Epoch;

use crate::samples::small_run::{config, dataset, dataset_of, device};
use crate::samples::witness::train_on;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 7, width: 6 };

/// The result of a run.
struct Outcome {
    tensors: Vec<NamedTensor>,
    epochs: Vec<Epoch>,
}

impl Outcome {
    /// A run of `model` on 133 images in file order, so that the last batch of an epoch is smaller.
    fn of(model: &str, kind: &str, values: &[(Key, &str)]) -> Self {
        Outcome::on(dataset_of(SHAPE), model, kind, values)
    }

    fn on(dataset: Dataset, model: &str, kind: &str, values: &[(Key, &str)]) -> Self {
        let common = [(Key::Model, model), (Key::Shuffle, "false"), (Key::KeepBest, "false")];
        let config = config(&[&common, values].concat());
        let (_, witness) = train_on(dataset, &config, &*device(kind));
        Outcome { tensors: witness.last().model.tensors, epochs: witness.epochs }
    }

    fn values(&self, name: &str) -> Vec<f64> {
        let found = self.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = found.unwrap_or_else(|| panic!("no {name}"));
        tensor.values.iter().map(|&value| value.into()).collect()
    }
}

#[track_caller]
fn assert_close(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let largest = wanted.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= tolerance * largest, "{what}, {index}: {found}, not {wanted}");
    }
}

/// All models have the same tensors and the same losses.
#[track_caller]
fn assert_same(one: &Outcome, other: &Outcome, tolerance: f64, what: &str) {
    assert_eq!(one.tensors.len(), other.tensors.len(), "{what}");
    for tensor in &one.tensors {
        let name = &tensor.name;
        assert_close(&one.values(name), &other.values(name), tolerance, &format!("{what}, {name}"));
    }
    let losses = |outcome: &Outcome| -> Vec<f64> {
        outcome.epochs.iter().flat_map(|epoch| [epoch.train_loss, epoch.test_loss]).collect()
    };
    assert_close(&losses(one), &losses(other), tolerance, what);
}

/// Models in which another layer masks the gradient of a ReLU.
const MASKS: [&str; 6] = [
    "conv:5x3,relu,maxpool:2,conv:4x3,relu,maxpool:3s2p1,conv:6x2,relu",
    "conv:5x3s2,relu,flatten,linear:9,relu",
    "conv:5x3,batchnorm,relu,globalmaxpool,flatten,linear:7,relu",
    "conv:6x3,relu,residual(conv:6x3,relu,conv:6x3,relu),relu,avgpool:2,conv:4x1,relu,gelu",
    "conv:5x3,relu,residual(maxpool:3s1p1,conv:5x3,relu|relu,conv:5x1,batchnorm,relu),batchnorm,relu,maxpool:2",
    "relu,residual(conv:3x3,relu,leakyrelu:0.1),maxpool:2,relu,conv:5x2,relu,scale:0.5,flatten,linear:20,residual(linear:20,relu)",
];

/// A leaky ReLU with slope 0 is a ReLU that masks its own gradient.
#[test]
fn masks_that_other_layers_apply_are_those_of_the_relus() {
    let values = [(Key::Epochs, "1"), (Key::BatchSize, "45"), (Key::Lr, "0.05")];
    for kind in ["cpu", "gpu"] {
        for model in MASKS {
            let plain =
                model.split_inclusive(&[',', '(', ')', '|']).map(|word| match word.strip_prefix("relu") {
                    Some(mark) => format!("leakyrelu:0{mark}"),
                    None => word.to_owned(),
                });
            let plain: String = plain.collect();
            let one = Outcome::of(model, kind, &values);
            assert_same(&one, &Outcome::of(&plain, kind, &values), 2e-5, &format!("{model} on {kind}"));
        }
    }
}

/// Checks the comparison itself: with another ReLU, the model differs.
#[test]
fn a_mask_that_is_missing_would_be_noticed() {
    let values = [(Key::Epochs, "1"), (Key::BatchSize, "45"), (Key::Lr, "0.05")];
    let of = |model| Outcome::on(dataset(), model, "cpu", &values);
    let (one, other) = (of("conv:5x3,relu,maxpool:2"), of("conv:5x3,leakyrelu:0.001,maxpool:2"));
    let result = std::panic::catch_unwind(|| assert_same(&one, &other, 2e-5, "slopes of 0 and 0.001"));
    assert!(result.is_err());
}

#[test]
fn gpus_train_layers_on_maps_as_the_cpu_does() {
    let more = [
        "batchnorm,conv:5x3,gelu,avgpool:3s2p1,residual(conv:5x3|scale:0.5),leakyrelu,dropout:0.3,globalavgpool",
    ];
    let every: String = Activation::all().map(|activation| format!("conv:6x1,{activation},")).collect();
    let every = format!("conv:6x3,batchnorm,scale:4,{every}globalavgpool");
    for model in MASKS.into_iter().chain(more).chain([&*every]) {
        let values = [(Key::Epochs, "2"), (Key::BatchSize, "45"), (Key::Momentum, "0.9"), (Key::Lr, "0.01")];
        let [cpu, gpu] = ["cpu", "gpu"].map(|kind| Outcome::of(model, kind, &values));
        assert_same(&gpu, &cpu, 1e-4, model);
    }
}

/// Frozen parameters never change, on any device and with any optimizer; a parameter that is
/// trained for one epoch does not change after it.
#[test]
fn whitening_filters_and_frozen_parameters_stay_as_they_are() {
    let model = "whiten:2,gelu,conv:6x3,maxpool:2,batchnorm:0.4,gelu,conv:5x3,batchnorm,globalmaxpool";
    let of = |kind, epochs| {
        let values = [
            (Key::Epochs, epochs),
            (Key::BatchSize, "45"),
            (Key::Init, "dirac"),
            (Key::Optimizer, "muon"),
            (Key::Groups, "gains lr=0, 0.bias lr=3 until=1, shifts optimizer=sgd momentum=0.8"),
        ];
        Outcome::of(model, kind, &values)
    };
    let [first, cpu, gpu] = [of("cpu", "1"), of("cpu", "3"), of("gpu", "3")];
    for other in [&cpu, &gpu] {
        assert_eq!(first.values("0.weight"), other.values("0.weight"));
        assert!(other.values("4.weight").iter().all(|&gain| gain == 1.0));
    }
    assert_eq!(first.values("0.weight").len(), 2 * 12 * 12);
    assert_eq!(first.values("0.bias"), cpu.values("0.bias"));
    for trained in ["2.weight", "4.bias", "6.weight", "7.bias"] {
        assert_ne!(first.values(trained), cpu.values(trained), "{trained}");
    }
    assert_same(&gpu, &cpu, 1e-3, "Muon on maps");
}

/// The pixels of a channel, as the model sees them.
fn pixels(images: &[u8], channel: usize) -> Vec<f64> {
    let plane = SHAPE.height * SHAPE.width;
    let of_image = |image: &[u8]| image[channel * plane..][..plane].to_vec();
    let bytes = images.chunks_exact(SHAPE.pixels()).flat_map(of_image);
    bytes.map(|byte| f64::from(byte) / 255.0).collect()
}

fn moments(values: &[f64]) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    [mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count]
}

/// Running statistics are averages over the batches, including the smaller last one, and evaluation
/// normalises with them.
#[test]
fn running_statistics_are_those_of_the_batches_and_evaluations_use_them() {
    const BATCH: usize = 45;
    let data = dataset_of(SHAPE);
    let values = [(Key::Epochs, "2"), (Key::BatchSize, "45"), (Key::Normalize, "unit"), (Key::Lr, "0.02")];
    for (kind, model, momentum) in [
        ("cpu", "batchnorm", 0.1),
        ("gpu", "batchnorm", 0.1),
        ("cpu", "batchnorm:0.4", 0.4),
        ("gpu", "batchnorm:0.4", 0.4),
    ] {
        let outcome = Outcome::of(model, kind, &values);
        let (mut means, mut variances) = (vec![0.0; 3], vec![1.0; 3]);
        for images in (0..2).flat_map(|_| data.train.images.chunks(BATCH * SHAPE.pixels())) {
            for channel in 0..3 {
                let values = pixels(images, channel);
                let [mean, variance] = moments(&values);
                let unbiased = variance * values.len() as f64 / (values.len() - 1) as f64;
                means[channel] += momentum * (mean - means[channel]);
                variances[channel] += momentum * (unbiased - variances[channel]);
            }
        }
        assert_close(&outcome.values("0.running_mean"), &means, 1e-5, "means");
        assert_close(&outcome.values("0.running_var"), &variances, 1e-5, "variances");
        let last = outcome.epochs.last().expect("there are two");
        assert_close(&[last.test_loss], &[test_loss(&outcome, &data)], 1e-5, "test loss");
    }
}

/// A last batch that leaves a batch norm one value per channel is trained with the running
/// statistics, and does not change them.
#[test]
fn a_last_batch_of_one_value_leaves_running_statistics_alone() {
    for (model, layer) in [
        ("linear:7,batchnorm,relu", 1),
        ("flatten,batchnorm,linear:6,batchnorm,relu", 3),
        ("conv:4x3,relu,globalavgpool,batchnorm", 3),
        ("conv:4x3,relu,globalmaxpool,residual(conv:4x1,batchnorm)", 3),
    ] {
        let name = |part: &str| match model.contains("residual") {
            true => format!("{layer}.body.1.{part}"),
            false => format!("{layer}.{part}"),
        };
        let run = |kind, steps: &str, epochs: &str| {
            // 133 images are 11 batches of 12 and one batch of one image.
            let values = [(Key::BatchSize, "12"), (Key::MaxSteps, steps), (Key::Epochs, epochs)];
            Outcome::of(model, kind, &[&values[..], &[(Key::Lr, "0.02")]].concat())
        };
        for kind in ["cpu", "gpu"] {
            let [before, after] = ["11", "12"].map(|steps| run(kind, steps, "1"));
            for part in ["running_mean", "running_var"] {
                assert_eq!(before.values(&name(part)), after.values(&name(part)), "{model} on {kind}");
            }
            // The gradient passes through it to the layers before.
            let first = if model.starts_with("flatten") { "2.weight" } else { "0.weight" };
            for moved in [name("bias"), name("weight"), first.into()] {
                assert_ne!(before.values(&moved), after.values(&moved), "{moved} of {model} on {kind}");
            }
        }
        let [cpu, gpu] = ["cpu", "gpu"].map(|kind| run(kind, "24", "2"));
        assert_same(&gpu, &cpu, 1e-4, model);
    }
}

/// The loss of `batchnorm,flatten,linear:5` with running statistics, in float64.
fn test_loss(outcome: &Outcome, data: &Dataset) -> f64 {
    let [gain, shift, mean, variance] =
        ["weight", "bias", "running_mean", "running_var"].map(|part| outcome.values(&format!("0.{part}")));
    let (weight, bias) = (outcome.values("2.weight"), outcome.values("2.bias"));
    let losses =
        data.test.images.chunks_exact(SHAPE.pixels()).zip(&data.test.labels).map(|(image, &label)| {
            let x: Vec<f64> = (0..SHAPE.channels)
                .flat_map(|channel| {
                    let deviation = (variance[channel] + 1e-5).sqrt();
                    let normalised = pixels(image, channel).into_iter().map(move |x| (x, channel, deviation));
                    normalised.map(|(x, channel, deviation)| {
                        (x - mean[channel]) / deviation * gain[channel] + shift[channel]
                    })
                })
                .collect();
            let logits = weight.chunks_exact(x.len()).zip(&bias);
            let logits: Vec<f64> = logits
                .map(|(row, bias)| bias + row.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>())
                .collect();
            logits.iter().map(|logit| logit.exp()).sum::<f64>().ln() - logits[label as usize]
        });
    losses.sum::<f64>() / data.test.labels.len() as f64
}

//! Data augmentation: a run trains on augmented images, is evaluated on unchanged ones, and gets
//! the same result on every device. Also tests test-time augmentation.

use shadegrad::ErrorKind;
use shadegrad::checkpoint::SavedModel;
use shadegrad::config::{Config, Key};
use shadegrad::data::{Dataset, ImageShape, Split};
use shadegrad::device::Device;
use shadegrad::train::{Epoch, Views, evaluate, logits};

use crate::samples::small_run::{config, dataset, device};
use crate::samples::witness;

const CHANGES: [&[(Key, &str)]; 4] =
    [&[(Key::Flip, "random")], &[(Key::Flip, "alternating")], &[(Key::Crop, "2")], &[(Key::Cutout, "3")]];

/// Trains a run. Returns its epochs and the hash of its weights.
fn train(kind: &str, values: &[(Key, &str)]) -> (Vec<Epoch>, String) {
    let config = config(&[&[(Key::Model, "linear:7,relu")], values].concat());
    let (end, witness) = witness::train(&config, &*device(kind));
    (witness.epochs, end.weights_sha256)
}

/// A model that was trained on these images.
fn trained(dataset: Dataset, config: &Config, device: &dyn Device) -> SavedModel {
    witness::train_on(dataset, config, device).1.last().model
}

/// With weights that hardly move, the losses show which images were used.
#[test]
fn only_training_images_change_and_in_every_epoch_in_another_way() {
    let still = [(Key::Lr, "1e-30"), (Key::Validation, "0.2"), (Key::Shuffle, "false")];
    let (plain, _) = train("cpu", &still);
    assert!(plain.windows(2).all(|pair| pair[0].train_loss == pair[1].train_loss), "{plain:?}");
    for change in CHANGES {
        let (epochs, _) = train("cpu", &[&still[..], change].concat());
        for (epoch, plain) in epochs.iter().zip(&plain) {
            assert_ne!(epoch.train_loss, plain.train_loss, "{change:?}");
            assert_eq!(epoch.test_loss, plain.test_loss, "{change:?}");
            assert_eq!(epoch.validation, plain.validation, "{change:?}");
        }
        let [first, second, third] = epochs[..] else { panic!("three epochs, not {epochs:?}") };
        assert_ne!(first.train_loss, second.train_loss, "{change:?}");
        let is_alike = first.train_loss == third.train_loss;
        assert_eq!(is_alike, change[0].1 == "alternating", "{change:?}: {epochs:?}");
    }
}

/// Also with batch size 1, which could otherwise be trained in blocks.
#[test]
fn runs_on_both_devices_see_the_same_images() {
    for change in CHANGES {
        for batch in ["16", "1"] {
            let values = [change, &[(Key::BatchSize, batch), (Key::Lr, "0.01")]].concat();
            let ((cpu, hash), (gpu, _)) = (train("cpu", &values), train("gpu", &values));
            for (cpu, gpu) in cpu.iter().zip(&gpu) {
                let (wanted, found) = (cpu.train_loss, gpu.train_loss);
                assert!((wanted - found).abs() < 1e-4 * wanted, "{values:?}: {found} instead of {wanted}");
            }
            assert_eq!(train("cpu", &values).1, hash, "{values:?}");
            let other_seed = [&values[..], &[(Key::Seed, "4"), (Key::Shuffle, "false")]].concat();
            assert_ne!(train("cpu", &other_seed).1, hash, "{values:?}");
        }
    }
}

/// Combines every three images into one of three channels.
fn coloured() -> Dataset {
    let grey = dataset();
    let three = |split: &Split| Split {
        images: split.images[..split.len() / 3 * 45].to_vec(),
        labels: split.labels.chunks_exact(3).map(|labels| labels[0]).collect(),
        ..Split::default()
    };
    let shape = ImageShape { channels: 3, height: 3, width: 5 };
    Dataset { shape, train: three(&grey.train), test: three(&grey.test), ..grey }
}

type Rows = Vec<Vec<u8>>;

/// Applies `change` to each channel of the images.
fn changed(split: &Split, change: impl Fn(Rows) -> Rows) -> Split {
    let planes =
        split.images.chunks_exact(15).map(|plane| plane.chunks_exact(5).map(<[u8]>::to_vec).collect());
    Split { images: planes.flat_map(|plane| change(plane).concat()).collect(), ..split.clone() }
}

fn mirrored(mut rows: Rows) -> Rows {
    rows.iter_mut().for_each(|row| row.reverse());
    rows
}

/// Shifts everything one row down and one column right; pixels at the top and left edge are
/// reflected.
fn lower(rows: Rows) -> Rows {
    let rows = [&rows[1..2], &rows[..2]].concat();
    rows.into_iter().map(|row| [&row[1..2], &row[..4]].concat()).collect()
}

/// The opposite shift.
fn higher(rows: Rows) -> Rows {
    let rows = [&rows[1..], &rows[1..2]].concat();
    rows.into_iter().map(|row| [&row[1..], &row[3..4]].concat()).collect()
}

#[test]
fn answers_to_views_are_averaged() {
    let cpu = device("cpu");
    let config = config(&[(Key::Normalize, "standard"), (Key::Lr, "0.1")]);
    let model = trained(coloured(), &config, &*cpu);
    let (test, shape) = (coloured().test, coloured().shape);

    let plain = |split: &Split| logits(&model, split.clone(), shape, &*cpu).expect("the model answers");
    let mirror = |change: fn(Rows) -> Rows| plain(&changed(&test, |rows| change(mirrored(rows))));
    let shift = |change: fn(Rows) -> Rows| plain(&changed(&test, change));
    let pair = |change: fn(Rows) -> Rows| -> Vec<f64> {
        let both = shift(change).into_iter().zip(mirror(change));
        both.map(|(one, other)| 0.5 * f64::from(one) + 0.5 * f64::from(other)).collect()
    };
    let as_it_is = pair(|rows| rows);
    let shifts: Vec<f64> =
        pair(lower).into_iter().zip(pair(higher)).map(|(one, other)| 0.5 * (one + other)).collect();
    let all: Vec<f64> = as_it_is.iter().zip(shifts).map(|(pair, shifts)| 0.5 * pair + 0.5 * shifts).collect();

    let once = evaluate(&model, test.clone(), shape, Views::One, &*cpu).expect("the model is measured");
    for (views, wanted) in [(Views::Mirror, as_it_is), (Views::MirrorShifts, all)] {
        let (mut loss, mut confusion) = (0.0, vec![vec![0; 5]; 5]);
        for (logits, &class) in wanted.chunks_exact(5).zip(&test.labels) {
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            loss += sum.ln() - logits[class as usize];
            let answer = (0..5).max_by(|&one, &other| logits[one].total_cmp(&logits[other]));
            confusion[class as usize][answer.expect("there are classes")] += 1;
        }
        for kind in ["cpu", "gpu"] {
            let device = device(kind);
            let found =
                evaluate(&model, test.clone(), shape, views, &*device).expect("the model is measured");
            let wanted = loss / test.len() as f64;
            assert!((found.loss - wanted).abs() < 1e-5, "{views:?}, {kind}: {} is not {wanted}", found.loss);
            assert!((found.loss - once.loss).abs() > 1e-3, "{views:?} change nothing");
            assert_eq!(found.confusion, confusion, "{views:?}, {kind}");
            let hits: u64 = (0..5).map(|class| confusion[class][class]).sum();
            assert_eq!(found.accuracy, hits as f64 / test.len() as f64);
            assert_eq!(found.mistakes.len() as u64, test.len() as u64 - hits);
        }
    }
}

#[test]
fn images_of_one_row_are_not_shifted() {
    let cpu = device("cpu");
    let low = || Dataset { shape: ImageShape { channels: 3, height: 1, width: 5 }, ..dataset() };
    let model = trained(low(), &config(&[]), &*cpu);
    let measure = |views| evaluate(&model, low().test, low().shape, views, &*cpu);
    measure(Views::Mirror).expect("they have mirror images");
    let refused = measure(Views::MirrorShifts).expect_err("they cannot be shifted");
    assert_eq!(refused.kind(), ErrorKind::Usage);
}

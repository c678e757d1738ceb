//! Training on images that change: it learns from others, is measured on images as they are, and comes to the same on
//! every device.

use std::path::Path;

use shadegrad::Result;
use shadegrad::config::Key;
use shadegrad::train::{Epoch, Observer, StopFlag, Trainer};

#[path = "samples/small_run.rs"]
mod small_run;

use small_run::{config, dataset, device};

#[derive(Default)]
struct Witness {
    epochs: Vec<Epoch>,
}

impl Observer for Witness {
    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epochs.push(*epoch);
        Ok(())
    }
}

const CHANGES: [&[(Key, &str)]; 4] =
    [&[(Key::Flip, "random")], &[(Key::Flip, "alternating")], &[(Key::Crop, "2")], &[(Key::Cutout, "3")]];

/// A run's epochs and its weights' hash.
fn train(kind: &str, values: &[(Key, &str)]) -> (Vec<Epoch>, String) {
    let mut witness = Witness::default();
    let device = device(kind);
    let config = config(&[&[(Key::Model, "linear:7,relu")], values].concat());
    let trainer = Trainer::new(&config, dataset(), &*device).expect("the run can start");
    let end = trainer.train(Path::new("none"), &mut [&mut witness], &StopFlag::default());
    (witness.epochs, end.expect("the run ends well").weights_sha256)
}

/// With weights that hardly move, losses say which images were seen.
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

/// Single images, too, which could otherwise be trained on in blocks.
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

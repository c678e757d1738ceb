//! Runs that diverge: they end within fifty steps, report where the divergence began, and the
//! checkpoints before it are good.

use shadegrad::checkpoint::NamedTensor;
use shadegrad::config::{Config, Key};
use shadegrad::device::{Device, Session};
use shadegrad::plan::Array;
use shadegrad::run::RunDirectory;
use shadegrad::train::{End, StopFlag, Trainer};
use shadegrad::{Error, ErrorKind, Remedy, Result};

use crate::resume::support::{Witness, both, config, dataset, device, train};
use crate::samples::altered::{Altered, Call, Watched};
use crate::samples::witness;

/// Returns a device that writes `value` into a tensor ahead of its submission with this number.
fn faulty<'a>(inner: &'a dyn Device, tensor: &'a str, value: f32, submission: u64) -> Altered<'a> {
    Altered::new(inner, move |device, plan| {
        let found = plan.declarations().iter().find(|declaration| declaration.name == tensor);
        let target = found.unwrap_or_else(|| panic!("there is no {tensor}")).tensor;
        let mut submissions = 0;
        let before = move |session: &mut dyn Session, call| {
            submissions += u64::from(call == Call::Submit);
            if call == Call::Submit && submissions == submission {
                let mut values = session.read(target)?.into_f32();
                let middle = values.len() / 2;
                values[middle] = value;
                session.write(target, Array::F32(values))?;
            }
            Ok(())
        };
        Ok(Box::new(Watched { inner: device.load(plan)?, before }))
    })
}

/// Trains until the run diverges. Returns the error and the recorded events.
fn diverge(config: &Config, device: &dyn Device) -> (Error, Witness) {
    let (result, witness) = try_to_train(config, device);
    let error = result.expect_err("the run diverges");
    is_divergence(&error, &witness);
    (error, witness)
}

/// Trains to the end or to an error.
pub fn try_to_train(config: &Config, device: &dyn Device) -> (Result<End>, Witness) {
    witness::try_to_train(Trainer::new(config, dataset(), device).expect("the run can start"))
}

/// The exit code is 5, and all checkpoints are good.
pub fn is_divergence(error: &Error, witness: &Witness) {
    assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
    assert_eq!(error.kind().exit_code(), 5);
    for snapshot in &witness.snapshots {
        assert!(snapshot.tensors().all(NamedTensor::is_finite), "a checkpoint is bad: {error}");
    }
}

/// The step that an error names.
pub fn step_of(error: &Error) -> usize {
    let text = error.to_string();
    let (_, behind) = text.split_once(" step ").unwrap_or_else(|| panic!("no step: {text}"));
    let digits = behind.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no step: {text}"))
}

/// A fault in any parameter or optimizer state is found before the next step, and the tensor is
/// named.
fn faults_are_found_and_named(kind: &str) -> usize {
    let device = device(kind);
    let batches: &[_] = &[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "3"), (Key::Epochs, "4")];
    let single: &[_] = &[(Key::BatchSize, "1"), (Key::CheckpointEvery, "32"), (Key::Lr, "0.01")];
    let parameters = ["0.weight", "0.bias", "2.weight", "2.bias"];
    let velocities = ["0.weight.velocity", "0.bias.velocity", "2.weight.velocity", "2.bias.velocity"];
    let mut found = 0;
    let penalised = &[single, &[(Key::L2, "0.01")]].concat()[..];
    let kept = [&parameters[..], &velocities].concat();
    for (values, tensors) in
        [(batches, kept), (single, parameters.to_vec()), (penalised, parameters.to_vec())]
    {
        let config = config(values);
        for tensor in tensors {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let faulty = faulty(&*device, tensor, value, 4);
                let (error, witness) = diverge(&config, &faulty);
                let said = error.to_string();
                assert!(said.contains(&format!(": {tensor} holds NaN, infinity or ")), "{value}: {said}");
                assert!(said.ends_with("did not diverge when repeated"), "{value}: {said}");
                let saved = witness.snapshots.last().expect("a run is saved").position.step;
                let step = step_of(&error);
                assert!((saved..=saved + 50).contains(&step), "saved at {saved}: {said}");
                found += 1;
            }
        }
    }
    found
}

#[test]
fn faults_on_the_cpu_are_found_and_named() {
    assert_eq!(faults_are_found_and_named("cpu"), 48);
}

#[test]
fn faults_on_the_gpu_are_found_and_named() {
    assert_eq!(faults_are_found_and_named("gpu"), 48);
}

#[test]
fn a_huge_learning_rate_is_said_to_be_one_and_leaves_a_good_checkpoint() {
    for kind in ["cpu", "gpu"] {
        for (rate, momentum) in [("1e30", "0"), ("1e30", "0.9"), ("1e38", "0"), ("3000", "0.9")] {
            let length = [(Key::Epochs, "400"), (Key::CheckpointEvery, "1")];
            let config = config(&[&[(Key::Lr, rate), (Key::Momentum, momentum)], &length[..]].concat());
            let (error, witness) = diverge(&config, &*device(kind));
            let saved = witness.snapshots.last().expect("a run is saved").position.step;
            assert!(step_of(&error) <= saved + 50, "saved at {saved}: {error}");
            let said = both(&error);
            assert!(said.starts_with("training diverged: "), "{said}");
            let is_rate = matches!(error.remedy(), Some(Remedy::LowerLearningRate { .. }));
            assert!(is_rate, "{said}");
            println!("{kind}, {rate}, {momentum}: {said}");
        }
    }
}

/// With the suggested learning rate, the run trains to its end and its loss falls.
#[test]
fn the_suggested_learning_rate_trains() {
    let optimizers: [&[(Key, &str)]; 5] = [
        &[(Key::Momentum, "0")],
        &[(Key::Momentum, "0.9"), (Key::Nesterov, "true")],
        &[(Key::Momentum, "0"), (Key::BatchSize, "1")],
        &[(Key::Momentum, "0"), (Key::L2, "1"), (Key::Normalize, "standard")],
        &[(Key::Optimizer, "adam"), (Key::Momentum, "0")],
    ];
    for kind in ["cpu", "gpu"] {
        for (optimizer, rate) in
            optimizers.iter().flat_map(|optimizer| [(optimizer, "1e30"), (optimizer, "1e36")])
        {
            let values = |rate| [optimizer, &[(Key::Lr, rate), (Key::Epochs, "20")][..]].concat();
            let (error, _) = diverge(&config(&values(rate)), &*device(kind));
            let Some(Remedy::LowerLearningRate { rate: suggested, .. }) = error.remedy() else {
                panic!("no rate is suggested: {}", both(&error));
            };
            let (end, witness) = train(&config(&values(&format!("{suggested:?}"))), &*device(kind));
            let [first, last] = [0, 19].map(|epoch| witness.epochs[epoch].train_cross_entropy);
            println!("{kind}, {optimizer:?}, {rate}: {suggested} takes the loss from {first} to {last}");
            assert!(last < first && end.steps > 0, "{kind}, {optimizer:?}: {suggested}: {first} {last}");
        }
    }
}

#[test]
fn a_diverged_run_keeps_its_last_good_checkpoint_on_the_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = config(&[(Key::CheckpointEvery, "4"), (Key::Momentum, "0.9")]);
    let mut directory = RunDirectory::create(folder.path(), config.to_toml()).expect("it is writable");
    let cpu = device("cpu");
    let faulty = faulty(&*cpu, "2.weight", f32::NAN, 5);
    let trainer = Trainer::new(&config, dataset(), &faulty).expect("the run can start");
    trainer.train(folder.path(), &mut [&mut directory], &StopFlag::default()).expect_err("the run diverges");
    drop(directory);
    let reopened = shadegrad::run::reopen(folder.path()).expect("there is a checkpoint");
    assert!(reopened.snapshot.tensors().all(NamedTensor::is_finite));
    assert!(reopened.complaints.is_empty());
}

/// Ten thousand steps without divergence.
#[test]
fn nobody_cries_wolf() {
    let config = config(&[(Key::Epochs, "1112"), (Key::CheckpointEvery, "500e"), (Key::KeepBest, "false")]);
    assert_eq!(train(&config, &*device("cpu")).0.steps, 10_008);
}

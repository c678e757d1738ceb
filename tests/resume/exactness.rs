//! A run that is resumed from any of its checkpoints ends exactly like the uninterrupted run: the
//! same weights, optimizer state, sums of the partial epoch, and metrics of every epoch.

use shadegrad::config::{Config, Key};
use shadegrad::device::Device;
use shadegrad::train::{End, Snapshot};

use crate::resume::support::{Witness, config, device, resume, train};

type Values<'a> = &'a [(Key, &'a str)];

const OPTIMIZERS: [Values<'_>; 12] = [
    &[],
    &[(Key::Momentum, "0.9")],
    &[(Key::Momentum, "0.8"), (Key::Nesterov, "true"), (Key::WeightDecay, "0.001")],
    &[(Key::L2, "0.01")],
    &[(Key::Optimizer, "adam"), (Key::WeightDecay, "0.001"), (Key::ClipNorm, "0.5")],
    &[(Key::Optimizer, "adamw"), (Key::WeightDecay, "0.01")],
    &[(Key::Optimizer, "lion"), (Key::WeightDecay, "0.01"), (Key::LabelSmoothing, "0.1")],
    &[(Key::Momentum, "0.9"), (Key::ClipNorm, "0.5")],
    &[(Key::Momentum, "0.9"), (Key::Ema, "0.9"), (Key::Groups, "biases lr=2 decay=0.1")],
    &[(Key::Optimizer, "adamw"), (Key::WeightDecay, "0.01"), (Key::Ema, "0.95"), (Key::Groups, "0 lr=0.5")],
    &[
        (Key::Optimizer, "muon"),
        (Key::Momentum, "0.6"),
        (Key::Nesterov, "true"),
        (Key::Groups, "0.bias until=1.5, 2 optimizer=sgd lr=0.5 momentum=0.8, 2.bias lr=0"),
    ],
    &[
        (Key::Optimizer, "muon"),
        (Key::ClipNorm, "0.5"),
        (Key::Model, "whiten:2,gelu,conv:4x3,maxpool:2,batchnorm:0.4,linear:9"),
        (Key::Init, "dirac"),
        (Key::Groups, "gains lr=0"),
    ],
];

const SCHEDULES: [Values<'_>; 5] = [
    &[],
    &[(Key::Schedule, "cosine"), (Key::Warmup, "1e")],
    &[(Key::Schedule, "linear")],
    &[(Key::Schedule, "one-cycle"), (Key::Warmup, "0.3")],
    &[(Key::Schedule, "step"), (Key::StepEvery, "1e"), (Key::StepFactor, "0.5")],
];

/// Runs with 27 batches, with augmentation, with single images in blocks of 32 and one by one, with
/// whole epochs, and runs that end in the middle of an epoch and of a block; each with its
/// checkpoint interval.
const SHAPES: [Values<'_>; 6] = [
    &[(Key::CheckpointEvery, "4"), (Key::Flip, "random"), (Key::Crop, "1"), (Key::Cutout, "2")],
    &[(Key::CheckpointEvery, "4")],
    &[(Key::CheckpointEvery, "1e"), (Key::Shuffle, "false")],
    &[(Key::BatchSize, "1"), (Key::CheckpointEvery, "50"), (Key::Lr, "0.01")],
    &[(Key::BatchSize, "1"), (Key::CheckpointEvery, "33"), (Key::MaxSteps, "250"), (Key::Lr, "0.01")],
    &[(Key::BatchSize, "1000"), (Key::CheckpointEvery, "1"), (Key::Model, "linear:3,relu,linear:9,relu")],
];

/// Resumes a run from a snapshot; it must end like the run `straight`.
fn goes_on_exactly(
    config: &Config,
    device: &dyn Device,
    snapshot: &Snapshot,
    (end, straight): (&End, &Witness),
    what: &str,
) {
    let (again, rest) = resume(config, device, snapshot);
    assert_eq!(again.weights_sha256, end.weights_sha256, "{what}");
    assert_eq!(again.best_epoch, end.best_epoch, "{what}");
    let missed = straight.epochs.len() - rest.epochs.len();
    assert_eq!(missed, snapshot.position.epochs, "{what}");
    assert_eq!(rest.epochs, straight.epochs[missed..], "{what}");
    // A finished run has nothing to save.
    if !straight.snapshots.last().is_some_and(|last| std::ptr::eq(last, snapshot)) {
        assert_eq!(rest.last(), straight.last(), "{what}");
    }
    assert_eq!(rest.starts[0].step, snapshot.position.step, "{what}");
}

/// Resumes each run from its first, its last and every `stride`-th checkpoint.
fn all_runs_go_on_exactly(kind: &str, shapes: &[Values<'_>], stride: usize) {
    let device = device(kind);
    let (mut runs, mut resumed) = (0, 0);
    for (row, optimizer) in OPTIMIZERS.into_iter().enumerate() {
        for (column, schedule) in SCHEDULES.into_iter().enumerate() {
            // Every optimizer with every schedule, and each of both with every shape. All
            // combinations would take minutes.
            for shape in shapes.iter().cycle().skip(row + column).take(2) {
                let values = [optimizer, schedule, shape].concat();
                let config = config(&values);
                let (end, straight) = train(&config, &*device);
                let count = straight.snapshots.len();
                assert!(count >= 4, "only {count} checkpoints with {values:?}");
                runs += 1;
                for (index, snapshot) in straight.snapshots.iter().enumerate() {
                    if (index + runs) % stride != 0 && index != count - 1 {
                        continue;
                    }
                    let what = format!("from step {} with {values:?}", snapshot.position.step);
                    goes_on_exactly(&config, &*device, snapshot, (&end, &straight), &what);
                    resumed += 1;
                }
            }
        }
    }
    println!("{kind}: {resumed} resumed runs of {runs}");
}

#[test]
fn runs_on_the_cpu_go_on_exactly() {
    all_runs_go_on_exactly("cpu", &SHAPES, 1);
}

#[test]
fn runs_on_the_gpu_go_on_exactly() {
    all_runs_go_on_exactly("gpu", &SHAPES[..5], 7);
}

/// Layers on maps, with running statistics.
const ON_MAPS: Values<'_> = &[
    (
        Key::Model,
        "conv:6x3,batchnorm,relu,residual(conv:6x2p1,batchnorm,gelu,avgpool:2s1|conv:6x1),relu,dropout:0.2,maxpool:2",
    ),
    (Key::Optimizer, "adamw"),
    (Key::Lr, "0.01"),
    (Key::CheckpointEvery, "4"),
];

#[test]
fn runs_on_maps_go_on_exactly() {
    let config = config(ON_MAPS);
    for kind in ["cpu", "gpu"] {
        let device = device(kind);
        let (end, straight) = train(&config, &*device);
        assert!(straight.snapshots.len() >= 7, "only {} checkpoints", straight.snapshots.len());
        for snapshot in &straight.snapshots {
            let what = format!("{kind}, from step {}", snapshot.position.step);
            goes_on_exactly(&config, &*device, snapshot, (&end, &straight), &what);
        }
    }
}

/// Checks the comparison itself: wrong statistics are noticed, each of them.
#[test]
fn a_run_with_other_statistics_does_not_go_on_exactly() {
    let (config, device) = (config(ON_MAPS), device("cpu"));
    let (end, straight) = train(&config, &*device);
    let snapshot = &straight.snapshots[2];
    let is_statistic = |name: &str| name.contains("running_");
    let names = snapshot.model.tensors.iter().map(|tensor| &tensor.name).filter(|name| is_statistic(name));
    assert_eq!(names.clone().count(), 4, "{names:?}");
    for name in names {
        let mut other = snapshot.clone();
        let tensor = other.model.tensors.iter_mut().find(|tensor| tensor.name == *name);
        tensor.expect("it is there").values[0] += 0.25;
        let (again, rest) = resume(&config, &*device, &other);
        assert_ne!(again.weights_sha256, end.weights_sha256, "{name}");
        assert_ne!(rest.epochs.last(), straight.epochs.last(), "{name}");
    }
}

/// The checkpoint interval, and so the division into submissions, changes nothing in the run.
#[test]
fn saving_changes_no_result() {
    let device = device("cpu");
    for shape in SHAPES {
        let hash = |every: &'static str| {
            let more = [(Key::CheckpointEvery, every), (Key::L2, "0.02"), (Key::KeepBest, "false")];
            let values = [shape, &more].concat();
            let (end, witness) = train(&config(&values), &*device);
            (end.weights_sha256, witness.epochs, witness.snapshots.len())
        };
        let (often, rarely) = (hash("1"), hash("1000m"));
        assert_eq!((&often.0, &often.1), (&rarely.0, &rarely.1), "{shape:?}");
        assert!(often.2 > rarely.2, "{shape:?}: {} and {} saves", often.2, rarely.2);
    }
}

/// A snapshot belongs to the step that it names. Blocks of single images are never divided, so
/// there it is the next end of a block.
#[test]
fn saves_come_when_they_were_asked_for() {
    let device = device("cpu");
    let steps = |values: Values<'_>| {
        let (_, witness) = train(&config(values), &*device);
        witness.snapshots.iter().map(|snapshot| snapshot.position.step).collect::<Vec<_>>()
    };
    // Nine steps per epoch. The best epochs are saved, too, unless that is disabled.
    let none_best = (Key::KeepBest, "false");
    assert_eq!(steps(&[(Key::CheckpointEvery, "4"), none_best]), [0, 4, 8, 12, 16, 20, 24, 27]);
    assert_eq!(steps(&[(Key::CheckpointEvery, "9"), none_best]), [0, 9, 18, 27]);
    assert_eq!(steps(&[(Key::CheckpointEvery, "2e"), none_best]), [0, 18, 27]);
    assert_eq!(steps(&[(Key::CheckpointEvery, "500m"), none_best]), [0, 27]);
    let single = [(Key::BatchSize, "1"), (Key::Epochs, "1"), (Key::Lr, "0.01"), none_best];
    assert_eq!(steps(&[&single[..], &[(Key::CheckpointEvery, "50")]].concat()), [0, 64, 128, 133]);
    assert_eq!(steps(&[&single[..], &[(Key::CheckpointEvery, "8")]].concat()), [0, 32, 64, 96, 128, 133]);
    // Blocks are not used with augmentation.
    let flipped = [(Key::CheckpointEvery, "50"), (Key::Flip, "alternating")];
    assert_eq!(steps(&[&single[..], &flipped].concat()), [0, 50, 100, 133]);
}

/// Nothing in these runs depends on their length, so a finished run that is given more epochs ends
/// like a run that had them from the start.
#[test]
fn a_finished_run_with_more_epochs_ends_as_one_that_had_them_from_the_start() {
    for kind in ["cpu", "gpu"] {
        let device = device(kind);
        for optimizer in OPTIMIZERS {
            let values = |epochs| [optimizer, &[(Key::Epochs, epochs)]].concat();
            let (straight_end, straight) = train(&config(&values("4")), &*device);
            let (_, first) = train(&config(&values("2")), &*device);
            let longer = config(&values("4"));
            let (end, rest) = resume(&longer, &*device, first.snapshots.last().expect("it is saved"));
            assert_eq!(end.weights_sha256, straight_end.weights_sha256, "{kind}, {optimizer:?}");
            let epochs = [first.epochs, rest.epochs.clone()].concat();
            assert_eq!(epochs, straight.epochs, "{kind}, {optimizer:?}");
            assert_eq!(rest.last(), straight.last(), "{kind}, {optimizer:?}");
        }
    }
}

/// So does a run that `max-steps` ended within an epoch: that epoch is completed.
#[test]
fn a_run_that_ended_within_an_epoch_continues_there() {
    let device = device("cpu");
    for (optimizer, schedule) in
        [(0, &[][..]), (4, &[]), (8, &[(Key::Schedule, "step"), (Key::StepEvery, "4")])]
    {
        for most in ["5", "9", "13", "18", "20", "26"] {
            let values = [OPTIMIZERS[optimizer], schedule].concat();
            let (straight_end, straight) = train(&config(&values), &*device);
            let short = config(&[&values[..], &[(Key::MaxSteps, most)]].concat());
            let (_, first) = train(&short, &*device);
            let saved = first.snapshots.last().expect("it is saved");
            assert_eq!(saved.position.step.to_string(), most);
            let (end, rest) = resume(&config(&values), &*device, saved);
            assert_eq!(end.weights_sha256, straight_end.weights_sha256, "{most} with {values:?}");
            let missed = straight.epochs.len() - rest.epochs.len();
            assert_eq!(missed, most.parse::<usize>().expect("a number") / 9);
            assert_eq!(rest.epochs, straight.epochs[missed..], "{most} with {values:?}");
            // Without more steps, the resumed run is finished.
            let (again, none) = resume(&short, &*device, saved);
            assert_eq!((again.steps.to_string().as_str(), none.epochs.len()), (most, 0));
        }
    }
}

/// The rest of a longer run has the learning rates of its schedule, laid out over all its steps.
#[test]
fn the_schedule_of_a_run_with_more_epochs_is_that_of_all_of_them() {
    let device = device("cpu");
    for schedule in SCHEDULES {
        let values = |epochs| [schedule, &[(Key::Epochs, epochs)]].concat();
        let (_, straight) = train(&config(&values("5")), &*device);
        let (_, first) = train(&config(&values("3")), &*device);
        let (_, rest) = resume(&config(&values("5")), &*device, first.snapshots.last().expect("it is saved"));
        let rates = |epochs: &[shadegrad::train::Epoch]| {
            epochs.iter().map(|epoch| epoch.learning_rate).collect::<Vec<_>>()
        };
        assert_eq!(rates(&rest.epochs), rates(&straight.epochs[3..]), "{schedule:?}");
    }
}

/// Checks the comparison itself: it must notice that a part of the state is missing.
#[test]
fn a_run_without_its_velocities_or_sums_does_not_go_on_exactly() {
    let device = device("cpu");
    let config = config(&[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "4")]);
    let (end, straight) = train(&config, &*device);
    let snapshot = &straight.snapshots[1];
    let mut still = snapshot.clone();
    for tensor in &mut still.optimizer.tensors {
        tensor.values.fill(0.0);
    }
    assert_ne!(resume(&config, &*device, &still).0.weights_sha256, end.weights_sha256);
    let mut blank = snapshot.clone();
    let as_json = |snapshot: &Snapshot| serde_json::to_value(snapshot.position.totals).expect("plain values");
    let mut totals = as_json(&straight.snapshots[0]);
    totals["runs"] = as_json(snapshot)["runs"].clone();
    blank.position.totals = serde_json::from_value(totals).expect("plain values");
    assert_ne!(resume(&config, &*device, &blank).1.epochs, straight.epochs);
}

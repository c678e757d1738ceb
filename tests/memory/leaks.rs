//! Five thousand steps leave as much behind as five hundred: no driver objects and no memory.
//!
//! This is a test program of its own with a single test, because it checks the memory of the whole
//! process.

use std::path::Path;

use shadegrad::Result;
use shadegrad::config::Key;
use shadegrad::device::Device;
use shadegrad::train::{Epoch, Observer, StopFlag, Trainer};

use crate::samples::small_run::{config, dataset, device};

/// Number of steps after which everything that a run keeps exists.
const WARM: usize = 500;

/// Maximum growth of the process after that, in bytes.
const MOST_GROWTH: u64 = 2 << 20;

/// Counts of everything at the end of an epoch.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    step: usize,
    objects: Vec<(&'static str, usize)>,
    bytes: u64,
}

struct Looks<'a> {
    device: &'a dyn Device,
    taken: Vec<Look>,
}

impl Observer for Looks<'_> {
    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let objects = self.device.live_objects();
        self.taken.push(Look { step: epoch.step, objects, bytes: crate::samples::resident::bytes() });
        Ok(())
    }
}

pub fn five_thousand_steps_leave_nothing_behind() {
    for kind in ["cpu", "gpu"] {
        let device = device(kind);
        // Nine steps per epoch, with an evaluation after each epoch.
        let config = config(&[(Key::Epochs, "560"), (Key::CheckpointEvery, "100"), (Key::L2, "0.001")]);
        let trainer = Trainer::new(&config, dataset(), &*device).expect("the run can start");
        let mut looks = Looks { device: &*device, taken: Vec::new() };
        let end = trainer.train(Path::new("none"), &mut [&mut looks], &StopFlag::default());
        assert!(end.expect("the run ends well").steps >= 5000);
        let warm = looks.taken.iter().find(|look| look.step >= WARM).expect("the run is long enough");
        let last = looks.taken.last().expect("there are epochs");
        eprintln!(
            "{kind}: {} KiB at step {}, {} KiB at step {}",
            warm.bytes >> 10,
            warm.step,
            last.bytes >> 10,
            last.step
        );
        assert!(
            kind == "cpu" || warm.objects.iter().any(|&(kind, count)| kind == "buffers" && count > 10),
            "{warm:?}"
        );
        // Objects in flight between two submissions may or may not be counted, so the maximum is
        // compared.
        let most = |looks: &[Look]| -> Vec<usize> {
            let counts = |kind: usize| looks.iter().map(|look| look.objects[kind].1).max().unwrap_or(0);
            (0..warm.objects.len()).map(counts).collect()
        };
        let (early, late) = looks.taken.split_at(looks.taken.len() / 2);
        assert_eq!(most(early), most(late), "{warm:?} {last:?}");
        let growth = last.bytes.saturating_sub(warm.bytes);
        assert!(growth < MOST_GROWTH, "{kind}: {growth} bytes more, {warm:?} {last:?}");
    }
}

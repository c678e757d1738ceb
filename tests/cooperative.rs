//! The check of cooperative matrices on a device, before any product uses them.

use shadegrad::device::gpu::adapter::Capabilities;
use shadegrad::kernel::{GpuFacts, TileClass};

use crate::samples::small_run::gpu;
use crate::samples::wrong_op::edited;

pub fn right_classes_are_proven_and_wrong_ones_are_found() {
    let gpu = gpu(Capabilities::Adapter);
    let cooperative = |classes: Vec<TileClass>| -> Vec<TileClass> {
        classes.into_iter().filter(TileClass::is_cooperative).collect()
    };
    let all = cooperative(TileClass::all(gpu.facts()));
    assert!(!all.is_empty());
    let candidates = |facts: &GpuFacts| cooperative(TileClass::f16_candidates(facts));
    assert_eq!(candidates(gpu.facts()), [], "nothing is proven yet");

    assert_eq!(gpu.wrong_cooperative_classes(|op| op), Vec::<String>::new());
    // Those of a software driver are slower than its other classes.
    let used = if gpu.facts().software { &[] } else { &*all };
    assert_eq!(candidates(gpu.f16_facts()), used);

    // The first round is skipped.
    let (from, to) = ("k0 = begin; k0 < end", "k0 = begin + 32u; k0 < end");
    let labels: Vec<String> = all.into_iter().map(TileClass::label).collect();
    assert_eq!(gpu.wrong_cooperative_classes(|op| edited(op, "", from, to)), labels);
}

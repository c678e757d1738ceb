//! Tests of whole runs and data sets, some of which need features that a machine may lack. Such
//! tests are then ignored, by name and with the reason.

mod cooperative;
#[path = "data/full.rs"]
mod full;
mod half;
mod samples;
mod selftest;
mod tuning;

use samples::trials::{Need, run, trials};

fn main() {
    let mut all = trials![Need::Nothing;
        full::fashion_mnist_is_whole_and_official,
        half::a_device_without_such_floats_trains_with_32_bits,
        half::a_device_with_fxc_trains_to_the_same_weights,
        selftest::a_gpu_that_computes_what_the_cpu_does_passes,
        selftest::a_wrong_kernel_is_found_in_its_op,
        selftest::a_wrong_class_of_products_is_done_without,
        selftest::a_kernel_that_a_driver_refuses_fails,
        selftest::products_that_are_wrong_in_every_class_are_broken,
        selftest::what_was_found_is_remembered_apart_from_what_was_tuned,
        selftest::the_cpu_and_unknown_ops_are_refused,
        selftest::a_run_reports_and_applies_the_selftest_at_its_start,
        tuning::choices_are_made_once_remembered_and_change_no_bit,
        tuning::a_gpu_says_how_far_it_is_with_tuning_and_compiling,
        tuning::a_kernel_of_many_ops_is_compiled_once,
        tuning::kernels_are_timed_on_devices_that_cannot_do_it_themselves,
        tuning::damaged_and_outdated_files_are_made_anew,
        tuning::a_memory_that_cannot_be_written_is_said_and_harmless,
    ];
    all.extend(trials![Need::F16;
        half::losses_follow_those_of_32_bits,
        half::a_run_goes_on_exactly,
        half::a_small_gradient_does_not_become_zero,
        selftest::a_wrong_kernel_for_16_bits_leaves_32_alone,
        tuning::tuning_with_16_bits_changes_no_bit,
    ]);
    all.extend(trials![Need::CooperativeMatrices;
        cooperative::right_classes_are_proven_and_wrong_ones_are_found,
    ]);
    all.extend(trials![Need::Cifar10; full::cifar_10_is_whole,]);
    run(all);
}

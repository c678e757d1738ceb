//! Every op on every device: the CPU is compared with float64 loops, and the GPU with the CPU.
//!
//! A new op needs a file in `tests/ops/cases` with at least 50 cases. Without an adapter these
//! tests fail; what this one's lacks is ignored, by name.

#[path = "ops/bench.rs"]
mod bench;
#[path = "ops/cases/mod.rs"]
mod cases;
#[path = "ops/compare.rs"]
mod compare;
#[path = "ops/gradients.rs"]
mod gradients;
#[path = "ops/limits.rs"]
mod limits;
#[path = "ops/numbers.rs"]
mod numbers;
#[path = "ops/philox.rs"]
mod philox;
#[path = "ops/reference.rs"]
mod reference;
#[path = "ops/refusals.rs"]
mod refusals;
#[path = "ops/runner.rs"]
mod runner;
mod samples;
#[path = "ops/subject.rs"]
mod subject;
#[path = "ops/update_steps.rs"]
mod update_steps;
#[path = "ops/wrong_kernels.rs"]
mod wrong_kernels;

use cases::{conv2d, dropout, matmul};
use samples::trials::{Need, run, trials};

fn main() {
    let mut all = cases::trials();
    all.extend(trials![Need::Nothing;
        cases::every_op_has_enough_cases,
        compare::nothing_wrong_passes,
        compare::one_wrong_element_in_a_million_is_found,
        compare::a_small_error_everywhere_is_found,
        conv2d::every_class_is_right,
        conv2d::every_class_gives_the_same_bits,
        conv2d::threads_change_no_bit,
        dropout::masks_are_random,
        gradients::gradients_are_slopes,
        limits::a_piece_may_be_as_large_as_a_binding,
        limits::a_larger_piece_is_refused_by_name,
        matmul::every_epilogue_has_cases,
        matmul::every_class_gives_the_same_bits,
        matmul::every_tiled_class_is_right,
        matmul::every_subgroup_class_is_right,
        matmul::no_class_is_of_what_is_not_there,
        philox::shaders_give_the_known_answers,
        philox::shaders_and_host_have_the_same_streams,
        refusals::convolutions_that_do_not_fit,
        refusals::pools_whose_windows_may_lie_in_the_padding,
        refusals::empty_tensors,
        refusals::products_that_do_not_fit,
        refusals::other_ops_that_do_not_fit,
        refusals::blocks_of_steps_that_are_too_large,
        refusals::images_that_do_not_fit,
        refusals::steps_that_do_not_work,
        wrong_kernels::every_wrong_shader_is_caught,
        wrong_kernels::every_wrong_cpu_half_is_caught,
    ]);
    all.extend(trials![Need::F16;
        conv2d::every_class_is_right_with_f16,
        matmul::every_class_gives_the_same_bits_with_f16,
        matmul::every_tiled_class_is_right_with_f16,
        matmul::every_subgroup_class_is_right_with_f16,
        wrong_kernels::every_wrong_shader_for_16_bits_is_caught,
    ]);
    all.extend(trials![Need::CooperativeMatrices;
        conv2d::a_cooperative_class_is_right,
        matmul::every_cooperative_class_is_right,
        matmul::every_cooperative_class_gives_the_same_bits,
        wrong_kernels::every_wrong_cooperative_kernel_is_caught,
    ]);
    run(all);
}

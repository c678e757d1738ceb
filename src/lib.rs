//! shadegrad trains image classifiers on any Vulkan, Metal or DX12 GPU with compute shaders in
//! WGSL, and on the CPU. This page is the map of its source.
//!
//! # Six nouns
//!
//! | noun | what it is | where |
//! | --- | --- | --- |
//! | [`Tensor`](tensor::Tensor) | a typed handle with a shape; it owns no memory | [`tensor`] |
//! | [`Op`](plan::Op) | a formula with its CPU half and its GPU half | one file each in [`ops`] |
//! | [`Plan`](plan::Plan) | the ops of a run's steps, recorded once, run often | [`plan`] |
//! | [`Device`](device::Device) | runs plans and moves data; no method per op | [`device`] |
//! | [`Layer`](nn::Layer) | parameters, and how to record a forward and a backward pass | [`nn`] |
//! | [`Dataset`](data::Dataset) | images as bytes, labels, class names | [`data`] |
//!
//! # One direction
//!
//! A module uses only modules that stand below it in this list, and no two files use each other.
//! `tests/architecture` checks both, and that each outside crate is used in its home only (wgpu in
//! [`device::gpu`], clap in [`cli`], ...).
//!
//! ```text
//! cli                      the command line
//! dashboard  report        pages
//! export                   models for other programs
//! bench                    measures speed
//! run                      records runs on disk and reopens them
//! train                    the loops around a plan
//! config                   settings from flags, files and presets
//! selftest                 compares a device's kernels with the CPU
//! checkpoint               what a trained model is once it is saved
//! optim  nn                updates, schedules; layers, models, initial weights
//! device                   runs plans
//! ops                      operations with both of their halves
//! data                     reads data sets
//! augmentation             random flips, shifts and cutouts
//! plan  kernel  tensor     what is computed, described for devices
//! fs  rng  failpoint       files, random numbers, injected faults
//! error  remedy  text      errors, what to do about them, text for people
//! ```
//!
//! # A training step, from data to update
//!
//! 1. The training set lies on the device as bytes, in pieces that fit a binding, uploaded once. An
//!    epoch's order, a permutation that follows from the seed, is uploaded when the epoch starts.
//! 2. [`ops::gather`] picks a batch in that order, augments its images ([`augmentation`]) and
//!    normalises them.
//! 3. The model's layers run forward. [`ops::classifier`] computes the last layer, the loss, the
//!    number of correct predictions and both gradients in one op; where it does not fit,
//!    [`ops::softmax_cross_entropy`] follows the last layer. The layers run backward, and the
//!    update of each weight is the epilogue of the product that is its gradient ([`ops::matmul`]).
//! 4. What differs from step to step (offset, rows, learning rate) is data, a
//!    [`StepRecord`](plan::StepRecord). Many steps go into one submission. Losses are summed on the
//!    device, one slot per step, and read one submission late.
//!
//! With batch size 1, a plan holds blocks of 32 steps that are computed as matrix products
//! ([`ops::online_steps`]).
//!
//! Optimizers are ops of one parameter each ([`optim`] says which parameter is trained by which);
//! only [`ops::muon`] uses matrix products of its own. The filters of a whitening layer are
//! computed once, from the images, before the first step.
//!
//! # What tests guarantee
//!
//! - One seed, one device and one binary give the same bytes; on the CPU for any number of threads.
//! - Augmentation and dropout draw the same integers on every device.
//! - The CPU is compared with naive float64 loops, the GPU with the CPU, and both with whole runs
//!   of an independent float64 program (`tests/golden`).
//! - For a user's own configuration, gradients can be compared with finite differences of a float64
//!   forward pass ([`train::check_gradients`]).
//! - Everything works with WebGPU's default limits and no optional feature.
//! - A run that ends, however and whenever, resumes from its last checkpoint and ends as if it had
//!   never been interrupted ([`train::Snapshot`], [`run::checkpoint`], `tests/resume`).
//! - A run whose device is lost reopens it and resumes from its last checkpoint, once.
//! - Every way to run an op on a user's GPU can be compared with the CPU ([`selftest`]). Kernels
//!   that fail are disabled for training runs.
//! - Which kernels the tuner chooses ([`device::gpu::tuner`]) changes no bit of a result.
//! - Every parser is fed 20,000 mutated files: none panics, hangs or fills the memory
//!   (`tests/fuzz`). Every mistake on the command line has a reviewed answer
//!   (`tests/cli/mistakes.txt`).
//! - The loops of one invocation make at most 65,535 iterations, after which an old Mesa silently
//!   ends them.
//!
//! # Adding an op
//!
//! 1. Write its formula, its gradient and its shapes as the documentation of `src/ops/NAME.rs`.
//! 2. Add the functions that record it (`forward`, `backward`, ...), which check shapes and return
//!    the tensors that they declare. They record an `Elementwise` if every element is computed from
//!    the elements at the same index (`src/ops/add.rs` is an example), or else a struct that
//!    implements [`Op`](plan::Op).
//! 3. Add `NAME` to the list in `src/ops/mod.rs`. `cargo test --test ops` now fails for lack of
//!    cases.
//! 4. Add `tests/ops/cases/NAME.rs`: at least fifty shapes (1, primes, a tile and its neighbours)
//!    with a naive float64 version. The CPU half passes.
//! 5. Add `shaders/NAME.wgsl`: the formula, the shapes, and what one invocation computes. Its first
//!    line, `// kernel NAME = FILE FILE ...`, lists the files that are joined to the kernel:
//!    functions and shared structs first, `stored_f32` before all others. Sizes come from the
//!    uniform `params`; bounds of loops go through `loop_bound` (`shaders/loop_bound.wgsl`); what
//!    changes from step to step is in `shaders/step.wgsl`. Reductions have a fixed order.
//!    Activations may have 16 bits: such bindings have the type `Stored`.
//! 6. The build generates the kernel's descriptor, the static `NAME`, and the Rust twin of its
//!    uniform, `NameParams`. Lower the op to [`Dispatch`](kernel::Dispatch)es with an upper bound
//!    on loop iterations. `cargo test --test ops` compares the results.
//! 7. If it has a gradient, add it to `tests/ops/gradients.rs`. Break the shader on purpose in the
//!    `edits` of its cases, and see that the cases catch it.
//! 8. Add it to the table of fixtures, `src/ops/fixture`, from which the [`selftest`] lets users
//!    test their GPUs.
//! 9. Record it in a [`Layer`](nn::Layer), and name the layer in the list of layers in [`nn`].
//!
//! # Known awkward spots
//!
//! - Maps are stored channels last on devices and channels first in files. Every tensor with a
//!   value for each position of a map that was flattened (the columns of a linear layer, the
//!   parameters of a batch norm) therefore has two orders ([`tensor::layout`]).
//! - A ReLU after a linear layer is part of that layer's products, so a layer's backward pass may
//!   have to apply the mask of the layer before it ([`nn::Backward::mask_dx`]).
//! - Split-K needs a tensor for partial sums on every device, though only GPUs with idle workgroups
//!   write it.
//! - The learning rate of a block of single-image steps is constant within the block; runs with a
//!   schedule and batch size 1 compute one step at a time.

#![warn(elided_lifetimes_in_paths, unreachable_pub)]

pub mod augmentation;
pub mod bench;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod data;
pub mod device;
pub mod error;
pub mod export;
mod failpoint;
pub mod fs;
pub mod kernel;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod plan;
pub mod remedy;
pub mod report;
pub mod rng;
pub mod run;
pub mod selftest;
pub mod tensor;
mod text;
pub mod train;

pub use error::{Error, ErrorKind, Result};
pub use remedy::Remedy;

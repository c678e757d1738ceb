//! shadegrad trains image classifiers on any Vulkan, Metal or DX12 GPU with compute shaders in
//! WGSL, and on the CPU. This page is the map of its source.
//!
//! # Six nouns
//!
//! | noun | is | where |
//! | --- | --- | --- |
//! | [`Tensor`](tensor::Tensor) | a typed handle: shape, element type; owns nothing, computes nothing | [`tensor`] |
//! | [`Op`](ops::Op) | one operation: formula, shape rule, CPU half, GPU half | [`ops`], one file each |
//! | [`Plan`](plan::Plan) | the recorded ops of a run's steps, made once, run many times | [`plan`] |
//! | [`Device`](device::Device) | runs plans and moves data: CPU or GPU, no method per op | [`device`] |
//! | [`Layer`](layers::Layer) | parameters, and how to record a forward and a backward pass | [`layers`] |
//! | [`Dataset`](data::Dataset) | images as bytes, labels, class names | [`data`] |
//!
//! Everything else is a loop ([`train`](mod@train)), a way out ([`cli`], [`run`], [`report`], [`dashboard`], [`export`]), a source of numbers
//! ([`rng`], [`init`], [`schedule`], [`augmentation`]), or a gauge ([`bench`](mod@bench), [`selftest`]).
//!
//! # One direction
//!
//! ```text
//! main → cli → { bench, selftest, export, dashboard → report } → { train, config, run } → { model, optim, data, device }
//! model → layers → ops → { plan, kernel, host } → tensor
//! device/{cpu,gpu} → { plan, ops }         an op never sees wgpu; its GPU half speaks in kernel rows
//! ```
//!
//! Each outside crate has one home (`tests/architecture.rs` looks): wgpu and pollster in
//! [`device::gpu`], half too, clap in [`cli`], flate2, tar and image in [`data`], rayon and pulp in the CPU halves
//! of ops (rayon in [`data`], too, where files are decoded), the template engine in [`ops::matmul`] and
//! [`report`], png there, too, safetensors in [`run`], prost there and in [`export`], libm in
//! [`train`](mod@train), fs4 in [`disk`], libc in [`cli`], sysinfo in [`device`], httparse in
//! [`dashboard`].
//!
//! # A step, as data walks it
//!
//! 1. The training set lies on the device as bytes, in pieces that fit a binding, uploaded once.
//!    An epoch's order, a permutation from the seed, is uploaded at its start.
//! 2. [`ops::gather`] picks a batch by that order, flips, shifts and cuts out of its images where the run
//!    says so ([`augmentation`]), and normalises it.
//! 3. The model's layers run forward; [`ops::classifier`] computes the last layer, loss, hits and both
//!    gradients in one op, or where it does not fit, [`ops::softmax_cross_entropy`] follows; the layers run
//!    backward, and the update of each weight is the epilogue of the product that is its gradient ([`ops::matmul`]).
//! 4. What differs from step to step (offset, rows, learning rate) is data, a
//!    [`StepRecord`](plan::StepRecord). Many steps go into one submission; losses add up on the
//!    device, a slot per step, and are read one submission late.
//!
//! With batch size 1 a plan holds blocks of 32 steps that are computed as matrix products
//! ([`ops::online_steps`]).
//!
//! Optimizers are ops of one parameter each ([`optim`] says which parameter follows which); only [`ops::muon`] makes matrix
//! products of its own. What a whitening layer multiplies by is written once, from the images, before the first step.
//!
//! # Promises that tests keep
//!
//! - One seed, one device, one binary: the same bytes. On the CPU for any number of threads.
//! - What becomes of a training image, and what a dropout keeps, are the same integers on every device.
//! - The CPU is held to naive float64 loops, the GPU to the CPU, both to whole runs of an
//!   independent float64 program (`tests/golden`).
//! - On a user's own configuration gradients can be held to slopes of a float64 forward pass
//!   ([`train::check_gradients`]).
//! - Everything works with WebGPU's default limits and no optional feature.
//! - A run that ends, however and whenever it does, goes on from its last checkpoint and ends as if
//!   nothing had happened ([`train::Snapshot`], [`run::checkpoint`], `tests/resume`).
//! - A run that loses its GPU opens it again and goes on from its last checkpoint, once.
//! - Every way to run an op on a user's GPU can be held to the CPU ([`selftest`]); runs heed what that found.
//! - Which kernels a tuner chooses ([`device::gpu::tuner`]) changes no bit of a result.
//! - Every parser is fed 20,000 changed files: none panics, hangs or fills the memory
//!   (`tests/fuzz`). Every mistake has an answer that a reviewer has read (`tests/cli/mistakes.txt`).
//! - No invocation's loops make more than 65,535 trips, past which an old Mesa ends them silently.
//!
//! # Adding an op
//!
//! 1. Write its formula, its gradient and its shapes as the documentation of `src/ops/NAME.rs`.
//! 2. Add the record helpers (`forward`, `backward`, ...), which check shapes and return what they
//!    declared, and the struct that implements [`Op`](ops::Op): first
//!    [`operands`](ops::Op::operands) and the CPU half.
//! 3. Add `NAME` to the list in `src/ops/mod.rs`. `cargo test --test ops` now fails: it wants cases.
//! 4. Add `tests/ops/cases/NAME.rs`: at least fifty shapes (1, primes, a tile and its neighbours)
//!    with a naive float64 version, and list it in `tests/ops/cases/mod.rs`. The CPU half passes.
//! 5. Add `shaders/NAME.wgsl`: formula, shapes, what one invocation computes. Sizes come from the
//!    uniform `params`; bounds of loops go through `loop_bound` (`shaders/loop_bound.wgsl`); what
//!    changes from step to step is in `shaders/step.wgsl`. The macro `shader!` puts such files in
//!    front. Reductions have a fixed order. What layers hand on may have 16 bits: such bindings are of `Stored`
//!    (`shaders/stored_f32.wgsl`, first in the list), and the op hands the type of its input on.
//! 6. Describe it with a [`Kernel`](kernel::Kernel) row, return the row from `kernels()`, and lower
//!    the op to [`Dispatch`](kernel::Dispatch)es with an honest bound on trips.
//!    `cargo test --test shaders` compares row and shader; `cargo test --test ops` the results.
//! 7. If it has a gradient, add it to `tests/ops/gradients.rs`; break the shader once on purpose in
//!    `tests/ops/wrong_kernels.rs` and see the cases catch it.
//! 8. Add it to the subjects of [`selftest`], so that users can hold their GPUs to it.
//! 9. Call the record helpers from a [`Layer`](layers::Layer), and name the layer in [`model`]. Its
//!    [`stages`](layers::Layer::stages) say what it computes for other programs; a new
//!    [`Stage`](layers::Stage) is translated in each format of [`export`], and checked against
//!    onnxruntime in `tests/interchange`; the float64 forward pass of [`train::check_gradients`] has it, too.
//!
//! # What is awkward
//!
//! - Maps lie channels last on devices and first in files, and rows that were maps do as the maps did: every tensor that
//!   has a value for each of their places, a linear layer's columns or a batch norm's parameters, has two orders
//!   ([`file_layout`]).
//! - A ReLU behind a linear layer is part of that layer's products, so a layer's backward pass may
//!   have to apply the mask of the layer before ([`layers::Backward::mask_dx`]).
//! - Sums that are cut into parts need a tensor for them on every device, though only GPUs with idle workgroups write it.
//! - The learning rate of a block of single-image steps is constant within the block; runs with a
//!   schedule and batch size 1 take one step at a time.

#![deny(unsafe_code)]
#![warn(missing_docs)]

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

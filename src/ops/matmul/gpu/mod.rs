//! The GPU half of the matrix product: kernel classes with one interface.
//!
//! | class | intended for | method |
//! | --- | --- | --- |
//! | [`Tiled`](TileClass::Tiled) | most GPUs | tiles in workgroup memory, barriers |
//! | [`Subgroup`](TileClass::Subgroup) | software drivers, small GPUs | broadcasts, no barrier |
//! | [`Cooperative`](TileClass::Cooperative) | f16 operands | matrices held by a subgroup |
//!
//! A compiler keeps sums in registers only if they are named variables and loops are unrolled, so
//! these kernels are rendered from templates (`render`).
//!
//! All candidate classes for a product add the terms of a sum one after the other, from the first
//! to the last, so the choice of a class affects only speed: see
//! [`tune_set`](crate::plan::Op::tune_set). Long sums of small products are divided among
//! workgroups (`split_k`), by a rule that depends only on the product's size.
//!
//! # Cost of the tiled kernels
//!
//! Figures are for one workgroup and one round of 16 terms, with operands read four floats at a
//! time. "Registers" are those that an invocation needs for its sums and for the operands of one
//! term. "Bytes per operation" is the amount that is read from memory (not from caches) per
//! operation, where a multiply-add counts as two.
//!
//! ```text
//! tile              invocations  sums, operands  workgroup  vectors loaded,  multiply-  bytes per
//!                                                memory     stored, read     adds       operation
//!                                                           back
//! 32x32, 4x4 each            64         16 +  8      4 KiB         4, 4, 32        256      0.125
//! 64x64, 8x4 each           128         32 + 12      8 KiB         4, 4, 48        512     0.0625
//! 128x128, 8x8 each         256         64 + 16     16 KiB         4, 4, 64       1024      0.031
//! ```
//!
//! The numbers of vectors and multiply-adds are those of one invocation.
//!
//! Each round has two barriers. With about 24 further registers for addresses and pending loads:
//!
//! - *AMD, 64 lanes* (at most 256 vector registers per lane; 512 registers per SIMD in RDNA, at
//!   least 64 KiB of workgroup memory per CU): the large tile needs 104 registers, so four waves
//!   fit a SIMD with 512, which is two workgroups per CU. Its 16 KiB would allow four. The small
//!   tile has one wave per workgroup, so its barriers are free.
//! - *NVIDIA, 32 lanes* (65,536 registers and up to 228 KiB per multiprocessor, at most 2,048
//!   invocations): the large tile's 104 registers allow two workgroups, 512 invocations, which is
//!   an occupancy of 25 %. Latency is hidden by the 64 independent multiply-adds of a term. The
//!   medium tile (68 registers) reaches seven workgroups, 44 %.
//! - *Apple, 32 lanes* (208 KiB of registers per core, 32 KiB of workgroup memory): the large
//!   tile's 104 registers of 4 bytes allow 512 invocations, two workgroups, which also fill the
//!   workgroup memory. The medium tile allows four workgroups.
//!
//! Reads of workgroup memory: neighbours read neighbouring vectors of b (no bank conflicts) and one
//! vector of a (a broadcast). At 4 cycles per vector for 32 lanes, the large tile does 16 vector
//! multiply-adds (64 cycles of one SIMD's lanes) per 4 reads, so it is limited by arithmetic. The
//! small tile does 4 per 2 reads and is not; it is intended for products that have too few large
//! tiles.
//!
//! # Cost of the cooperative kernels
//!
//! Figures are for subgroups of 32 lanes and one round of two steps: 32 terms of matrices of 16x16
//! (NVIDIA, AMD), 16 terms of matrices of 8x8 (Apple). A lane holds a 32nd of a matrix: 8 or 2
//! registers of sums, 4 or 1 of an operand with two numbers each. Workgroup memory holds the
//! operands' tiles, with 8 numbers of padding per row, and one matrix of sums for each subgroup
//! that is being stored.
//!
//! The last column is the number of matrix loads per product of two matrices.
//!
//! | tile, matrices | subgroups | matrices each | sums, operands | workgroup memory | loads |
//! | --- | --- | --- | --- | --- | --- |
//! | 32x32 of 16x16 | 2x2 | 1x1 | 8 + 8 | 5 + 4 KiB | 2 |
//! | 64x64 of 16x16 | 2x2 | 2x2 | 32 + 16 | 10 + 4 KiB | 1 |
//! | 128x128 of 16x16 | 4x2 | 2x4 | 64 + 24 | 20 + 8 KiB | 0.75 |
//! | 32x32 of 8x8 | 2x2 | 2x2 | 8 + 4 | 3 + 1 KiB | 1 |
//! | 64x64 of 8x8 | 2x2 | 4x4 | 32 + 8 | 6 + 1 KiB | 0.5 |
//!
//! With 24 further registers the large tile needs 112 on NVIDIA: two workgroups of 256 per
//! multiprocessor, as for the large tiled class. On Apple, 64 registers of 4 bytes allow 832
//! invocations, six workgroups of 128, of which workgroup memory allows four. None of this has been
//! measured on such a GPU yet.
//!
//! A shader cannot know the positions of a cooperative matrix's elements, and wgpu has no
//! conversions of them. So operands are rounded to f16 when they are copied into workgroup memory,
//! and sums are stored through it, one matrix at a time, so that ordinary invocations can apply the
//! epilogue. A device has to pass a test of the class before it is used, because cooperative
//! matrices are experimental in wgpu.

mod class;
mod finish;
mod patches;
mod render;
mod scale;
mod split_k;
mod variant;

use std::borrow::Cow;

pub use finish::EPILOGUES;
pub(in crate::ops) use patches::Patches;
pub use render::{FINGERPRINT, kernels};
pub(in crate::ops) use split_k::MOST_TERMS;
pub(super) use split_k::SplitK;

use finish::Finish;
use render::kernel;
use variant::Variant;

use super::product::{Epilogue, Form, Product, Source};
use super::size::Size;
use crate::kernel::shaders::MatmulParams;
use crate::kernel::{Dispatch, GpuFacts, TileClass, Uniform, fold, iterations};
use crate::ops::sgd;
use crate::plan::{Candidate, TuneSet};
use crate::tensor::Tensor;

/// Multiply-adds below which the class matters too little to try several.
const WORTH_TUNING: usize = 1 << 20;

/// Classes are tried if they compute at most this many times as many elements as the best-fitting
/// one.
const MAX_TILE_OVERHEAD: f64 = 1.35;

/// The candidate classes for a product.
fn candidates(op: &Product, gpu: &GpuFacts) -> Vec<TileClass> {
    if Variant::of(op).is_f16() { TileClass::f16_candidates(gpu) } else { TileClass::candidates(gpu) }
}

/// The classes that may be fastest for the product, if there are several.
pub(in crate::ops) fn tune_set(op: &Product, gpu: &GpuFacts) -> Option<TuneSet> {
    let size @ Size { m, n, k } = op.size;
    if gpu.matmul.is_some() || m * n * k < WORTH_TUNING {
        return None;
    }
    let candidates = candidates(op, gpu);
    let least = candidates.iter().map(|class| class.tile_overhead(size)).fold(f64::INFINITY, f64::min);
    let fitting =
        candidates.into_iter().filter(|class| class.tile_overhead(size) <= MAX_TILE_OVERHEAD * least);
    let candidate = |class: TileClass| Candidate {
        label: class.label(),
        facts: GpuFacts { matmul: Some(class), ..*gpu },
    };
    let candidates: Vec<Candidate> = fitting.map(candidate).collect();
    let Variant { form, finish, operand, halves, .. } = Variant::of(op);
    let finish = finish.label();
    let of_what = operand.label().map(|label| format!(" of {}", label.replace('_', " "))).unwrap_or_default();
    let [a, b] = halves.map(|is_half| if is_half { "f16" } else { "f32" });
    let types = if halves == [false; 2] { String::new() } else { format!(", {a} and {b}") };
    let key = format!("matmul {form:?} {m}x{n}x{k} {finish}{of_what}{types}").to_lowercase();
    (candidates.len() > 1).then_some(TuneSet { key, candidates })
}

/// The product with the class that is probably fastest.
pub(in crate::ops) fn lower(op: &Product, gpu: &GpuFacts) -> Vec<Dispatch> {
    let wanted = gpu.matmul.filter(|class| class.takes(Variant::of(op)));
    dispatches(op, wanted.unwrap_or_else(|| TileClass::guess(op.size, gpu, &candidates(op, gpu))), gpu)
}

/// The op with kernels of `class`: one, or two with split-K.
fn dispatches(op: &Product, class: TileClass, gpu: &GpuFacts) -> Vec<Dispatch> {
    let parts = op.split_k.filter(|(parts, _)| parts.required || gpu.split_sums);
    let parts = parts.map(|(parts, sums)| (parts.in_rounds_of(class.round() as usize, op.size), sums));
    let size = op.size;
    let variant = Variant::of(op);
    let mut params = params(op, class);
    let (down, across) = class.tiles(size);
    let grid = fold(down * across, 1);
    let product = |variant, params: MatmulParams, tensors, grid, terms| Dispatch {
        kernel: Cow::Owned(kernel(class, variant)),
        params: params.to_bytes(),
        tensors,
        grid,
        iterations: class.iterations(terms),
    };
    let operands = || [op.a, op.b].into_iter().chain(op.normalisation());
    let Some((parts, sums)) = parts else {
        let tensors = operands().chain(finished(op)).collect();
        return vec![product(variant, params, tensors, grid, size.k)];
    };
    let Finish { row_sums, .. } = variant.finish;
    (params.part_k, params.parts) = (parts.terms as u32, parts.count as u32);
    params.part_stride = SplitK::stride(size, row_sums) as u32;
    let [x, y, _] = grid;
    let part = Variant { finish: variant.finish.part(), ..variant };
    let tensors = operands().chain([sums]).collect();
    let [_, _, y_vector] = variant.vectors;
    let items = size.m * size.n / if y_vector { 4 } else { 1 } + if row_sums { size.m } else { 0 };
    vec![
        product(part, params, tensors, [x, y, parts.count as u32], parts.terms),
        Dispatch {
            kernel: Cow::Owned(render::join(variant.finish, y_vector)),
            params: params.to_bytes(),
            tensors: std::iter::once(sums).chain(finished(op)).collect(),
            grid: fold(items, render::JOIN_WORKGROUP),
            iterations: 2 * iterations(parts.count, 0),
        },
    ]
}

/// The tensors that an epilogue binds, y first.
fn finished(op: &Product) -> Vec<Tensor> {
    let mut tensors = vec![op.y];
    match op.epilogue {
        Epilogue::None | Epilogue::Change { .. } => {}
        Epilogue::Bias { bias: extra, .. } | Epilogue::Mask(extra) => tensors.push(extra),
        Epilogue::Update { weight, bias } => {
            tensors.extend(weight.momentum.map(|momentum| momentum.velocity));
            tensors.extend(bias.into_iter().flat_map(|bias| bias.tensors()));
        }
    }
    tensors
}

fn params(op: &Product, class: TileClass) -> MatmulParams {
    let size = op.size;
    let (_, across) = class.tiles(size);
    let mut params = MatmulParams {
        m: size.m as u32,
        n: size.n as u32,
        k: size.k as u32,
        tiles_n: across as u32,
        ..MatmulParams::default()
    };
    match op.source {
        Source::Matrix => {}
        Source::Pixels(normalisation) => {
            let [channels, _] = normalisation.matrix("normalisation");
            let pixels = if op.form == Form::Nt { size.k } else { size.n };
            params.plane = (pixels / channels) as u32;
        }
        Source::Patches(patches) => {
            let map = if op.form == Form::Tn { op.b } else { op.a };
            patches.describe(map.len(), &mut params);
        }
    }
    match op.epilogue {
        Epilogue::Update { weight, bias } => {
            let factor = |update: sgd::Update| update.rate.params().0;
            (params.rate, params.decay) = (factor(weight), weight.decay);
            (params.momentum, params.nesterov) = weight.factors();
            (params.bias_rate, params.bias_decay) =
                bias.map_or((0.0, 0.0), |bias| (factor(bias), bias.decay));
        }
        Epilogue::Change { decay } => params.decay = decay,
        Epilogue::None | Epilogue::Bias { .. } | Epilogue::Mask(_) => {}
    }
    params
}

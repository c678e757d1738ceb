//! Gather and normalise: a batch of images, picked by the epoch's order, from bytes to floats.
//!
//! ```text
//! i = order[first + row]                                     for row < rows
//! x[row, p] = scale[c] image[i, p] + shift[c]                c = p / plane, the pixel's channel
//! batch_labels[row] = labels[i]
//! ```
//!
//! With `scale = 1 / (255 std)` and `shift = -mean / std` this is the usual normalisation of pixels
//! scaled to [0, 1]. Rows past `rows` are zeros without a label ([`NO_LABEL`]), so that the last,
//! partial batch of an epoch runs through the same plan. Images have no gradient.
//!
//! Where only products read a batch, it may be gathered as [pixels](Element::Pixel): [`pixels`]. A GPU then copies
//! bytes, and products normalise what they read; rows past `rows` hold any image, without a label.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{GpuFacts, Op, Operands};
use crate::host::HostMemory;
use crate::kernel::{Binding, Dispatch, Kernel, Uniform, fold_rows, read, shader, trips, uniform, write};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// The label of a row that holds no image.
pub const NO_LABEL: u32 = u32::MAX;

/// Images resident on a device: bytes in pieces that respect the adapter's binding limit.
#[derive(Clone, Debug)]
pub struct Images {
    /// Each `[images, stride]`, bytes. All but the last hold the same number of images.
    pub pieces: Vec<Tensor>,
    /// The class of every image, `[images]`.
    pub labels: Tensor,
    /// `scale` and `shift` of each channel, `[channels, 2]`.
    pub normalisation: Tensor,
    /// Bytes of an image that are pixels; the stride may be larger, to be a multiple of 4.
    pub pixels: usize,
}

/// A batch as the model sees it.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Normalised pixels, `[batch, pixels]`: floats, or [pixels](Element::Pixel).
    pub x: Tensor,
    /// Classes, `[batch]`.
    pub labels: Tensor,
}

impl Images {
    /// Pixels of one channel.
    fn plane(&self) -> usize {
        self.pixels / self.normalisation.matrix("normalisation")[0]
    }

    /// Whether sixteen pixels that are read at once are always of one channel.
    fn has_whole_vectors(&self) -> bool {
        self.plane().is_multiple_of(16)
    }
}

/// Records the gathering of `batch` images in the order `order`, `[images]`, as floats.
pub fn forward(plan: &mut Plan, images: &Images, order: Tensor, batch: usize) -> Batch {
    let x = plan.scratch("x", [batch, images.pixels]);
    record(plan, images, order, x)
}

/// Records the gathering of `batch` images in the order `order`, `[images]`: as pixels where kernels can read an image
/// by vectors of sixteen, as floats where they cannot.
pub fn pixels(plan: &mut Plan, images: &Images, order: Tensor, batch: usize) -> Batch {
    if !images.has_whole_vectors() {
        return forward(plan, images, order, batch);
    }
    let x = plan.pixels("x", [batch, images.pixels], images.normalisation);
    record(plan, images, order, x)
}

fn record(plan: &mut Plan, images: &Images, order: Tensor, x: Tensor) -> Batch {
    let count: usize = images.pieces.iter().map(|piece| piece.matrix("piece")[0]).sum();
    images.labels.expect("labels", Element::U32, [count]);
    order.expect("order", Element::U32, order.shape());
    let [channels, _] = images.normalisation.matrix("normalisation");
    images.normalisation.expect("normalisation", Element::F32, [channels, 2]);
    assert!(
        images.pixels.is_multiple_of(channels),
        "{} pixels do not divide into {channels} channels",
        images.pixels
    );
    let [most, _] = images.pieces[0].matrix("piece");
    for (position, piece) in images.pieces.iter().enumerate() {
        let [held, stride] = piece.matrix("piece");
        piece.expect("piece", Element::U8, piece.shape());
        assert!(
            stride.is_multiple_of(4) && stride >= images.pixels && stride - images.pixels < 4,
            "images of {} pixels must lie {} bytes apart, not {stride}",
            images.pixels,
            images.pixels.next_multiple_of(4)
        );
        // The CPU finds an image's piece by a division.
        let last = position + 1 == images.pieces.len();
        assert!(
            held == most || (last && held < most),
            "piece {position} must hold as many images as the first, {most}, not {held}"
        );
    }
    let [batch, _] = x.matrix("x");
    let labels = plan.declare("batch_labels", crate::plan::Role::Scratch, Element::U32, [batch]);
    let output = Batch { x, labels };
    plan.record(Gather { images: images.clone(), order, output });
    output
}

#[derive(Debug)]
struct Gather {
    images: Images,
    order: Tensor,
    output: Batch,
}

uniform! {
    struct Params {
        /// Rows of the batch.
        batch: u32,
        /// Pixels of an image.
        pixels: u32,
        /// Pixels of one channel.
        plane: u32,
        /// Words of four bytes, or vectors of sixteen, from one image to the next.
        stride: u32,
        /// Index of the piece's first image.
        piece_first: u32,
        /// Images in the piece.
        piece_images: u32,
        /// Images in the piece after it.
        next_images: u32,
    }
}

const WORKGROUP: u32 = 64;

/// Pixels of a batch from which on several threads gather it.
const PARALLEL_FROM: usize = 1 << 14;

const BINDINGS: &[Binding] = &[
    read("piece"),
    read("next_piece"),
    read("labels"),
    read("order"),
    read("normalisation"),
    write("x"),
    write("batch_labels"),
];

/// Pieces that one dispatch reads: as many as there are bindings left on the smallest of GPUs.
const PIECES: usize = 2;

/// For images of any size.
static BYTES: Kernel = Kernel {
    name: Cow::Borrowed("gather"),
    source: shader!("step.wgsl", "gather_rows.wgsl", "gather.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(BINDINGS),
    reads_step: true,
    subgroups: false,
};

/// For images whose channels are whole vectors of sixteen pixels.
static VECTORS: Kernel = Kernel {
    name: Cow::Borrowed("gather_vectors"),
    source: shader!("step.wgsl", "gather_rows.wgsl", "normalised.wgsl", "gather_vectors.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(BINDINGS),
    reads_step: true,
    subgroups: false,
};

/// For such images, as they are.
static PIXELS: Kernel = Kernel {
    name: Cow::Borrowed("gather_pixels"),
    source: shader!("step.wgsl", "gather_rows.wgsl", "gather_pixels.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(BINDINGS),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![BYTES.clone(), VECTORS.clone(), PIXELS.clone()]
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn operands(&self) -> Operands {
        let Images { pieces, labels, normalisation, .. } = &self.images;
        let mut operands =
            Operands::new(&[*labels, *normalisation, self.order], &[self.output.x, self.output.labels]);
        operands.reads.extend(pieces);
        operands
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let pixels = self.images.pixels;
        let borrowed: Vec<_> = self.images.pieces.iter().map(|&piece| memory.u8(piece)).collect();
        let pieces: Vec<&[u8]> = borrowed.iter().map(|piece| &**piece).collect();
        let [piece_images, stride] = self.images.pieces[0].matrix("piece");
        let labels = &*memory.u32(self.images.labels);
        let order = &*memory.u32(self.order);
        let normalisation = &*memory.f32(self.images.normalisation);
        let plane = self.images.plane();
        let x = &mut *memory.f32_mut(self.output.x);
        let batch_labels = &mut *memory.u32_mut(self.output.labels);
        let fill = |row: usize, x: &mut [f32], label: &mut u32| {
            if row >= step.rows as usize {
                x.fill(0.0);
                *label = NO_LABEL;
                return;
            }
            let index = order[step.first as usize + row] as usize;
            let start = index % piece_images * stride;
            let image = &pieces[index / piece_images][start..start + pixels];
            *label = labels[index];
            let channels = x.chunks_exact_mut(plane).zip(image.chunks_exact(plane));
            for ((x, image), factors) in channels.zip(normalisation.chunks_exact(2)) {
                for (x, &pixel) in x.iter_mut().zip(image) {
                    *x = f32::from(pixel) * factors[0] + factors[1];
                }
            }
        };
        // Images lie all over a large memory: waiting for them is divided, too, where it is worth it.
        if x.len() >= PARALLEL_FROM && rayon::current_num_threads() > 1 {
            let rows = x.par_chunks_exact_mut(pixels).zip(batch_labels.par_iter_mut()).enumerate();
            rows.with_min_len(PARALLEL_FROM.div_ceil(2 * pixels))
                .for_each(|(row, (x, label))| fill(row, x, label));
        } else {
            let rows = x.chunks_exact_mut(pixels).zip(batch_labels).enumerate();
            rows.for_each(|(row, (x, label))| fill(row, x, label));
        }
    }

    /// One dispatch per pair of pieces: each writes the rows whose images lie in its pieces, the first also
    /// the rows without an image, so that together they write every row exactly once.
    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let Images { pieces, labels, normalisation, pixels } = &self.images;
        let [batch, _] = self.output.x.matrix("x");
        let [_, bytes] = pieces[0].matrix("piece");
        let (kernel, stride) = match self.output.x.element() {
            Element::Pixel => (&PIXELS, bytes / 16),
            _ if self.images.has_whole_vectors() => (&VECTORS, bytes / 16),
            _ => (&BYTES, bytes / 4),
        };
        let mut piece_first = 0;
        let dispatch = |pair: &[Tensor]| {
            let held = |piece: &Tensor| piece.matrix("piece")[0] as u32;
            let params = Params {
                batch: batch as u32,
                pixels: *pixels as u32,
                plane: self.images.plane() as u32,
                stride: stride as u32,
                piece_first,
                piece_images: held(&pair[0]),
                next_images: pair.get(1).map_or(0, held),
            };
            piece_first += params.piece_images + params.next_images;
            // Something must be bound where there is no second piece.
            let next = pair[pair.len() - 1];
            let tensors =
                [pair[0], next, *labels, self.order, *normalisation, self.output.x, self.output.labels];
            Dispatch::new(kernel, params, &tensors, fold_rows(batch, stride, WORKGROUP), trips(4, 0))
        };
        pieces.chunks(PIECES).map(dispatch).collect()
    }
}

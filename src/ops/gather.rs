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

use std::borrow::Cow;

use super::{GpuFacts, Op, Operands};
use crate::host::HostMemory;
use crate::kernel::{Binding, Dispatch, Kernel, Uniform, fold, read, shader, trips, uniform, write};
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
    /// Normalised pixels, `[batch, pixels]`.
    pub x: Tensor,
    /// Classes, `[batch]`.
    pub labels: Tensor,
}

/// Records the gathering of `batch` images in the order `order`, `[images]`.
pub fn forward(plan: &mut Plan, images: &Images, order: Tensor, batch: usize) -> Batch {
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
    let x = plan.scratch("x", [batch, images.pixels]);
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
        /// Words of four bytes from one image to the next.
        stride: u32,
        /// Index of the piece's first image.
        piece_first: u32,
        /// Images in the piece.
        piece_images: u32,
    }
}

const WORKGROUP: u32 = 64;

const BINDINGS: &[Binding] =
    &[read("piece"), read("labels"), read("order"), read("normalisation"), write("x"), write("batch_labels")];

/// For images of any size.
static BYTES: Kernel = Kernel {
    name: Cow::Borrowed("gather"),
    source: shader!("step.wgsl", "gather.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(BINDINGS),
    reads_step: true,
    subgroups: false,
};

/// For images whose channels are whole words of four pixels.
static WORDS: Kernel = Kernel {
    name: Cow::Borrowed("gather_words"),
    source: shader!("step.wgsl", "gather_words.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(BINDINGS),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![BYTES.clone(), WORDS.clone()]
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
        let pieces: Vec<_> = self.images.pieces.iter().map(|&piece| memory.u8(piece)).collect();
        let [piece_images, stride] = self.images.pieces[0].matrix("piece");
        let labels = memory.u32(self.images.labels);
        let order = memory.u32(self.order);
        let normalisation = memory.f32(self.images.normalisation);
        let plane = pixels / (normalisation.len() / 2);
        let mut x = memory.f32_mut(self.output.x);
        let mut batch_labels = memory.u32_mut(self.output.labels);
        let rows = x.chunks_exact_mut(pixels).zip(&mut *batch_labels);
        for (row, (x, label)) in rows.enumerate() {
            if row >= step.rows as usize {
                x.fill(0.0);
                *label = NO_LABEL;
                continue;
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
        }
    }

    /// One dispatch per piece: each writes the rows whose images lie in its piece, the first also
    /// the rows without an image, so that together they write every row exactly once.
    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let Images { pieces, labels, normalisation, pixels } = &self.images;
        let [batch, _] = self.output.x.matrix("x");
        let plane = pixels / (normalisation.len() / 2);
        let kernel = if plane.is_multiple_of(4) { &WORDS } else { &BYTES };
        let mut piece_first = 0;
        let dispatch = |&piece: &Tensor| {
            let [piece_images, stride] = piece.matrix("piece");
            let words = stride / 4;
            let params = Params {
                batch: batch as u32,
                pixels: *pixels as u32,
                plane: plane as u32,
                stride: words as u32,
                piece_first,
                piece_images: piece_images as u32,
            };
            piece_first += piece_images as u32;
            let tensors = [piece, *labels, self.order, *normalisation, self.output.x, self.output.labels];
            Dispatch::new(kernel, params, &tensors, fold(batch * words, WORKGROUP), trips(4, 0))
        };
        pieces.iter().map(dispatch).collect()
    }
}

//! The GPU half of gathering a batch: images are copied by words or by vectors of sixteen pixels,
//! or pixel by pixel if augmentation moves pixels.

use super::images::{Gather, Images};
use crate::kernel::shaders::{self, GatherParams, GatherPlacesParams};
use crate::kernel::{Dispatch, PlainKernel, Uniform, fold_rows, iterations};
use crate::rng;
use crate::tensor::{Element, Tensor};

/// Pieces that one dispatch reads: the smallest GPUs have no more bindings left.
const PIECES: usize = 2;

/// Pixel positions that one invocation writes, as in `gather_places.wgsl`.
const PLACES: usize = 8;

/// Loop iterations of two calls of `philox`.
const ROUNDS: u64 = 2 * iterations(rng::ROUNDS, 0);

/// One or two pieces that a dispatch reads.
#[derive(Clone, Copy)]
struct Pair {
    piece: Tensor,
    next: Option<Tensor>,
    /// Index of the first image.
    first: u32,
}

fn held(piece: Tensor) -> u32 {
    piece.matrix("piece")[0] as u32
}

impl Gather {
    /// One dispatch per pair of pieces. Each writes the rows whose images are in its pieces; the
    /// first also writes the rows without an image. Together they write every row exactly once.
    pub(super) fn dispatches(&self) -> Vec<Dispatch> {
        let mut first = 0;
        let pairs = self.images.pieces.chunks(PIECES).map(|pieces| {
            let pair = Pair { piece: pieces[0], next: pieces.get(1).copied(), first };
            first += pieces.iter().copied().map(held).sum::<u32>();
            pair
        });
        pairs.map(|pair| if self.is_by_place() { self.places(pair) } else { self.copy(pair) }).collect()
    }

    /// Gathers images without moving pixels.
    fn copy(&self, pair: Pair) -> Dispatch {
        let [_, bytes] = pair.piece.matrix("piece");
        let (kernel, stride) = match self.output.x.element() {
            Element::Pixel => (&shaders::GATHER_PIXELS, bytes / 16),
            _ if self.images.has_whole_vectors() => (&shaders::GATHER_VECTORS, bytes / 16),
            _ => (&shaders::GATHER, bytes / 4),
        };
        let params = GatherParams {
            batch: self.output.labels.len() as u32,
            stride: stride as u32,
            piece_first: pair.first,
            piece_images: held(pair.piece),
            next_images: pair.next.map_or(0, held),
            pixels: self.images.pixels() as u32,
            plane: self.images.plane() as u32,
        };
        self.dispatch(kernel, params, pair, stride, iterations(4, 0))
    }

    /// Whether augmentation moves pixels, or the layout changes.
    fn is_by_place(&self) -> bool {
        self.interleaves() || !self.images.augmentation.is_none()
    }

    /// Gathers images pixel by pixel.
    fn places(&self, pair: Pair) -> Dispatch {
        let Images { height, width, augmentation, .. } = self.images;
        let (plane, channels) = (self.images.plane(), self.images.channels());
        let across = plane.div_ceil(PLACES);
        let [channel_step, place_step] = self.steps();
        let [seed_low, seed_high] = rng::key(augmentation.seed);
        let params = GatherPlacesParams {
            batch: self.output.labels.len() as u32,
            stride: (pair.piece.matrix("piece")[1] / 4) as u32,
            piece_first: pair.first,
            piece_images: held(pair.piece),
            next_images: pair.next.map_or(0, held),
            channels: channels as u32,
            height: height as u32,
            width: width as u32,
            across: across as u32,
            channel_step: channel_step as u32,
            place_step: place_step as u32,
            augments: u32::from(!augmentation.is_none()),
            seed_low,
            seed_high,
            flip: augmentation.flip as u32,
            crop: augmentation.crop as u32,
            cutout: augmentation.cutout as u32,
        };
        let iterations = ROUNDS + iterations(PLACES, iterations(channels, 0));
        self.dispatch(&shaders::GATHER_PLACES, params, pair, across, iterations)
    }

    /// Makes a dispatch with `across` invocations per row.
    fn dispatch<P: Uniform>(
        &self,
        kernel: &'static PlainKernel<P>,
        params: P,
        Pair { piece, next, .. }: Pair,
        across: usize,
        iterations: u64,
    ) -> Dispatch {
        let Images { labels, normalisation, .. } = self.images;
        // If there is no second piece, the binding needs another tensor.
        let next = next.unwrap_or(piece);
        let output = self.output;
        let tensors = [piece, next, labels, self.order, normalisation, output.x, output.labels];
        let grid = fold_rows(output.labels.len(), across, kernel.invocations());
        kernel.dispatch(params, &tensors, grid, iterations)
    }
}

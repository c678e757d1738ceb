//! The GPU half of gathering a batch: images as they are, by words or by vectors of sixteen pixels, and place by place
//! where the pixels of an image change their places.

use std::borrow::Cow;

use super::{Gather, Images};
use crate::kernel::{
    Binding, Dispatch, Field, Kernel, Uniform, fold_rows, read, shader, trips, uniform, write,
};
use crate::rng;
use crate::tensor::{Element, Tensor};

uniform! {
    struct Params {
        /// Rows of the batch.
        batch: u32,
        /// Words of four bytes, or vectors of sixteen, from one image to the next.
        stride: u32,
        /// Index of the piece's first image.
        piece_first: u32,
        /// Images in the piece.
        piece_images: u32,
        /// Images in the piece after it.
        next_images: u32,
        /// Pixels of an image.
        pixels: u32,
        /// Pixels of one channel.
        plane: u32,
    }
}

uniform! {
    struct PlacesParams {
        batch: u32,
        stride: u32,
        piece_first: u32,
        piece_images: u32,
        next_images: u32,
        channels: u32,
        height: u32,
        width: u32,
        /// Invocations of a row.
        across: u32,
        /// Floats from one channel to the next, and from one place to the next.
        channel_step: u32,
        place_step: u32,
        /// Whether the image changes, and as what says.
        augments: u32,
        seed_low: u32,
        seed_high: u32,
        flip: u32,
        crop: u32,
        cutout: u32,
    }
}

const WORKGROUP: u32 = 64;

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

/// Places of an image that one invocation writes, as in `gather_places.wgsl`.
const PLACES: usize = 8;

const fn kernel(name: &'static str, source: Cow<'static, str>, params: &'static [Field]) -> Kernel {
    Kernel {
        name: Cow::Borrowed(name),
        source,
        workgroup: [WORKGROUP, 1, 1],
        params,
        bindings: Cow::Borrowed(BINDINGS),
        reads_step: true,
        subgroups: false,
    }
}

/// For images of any size.
static BYTES: Kernel = kernel(
    "gather",
    shader!("stored_f32.wgsl", "step.wgsl", "gather_rows.wgsl", "gather_params.wgsl", "gather.wgsl"),
    Params::FIELDS,
);

/// For images whose channels are whole vectors of sixteen pixels.
static VECTORS: Kernel = kernel(
    "gather_vectors",
    shader!(
        "stored_f32.wgsl",
        "step.wgsl",
        "gather_rows.wgsl",
        "gather_params.wgsl",
        "normalised.wgsl",
        "gather_vectors.wgsl"
    ),
    Params::FIELDS,
);

/// For such images, as they are.
static PIXELS: Kernel = kernel(
    "gather_pixels",
    shader!("step.wgsl", "gather_rows.wgsl", "gather_params.wgsl", "gather_pixels.wgsl"),
    Params::FIELDS,
);

/// For maps of several channels, and for images that change.
static BY_PLACE: Kernel = kernel(
    "gather_places",
    shader!(
        "stored_f32.wgsl",
        "loop_bound.wgsl",
        "philox.wgsl",
        "step.wgsl",
        "gather_rows.wgsl",
        "augmentation.wgsl",
        "gather_places.wgsl"
    ),
    PlacesParams::FIELDS,
);

/// Rounds of two calls of `philox`.
const ROUNDS: u64 = 2 * trips(rng::ROUNDS, 0);

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    [&BYTES, &VECTORS, &PIXELS, &BY_PLACE].into_iter().flat_map(Kernel::in_each).collect()
}

/// Two pieces, or one, that a dispatch reads.
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
    /// One dispatch per pair of pieces: each writes the rows whose images lie in its pieces, the first also
    /// the rows without an image, so that together they write every row exactly once.
    pub(super) fn dispatches(&self) -> Vec<Dispatch> {
        let mut first = 0;
        let pairs = self.images.pieces.chunks(PIECES).map(|pieces| {
            let pair = Pair { piece: pieces[0], next: pieces.get(1).copied(), first };
            first += pieces.iter().copied().map(held).sum::<u32>();
            pair
        });
        pairs.map(|pair| if self.is_by_place() { self.places(pair) } else { self.copy(pair) }).collect()
    }

    /// Images with their pixels in order.
    fn copy(&self, pair: Pair) -> Dispatch {
        let [_, bytes] = pair.piece.matrix("piece");
        let (kernel, stride) = match self.output.x.element() {
            Element::Pixel => (&PIXELS, bytes / 16),
            _ if self.images.has_whole_vectors() => (&VECTORS, bytes / 16),
            _ => (&BYTES, bytes / 4),
        };
        let params = Params {
            batch: self.output.labels.len() as u32,
            stride: stride as u32,
            piece_first: pair.first,
            piece_images: held(pair.piece),
            next_images: pair.next.map_or(0, held),
            pixels: self.images.pixels() as u32,
            plane: self.images.plane() as u32,
        };
        self.dispatch(kernel, params, pair, stride, trips(4, 0))
    }

    /// Whether pixels change their places.
    fn is_by_place(&self) -> bool {
        self.interleaves() || !self.images.augmentation.is_none()
    }

    /// Images place by place.
    fn places(&self, pair: Pair) -> Dispatch {
        let Images { height, width, augmentation, .. } = self.images;
        let (plane, channels) = (self.images.plane(), self.images.channels());
        let across = plane.div_ceil(PLACES);
        let [channel_step, place_step] = self.steps();
        let [seed_low, seed_high] = rng::key(augmentation.seed);
        let params = PlacesParams {
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
        let trips = ROUNDS + trips(PLACES, trips(channels, 0));
        self.dispatch(&BY_PLACE, params, pair, across, trips)
    }

    /// With `across` invocations in a row.
    fn dispatch(
        &self,
        kernel: &'static Kernel,
        params: impl Uniform,
        Pair { piece, next, .. }: Pair,
        across: usize,
        trips: u64,
    ) -> Dispatch {
        let Images { labels, normalisation, .. } = self.images;
        // Something must be bound where there is no second piece.
        let next = next.unwrap_or(piece);
        let output = self.output;
        let tensors = [piece, next, labels, self.order, normalisation, output.x, output.labels];
        Dispatch::new(kernel, params, &tensors, fold_rows(output.labels.len(), across, WORKGROUP), trips)
    }
}

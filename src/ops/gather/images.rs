//! Images on a device, and the gathering of a batch of them.

use crate::augmentation::Augmentation;
use crate::tensor::Tensor;

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
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// What becomes of them in a batch.
    pub augmentation: Augmentation,
}

/// A batch as the model sees it.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Normalised pixels, `[batch, pixels]`, floats or [pixels](Element::Pixel); or `[batch,
    /// height, width, channels]`.
    pub x: Tensor,
    /// Classes, `[batch]`.
    pub labels: Tensor,
}

impl Images {
    /// 1 for grey images, 3 for red, green, blue.
    pub fn channels(&self) -> usize {
        self.normalisation.matrix("normalisation")[0]
    }

    /// Bytes of an image that are pixels; the stride may be larger, to be a multiple of 4.
    pub fn pixels(&self) -> usize {
        self.channels() * self.plane()
    }

    /// Pixels of one channel.
    pub(super) fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Whether sixteen pixels that are read at once are always of one channel.
    pub(super) fn has_whole_vectors(&self) -> bool {
        self.plane().is_multiple_of(16)
    }
}

/// A recorded gathering.
#[derive(Debug)]
pub(super) struct Gather {
    pub(super) images: Images,
    pub(super) order: Tensor,
    pub(super) output: Batch,
}

impl Gather {
    /// Whether the channels of a place lie beside each other and not in planes, where that is a
    /// difference.
    pub(super) fn interleaves(&self) -> bool {
        self.output.x.shape().rank() == 4 && self.images.channels() > 1
    }

    /// Floats of `x` from one channel to the next, and from one place to the next.
    pub(super) fn steps(&self) -> [usize; 2] {
        if self.interleaves() { [1, self.images.channels()] } else { [self.images.plane(), 1] }
    }
}

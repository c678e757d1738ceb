//! Images on a device, and batches of them.

use crate::augmentation::Augmentation;
use crate::tensor::Tensor;

/// The label of a row that holds no image.
pub const NO_LABEL: u32 = u32::MAX;

/// Images resident on a device: bytes, in pieces that respect the adapter's binding limit.
#[derive(Clone, Debug)]
pub struct Images {
    /// The pieces, each `[images, stride]`, bytes. All but the last hold the same number of images.
    pub pieces: Vec<Tensor>,
    /// The class of every image, `[images]`.
    pub labels: Tensor,
    /// `scale` and `shift` of each channel, `[channels, 2]`.
    pub normalisation: Tensor,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// The augmentation to apply in a batch.
    pub augmentation: Augmentation,
}

/// A batch that is the model's input.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Normalised pixels, `[batch, pixels]`, floats or [pixels](crate::tensor::Element::Pixel); or
    /// `[batch, height, width, channels]`.
    pub x: Tensor,
    /// Classes, `[batch]`.
    pub labels: Tensor,
}

impl Images {
    /// Number of channels: 1 for greyscale images, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.normalisation.matrix("normalisation")[0]
    }

    /// Bytes of an image's pixels. The stride may be larger, because it is a multiple of 4.
    pub fn pixels(&self) -> usize {
        self.channels() * self.plane()
    }

    /// Pixels of one channel.
    pub(super) fn plane(&self) -> usize {
        self.height * self.width
    }

    /// Whether sixteen pixels that are read together always belong to one channel.
    pub(super) fn has_whole_vectors(&self) -> bool {
        self.plane().is_multiple_of(16)
    }
}

/// A recorded gather op.
#[derive(Debug)]
pub(super) struct Gather {
    pub(super) images: Images,
    pub(super) order: Tensor,
    pub(super) output: Batch,
}

impl Gather {
    /// Whether the batch is channels last, in contrast to the stored images. With one channel there
    /// is no difference.
    pub(super) fn interleaves(&self) -> bool {
        self.output.x.shape().rank() == 4 && self.images.channels() > 1
    }

    /// Floats of `x` from one channel to the next, and from one pixel position to the next.
    pub(super) fn steps(&self) -> [usize; 2] {
        if self.interleaves() { [1, self.images.channels()] } else { [self.images.plane(), 1] }
    }
}

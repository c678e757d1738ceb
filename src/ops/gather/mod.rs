//! Gather and normalise: selects a batch of images in the epoch's order, and converts bytes to
//! floats.
//!
//! ```text
//! i = order[first + row]                                     for row < rows
//! x[row, p] = scale[c] image[i, p] + shift[c]                c = p / plane, the pixel's channel
//! batch_labels[row] = labels[i]
//! ```
//!
//! With `scale = 1 / (255 std)` and `shift = -mean / std` this is the usual normalisation of pixels
//! scaled to [0, 1]. Rows past `rows` are zeros without a label ([`NO_LABEL`]), so that the last,
//! partial batch of an epoch runs the same plan. Images have no gradient.
//!
//! Images are stored on the device channels first, `[channels, height, width]`. [`forward`] keeps
//! this order, with one row of numbers per image. [`maps`] converts to channels last, as
//! convolutions expect:
//!
//! ```text
//! x[row, y, x, c] = scale[c] image[i, c, y, x] + shift[c]
//! ```
//!
//! Training images may be [augmented](crate::augmentation): then `x` takes its value from another
//! pixel of the image, and is zero where a square is masked.
//!
//! If only products read a batch, it may be gathered as [pixels](Element::Pixel) by [`pixels`]. A
//! GPU then copies bytes, and products normalise what they read. Rows past `rows` hold an arbitrary
//! image without a label.

mod cpu;
mod gpu;
mod images;

pub use images::{Batch, Images, NO_LABEL};

use super::frame::op;
use crate::augmentation::Augmentation;
use crate::plan::{Operands, Plan, Role};
use crate::tensor::{Element, Tensor};
use images::Gather;

/// Records the gathering of `batch` images in the order `order`, `[images]`, as floats of type
/// `element`.
///
/// # Panics
/// If the tensors of `images` or `order` have the wrong shape or element type, or if the images are
/// too small for the augmentation.
pub fn forward(plan: &mut Plan, images: &Images, order: Tensor, batch: usize, element: Element) -> Batch {
    let x = plan.scratch_of(element, "x", [batch, images.pixels()]);
    record(plan, images, order, x)
}

/// Records the gathering of `batch` images in the order `order`, `[images]`: as pixels if kernels
/// can read images by vectors of sixteen and there is no augmentation, otherwise as floats of type
/// `element`.
pub fn pixels(plan: &mut Plan, images: &Images, order: Tensor, batch: usize, element: Element) -> Batch {
    if !images.has_whole_vectors() || !images.augmentation.is_none() {
        return forward(plan, images, order, batch, element);
    }
    let x = plan.pixels("x", [batch, images.pixels()], images.normalisation);
    record(plan, images, order, x)
}

/// Records the gathering of `batch` images in the order `order`, `[images]`, as maps,
/// `[batch, height, width, channels]`, of floats of type `element`.
pub fn maps(plan: &mut Plan, images: &Images, order: Tensor, batch: usize, element: Element) -> Batch {
    let x = plan.scratch_of(element, "x", [batch, images.height, images.width, images.channels()]);
    record(plan, images, order, x)
}

fn record(plan: &mut Plan, images: &Images, order: Tensor, x: Tensor) -> Batch {
    let count: usize = images.pieces.iter().map(|piece| piece.matrix("piece")[0]).sum();
    images.labels.expect("labels", Element::U32, [count]);
    order.expect("order", Element::U32, order.shape());
    images.normalisation.expect("normalisation", Element::F32, [images.channels(), 2]);
    let Augmentation { crop, .. } = images.augmentation;
    assert!(
        crop == 0 || crop < images.height.min(images.width),
        "images of {} x {} cannot be shifted by {crop}",
        images.height,
        images.width
    );
    let pixels = images.pixels();
    let [most, _] = images.pieces[0].matrix("piece");
    for (position, piece) in images.pieces.iter().enumerate() {
        let [held, stride] = piece.matrix("piece");
        piece.expect("piece", Element::U8, piece.shape());
        assert!(
            stride.is_multiple_of(4) && stride >= pixels && stride - pixels < 4,
            "images of {pixels} pixels must be stored {} bytes apart, not {stride}",
            pixels.next_multiple_of(4)
        );
        // The CPU computes an image's piece by division.
        let last = position + 1 == images.pieces.len();
        assert!(
            held == most || (last && held < most),
            "piece {position} must hold as many images as the first, {most}, not {held}"
        );
    }
    let batch = x.shape().sizes()[0];
    let labels = plan.declare("batch_labels", Role::Scratch, Element::U32, [batch]);
    let output = Batch { x, labels };
    let gather = Gather { images: images.clone(), order, output };
    let mut operands = Operands::new(&[images.labels, images.normalisation, order], &[x, labels]);
    operands.reads.extend(&images.pieces);
    let kernels = gather.dispatches();
    plan.record(op("gather", operands, kernels, move |memory, step| gather.run(memory, step)));
    output
}

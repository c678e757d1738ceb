//! A split of a data set on a device: declared in the plan, then written in pieces.

use crate::augmentation::Augmentation;
use crate::data::{ImageShape, Normalisation, Split};
use crate::device::Session;
use crate::error::{Error, Result};
use crate::ops::gather::Images;
use crate::plan::{Array, Plan, Role};
use crate::remedy::Remedy;
use crate::tensor::{Element, Tensor};

/// Maximum number of bytes of one image tensor on any device.
const MOST_BYTES: usize = 1 << 30;

/// The tensors of a split.
#[derive(Debug)]
pub(super) struct DatasetOnDevice {
    pub(super) images: Images,
    /// The order in which images are taken into batches, `[images]`.
    pub(super) order: Tensor,
}

impl DatasetOnDevice {
    /// Declares the tensors of a split of `count` images, in pieces of at most `largest` bytes.
    pub(super) fn declare(
        plan: &mut Plan,
        name: &str,
        count: usize,
        shape: ImageShape,
        normalisation: Tensor,
        largest: usize,
    ) -> Result<Self> {
        let stride = stride(shape);
        // The CPU has no binding limit, but elements of a tensor are counted in 32 bits.
        let largest = largest.min(MOST_BYTES);
        let per_piece = (largest / stride).min(count);
        if per_piece == 0 {
            return Err(Error::device(format!(
                "an image of {stride} bytes exceeds the largest binding of the device, {largest} bytes"
            ))
            .advise(Remedy::settings("use smaller images, or {}", [("device", "cpu")])));
        }
        let pieces = (0..count).step_by(per_piece).map(|first| {
            let images = per_piece.min(count - first);
            plan.declare(format!("{name}.images.{first}"), Role::Input, Element::U8, [images, stride])
        });
        let pieces = pieces.collect();
        let mut words = |what| plan.declare(format!("{name}.{what}"), Role::Input, Element::U32, [count]);
        Ok(DatasetOnDevice {
            images: Images {
                pieces,
                labels: words("labels"),
                normalisation,
                height: shape.height,
                width: shape.width,
                augmentation: Augmentation::default(),
            },
            order: words("order"),
        })
    }

    /// Writes a split to the device, in file order.
    pub(super) fn write(&self, session: &mut dyn Session, split: Split, shape: ImageShape) -> Result<()> {
        let count = split.len();
        let bytes = with_stride(split.images, shape);
        if let [piece] = self.images.pieces[..] {
            session.write(piece, Array::U8(bytes))?;
        } else {
            let mut rest = bytes.as_slice();
            for &piece in &self.images.pieces {
                let (bytes, others) = rest.split_at(piece.bytes());
                session.write(piece, Array::U8(bytes.to_vec()))?;
                rest = others;
            }
        }
        session.write(self.images.labels, Array::U32(split.labels))?;
        session.write(self.order, Array::U32((0..count as u32).collect()))
    }
}

/// Declares the tensor of scales and shifts that [`write_normalisation`] fills.
pub(super) fn declare_normalisation(plan: &mut Plan, channels: usize) -> Tensor {
    plan.declare("normalisation", Role::Input, Element::F32, [channels, 2])
}

/// Writes the scales and shifts of `normalisation`.
pub(super) fn write_normalisation(
    session: &mut dyn Session,
    tensor: Tensor,
    normalisation: &Normalisation,
) -> Result<()> {
    session.write(tensor, Array::F32(normalisation.factors()))
}

/// Bytes from one image to the next, a multiple of 4: shaders read whole words.
fn stride(shape: ImageShape) -> usize {
    shape.pixels().next_multiple_of(4)
}

fn with_stride(images: Vec<u8>, shape: ImageShape) -> Vec<u8> {
    if stride(shape) == shape.pixels() {
        return images;
    }
    let mut padded = Vec::with_capacity(images.len() / shape.pixels() * stride(shape));
    for image in images.chunks_exact(shape.pixels()) {
        padded.extend_from_slice(image);
        padded.resize(padded.len() + stride(shape) - shape.pixels(), 0);
    }
    padded
}

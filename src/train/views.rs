//! Test-time augmentation: the logits of several views of an image are averaged.
//!
//! `MirrorShifts` has the weights of Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single
//! GPU", section 3.5: half for the image and its mirror image, half for both of them shifted by one
//! pixel along the diagonal, up and left or down and right. Pixels shifted in from outside reflect
//! those at the edge.

use super::inference::Inference;
use crate::augmentation::Change;
use crate::checkpoint::SavedModel;
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// The views of an image whose predictions are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Views {
    /// The image as it is.
    #[default]
    One,
    /// The image and its mirror image, left to right.
    Mirror,
    /// Both, and both shifted along the diagonal in each direction.
    MirrorShifts,
}

/// A view and the weight of its logits.
struct View {
    weight: f64,
    flipped: bool,
    shift: [isize; 2],
}

impl Views {
    /// Checks that images of this shape have these views.
    pub(super) fn check(self, shape: ImageShape) -> Result<()> {
        if self == Views::MirrorShifts && shape.height.min(shape.width) < 2 {
            let ImageShape { height, width, .. } = shape;
            return Err(Error::usage(format!("images of {height}x{width} pixels cannot be shifted"))
                .advise(Remedy::settings("average fewer views, for example {}", [("tta", "mirror")])));
        }
        Ok(())
    }

    fn all(self) -> Vec<View> {
        let shifts: &[(f64, isize)] = match self {
            Views::One => return vec![View { weight: 1.0, flipped: false, shift: [0, 0] }],
            Views::Mirror => &[(1.0, 0)],
            Views::MirrorShifts => &[(0.5, 0), (0.25, -1), (0.25, 1)],
        };
        let pair = |&(weight, shift): &(f64, isize)| {
            [false, true].map(|flipped| View { weight: weight / 2.0, flipped, shift: [shift, shift] })
        };
        shifts.iter().flat_map(pair).collect()
    }

    /// The weighted means of the logits of all views, `[images, classes]`.
    pub(super) fn logits(
        self,
        model: &SavedModel,
        split: Split,
        shape: ImageShape,
        device: &dyn Device,
    ) -> Result<Vec<f32>> {
        let images = split.images.clone();
        let mut inference = Inference::new(model, split, shape, device)?;
        let mut sums = Vec::new();
        for View { weight, flipped, shift } in self.all() {
            let change = Change::view([shape.height, shape.width], flipped, shift);
            inference.replace(transformed(&images, shape, &change))?;
            let mut logits = Vec::new();
            inference.run(|batch| logits.extend_from_slice(batch.logits))?;
            sums.resize(logits.len(), 0.0);
            for (sum, logit) in sums.iter_mut().zip(logits) {
                *sum += weight * f64::from(logit);
            }
        }
        Ok(sums.into_iter().map(|sum| sum as f32).collect())
    }
}

fn transformed(images: &[u8], shape: ImageShape, change: &Change) -> Vec<u8> {
    let columns: Vec<usize> = (0..shape.width).map(|column| change.column(column)).collect();
    let mut transformed = Vec::with_capacity(images.len());
    for plane in images.chunks_exact(shape.height * shape.width) {
        for row in 0..shape.height {
            let line = &plane[change.row(row) * shape.width..][..shape.width];
            transformed.extend(columns.iter().map(|&column| line[column]));
        }
    }
    transformed
}

//! The smooth pieces that activations with kinks and max pools consist of.
//!
//! A ReLU is `0` on one piece and `x` on the other; a max pool has a piece for each cell of the
//! window. A gradient is the slope of the piece that the pass went over, so slopes are taken of
//! that piece, too: once a pass has found its pieces, others go over the same.

use super::values::{Values, cells};
use crate::ops::window::Window;

/// How near to a kink a value may not be, relative to the largest value of its module: there f32
/// and f64 may be on different pieces, and no slope is a gradient. The error of a sum of a few
/// thousand f32 products is smaller.
const MARGIN: f64 = 2e-6;

/// Which piece each value of a module lies on.
#[derive(Debug)]
pub(super) struct Pieces {
    /// For each value that the module makes, where in its input the value comes from, or which side
    /// it is on.
    pub(super) chosen: Vec<usize>,
    /// For each image, whether one of its values is at a kink.
    near: Vec<bool>,
}

impl Pieces {
    /// How many of `kinks` the values of `x` are above.
    pub(super) fn of_sides(x: &Values, kinks: &[f64]) -> Self {
        let margin = margin(x);
        // A value exactly at a kink is the output of another ReLU, or what weights make of a blank
        // part of an image.
        let is_near = |value: f64| kinks.iter().any(|kink| value != *kink && (value - kink).abs() <= margin);
        let piece = |value: f64| kinks.iter().filter(|&&kink| value > kink).count();
        Pieces {
            chosen: x.values.iter().map(|&value| piece(value)).collect(),
            near: x.images().map(|image| image.iter().any(|&value| is_near(value))).collect(),
        }
    }

    /// Where in `x` the first of the largest values of each window is.
    pub(super) fn of_largest(x: &Values, window: Window) -> Self {
        let margin = margin(x);
        let (size, channels) = (x.map(), x.channels());
        let mut pieces = Pieces { chosen: Vec::new(), near: Vec::new() };
        for (index, image) in x.images().enumerate() {
            let mut near = false;
            for [row, column] in size.under(window).places() {
                for channel in 0..channels {
                    let inside =
                        cells(window, size, [row, column]).map(|(_, cell)| cell * channels + channel);
                    let largest =
                        inside.clone().fold(f64::NEG_INFINITY, |largest, at| largest.max(image[at]));
                    let first = inside.clone().find(|&at| image[at] == largest);
                    pieces.chosen.push(index * image.len() + first.expect("a window covers cells"));
                    // Exactly as large is what weights make of the same pixels: whichever is taken,
                    // the slope is the same.
                    near |= inside.clone().any(|at| image[at] != largest && largest - image[at] <= margin);
                }
            }
            pieces.near.push(near);
        }
        pieces
    }
}

fn margin(x: &Values) -> f64 {
    MARGIN * x.values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()))
}

/// The pieces that a pass goes over, module by module, those inside residuals in the order of the
/// pass.
#[derive(Debug, Default)]
pub(super) struct Path {
    known: Vec<Pieces>,
    next: usize,
    /// Stages whose pieces no gradient depends on: they come before all parameters.
    untrained: usize,
}

impl Path {
    /// The pieces of the next module, found if no pass went over it before.
    pub(super) fn next(&mut self, find: impl FnOnce() -> Pieces) -> &[usize] {
        if self.next == self.known.len() {
            self.known.push(find());
        }
        self.next += 1;
        &self.known[self.next - 1].chosen
    }

    /// How many modules with pieces the pass has gone over.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// Goes on from where a pass was at `position`.
    pub(super) fn seek(&mut self, position: usize) {
        self.next = position;
    }

    /// The pass comes to the first parameters.
    pub(super) fn reach_parameters(&mut self) {
        self.untrained = self.next;
    }

    /// For each of so many images, whether it is at a kink.
    pub(super) fn at_kinks(&self, images: usize) -> Vec<bool> {
        let modules = &self.known[self.untrained..];
        (0..images).map(|image| modules.iter().any(|pieces| pieces.near[image])).collect()
    }
}

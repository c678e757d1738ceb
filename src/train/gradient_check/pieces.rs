//! The pieces that ReLUs, leaky ReLUs and max pools are made of.
//!
//! Each of their values lies on one of several straight pieces: a ReLU's is `0` or `x`, a max pool's is one of the cells in
//! the window. A gradient is the slope of the piece that the pass went over, so slopes are taken of that piece, too:
//! once a pass has found its pieces, others go over the same.

use super::values::{Values, cells};
use crate::ops::window::Window;

/// How near to a kink, beside the largest value of its stage, a value may not be: there float32 and float64 may be
/// on different pieces, and no slope is a gradient. Sums of a few thousand float32 products are off by less.
const MARGIN: f64 = 2e-6;

/// Which piece each value of a stage lies on.
#[derive(Debug)]
pub(super) struct Pieces {
    /// For each value that the stage makes, where in its input the value comes from, or which side it is on.
    pub(super) chosen: Vec<usize>,
    /// For each image, whether one of its values is at a kink.
    near: Vec<bool>,
}

impl Pieces {
    /// The sides of zero that the values of `x` are on: 1 where they are above it.
    pub(super) fn of_sides(x: &Values) -> Self {
        let margin = margin(x);
        Pieces {
            chosen: x.values.iter().map(|&value| (value > 0.0).into()).collect(),
            // Exactly zero is what another ReLU left, or what weights make of a blank part of an image.
            near: x
                .images()
                .map(|image| image.iter().any(|&value| value != 0.0 && value.abs() <= margin))
                .collect(),
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
                    // Exactly as large is what weights make of the same pixels: whichever is taken, the slope is the same.
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

/// The pieces that a pass goes over, stage by stage, those inside residuals in the order of the pass.
#[derive(Debug, Default)]
pub(super) struct Path {
    known: Vec<Pieces>,
    next: usize,
    /// Stages whose pieces no gradient depends on: they come before all parameters.
    untrained: usize,
}

impl Path {
    /// The pieces of the next stage, found if no pass went over it before.
    pub(super) fn next(&mut self, find: impl FnOnce() -> Pieces) -> &[usize] {
        if self.next == self.known.len() {
            self.known.push(find());
        }
        self.next += 1;
        &self.known[self.next - 1].chosen
    }

    /// How many stages with pieces the pass has gone over.
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
        let stages = &self.known[self.untrained..];
        (0..images).map(|image| stages.iter().any(|pieces| pieces.near[image])).collect()
    }
}

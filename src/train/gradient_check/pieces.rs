//! The linear pieces of ReLUs, leaky ReLUs and max pools.
//!
//! Each output of these layers lies on one of several linear pieces: `0` or `x` for a ReLU, one of
//! the cells of the window for a max pool. A gradient is the derivative of the piece that the
//! forward pass used. The first pass records its pieces, and later passes use the same ones.

use super::values::{Values, cells};
use crate::ops::window::Window;

/// Minimum distance of a value from a kink, relative to the largest value of its stage. Closer
/// values may be on different pieces in f32 and float64. The error of a sum of a few thousand f32
/// products is smaller.
const MARGIN: f64 = 2e-6;

/// The piece that each value of a stage lies on.
#[derive(Debug)]
pub(super) struct Pieces {
    /// For each output of the stage, the index of the input that it comes from, or the side of
    /// zero.
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

    /// The index in `x` of the first of the largest values in each window.
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
                    // Equal values come from equal pixels; the derivative is the same for either
                    // choice.
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

/// The pieces that a pass uses, stage by stage, those inside residuals in the order of the pass.
#[derive(Debug, Default)]
pub(super) struct Path {
    known: Vec<Pieces>,
    next: usize,
    /// Number of stages before the first parameter, whose pieces no gradient depends on.
    untrained: usize,
}

impl Path {
    /// The pieces of the next stage; calls `find` in the first pass.
    pub(super) fn next(&mut self, find: impl FnOnce() -> Pieces) -> &[usize] {
        if self.next == self.known.len() {
            self.known.push(find());
        }
        self.next += 1;
        &self.known[self.next - 1].chosen
    }

    /// Number of stages with pieces that the pass has used so far.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// Continues from `position`, where an earlier pass was.
    pub(super) fn seek(&mut self, position: usize) {
        self.next = position;
    }

    /// Marks that the pass has reached the first parameters.
    pub(super) fn reach_parameters(&mut self) {
        self.untrained = self.next;
    }

    pub(super) fn at_kinks(&self, images: usize) -> Vec<bool> {
        let modules = &self.known[self.untrained..];
        (0..images).map(|image| modules.iter().any(|pieces| pieces.near[image])).collect()
    }
}

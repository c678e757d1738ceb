//! Vectors of floats that are aligned to cache lines.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};

/// A cache line of most processors, and the longest vector that any of them loads. A vector that
/// crosses a cache line takes two loads. In large blocks of a general allocator nearly all vectors
/// do.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Line([f32; FLOATS_OF_A_LINE]);

const FLOATS_OF_A_LINE: usize = 16;

/// A vector of floats that starts at a cache line.
#[derive(Clone, Default)]
pub(crate) struct Floats {
    lines: Vec<Line>,
    length: usize,
}

impl Floats {
    /// An empty vector.
    pub(crate) const fn new() -> Self {
        Floats { lines: Vec::new(), length: 0 }
    }

    /// `length` zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        // Zeroed memory from the system is not touched until it is used.
        Floats { lines: bytemuck::zeroed_vec(length.div_ceil(FLOATS_OF_A_LINE)), length }
    }

    /// Changes the length. The first floats stay; added ones have unspecified values.
    pub(crate) fn resize(&mut self, length: usize) {
        self.lines.resize(length.div_ceil(FLOATS_OF_A_LINE), Line::default());
        self.length = length;
    }
}

impl From<&[f32]> for Floats {
    fn from(values: &[f32]) -> Self {
        let mut floats = Floats::zeros(values.len());
        floats.copy_from_slice(values);
        floats
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

impl fmt::Debug for Floats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_begin_a_line_and_are_as_many_as_wanted() {
        for length in [0, 1, 15, 16, 17, 1000, 100_003] {
            let mut floats = Floats::zeros(length);
            assert_eq!((floats.as_ptr().addr() % 64, &*floats), (0, &*vec![0.0; length]));
            floats.fill(2.0);
            floats.resize(length + 5);
            assert_eq!((floats.as_ptr().addr() % 64, floats.len()), (0, length + 5));
            assert!(floats[..length].iter().all(|&float| float == 2.0));
            assert_eq!(*Floats::from(&*floats), *floats);
        }
    }
}

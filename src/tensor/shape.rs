//! Shapes of tensors.

use std::fmt;

/// The sizes of a tensor's dimensions, outermost first; one to four dimensions, rows contiguous.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    sizes: [usize; 4],
    rank: usize,
}

impl Shape {
    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The sizes, outermost first.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.sizes().iter().product()
    }

    /// Whether there are no elements; plans refuse such tensors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        Shape::from(sizes.as_slice())
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        assert!((1..=4).contains(&sizes.len()), "a tensor has 1 to 4 dimensions, not {}", sizes.len());
        let mut shape = Shape { sizes: [1; 4], rank: sizes.len() };
        shape.sizes[..sizes.len()].copy_from_slice(sizes);
        shape
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.sizes())
    }
}

//! Handles to the arrays that a [`Plan`](crate::plan::Plan) computes with.

use std::fmt;

/// Type of one element of a [`Tensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// 32-bit float: parameters and what is summed up of them, and everything else in a run with 32 bits.
    F32,
    /// What layers hand on, its gradients, and weights as products read them, in a run with 16 bits. A GPU keeps such a
    /// float in two bytes and computes with it in 32 bits. The CPU, which has nothing to gain, keeps it in four.
    Half,
    /// 32-bit unsigned integer: labels, the order of the images.
    U32,
    /// Byte: pixels. Shaders read four at a time as one `u32`.
    U8,
    /// A normalised pixel, which each device keeps as it likes: the CPU as a float, a GPU as the byte that it
    /// comes from, a quarter of the reads. [`gather`](crate::ops::gather) writes such tensors, matrix products read them.
    Pixel,
}

impl Element {
    /// Bytes of one element in a GPU's memory.
    pub fn size(self) -> usize {
        match self {
            Element::F32 | Element::U32 => 4,
            Element::Half => 2,
            Element::U8 | Element::Pixel => 1,
        }
    }

    /// Bytes of one element in the computer's memory.
    pub fn host_size(self) -> usize {
        match self {
            Element::F32 | Element::Half | Element::U32 | Element::Pixel => 4,
            Element::U8 => 1,
        }
    }

    /// Whether it is a float, in whatever number of bits.
    pub fn is_float(self) -> bool {
        matches!(self, Element::F32 | Element::Half)
    }
}

/// Sizes of a tensor's dimensions, outermost first; rows are contiguous. At most four.
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

    /// Whether there is no element; plans refuse such tensors.
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

/// A typed handle into a plan: it owns no memory and computes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tensor {
    pub(crate) id: usize,
    pub(crate) element: Element,
    pub(crate) shape: Shape,
}

impl Tensor {
    /// Position in the plan's table of tensors.
    pub fn id(&self) -> usize {
        self.id
    }

    /// Type of the elements.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The same elements under another shape: rows are contiguous, so nothing moves. Panics unless there are as
    /// many elements.
    #[track_caller]
    pub fn reshaped(self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        assert!(shape.len() == self.len(), "{:?} cannot be seen as {shape:?}", self.shape);
        Tensor { shape, ..self }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Never true of a tensor that a plan declared.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// Bytes in a GPU's memory.
    pub fn bytes(&self) -> usize {
        self.len() * self.element.size()
    }

    /// The sizes of a matrix, or a panic that names `operand`: for use while recording.
    #[track_caller]
    pub fn matrix(&self, operand: &str) -> [usize; 2] {
        match *self.shape.sizes() {
            [rows, columns] => [rows, columns],
            _ => panic!("{operand} must be a matrix, but has shape {:?}", self.shape),
        }
    }

    /// Panics, naming `operand`, unless the tensor has exactly this type and shape: for use while recording.
    #[track_caller]
    pub fn expect(&self, operand: &str, element: Element, shape: impl Into<Shape>) {
        let wanted = shape.into();
        assert!(
            self.element == element && self.shape == wanted,
            "{operand} must be {element:?} {wanted:?}, but is {:?} {:?}",
            self.element,
            self.shape
        );
    }

    /// Panics, naming `operand`, unless the tensor holds floats, in whatever number of bits, and has this shape.
    #[track_caller]
    pub fn expect_floats(&self, operand: &str, shape: impl Into<Shape>) {
        let element = if self.element.is_float() { self.element } else { Element::F32 };
        self.expect(operand, element, shape);
    }
}

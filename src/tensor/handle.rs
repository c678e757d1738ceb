//! The handle itself.

use super::element::Element;
use super::shape::Shape;

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

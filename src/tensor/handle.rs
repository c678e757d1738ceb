//! The tensor handle.

use super::element::Element;
use super::shape::Shape;

/// A typed handle to a tensor of a plan. It owns no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tensor {
    pub(crate) id: usize,
    pub(crate) element: Element,
    pub(crate) shape: Shape,
}

impl Tensor {
    /// Index in the plan's table of tensors.
    pub fn id(&self) -> usize {
        self.id
    }

    /// The element type.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The same elements with another shape. Rows are contiguous, so no data move.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    #[must_use]
    pub fn reshaped(self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        assert!(shape.len() == self.len(), "{:?} cannot be reshaped to {shape:?}", self.shape);
        Tensor { shape, ..self }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether there are no elements; never true of a tensor that a plan declared.
    pub fn is_empty(&self) -> bool {
        self.shape.is_empty()
    }

    /// Bytes in GPU memory.
    pub fn bytes(&self) -> usize {
        self.len() * self.element.size()
    }

    /// The sizes `[rows, columns]` of a matrix. Used while recording.
    ///
    /// # Panics
    /// If the tensor is not a matrix; the message names `operand`.
    #[track_caller]
    pub fn matrix(&self, operand: &str) -> [usize; 2] {
        match *self.shape.sizes() {
            [rows, columns] => [rows, columns],
            _ => panic!("{operand} must be a matrix, but has shape {:?}", self.shape),
        }
    }

    /// Checks type and shape. Used while recording.
    ///
    /// # Panics
    /// If type or shape differ; the message names `operand`.
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

    /// Checks that the tensor has floats of any width and this shape. Used while recording.
    #[track_caller]
    pub(crate) fn expect_floats(&self, operand: &str, shape: impl Into<Shape>) {
        let element = if self.element.is_float() { self.element } else { Element::F32 };
        self.expect(operand, element, shape);
    }
}

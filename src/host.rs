//! The arrays of a plan in the computer's own memory, where the CPU halves of ops compute.

use std::cell::{Ref, RefCell, RefMut};

use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// One tensor's elements, as they travel to a device and back.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Elements of an [`Element::F32`] tensor; of an [`Element::Pixel`] tensor, on the CPU.
    F32(Vec<f32>),
    /// Elements of an [`Element::U32`] tensor.
    U32(Vec<u32>),
    /// Elements of an [`Element::U8`] tensor.
    U8(Vec<u8>),
}

impl Array {
    /// `length` zeros.
    pub fn zeros(element: Element, length: usize) -> Self {
        match element {
            Element::F32 | Element::Pixel => Array::F32(vec![0.0; length]),
            Element::U32 => Array::U32(vec![0; length]),
            Element::U8 => Array::U8(vec![0; length]),
        }
    }

    /// Type of the elements.
    pub fn element(&self) -> Element {
        match self {
            Array::F32(_) => Element::F32,
            Array::U32(_) => Element::U32,
            Array::U8(_) => Element::U8,
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Array::F32(values) => values.len(),
            Array::U32(values) => values.len(),
            Array::U8(values) => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as the device sees them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Array::F32(values) => bytemuck::cast_slice(values),
            Array::U32(values) => bytemuck::cast_slice(values),
            Array::U8(values) => values,
        }
    }

    /// The floats. Panics if these are not floats.
    #[track_caller]
    pub fn into_f32(self) -> Vec<f32> {
        match self {
            Array::F32(values) => values,
            other => panic!("wanted f32 elements, but these are {:?}", other.element()),
        }
    }

    /// Panics unless the array has exactly the tensor's type and length.
    #[track_caller]
    pub(crate) fn check(&self, tensor: Tensor) {
        assert!(
            self.element() == tensor.element && self.len() == tensor.len(),
            "a tensor of {} {:?} cannot hold {} {:?}",
            tensor.len(),
            tensor.element,
            self.len(),
            self.element()
        );
    }
}

/// Every tensor of a plan, each in its own array, zeros at first.
///
/// An op borrows what it needs; borrowing one tensor twice, once to write, is a programming error
/// and panics.
#[derive(Debug, Default)]
pub struct HostMemory {
    arrays: Vec<RefCell<Array>>,
}

impl HostMemory {
    /// Memory for all tensors of `plan`.
    pub fn new(plan: &Plan) -> Self {
        let arrays = plan.declarations().iter().map(|declaration| {
            let tensor = declaration.tensor;
            RefCell::new(Array::zeros(tensor.element, tensor.len()))
        });
        HostMemory { arrays: arrays.collect() }
    }

    /// A float tensor's elements.
    pub fn f32(&self, tensor: Tensor) -> Ref<'_, [f32]> {
        Ref::map(self.arrays[tensor.id].borrow(), |array| match array {
            Array::F32(values) => values.as_slice(),
            other => panic!("tensor {} is not f32 but {:?}", tensor.id, other.element()),
        })
    }

    /// A float tensor's elements, to be written.
    pub fn f32_mut(&self, tensor: Tensor) -> RefMut<'_, [f32]> {
        RefMut::map(self.arrays[tensor.id].borrow_mut(), |array| match array {
            Array::F32(values) => values.as_mut_slice(),
            other => panic!("tensor {} is not f32 but {:?}", tensor.id, other.element()),
        })
    }

    /// An integer tensor's elements.
    pub fn u32(&self, tensor: Tensor) -> Ref<'_, [u32]> {
        Ref::map(self.arrays[tensor.id].borrow(), |array| match array {
            Array::U32(values) => values.as_slice(),
            other => panic!("tensor {} is not u32 but {:?}", tensor.id, other.element()),
        })
    }

    /// An integer tensor's elements, to be written.
    pub fn u32_mut(&self, tensor: Tensor) -> RefMut<'_, [u32]> {
        RefMut::map(self.arrays[tensor.id].borrow_mut(), |array| match array {
            Array::U32(values) => values.as_mut_slice(),
            other => panic!("tensor {} is not u32 but {:?}", tensor.id, other.element()),
        })
    }

    /// A byte tensor's elements.
    pub fn u8(&self, tensor: Tensor) -> Ref<'_, [u8]> {
        Ref::map(self.arrays[tensor.id].borrow(), |array| match array {
            Array::U8(values) => values.as_slice(),
            other => panic!("tensor {} is not u8 but {:?}", tensor.id, other.element()),
        })
    }

    /// A copy of a tensor's elements.
    pub fn read(&self, tensor: Tensor) -> Array {
        self.arrays[tensor.id].borrow().clone()
    }

    /// Replaces a tensor's elements, without copying them. Panics if type or length differ.
    #[track_caller]
    pub fn write(&self, tensor: Tensor, array: Array) {
        array.check(tensor);
        *self.arrays[tensor.id].borrow_mut() = array;
    }
}

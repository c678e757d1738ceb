//! The tensors of a plan in host memory, where the CPU halves of ops compute.

use std::cell::{Ref, RefCell, RefMut};

use super::aligned::Floats;
use crate::tensor::{Element, Tensor};

/// The elements of one tensor, as they are copied between host and device.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Elements of an [`Element::F32`] or [`Element::F16`] tensor, or of an [`Element::Pixel`]
    /// tensor on the CPU.
    F32(Vec<f32>),
    /// Elements of an [`Element::U32`] tensor.
    U32(Vec<u32>),
    /// Elements of an [`Element::U8`] tensor.
    U8(Vec<u8>),
}

impl Array {
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

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as bytes, as the device sees them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Array::F32(values) => bytemuck::cast_slice(values),
            Array::U32(values) => bytemuck::cast_slice(values),
            Array::U8(values) => values,
        }
    }

    /// The floats.
    ///
    /// # Panics
    /// If the elements are not floats.
    #[track_caller]
    pub fn into_f32(self) -> Vec<f32> {
        match self {
            Array::F32(values) => values,
            other => panic!("wanted f32 elements, but these are {:?}", other.element()),
        }
    }

    /// Checks the array against the tensor's length and type; f16 tensors are copied as f32.
    ///
    /// # Panics
    /// If length or type differ.
    #[track_caller]
    pub(crate) fn check(&self, tensor: Tensor) {
        let is_held =
            self.element() == tensor.element || (self.element().is_float() && tensor.element.is_float());
        assert!(
            is_held && self.len() == tensor.len(),
            "a tensor of {} {:?} cannot hold {} {:?}",
            tensor.len(),
            tensor.element,
            self.len(),
            self.element()
        );
    }
}

/// Elements in host memory, where ops use them.
#[derive(Debug)]
enum Held {
    F32(Floats),
    U32(Vec<u32>),
    U8(Vec<u8>),
}

impl Held {
    fn zeros(element: Element, length: usize) -> Self {
        match element {
            Element::F32 | Element::F16 | Element::Pixel => Held::F32(Floats::zeros(length)),
            Element::U32 => Held::U32(vec![0; length]),
            Element::U8 => Held::U8(vec![0; length]),
        }
    }
}

impl From<Array> for Held {
    fn from(array: Array) -> Self {
        match array {
            Array::F32(values) => Held::F32(Floats::from(&*values)),
            Array::U32(values) => Held::U32(values),
            Array::U8(values) => Held::U8(values),
        }
    }
}

/// Host memory of a plan, initially zero. Tensors may share memory, as the plan says.
///
/// An op borrows the tensors that it needs. Borrowing a tensor twice, once of them mutably, or as
/// another element type is a programming error and panics.
#[derive(Debug, Default)]
pub struct HostMemory {
    /// One array per tensor id; empty if the tensor lies in another's memory.
    arrays: Vec<RefCell<Held>>,
    /// For each tensor, the index of its array.
    places: Vec<usize>,
}

#[expect(clippy::missing_panics_doc, reason = "the documentation of the type says when")]
impl HostMemory {
    /// Memory for `tensors`, in the order of their ids; `place` returns the id of the tensor in
    /// whose memory one lies.
    pub(super) fn new(tensors: impl Iterator<Item = Tensor>, place: impl Fn(Tensor) -> usize) -> Self {
        let (mut arrays, mut places) = (Vec::new(), Vec::new());
        for tensor in tensors {
            places.push(place(tensor));
            let length = if place(tensor) == tensor.id { tensor.len() } else { 0 };
            arrays.push(RefCell::new(Held::zeros(tensor.element, length)));
        }
        HostMemory { arrays, places }
    }

    fn array(&self, tensor: Tensor) -> &RefCell<Held> {
        &self.arrays[self.places[tensor.id]]
    }

    /// The elements of a float tensor.
    pub fn f32(&self, tensor: Tensor) -> Ref<'_, [f32]> {
        Ref::map(self.array(tensor).borrow(), |array| match array {
            Held::F32(values) => &values[..tensor.len()],
            _ => panic!("tensor {} is {:?}, not f32", tensor.id, tensor.element),
        })
    }

    /// The elements of a float tensor, mutably.
    pub fn f32_mut(&self, tensor: Tensor) -> RefMut<'_, [f32]> {
        RefMut::map(self.array(tensor).borrow_mut(), |array| match array {
            Held::F32(values) => &mut values[..tensor.len()],
            _ => panic!("tensor {} is {:?}, not f32", tensor.id, tensor.element),
        })
    }

    /// The elements of an integer tensor.
    pub fn u32(&self, tensor: Tensor) -> Ref<'_, [u32]> {
        Ref::map(self.array(tensor).borrow(), |array| match array {
            Held::U32(values) => &values[..tensor.len()],
            _ => panic!("tensor {} is {:?}, not u32", tensor.id, tensor.element),
        })
    }

    /// The elements of an integer tensor, mutably.
    pub(crate) fn u32_mut(&self, tensor: Tensor) -> RefMut<'_, [u32]> {
        RefMut::map(self.array(tensor).borrow_mut(), |array| match array {
            Held::U32(values) => &mut values[..tensor.len()],
            _ => panic!("tensor {} is {:?}, not u32", tensor.id, tensor.element),
        })
    }

    /// The elements of a byte tensor.
    pub fn u8(&self, tensor: Tensor) -> Ref<'_, [u8]> {
        Ref::map(self.array(tensor).borrow(), |array| match array {
            Held::U8(values) => &values[..tensor.len()],
            _ => panic!("tensor {} is {:?}, not u8", tensor.id, tensor.element),
        })
    }

    /// A copy of a tensor's elements.
    pub fn read(&self, tensor: Tensor) -> Array {
        match &*self.array(tensor).borrow() {
            Held::F32(values) => Array::F32(values[..tensor.len()].to_vec()),
            Held::U32(values) => Array::U32(values[..tensor.len()].to_vec()),
            Held::U8(values) => Array::U8(values[..tensor.len()].to_vec()),
        }
    }

    /// Replaces the elements of a tensor that does not share memory; bytes are not copied.
    ///
    /// # Panics
    /// If type or length differ.
    #[track_caller]
    pub fn write(&self, tensor: Tensor, array: Array) {
        array.check(tensor);
        *self.array(tensor).borrow_mut() = array.into();
    }
}

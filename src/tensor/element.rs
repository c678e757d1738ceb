//! Element types of tensors.

use crate::text::named::named;

/// Element type of a [`Tensor`](super::Tensor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// 32-bit float: parameters, sums, and all activations in f32 runs.
    F32,
    /// 16-bit float (f16): activations, their gradients, and weights as products read them, in f16
    /// runs. GPUs store it in two bytes and compute in f32. The CPU has nothing to gain and stores
    /// four bytes.
    F16,
    /// 32-bit unsigned integer: labels and the order of images.
    U32,
    /// Byte: raw pixels. Shaders read four at a time as one `u32`.
    U8,
    /// A normalised pixel. The CPU stores it as a float. A GPU stores the original byte, a quarter
    /// of the memory traffic. [`gather`](crate::ops::gather) writes such tensors and matrix
    /// products read them.
    Pixel,
}

impl Element {
    /// Bytes of one element in GPU memory.
    pub fn size(self) -> usize {
        match self {
            Element::F32 | Element::U32 => 4,
            Element::F16 => 2,
            Element::U8 | Element::Pixel => 1,
        }
    }

    /// Bytes of one element in host memory.
    pub fn host_size(self) -> usize {
        match self {
            Element::F32 | Element::F16 | Element::U32 | Element::Pixel => 4,
            Element::U8 => 1,
        }
    }

    /// Whether it is a float of any width.
    pub fn is_float(self) -> bool {
        matches!(self, Element::F32 | Element::F16)
    }
}

named! {
    /// Storage precision of activations, their gradients and the weights that products read. Sums,
    /// parameters and optimizer state are always f32, as is everything outside training steps.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Precision {
        /// f32.
        #[default]
        F32 = "f32",
        /// f16 on devices that support it, f32 on others.
        F16 = "f16",
    }
}

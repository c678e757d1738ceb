//! Types of a tensor's elements.

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

/// In how many bits a training step keeps what layers hand on, the gradients of that, and weights as products read them.
/// All sums, parameters and what optimizers keep have 32, and so has all that comes after training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, where a device has such floats. Others keep 32.
    F16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::F16];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
    }
}

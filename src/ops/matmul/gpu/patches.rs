//! Operands that are patches of a map: a row per window, a column per element of a window (implicit
//! GEMM: Chetlur et al., "cuDNN: Efficient primitives for deep learning", 2014, section 3.1).
//!
//! Patches are never stored: a kernel loads an element from the map when it needs it, and elements
//! outside the map are zero. The terms of a sum over a patch are in the order of a window's rows,
//! columns and channels, so that four neighbouring channels are one load and share the address
//! computation. If the channels are not a multiple of four, their number is rounded up in the count
//! of terms, so that four terms never belong to two cells.

use crate::kernel::shaders::MatmulParams;

/// A map, and the windows on it.
///
/// Kernel position `p` of window `w`, on each axis, is cell
/// `(w stride + p - before) / lhs_dilation`, if that is an integer within the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Patches {
    /// Height and width of the map.
    pub(in crate::ops) map: [usize; 2],
    pub(in crate::ops) channels: usize,
    /// Rows and columns of windows on an image.
    pub(in crate::ops) windows: [usize; 2],
    /// Height and width of a window.
    pub(in crate::ops) kernel_size: [usize; 2],
    pub(in crate::ops) stride: usize,
    /// Dilation of the map (lhs dilation): the distance of neighbouring cells, with zeros between
    /// them.
    pub(in crate::ops) lhs_dilation: usize,
    /// Padding above and to the left of the map.
    pub(in crate::ops) before: [isize; 2],
}

impl Patches {
    /// Terms of a sum over a patch: its elements, with channels rounded up to whole vectors.
    pub(in crate::ops) fn terms(&self) -> usize {
        self.kernel_size.iter().product::<usize>() * self.channels.next_multiple_of(4)
    }

    /// Whether four channels can be read at a time.
    pub(super) fn vectors(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// Sets the uniform's fields. Negative values wrap around.
    pub(super) fn describe(&self, map_length: usize, params: &mut MatmulParams) {
        let Patches { map: [height, width], channels, windows, kernel_size, stride, lhs_dilation, before } =
            *self;
        let [windows_height, windows_width] = windows.map(|windows| windows as u32);
        let cell = channels as u32;
        let [end_of_rows, end_of_columns] = windows.map(|windows| (windows * stride) as u32);
        (params.map_height, params.map_width, params.channels) = (height as u32, width as u32, cell);
        params.map_length = map_length as u32;
        params.cell_terms = channels.next_multiple_of(4) as u32;
        (params.windows_height, params.windows_width) = (windows_height, windows_width);
        params.kernel_area = kernel_size.iter().product::<usize>() as u32;
        params.kernel_width = kernel_size[1] as u32;
        (params.stride, params.lhs_dilation) = (stride as u32, lhs_dilation as u32);
        (params.pad_top, params.pad_left) = (before[0] as u32, before[1] as u32);
        // Distance from the end of a row of windows to the first window of the next row, and
        // likewise for images.
        let line = (stride * width) as u32;
        params.line_skip = line.wrapping_sub(end_of_columns).wrapping_mul(cell);
        let image = (height as u32).wrapping_sub(end_of_rows).wrapping_mul(width as u32);
        params.image_skip = image.wrapping_mul(cell);
    }
}

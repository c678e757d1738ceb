//! Operands that are patches of a map: rows of windows, columns of what a window covers (implicit
//! GEMM: Chetlur et al., "cuDNN: Efficient primitives for deep learning", 2014, section 3.1).
//!
//! Nobody makes the patches: a kernel looks an element up in the map when it loads it, and what
//! lies outside the map is zero. Terms of a sum over a patch come in the order of rows, columns and
//! channels of a window, so that four neighbouring channels are one load and share the arithmetic
//! of where they are. Where channels are not whole vectors they are counted as if they were: four
//! terms never belong to two cells.

use crate::kernel::shaders::MatmulParams;

/// A map, and the windows on it.
///
/// Place `p` of window `w`, on each axis, is cell `(w stride + p - before) / spread`, where that is
/// a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Patches {
    /// Height and width of the map.
    pub(in crate::ops) map: [usize; 2],
    /// Channels of a cell.
    pub(in crate::ops) channels: usize,
    /// Rows and columns of windows on an image.
    pub(in crate::ops) windows: [usize; 2],
    /// Height and width of a window.
    pub(in crate::ops) places: [usize; 2],
    /// From one window to the next.
    pub(in crate::ops) stride: usize,
    /// From one cell of the map to the next; what lies between them is zero.
    pub(in crate::ops) spread: usize,
    /// How far above and to the left of the map the first window begins.
    pub(in crate::ops) before: [isize; 2],
}

impl Patches {
    /// Terms of a sum over a patch: its elements, as if channels were whole vectors.
    pub(in crate::ops) fn terms(&self) -> usize {
        self.places.iter().product::<usize>() * self.channels.next_multiple_of(4)
    }

    /// Whether four channels can be read at a time.
    pub(super) fn vectors(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// Tells a kernel. What is below zero wraps around there.
    pub(super) fn describe(&self, map_length: usize, params: &mut MatmulParams) {
        let Patches { map: [height, width], channels, windows, places, stride, spread, before } = *self;
        let [windows_height, windows_width] = windows.map(|windows| windows as u32);
        let cell = channels as u32;
        let [end_of_rows, end_of_columns] = windows.map(|windows| (windows * stride) as u32);
        (params.map_height, params.map_width, params.channels) = (height as u32, width as u32, cell);
        params.map_length = map_length as u32;
        params.cell_terms = channels.next_multiple_of(4) as u32;
        (params.windows_height, params.windows_width) = (windows_height, windows_width);
        params.places = places.iter().product::<usize>() as u32;
        params.places_width = places[1] as u32;
        (params.stride, params.spread) = (stride as u32, spread as u32);
        (params.above, params.left) = (before[0] as u32, before[1] as u32);
        // From behind the last window of a line to the first one of the next, and likewise of an
        // image.
        let line = (stride * width) as u32;
        params.line_skip = line.wrapping_sub(end_of_columns).wrapping_mul(cell);
        let image = (height as u32).wrapping_sub(end_of_rows).wrapping_mul(width as u32);
        params.image_skip = image.wrapping_mul(cell);
    }
}

//! The layout of tensors in files, where it differs from that on devices.
//!
//! On a device, maps and the weights that they are multiplied with are stored channels last. Files
//! use PyTorch's layout: channels come before height and width in the weight of a convolution
//! (`OIHW`), in the columns of a linear layer after a flattened map, and in the parameters of a
//! batch norm after one.
//!
//! ```
//! use shadegrad::tensor::layout::FileLayout;
//!
//! // One output; three cells of two channels.
//! let layout = FileLayout::columns(1, 3, 2);
//! let channels_last = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0];
//! assert_eq!(layout.to_file(&channels_last), [0.0, 10.0, 20.0, 1.0, 11.0, 21.0]);
//! ```

/// The layout of a tensor whose rows are maps: channels last on a device, channels first in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLayout {
    rows: usize,
    cells: usize,
    channels: usize,
    dimensions: Dimensions,
}

/// The dimensions of a tensor in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimensions {
    /// Rows, channels, height and width.
    Filters([usize; 2]),
    Matrix,
    Vector,
}

impl FileLayout {
    /// The weight of a convolution: `[filters, height, width, channels]` on a device, `[filters,
    /// channels, height, width]` in files.
    pub fn filters(filters: usize, [height, width]: [usize; 2], channels: usize) -> Self {
        let dimensions = Dimensions::Filters([height, width]);
        FileLayout { rows: filters, cells: height * width, channels, dimensions }
    }

    /// The weight of a linear layer after a flattened map of `cells` cells: `[outputs, cells *
    /// channels]` on a device, `[outputs, channels * cells]` in files.
    pub fn columns(outputs: usize, cells: usize, channels: usize) -> Self {
        FileLayout { rows: outputs, cells, channels, dimensions: Dimensions::Matrix }
    }

    /// A vector with one value per element of a map of `cells` cells: `[cells * channels]` on a
    /// device, `[channels * cells]` in files.
    pub fn places(cells: usize, channels: usize) -> Self {
        FileLayout { rows: 1, cells, channels, dimensions: Dimensions::Vector }
    }

    /// The shape in files, outermost dimension first.
    pub fn shape(&self) -> Vec<usize> {
        match self.dimensions {
            Dimensions::Filters([height, width]) => vec![self.rows, self.channels, height, width],
            Dimensions::Matrix => vec![self.rows, self.channels * self.cells],
            Dimensions::Vector => vec![self.channels * self.cells],
        }
    }

    /// Converts values from channels last to channels first.
    pub fn to_file(&self, values: &[f32]) -> Vec<f32> {
        transpose_rows(values, self.cells, self.channels)
    }

    /// Converts values from channels first to channels last.
    pub fn from_file(&self, values: &[f32]) -> Vec<f32> {
        transpose_rows(values, self.channels, self.cells)
    }
}

/// Transposes every row, a matrix of `height` times `width` values.
fn transpose_rows(values: &[f32], height: usize, width: usize) -> Vec<f32> {
    let row = |row: &[f32]| -> Vec<f32> {
        (0..width).flat_map(|x| (0..height).map(move |y| (y, x))).map(|(y, x)| row[y * width + x]).collect()
    };
    values.chunks_exact(height * width).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_first_in_files() {
        // Two filters of one row of three cells and two channels; each value encodes filter, cell
        // and channel.
        let inside = [0.0, 1.0, 10.0, 11.0, 20.0, 21.0, 100.0, 101.0, 110.0, 111.0, 120.0, 121.0];
        let in_files = [0.0, 10.0, 20.0, 1.0, 11.0, 21.0, 100.0, 110.0, 120.0, 101.0, 111.0, 121.0];
        let filters = FileLayout::filters(2, [1, 3], 2);
        assert_eq!(filters.shape(), [2, 2, 1, 3]);
        let columns = FileLayout::columns(2, 3, 2);
        assert_eq!(columns.shape(), [2, 6]);
        for layout in [filters, columns] {
            assert_eq!(layout.to_file(&inside), in_files);
            assert_eq!(layout.from_file(&in_files), inside);
        }
        let places = FileLayout::places(3, 2);
        assert_eq!(places.shape(), [6]);
        assert_eq!(places.to_file(&inside[..6]), in_files[..6]);
    }
}

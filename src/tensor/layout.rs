//! The order in which files have a tensor's values, where it is not the one that is fastest.
//!
//! Maps lie channels last on a device, and so do the weights that are multiplied with them. Files are PyTorch's: channels come
//! before height and width, in a convolution's weight (`OIHW`), in the columns of a linear layer behind a map, and in a batch
//! norm's parameters where a map was flattened in front of it.

/// A tensor whose rows are maps with the channels last, and first in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLayout {
    rows: usize,
    cells: usize,
    channels: usize,
    dimensions: Dimensions,
}

/// What a tensor is in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimensions {
    /// Rows, channels, and these heights and widths.
    Filters([usize; 2]),
    Matrix,
    Vector,
}

impl FileLayout {
    /// A convolution's weight: `[filters, height, width, channels]` on a device, `[filters, channels, height, width]` in
    /// files.
    pub fn filters(filters: usize, [height, width]: [usize; 2], channels: usize) -> Self {
        let dimensions = Dimensions::Filters([height, width]);
        FileLayout { rows: filters, cells: height * width, channels, dimensions }
    }

    /// The weight of a linear layer that reads a map of so many cells: `[outputs, cells * channels]` on a device,
    /// `[outputs, channels * cells]` in files.
    pub fn columns(outputs: usize, cells: usize, channels: usize) -> Self {
        FileLayout { rows: outputs, cells, channels, dimensions: Dimensions::Matrix }
    }

    /// A value for each value of a map of so many cells: `[cells * channels]` on a device, `[channels * cells]` in files.
    pub fn places(cells: usize, channels: usize) -> Self {
        FileLayout { rows: 1, cells, channels, dimensions: Dimensions::Vector }
    }

    /// The sizes in files, outermost first.
    pub fn shape(&self) -> Vec<usize> {
        match self.dimensions {
            Dimensions::Filters([height, width]) => vec![self.rows, self.channels, height, width],
            Dimensions::Matrix => vec![self.rows, self.channels * self.cells],
            Dimensions::Vector => vec![self.channels * self.cells],
        }
    }

    /// Channels first, from channels last.
    pub fn to_file(&self, values: &[f32]) -> Vec<f32> {
        transpose_rows(values, self.cells, self.channels)
    }

    /// Channels last, from channels first.
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
        // Two filters of one row of three cells, two channels: the value names filter, cell and channel.
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

//! Sums over the patches of a split's images, from which the covariance of patches is computed.
//!
//! Pixels are bytes, so the integer sums are exact in any order.
//!
//! ```
//! use shadegrad::data::{ImageShape, Split, patches};
//!
//! let split = Split { images: vec![0, 1, 2, 3, 4, 5], labels: vec![0], ..Split::default() };
//! let shape = ImageShape { channels: 1, height: 2, width: 3 };
//! let sums = patches::sums(&split, shape, 2, usize::MAX);
//! assert_eq!((sums.patches, sums.values), (2, vec![1, 3, 7, 9]));
//! ```

use rayon::prelude::*;

use super::{ImageShape, Split};

/// Sums over all patches of `side` by `side` pixels. The values of a patch are ordered by row,
/// column and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchSums {
    /// Number of patches.
    pub patches: u64,
    /// Sum of each value.
    pub values: Vec<u64>,
    /// Sums of the products of any two values, `[values, values]`.
    pub products: Vec<u64>,
}

/// Sums over all patches of the first `most` images of `split`.
pub fn sums(split: &Split, shape: ImageShape, side: usize, most: usize) -> PatchSums {
    let ImageShape { channels, height, width } = shape;
    let length = side * side * channels;
    let empty = || PatchSums { patches: 0, values: vec![0; length], products: vec![0; length * length] };
    let plane = height * width;
    let offsets: Vec<usize> = (0..side)
        .flat_map(|row| (0..side).map(move |column| (row, column)))
        .flat_map(|(row, column)| (0..channels).map(move |channel| channel * plane + row * width + column))
        .collect();
    let images = split.images.par_chunks_exact(shape.pixels()).take(most);
    let image = |mut sums: PatchSums, image: &[u8]| {
        let mut patch = vec![0u64; length];
        for row in 0..(height + 1).saturating_sub(side) {
            for column in 0..(width + 1).saturating_sub(side) {
                let start = row * width + column;
                for (value, offset) in patch.iter_mut().zip(&offsets) {
                    *value = image[start + offset].into();
                }
                sums.patches += 1;
                for (i, &first) in patch.iter().enumerate() {
                    sums.values[i] += first;
                    // The product is symmetric. The other half is filled in below.
                    let line = &mut sums.products[i * length..][..length];
                    for (sum, &second) in line[i..].iter_mut().zip(&patch[i..]) {
                        *sum += first * second;
                    }
                }
            }
        }
        sums
    };
    let add = |mut sums: PatchSums, other: PatchSums| {
        sums.patches += other.patches;
        let both = |sums: &mut Vec<u64>, others: Vec<u64>| {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        };
        both(&mut sums.values, other.values);
        both(&mut sums.products, other.products);
        sums
    };
    let mut sums = images.fold(empty, image).reduce(empty, add);
    for i in 0..length {
        for j in 0..i {
            sums.products[i * length + j] = sums.products[j * length + i];
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_ordered_by_row_column_and_channel() {
        // Two channels of 2x3 pixels have two patches of 2x2.
        let split = Split {
            images: vec![1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60],
            labels: vec![0],
            ..Split::default()
        };
        let shape = ImageShape { channels: 2, height: 2, width: 3 };
        let found = sums(&split, shape, 2, 9);
        let patches: [[u64; 8]; 2] = [[1, 10, 2, 20, 4, 40, 5, 50], [2, 20, 3, 30, 5, 50, 6, 60]];
        assert_eq!(found.patches, 2);
        for i in 0..8 {
            assert_eq!(found.values[i], patches[0][i] + patches[1][i]);
            for j in 0..8 {
                let wanted: u64 = patches.iter().map(|patch| patch[i] * patch[j]).sum();
                assert_eq!(found.products[i * 8 + j], wanted, "{i} {j}");
            }
        }
        assert_eq!(sums(&split, shape, 2, 0).patches, 0);
        assert_eq!(sums(&split, shape, 3, 9).patches, 0);
    }
}

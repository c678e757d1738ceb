//! NumPy's `.npy` format, version 1.0: a row-major matrix of f32
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
//!
//! ```no_run
//! use std::path::Path;
//!
//! let logits = [0.1, 0.9, 0.7, 0.3];
//! shadegrad::export::npy::write(Path::new("logits.npy"), &logits, 2)?;
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::path::Path;

use crate::error::Result;
use crate::fs::atomic;

/// Alignment of the values in bytes.
const ALIGNMENT: usize = 64;

/// Writes `values` as a matrix with `columns` columns to the file `path` atomically.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
pub fn write(path: &Path, values: &[f32], columns: usize) -> Result<()> {
    let mut bytes = header(values.len() / columns, columns);
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    atomic::write(path, &bytes)
}

/// Returns the magic number, the version, the length of the rest, and a Python dictionary padded
/// with spaces.
fn header(rows: usize, columns: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let start = b"\x93NUMPY\x01\x00".len() + size_of::<u16>();
    // The dictionary ends with a line feed.
    let padding = (start + text.len() + 1).next_multiple_of(ALIGNMENT) - (start + text.len() + 1);
    text.push_str(&" ".repeat(padding));
    text.push('\n');
    let length = u16::try_from(text.len()).expect("two numbers are short");
    [b"\x93NUMPY\x01\x00".as_slice(), &length.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of `numpy.save` for `numpy.zeros((2, 3), "f4")`, without the zeros.
    #[test]
    fn the_header_is_numpys() {
        let expected = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let found = header(2, 3);
        assert!(found.starts_with(expected));
        assert_eq!(found.len(), 128);
        assert_eq!(found.last(), Some(&b'\n'));
        assert!(found[expected.len()..127].iter().all(|byte| *byte == b' '));
    }

    #[test]
    fn values_start_at_a_multiple_of_64() {
        for rows in [0, 1, 9, 10, 12_345_678, usize::MAX] {
            assert_eq!(header(rows, 1000).len() % ALIGNMENT, 0);
        }
    }
}

//! Whether a product is computed on several threads.

use crate::ops::matmul::Size;

/// Multiply-adds from which on a product is worth waking other threads for.
const PARALLEL_FROM: usize = 1 << 19;

/// Whether a product of this size is worth several threads, where there are any.
pub(super) fn parallel(size: Size) -> bool {
    size.m * size.n * size.k >= PARALLEL_FROM && rayon::current_num_threads() > 1
}

//! Decides whether a product is computed on several threads.

use crate::ops::matmul::Size;

/// Minimum number of multiply-adds for which it is worth waking other threads.
const PARALLEL_FROM: usize = 1 << 19;

/// Whether a product of this size is worth several threads, and there are several.
pub(super) fn parallel(size: Size) -> bool {
    size.m * size.n * size.k >= PARALLEL_FROM && rayon::current_num_threads() > 1
}

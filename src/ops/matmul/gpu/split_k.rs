//! Split-K: sums that several workgroups share, added in a fixed order.
//!
//! A product with few tiles and long sums leaves most of a GPU idle. So the sums of each tile are
//! split into parts of equal length, one workgroup each, which store their partial sums. The kernel
//! that applies the epilogue (bias and ReLU, mask, or the optimizer's update) adds the partial sums
//! in order. The number of splits depends only on the product's size: neither a tuner's choice nor
//! the timing of a run changes the order in which anything is added.

use crate::ops::matmul::Size;

/// Maximum number of terms of one split: every class has enough iterations for them.
pub(super) const MAX_TERMS_PER_SPLIT: usize = 1 << 17;

/// Maximum number of splits of a sum.
const MAX_SPLITS: usize = 32;

/// Maximum number of terms of a sum.
pub(in crate::ops) const MOST_TERMS: usize = MAX_SPLITS * MAX_TERMS_PER_SPLIT;

/// Minimum number of terms that are worth a workgroup: six rounds of a tiled kernel.
const LEAST_TERMS: usize = 96;

/// Workgroups that keep a GPU busy: two for each unit of a mid-range one.
const ENOUGH_GROUPS: usize = 128;

/// Rows and columns of the smallest tile.
const TILE: usize = 32;

/// Splits are multiples of this, the round of most classes; see [`SplitK::in_rounds_of`] for the
/// others.
const ROUND: usize = 16;

/// How the sums of a product are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct SplitK {
    /// Number of splits, at least two.
    pub(in super::super) count: usize,
    /// Terms per split; the last one may have fewer.
    pub(in super::super) terms: usize,
    /// Whether the sums are too long for one workgroup.
    pub(in super::super) required: bool,
}

impl SplitK {
    /// How to split the sums of a product, if it is worthwhile or necessary.
    pub(in super::super) fn of(Size { m, n, k }: Size) -> Option<SplitK> {
        let groups = m.div_ceil(TILE) * n.div_ceil(TILE);
        let helpful = ENOUGH_GROUPS.div_ceil(groups).min(k / LEAST_TERMS);
        let needed = k.div_ceil(MAX_TERMS_PER_SPLIT);
        let terms = k.div_ceil(helpful.max(needed).clamp(1, MAX_SPLITS)).next_multiple_of(ROUND);
        let count = k.div_ceil(terms);
        // With more workgroups than this, the second kernel costs more than it saves.
        let worth_it = groups <= ENOUGH_GROUPS / 2 || needed > 1;
        (count > 1 && worth_it).then_some(SplitK { count, terms, required: needed > 1 })
    }

    /// The same splits, or fewer and longer ones for a class whose round is longer than the usual
    /// one.
    pub(super) fn in_rounds_of(self, round: usize, Size { k, .. }: Size) -> SplitK {
        let terms = self.terms.next_multiple_of(round);
        SplitK { terms, count: k.div_ceil(terms), ..self }
    }

    /// Elements from one split's results to the next one's: the product, then the sums of rows.
    pub(in super::super) fn stride(Size { m, n, .. }: Size, row_sums: bool) -> usize {
        (m * n + if row_sums { m } else { 0 }).next_multiple_of(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_term_and_fit() {
        for m in [1, 10, 64, 100, 1000] {
            for n in [1, 10, 128, 3072] {
                for k in [1, 96, 191, 192, 784, 3072, 4097, 131_072, 131_073, MOST_TERMS] {
                    let size = Size { m, n, k };
                    let Some(parts) = SplitK::of(size) else {
                        assert!(k <= MAX_TERMS_PER_SPLIT, "{size:?} is not split");
                        continue;
                    };
                    assert!(parts.terms.is_multiple_of(ROUND) && parts.terms <= MAX_TERMS_PER_SPLIT);
                    assert!((2..=MAX_SPLITS).contains(&parts.count), "{size:?}: {parts:?}");
                    assert!((parts.count - 1) * parts.terms < k && parts.count * parts.terms >= k);
                    assert_eq!(parts.in_rounds_of(ROUND, size), parts);
                    let longer = parts.in_rounds_of(32, size);
                    assert!(longer.terms.is_multiple_of(32) && longer.terms <= MAX_TERMS_PER_SPLIT);
                    assert!(longer.count <= parts.count && longer.count * longer.terms >= k);
                }
            }
        }
    }

    #[test]
    fn few_tiles_with_long_sums_are_cut_and_others_are_not() {
        let count = |m, n, k| SplitK::of(Size { m, n, k }).map_or(1, |parts| parts.count);
        assert_eq!(count(64, 128, 784), 7);
        assert_eq!(count(32, 100, 3072), 32);
        assert_eq!(count(64, 10, 128), 1);
        assert_eq!(count(128, 784, 64), 1);
        assert_eq!(count(512, 512, 4096), 1);
        assert_eq!(count(1000, 128, 784), 1);
    }
}

//! Sums that several workgroups share: split-K, with a fixed order.
//!
//! A product with few tiles and long sums leaves most of a GPU idle. So each tile's sums are cut
//! into parts of equal length, a workgroup each, which write what they found side by side; the
//! kernel that finishes the product (bias and ReLU, mask, or the optimizer's update) adds the parts
//! in their order. How many there are follows from the product's size alone: neither a tuner's
//! choice nor the timing of a run changes the order in which anything is added.

use crate::ops::matmul::Size;

/// Most terms that one workgroup adds up: every class has iterations enough for them.
pub(super) const MOST_TERMS_OF_A_PART: usize = 1 << 17;

/// Most parts of a sum.
const MOST_PARTS: usize = 32;

/// Most terms of a sum.
pub(in crate::ops) const MOST_TERMS: usize = MOST_PARTS * MOST_TERMS_OF_A_PART;

/// Terms below which a part is not worth a workgroup: six rounds of a tiled kernel.
const LEAST_TERMS: usize = 96;

/// Workgroups that keep a GPU busy: two for each unit of a middling one.
const ENOUGH_GROUPS: usize = 128;

/// Rows and columns of the smallest tile.
const TILE: usize = 32;

/// Parts end where rounds of most classes do; see [`Parts::in_rounds_of`] for the others.
const ROUND: usize = 16;

/// How sums are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Parts {
    /// How many there are, at least two.
    pub(in super::super) count: usize,
    /// Terms of each but the last, which may have fewer.
    pub(in super::super) terms: usize,
    /// Whether the sums are too long for one workgroup.
    pub(in super::super) required: bool,
}

impl Parts {
    /// How the sums of a product are cut, if it is worth it or has to be.
    pub(in super::super) fn of(Size { m, n, k }: Size) -> Option<Parts> {
        let groups = m.div_ceil(TILE) * n.div_ceil(TILE);
        let helpful = ENOUGH_GROUPS.div_ceil(groups).min(k / LEAST_TERMS);
        let needed = k.div_ceil(MOST_TERMS_OF_A_PART);
        let terms = k.div_ceil(helpful.max(needed).clamp(1, MOST_PARTS)).next_multiple_of(ROUND);
        let count = k.div_ceil(terms);
        // Half of the groups would still do without the second kernel.
        let worth_it = groups <= ENOUGH_GROUPS / 2 || needed > 1;
        (count > 1 && worth_it).then_some(Parts { count, terms, required: needed > 1 })
    }

    /// The same parts, or fewer and longer ones, for a class whose rounds are longer than what
    /// parts are multiples of.
    pub(super) fn in_rounds_of(self, round: usize, Size { k, .. }: Size) -> Parts {
        let terms = self.terms.next_multiple_of(round);
        Parts { terms, count: k.div_ceil(terms), ..self }
    }

    /// Elements from one part's results to the next one's: the product, then the sums of rows.
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
                    let Some(parts) = Parts::of(size) else {
                        assert!(k <= MOST_TERMS_OF_A_PART, "{size:?} in one part");
                        continue;
                    };
                    assert!(parts.terms.is_multiple_of(ROUND) && parts.terms <= MOST_TERMS_OF_A_PART);
                    assert!((2..=MOST_PARTS).contains(&parts.count), "{size:?}: {parts:?}");
                    assert!((parts.count - 1) * parts.terms < k && parts.count * parts.terms >= k);
                    assert_eq!(parts.in_rounds_of(ROUND, size), parts);
                    let longer = parts.in_rounds_of(32, size);
                    assert!(longer.terms.is_multiple_of(32) && longer.terms <= MOST_TERMS_OF_A_PART);
                    assert!(longer.count <= parts.count && longer.count * longer.terms >= k);
                }
            }
        }
    }

    #[test]
    fn few_tiles_with_long_sums_are_cut_and_others_are_not() {
        let count = |m, n, k| Parts::of(Size { m, n, k }).map_or(1, |parts| parts.count);
        assert_eq!(count(64, 128, 784), 7);
        assert_eq!(count(32, 100, 3072), 32);
        assert_eq!(count(64, 10, 128), 1);
        assert_eq!(count(128, 784, 64), 1);
        assert_eq!(count(512, 512, 4096), 1);
        assert_eq!(count(1000, 128, 784), 1);
    }
}

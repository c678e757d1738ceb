//! Random numbers that are a pure function of a seed, a purpose and a position.
//!
//! The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC
//! 2011, section 3.3), which maps a counter to four random words. Its only state is the counter, so
//! nothing else needs saving, and every device computes the same numbers.
//!
//! ```
//! let order = shadegrad::rng::order(7, 0, 5);
//! assert_eq!(order, shadegrad::rng::order(7, 0, 5));
//! assert_ne!(order, shadegrad::rng::order(8, 0, 5));
//! ```

use std::convert::Infallible;

use rand::TryRng;
use rand::seq::SliceRandom;

/// The purpose of random numbers. Streams of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights; the index is the parameter's.
    Init,
    /// Order of the images; the index is the epoch's.
    Shuffle,
    /// Choice of the training images that are held out for validation.
    HoldOut,
    /// Augmentation; the index is the epoch's, the position the image's.
    Augment,
    /// Dropout; the index is the layer's, the position combines step and element.
    Dropout,
}

/// An endless stream of random words.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Stream {
    /// The stream for a seed, a purpose and an index.
    pub fn new(seed: u64, purpose: Purpose, index: u32) -> Self {
        Stream { key: key(seed), counter: counter(purpose, index, 0), block: [0; 4], used: 4 }
    }

    fn next_word(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.block = philox(self.counter, self.key);
            self.used = 0;
            let (low, carry) = self.counter[0].overflowing_add(1);
            self.counter[0] = low;
            self.counter[1] += u32::from(carry);
        }
        self.used += 1;
        self.block[self.used - 1]
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.next_word());
        Ok(low | u64::from(self.next_word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The four words of a stream at a position, which counts blocks of four. Shaders compute the same
/// (`philox.wgsl`).
pub fn block(seed: u64, purpose: Purpose, index: u32, position: u64) -> [u32; 4] {
    philox(counter(purpose, index, position), key(seed))
}

/// The Philox key for a seed.
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

fn counter(purpose: Purpose, index: u32, position: u64) -> [u32; 4] {
    [position as u32, (position >> 32) as u32, index, purpose as u32]
}

/// The order of `count` images in an epoch (from 0): a permutation of `0..count`.
pub fn order(seed: u64, epoch: u32, count: usize) -> Vec<u32> {
    permutation(Stream::new(seed, Purpose::Shuffle, epoch), count)
}

/// The order in which images are held out for validation: a permutation of `0..count`.
pub fn held_out(seed: u64, count: usize) -> Vec<u32> {
    permutation(Stream::new(seed, Purpose::HoldOut, 0), count)
}

fn permutation(mut stream: Stream, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut stream);
    order
}

pub(crate) const ROUNDS: usize = 10;

/// Philox4x32-10: four pseudorandom words for every counter and key.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9E37_79B9);
            key[1] = key[1].wrapping_add(0xBB67_AE85);
        }
        let [c0, c1, c2, c3] = counter;
        let first = u64::from(c0) * 0xD251_1F53;
        let second = u64::from(c2) * 0xCD9E_8D57;
        counter = [
            (second >> 32) as u32 ^ c1 ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ c3 ^ key[1],
            first as u32,
        ];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Known answers from Random123's `kat_vectors`.
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_differ_and_repeat() {
        let words = |seed, purpose, index| {
            let mut stream = Stream::new(seed, purpose, index);
            std::array::from_fn::<u32, 9, _>(|_| stream.next_u32())
        };
        let first = words(1, Purpose::Init, 0);
        assert_eq!(first, words(1, Purpose::Init, 0));
        assert_ne!(first, words(2, Purpose::Init, 0));
        assert_ne!(first, words(1 << 32 | 1, Purpose::Init, 0));
        assert_ne!(first, words(1, Purpose::Shuffle, 0));
        assert_ne!(first, words(1, Purpose::Init, 1));
    }

    #[test]
    fn blocks_are_those_of_the_stream() {
        let mut stream = Stream::new(5 << 32 | 3, Purpose::Augment, 7);
        for position in 0..3 {
            let words = std::array::from_fn(|_| stream.next_u32());
            assert_eq!(block(5 << 32 | 3, Purpose::Augment, 7, position), words);
        }
        assert_ne!(block(3, Purpose::Augment, 7, 1 << 32), block(3, Purpose::Augment, 7, 0));
    }

    #[test]
    fn orders_are_permutations_that_change_with_the_epoch() {
        for count in [1, 2, 1000] {
            let mut sorted = order(7, 3, count);
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..count as u32));
        }
        assert_ne!(order(7, 3, 1000), order(7, 4, 1000));
        assert_ne!(order(7, 3, 1000), order(8, 3, 1000));
    }
}

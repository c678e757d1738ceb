//! Pseudorandom numbers for tests: the same in every run, different for every case.

use shadegrad::kernel::{FNV_START, fnv};

/// Inputs of ordinary size, from -1 to 1.
pub const UNIT: f32 = 1.0;
/// Inputs from -100 to 100, large arguments of exponentials.
pub const LARGE: f32 = 100.0;
/// Inputs near zero, whose squares are still normal floats.
pub const TINY: f32 = 1e-6;

/// A stream of numbers (splitmix64).
pub struct Numbers {
    state: u64,
    /// Whether floats must be exact in f16.
    in_f16: bool,
}

impl Numbers {
    /// The stream that belongs to a text.
    pub fn of(text: &str, in_f16: bool) -> Self {
        Numbers { state: fnv(FNV_START, text.as_bytes()), in_f16 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// `count` floats from `-range` to `range`.
    pub fn floats(&mut self, count: usize, range: f32) -> Vec<f32> {
        let mut float = || (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0;
        let floats = (0..count).map(|_| float() * range).collect();
        self.rounded(floats)
    }

    /// Factors that normalise pixels to numbers that f16 can represent: a scale and a shift per
    /// channel.
    pub fn exact_factors(&mut self, channels: usize) -> Vec<f32> {
        // A pixel's eight bits times a power of two, plus a shift with the same unit.
        let factors = |_| {
            let scale = 2.0f32.powi(-1 - self.below(8) as i32);
            [scale, scale * self.below(256) as f32]
        };
        (0..channels).flat_map(factors).collect()
    }

    /// The floats, rounded to the type of the case's tensors.
    pub fn rounded(&self, floats: Vec<f32>) -> Vec<f32> {
        if !self.in_f16 {
            return floats;
        }
        floats.into_iter().map(|float| half::f16::from_f32(float).to_f32()).collect()
    }

    /// `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// `count` whole numbers below `end`.
    pub fn indices(&mut self, count: usize, end: usize) -> Vec<u32> {
        (0..count).map(|_| self.below(end) as u32).collect()
    }
}

//! Changes to a file that can break a parser.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Maximum size of a changed file in bytes.
const MOST_BYTES: usize = 1 << 16;

/// Numbers at which arithmetic overflows or limits are reached: the smallest, the largest, and
/// those on both sides of where a bit is added.
static NUMBERS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let limits = [7, 8, 15, 16, 31, 32, 63].map(|bits| [(1 << bits) - 1, 1 << bits]);
    [&[0, 1, 2][..], &limits.concat(), &[u64::MAX]].concat()
});

/// The same as decimal numbers.
const DIGITS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "-9223372036854775809",
    "0.5",
    "1e308",
    "1e999",
    "-0.0",
    "1e-400",
    "00000000000000000000000000000000000000001",
];

/// One change. Positions are fractions of the file, so that they fit files of any length.
#[derive(Clone, Debug)]
pub enum Mutation {
    Flip { at: Index, bit: u8 },
    Set { at: Index, value: u8 },
    // A number of 1, 2, 4 or 8 bytes, in either byte order.
    Number { at: Index, number: Index, width: u32, big_endian: bool },
    // Replaces one of the decimal numbers.
    Digits { which: Index, digits: Index },
    // A word of the target's dictionary, inserted or written over existing bytes.
    Word { at: Index, word: Index, over: bool },
    Noise { at: Index, bytes: Vec<u8> },
    Remove { at: Index, length: usize },
    Repeat { at: Index, length: usize, times: usize },
    // A part of another sample.
    Splice { at: Index, sample: Index, from: Index, length: usize },
    Cut { at: Index },
}

/// Returns a few changes, the most productive kinds more often.
pub fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    let length = || prop_oneof![4 => 1..16_usize, 1 => 16..600_usize];
    let one = prop_oneof![
        3 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        2 => (at(), any::<u8>()).prop_map(|(at, value)| Mutation::Set { at, value }),
        3 => (at(), at(), 0..4_u32, any::<bool>()).prop_map(|(at, number, width, big_endian)| {
            Mutation::Number { at, number, width: 1 << width, big_endian }
        }),
        3 => (at(), at()).prop_map(|(which, digits)| Mutation::Digits { which, digits }),
        3 => (at(), at(), any::<bool>()).prop_map(|(at, word, over)| Mutation::Word { at, word, over }),
        1 => (at(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Mutation::Noise { at, bytes }),
        2 => (at(), length()).prop_map(|(at, length)| Mutation::Remove { at, length }),
        1 => (at(), length(), 1..40_usize)
            .prop_map(|(at, length, times)| Mutation::Repeat { at, length, times }),
        2 => (at(), at(), at(), length()).prop_map(|(at, sample, from, length)| {
            Mutation::Splice { at, sample, from, length }
        }),
        1 => at().prop_map(|at| Mutation::Cut { at }),
    ];
    vec(one, 1..6)
}

impl Mutation {
    /// Applies the change to `bytes`. `samples` and `dictionary` are those of the target.
    pub fn apply(&self, bytes: &mut Vec<u8>, samples: &[Vec<u8>], dictionary: &[&[u8]]) {
        let end = bytes.len() + 1;
        let place = |at: &Index| at.index(end);
        match self {
            Mutation::Flip { at, bit } => overwrite(bytes, place(at), |byte| byte ^ (1 << bit)),
            Mutation::Set { at, value } => overwrite(bytes, place(at), |_| *value),
            Mutation::Number { at, number, width, big_endian } => {
                let number = NUMBERS[number.index(NUMBERS.len())];
                let width = *width as usize;
                let piece = match big_endian {
                    true => &number.to_be_bytes()[8 - width..],
                    false => &number.to_le_bytes()[..width],
                };
                write_over(bytes, place(at), piece);
            }
            Mutation::Digits { which, digits } => {
                let runs = runs_of_digits(bytes);
                if let Some(run) = which.get_checked(&runs) {
                    let digits = DIGITS[digits.index(DIGITS.len())];
                    bytes.splice(run.clone(), digits.bytes());
                }
            }
            Mutation::Word { at, word, over } => {
                if let Some(word) = word.get_checked(dictionary) {
                    let at = place(at);
                    if *over { write_over(bytes, at, word) } else { insert(bytes, at, word) }
                }
            }
            Mutation::Noise { at, bytes: noise } => insert(bytes, place(at), noise),
            Mutation::Remove { at, length } => {
                let at = place(at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Mutation::Repeat { at, length, times } => {
                let at = place(at);
                let piece = bytes[at..(at + length).min(bytes.len())].repeat(*times);
                insert(bytes, at, &piece);
            }
            Mutation::Splice { at, sample, from, length } => {
                let sample = &samples[sample.index(samples.len())];
                let from = from.index(sample.len() + 1);
                insert(bytes, place(at), &sample[from..(from + length).min(sample.len())]);
            }
            Mutation::Cut { at } => bytes.truncate(place(at)),
        }
        bytes.truncate(MOST_BYTES);
    }
}

/// It can only fail for an empty list, and there is none.
trait Checked {
    fn get_checked<'a, T>(&self, all: &'a [T]) -> Option<&'a T>;
}

impl Checked for Index {
    fn get_checked<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| self.get(all))
    }
}

fn overwrite(bytes: &mut [u8], at: usize, new: impl Fn(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = new(*byte);
    }
}

fn write_over(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let end = (at + piece.len()).min(bytes.len());
    bytes.splice(at..end, piece.iter().copied());
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn runs_of_digits(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

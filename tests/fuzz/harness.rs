//! Runs a parser on changed files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rand::RngExt;
use shadegrad::rng::{Purpose, Stream};
use shadegrad::{Error, ErrorKind};
use tempfile::TempDir;

use super::mutation::mutations;

/// Number of changed files for each parser, unless `PROPTEST_CASES` sets another.
const CASES: u32 = 20_000;

/// Samples up to this size in bytes are cut at every length, longer ones at this many lengths.
const ALL_LENGTHS: usize = 8 << 10;
const SOME_LENGTHS: usize = 200;

/// Number of bits that are flipped in each sample, one at a time.
const FLIPS: usize = 2000;

/// Seed of the random numbers, unless `PROPTEST_RNG_SEED` sets another.
const SEED: u64 = 20_261_125;

/// Time after which a case counts as hanging. The slowest takes milliseconds, but a loaded machine
/// may suspend a process for seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Valid files of a parser, and what is known about them.
pub struct Target {
    /// Name of the target's folder.
    pub name: &'static str,
    /// Valid files.
    pub samples: Vec<Vec<u8>>,
    /// Words with a meaning in these files.
    pub dictionary: &'static [&'static [u8]],
    /// Repairs checksums and lengths in half of the cases. Without repair, no case would pass them.
    pub mend: Option<fn(Vec<u8>) -> Vec<u8>>,
}

/// The words of a file in `tests/fuzz/dictionaries`.
macro_rules! dictionary {
    ($name:literal) => {
        $crate::harness::words(include_str!(concat!("dictionaries/", $name, ".dict")))
    };
}
pub(crate) use dictionary;

/// The words of a dictionary in the format of AFL and libFuzzer: one in quotes on each line, and
/// `\xNN` for a byte.
pub fn words(text: &str) -> &'static [&'static [u8]] {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| &*word(line).leak()).collect::<Vec<&[u8]>>().leak()
}

fn word(line: &str) -> Vec<u8> {
    let quoted = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let mut bytes = quoted.unwrap_or_else(|| panic!("{line} is no word")).bytes();
    let mut word = Vec::new();
    while let Some(byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next() } else { Some(byte) };
        word.push(match escaped.expect("a letter follows a backslash") {
            b'x' if byte == b'\\' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit().expect("a digit"), digit().expect("a second digit"));
                (16 * high + low) as u8
            }
            letter => letter,
        });
    }
    word
}

/// A changed file.
pub struct Case<'a> {
    /// Index of the sample.
    pub sample: usize,
    /// The original bytes.
    pub original: &'a [u8],
    /// The changed bytes.
    pub bytes: Vec<u8>,
    /// A folder that contains only the files of the target.
    pub folder: &'a Path,
}

impl Case<'_> {
    /// Writes the file to the folder.
    pub fn write(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, &self.bytes).expect("the folder is writable");
        path
    }
}

/// Passes all cases to `parse`: truncated samples, samples with a flipped bit, and randomly changed
/// samples. `parse` returns whether the file was accepted, and panics if the parser misbehaves.
///
/// Some of the random cases must be accepted and some rejected. Otherwise none would pass the first
/// check.
pub fn fuzz(target: &Target, parse: impl Fn(&Case<'_>) -> bool) {
    let folder = folder(target.name);
    let watchdog = Watchdog::watch(folder.path());
    let parse = |sample: usize, bytes: Vec<u8>| {
        let taken = parse(&Case { sample, original: &target.samples[sample], bytes, folder: folder.path() });
        watchdog.cases.fetch_add(1, Ordering::Relaxed);
        taken
    };
    damage(target, &parse);
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let strategy = (any::<Index>(), mutations(), any::<bool>());
    let config = repetitions();
    let tested = TestRunner::new(config.clone()).run(&strategy, |(sample, mutations, mended)| {
        let sample = sample.index(target.samples.len());
        let mut bytes = target.samples[sample].clone();
        for mutation in &mutations {
            mutation.apply(&mut bytes, &target.samples, target.dictionary);
        }
        if let Some(mend) = target.mend.filter(|_| mended) {
            bytes = mend(bytes);
        }
        counts[usize::from(parse(sample, bytes))].fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    if let Err(failure) = tested {
        panic!("{}: {failure}", target.name);
    }
    let [refused, taken] = counts.map(AtomicUsize::into_inner);
    println!("{}: {taken} cases taken, {refused} refused", target.name);
    assert_eq!(taken + refused, config.cases as usize);
    let fewest = config.cases as usize / 2000;
    assert!(taken.min(refused) >= fewest, "{}: {taken} taken, {refused} refused", target.name);
}

fn repetitions() -> Config {
    let standard = Config::default();
    let is_said = |variable| std::env::var_os(variable).is_some();
    Config {
        cases: if is_said("PROPTEST_CASES") { standard.cases } else { CASES },
        rng_seed: if is_said("PROPTEST_RNG_SEED") { standard.rng_seed } else { RngSeed::Fixed(SEED) },
        // The cases are the same in every run, so failures need not be persisted.
        failure_persistence: None,
        ..standard
    }
}

/// Cuts every sample at every length, or long samples at some lengths. Flips bits, all of them in
/// short samples.
fn damage(target: &Target, parse: &dyn Fn(usize, Vec<u8>) -> bool) {
    let mut random = Stream::new(SEED, Purpose::Init, 0);
    for (sample, original) in target.samples.iter().enumerate() {
        let lengths: Vec<usize> = match original.len() {
            short if short <= ALL_LENGTHS => (0..short).collect(),
            long => (0..SOME_LENGTHS).map(|_| random.random_range(0..long)).collect(),
        };
        for length in lengths {
            let _told = Told(format!("sample {sample} of {}, cut to {length} bytes", target.name));
            parse(sample, original[..length].to_vec());
        }
        let bits: Vec<usize> = match 8 * original.len() {
            few if few <= FLIPS => (0..few).collect(),
            many => (0..FLIPS).map(|_| random.random_range(0..many)).collect(),
        };
        for bit in bits {
            let _told = Told(format!("sample {sample} of {}, bit {bit} flipped", target.name));
            let mut bytes = original.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            parse(sample, bytes);
        }
    }
}

/// The current case, which is printed on a panic.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was {}", self.0);
        }
    }
}

/// A folder that remains if the program is aborted. It is in memory if the system supports that,
/// because every case is a file.
fn folder(name: &str) -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    let builder = tempfile::Builder::new().prefix(&format!("fuzz-{name}-")).tempdir_in(parent);
    builder.expect("a temporary folder")
}

/// Returns whether the file was accepted. An error must be of one of these kinds, with one line of
/// message and one of advice.
pub fn taken<T>(result: Result<T, Error>, kinds: &[ErrorKind]) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            assert!(kinds.contains(&error.kind()), "{:?}: {message}", error.kind());
            for line in [message, error.advice().unwrap_or_default()] {
                assert!(!line.contains(char::is_control), "not one plain line: {line:?}");
                assert!(line.chars().count() <= 1001, "nobody reads that: {line}");
            }
            None
        }
    }
}

/// Aborts the program if a case hangs.
struct Watchdog {
    cases: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watchdog {
    fn watch(folder: &Path) -> Self {
        let (cases, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, over, folder) = (Arc::clone(&cases), Arc::clone(&is_over), folder.to_owned());
        let thread = std::thread::spawn(move || {
            let (mut before, mut since) = (0, Instant::now());
            while !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(PATIENCE / 10);
                let now = seen.load(Ordering::Relaxed);
                if now != before {
                    (before, since) = (now, Instant::now());
                } else if since.elapsed() > PATIENCE {
                    eprintln!("a case hangs: see {}", folder.display());
                    std::process::abort();
                }
            }
        });
        Watchdog { cases, is_over, thread: Some(thread) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().ok();
        }
    }
}

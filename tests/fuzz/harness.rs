//! Runs a parser over changed files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use shadegrad::{Error, ErrorKind};
use tempfile::TempDir;

use super::mutation::mutations;

/// Changed files for each parser, where `PROPTEST_CASES` says nothing else.
const CASES: u32 = 20_000;

/// Where the random numbers begin, unless `PROPTEST_RNG_SEED` says.
const SEED: u64 = 20_261_125;

/// How long one case may take before it counts as hanging. The slowest takes milliseconds; a loaded machine
/// may stop a process for seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A parser's valid files, and what is known about them.
pub struct Target {
    /// Of its folder.
    pub name: &'static str,
    /// What a parser takes.
    pub samples: Vec<Vec<u8>>,
    /// Words that mean something in its files.
    pub dictionary: &'static [&'static [u8]],
    /// Makes checksums and lengths right again, in half of the cases: without, nothing gets behind them.
    pub mend: Option<fn(Vec<u8>) -> Vec<u8>>,
}

/// A changed file.
pub struct Case<'a> {
    /// Which of the samples it was.
    pub sample: usize,
    /// What that was.
    pub original: &'a [u8],
    /// What it is now.
    pub bytes: Vec<u8>,
    /// A folder that is empty but for what the target put there.
    pub folder: &'a Path,
}

impl Case<'_> {
    /// Writes the file into the folder.
    pub fn write(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, &self.bytes).expect("the folder is writable");
        path
    }
}

/// Feeds all cases to `parse`, which panics where a parser does what it must not, and says whether the
/// file was taken.
///
/// Both must happen: a parser that takes no case was not reached behind its first check.
pub fn fuzz(target: &Target, parse: impl Fn(&Case<'_>) -> bool) {
    let folder = folder(target.name);
    let standard = Config::default();
    let is_said = |variable| std::env::var_os(variable).is_some();
    let config = Config {
        cases: if is_said("PROPTEST_CASES") { standard.cases } else { CASES },
        rng_seed: if is_said("PROPTEST_RNG_SEED") { standard.rng_seed } else { RngSeed::Fixed(SEED) },
        // The cases are the same in every run: there is nothing to remember.
        failure_persistence: None,
        ..standard
    };
    let watchdog = Watchdog::watch(folder.path());
    let (taken, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let strategy = (any::<Index>(), mutations(), any::<bool>());
    let tested = TestRunner::new(config.clone()).run(&strategy, |(sample, mutations, mended)| {
        let sample = sample.index(target.samples.len());
        let original = &target.samples[sample];
        let mut bytes = original.clone();
        for mutation in &mutations {
            mutation.apply(&mut bytes, &target.samples, target.dictionary);
        }
        let mend = target.mend.filter(|_| mended);
        let bytes = mend.map_or_else(|| bytes.clone(), |mend| mend(bytes.clone()));
        let case = Case { sample, original, bytes, folder: folder.path() };
        let counter = if parse(&case) { &taken } else { &refused };
        counter.fetch_add(1, Ordering::Relaxed);
        watchdog.cases.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    if let Err(failure) = tested {
        panic!("{}: {failure}", target.name);
    }
    let counts = [taken, refused].map(AtomicUsize::into_inner);
    println!("{}: {} cases taken, {} refused", target.name, counts[0], counts[1]);
    assert_eq!(counts[0] + counts[1], config.cases as usize);
    let fewest = config.cases as usize / 2000;
    assert!(counts.iter().all(|&count| count >= fewest), "{}: one-sided: {counts:?}", target.name);
}

/// A folder that stays where it is when the program is aborted; in memory where the system has a place for
/// that, because every case is a file.
fn folder(name: &str) -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    let builder = tempfile::Builder::new().prefix(&format!("fuzz-{name}-")).tempdir_in(parent);
    builder.expect("a temporary folder")
}

/// Whether the file was taken; an error must be of one of these kinds, in one line and one of advice.
pub fn taken<T>(result: Result<T, Error>, kinds: &[ErrorKind]) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            assert!(kinds.contains(&error.kind()), "{:?}: {message}", error.kind());
            for line in [message.as_str(), error.advice().unwrap_or_default()] {
                assert!(!line.contains(char::is_control), "not one plain line: {line:?}");
                assert!(line.chars().count() <= 1001, "nobody reads that: {line}");
            }
            None
        }
    }
}

/// Ends the program where a case takes for ever.
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

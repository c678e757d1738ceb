//! Runs the program in its own folder, without the developer's environment variables.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::samples::program::program;

/// A folder to run the program in, removed at the end of the test.
pub struct Sandbox {
    folder: TempDir,
}

/// The result of a run of the program.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Sandbox { folder: TempDir::new().expect("a temporary folder") }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), contents).expect("the folder is writable");
    }

    /// The text of a file in the folder.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The JSON value in a file.
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The metrics of the epochs of a run.
    pub fn metrics(&self, run: &str) -> Vec<Value> {
        let text = self.read(&format!("{run}/metrics.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// Changes the last bit of a file: of a label, of a pixel or of a weight.
    pub fn spoil(&self, name: &str) {
        let path = self.path().join(name);
        let mut bytes = fs::read(&path).expect("it is readable");
        *bytes.last_mut().expect("it is not empty") ^= 1;
        fs::write(path, bytes).expect("it is writable");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).expect("it is there");
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path().join(from), self.path().join(to)).expect("it is there");
    }

    /// Creates a folder.
    pub fn folder(&self, name: &str) {
        fs::create_dir_all(self.path().join(name)).expect("the folder is writable");
    }

    /// Copies the files of a data set into a new folder.
    pub fn copy(&self, data: impl AsRef<Path>, name: &str) {
        self.folder(name);
        for entry in fs::read_dir(data).expect("the data are there") {
            let file = entry.expect("it is readable").path();
            let place = self.path().join(name).join(file.file_name().expect("a file"));
            fs::copy(&file, place).expect("it can be copied");
        }
    }

    /// The program with these arguments, to be run in the folder.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = program(self.path(), arguments);
        // A tuning cache shared by all tests, so that kernels are tuned once.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command
    }

    /// Runs the program with these arguments.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome {
        finish(&mut self.command(arguments))
    }
}

/// Runs the program in a folder of its own.
pub fn shadegrad(arguments: &[&str]) -> Outcome {
    Sandbox::new().run(arguments)
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Outcome {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    let outcome = Outcome { code: status.code(), stdout: text(stdout), stderr: text(stderr) };
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    outcome
}

/// Asserts that the program succeeded.
#[track_caller]
pub fn fine(outcome: Outcome) -> Outcome {
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    outcome
}

/// Hides GPU drivers.
pub fn without_gpu(command: &mut Command) -> &mut Command {
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        command.env(variable, "/nonexistent");
    }
    command
}

impl Outcome {
    /// The JSON objects of standard output; checks that each has a schema and an event name.
    pub fn events(&self) -> Vec<Value> {
        let events = self.stdout.lines().map(|line| {
            let event: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{self:#?}"));
            assert_eq!(event["schema"], 1, "{line}");
            assert!(event["event"].is_string(), "{line}");
            event
        });
        events.collect()
    }

    /// Asserts that the program failed with this code, printed one line for the error and at most
    /// one for what to do, and printed no result.
    pub fn refused(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        match self.stderr.lines().collect::<Vec<_>>()[..] {
            [error] => assert!(error.starts_with("error: "), "{self:#?}"),
            [error, help] => {
                assert!(error.starts_with("error: ") && help.starts_with("help: "), "{self:#?}");
            }
            _ => panic!("not one or two lines: {self:#?}"),
        }
        self
    }

    /// Asserts that the error line contains all of these.
    pub fn because(&self, fragments: &[&str]) {
        let error = self.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        for fragment in fragments {
            assert!(error.contains(fragment), "no {fragment:?} in: {error}");
        }
    }
}

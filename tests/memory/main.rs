//! Memory use of runs and readers. Each test runs in its own process, because it measures the
//! memory of the whole process.

#[cfg(target_os = "linux")]
mod data;
mod leaks;
#[cfg(target_os = "linux")]
mod pictures;
mod plans;
#[path = "../samples/mod.rs"]
mod samples;

use std::process::Command;

use libtest_mimic::Trial;

/// Set in the processes of single tests.
const APART: &str = "SHADEGRAD_TEST_APART";

const TESTS: &[(&str, fn())] = &[
    #[cfg(target_os = "linux")]
    ("bombs_are_refused_before_they_fill_the_memory", data::bombs_are_refused_before_they_fill_the_memory),
    ("five_thousand_steps_leave_nothing_behind", leaks::five_thousand_steps_leave_nothing_behind),
    #[cfg(target_os = "linux")]
    (
        "many_large_pictures_take_no_more_memory_than_one",
        pictures::many_large_pictures_take_no_more_memory_than_one,
    ),
    ("a_run_takes_the_memory_that_was_said", plans::a_run_takes_the_memory_that_was_said),
];

fn main() {
    let is_apart = std::env::var_os(APART).is_some();
    let trial = |&(name, test): &(&'static str, fn())| {
        Trial::test(name, move || {
            if is_apart {
                test();
            } else {
                run_apart(name);
            }
            Ok(())
        })
    };
    samples::trials::run(TESTS.iter().map(trial).collect());
}

/// Runs the test of this name in a process of its own. Panics with what it printed if it fails.
fn run_apart(name: &str) {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args(["--exact", name])
        .env(APART, "1")
        .output()
        .expect("this program can be started again");
    let [printed, said] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{printed}{said}");
    assert!(printed.contains("1 passed"), "{printed}");
}

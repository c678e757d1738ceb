//! `train --dashboard`, opened in a real browser and tested with raw requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::cli::browser::Browser;
use crate::cli::support::Sandbox;
use crate::cli::training::data;

/// A run with a dashboard.
struct Run {
    child: Child,
    /// `127.0.0.1:7878`
    place: String,
}

/// Starts a run of this many epochs, recorded in `run`.
fn start(sandbox: &Sandbox, epochs: &str, more: &[&str]) -> Run {
    let data = data();
    let arguments =
        ["train", "--data", &data, "--model", "linear:8,relu", "--batch-size", "16", "--device", "cpu"];
    let arguments = [&arguments[..], &["--epochs", epochs, "--quiet", "--out", "run"], more].concat();
    let mut command = sandbox.command(&arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut note = String::new();
    BufReader::new(child.stderr.take().expect("it is piped")).read_line(&mut note).expect("it says UTF-8");
    let place = note.trim().strip_prefix("note: the dashboard is at http://").expect("it says where");
    Run { child, place: place.trim_end_matches('/').to_owned() }
}

impl Run {
    fn interrupt(&self) {
        let sent = std::process::Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(sent.expect("there is a kill").success());
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().expect("the program ends").code()
    }

    /// Waits until the page exists.
    fn wait(&self) {
        while !self.ask("/", "localhost").starts_with("HTTP/1.1 200") {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The complete response to a request.
    fn ask(&self, target: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(&self.place).expect("it listens");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Run {
    /// A failed test leaves no run behind.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The numbers in the page.
const DATA: &str = "JSON.parse(document.querySelector('#data').textContent)";

fn epochs_in(data: &Value) -> Vec<Value> {
    data["epochs"].as_array().expect("a list").clone()
}

fn assert_same(shown: &[Value], sandbox: &Sandbox) {
    let metrics = sandbox.metrics("run");
    for (shown, expected) in shown.iter().zip(&metrics) {
        for (key, value) in shown.as_object().expect("an object") {
            // A browser writes 1.0 as 1.
            assert_eq!(value.as_f64(), expected[key].as_f64(), "{key}");
        }
    }
    assert!(metrics.len() >= shown.len());
}

#[cfg(unix)]
#[test]
fn the_page_follows_the_run_to_its_end() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, "100000", &["--dashboard", "0"]);
    let place = run.place.clone();
    run.wait();
    let browser = Browser::open();
    browser.go(&format!("http://{place}/"));
    browser.wait_for("document.querySelector('.live p').textContent.startsWith('Epoch ')");
    let said = browser.text(".live p");
    for what in [" of 100000, step ", " of 14 · loss ", " · accuracy ", " images/s · ", " left"] {
        assert!(said.contains(what), "no {what:?} in {said}");
    }
    // The page updates itself: a script's changes to it would not survive a reload.
    browser.value("window.mark = 'here'");
    let before = epochs_in(&browser.value(DATA));
    browser.wait_for(&format!("{DATA}.epochs.length > {} + 2", before.len()));
    let after = epochs_in(&browser.value(DATA));
    assert_eq!(before[..], after[..before.len()]);
    assert_same(&after, &sandbox);
    assert_eq!(browser.text(".figures dt"), "Test accuracy");

    run.interrupt();
    browser.wait_for("document.querySelector('.live').classList.contains('over')");
    assert_eq!(run.code(), Some(130));
    let said = browser.text(".live p");
    assert!(said.starts_with("The run has ended early: stopped at step "), "{said}");
    assert_same(&epochs_in(&browser.value(DATA)), &sandbox);
    assert_eq!(browser.value("window.mark"), "here");
    assert!(browser.text("main").contains("the run ended early"));
    assert!(TcpStream::connect(&place).is_err(), "it still listens");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn who_watches_to_the_end_sees_the_whole_report() {
    let sandbox = Sandbox::new();
    let browser = Browser::open();
    let run = start(&sandbox, "2000", &["--dashboard", "0"]);
    run.wait();
    browser.go(&format!("http://{}/", run.place));
    browser.wait_for("document.querySelector('.live').classList.contains('over')");
    assert_eq!(run.code(), Some(0));
    assert!(browser.text(".live p").starts_with("The run has ended: test accuracy "));
    let kept = sandbox.read("run/report.html");
    let shown = browser.value(DATA);
    assert_eq!(epochs_in(&shown).len(), 2000);
    assert_same(&epochs_in(&shown), &sandbox);
    let data = browser.value("document.querySelector('#data').textContent");
    assert!(kept.contains(data.as_str().expect("text")), "what is kept is not what was shown");
    assert_eq!(browser.value("document.querySelectorAll('.matrix').length"), 1);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn only_this_computer_by_its_own_name_may_read() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, "100000", &["--dashboard", "0"]);
    run.wait();
    let port = run.place.rsplit(':').next().expect("there is a port");
    for host in ["127.0.0.1", "localhost", "[::1]", &run.place, &format!("LocalHost:{port}")] {
        let answer = run.ask("/", host);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("</main>"), "{host}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
    }
    for host in ["evil.example", "localhost.evil.example", &format!("evil.example:{port}"), ""] {
        for target in ["/", "/events?seen=0"] {
            let answer = run.ask(target, host);
            assert!(
                answer.starts_with("HTTP/1.1 403 ") && !answer.contains("six-classes"),
                "{host}: {answer}"
            );
        }
    }
    assert!(run.ask("/etc/passwd", "localhost").starts_with("HTTP/1.1 404 "));
    // On Linux, all of 127.0.0.0/8 is this computer. A server that listens on all interfaces would
    // answer there.
    #[cfg(target_os = "linux")]
    assert!(TcpStream::connect(format!("127.0.0.2:{port}")).is_err(), "it listens at other addresses");
}

#[cfg(target_os = "linux")]
#[test]
fn another_address_is_listened_at_on_request() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, "100000", &["--dashboard", "0", "--dashboard-address", "127.0.0.2"]);
    assert!(run.place.starts_with("127.0.0.2:"), "{}", run.place);
    run.wait();
    assert!(run.ask("/", &run.place).starts_with("HTTP/1.1 200 "));
}

#[test]
fn watchers_that_misbehave_change_nothing_about_the_run() {
    let hash = |sandbox: &Sandbox| {
        let log = sandbox.read("run/log.txt");
        log.trim_end().rsplit(' ').next().expect("it ends with a hash").to_owned()
    };
    let (alone, watched) = (Sandbox::new(), Sandbox::new());
    assert_eq!(start(&alone, "1000", &["--dashboard", "0"]).code(), Some(0));
    let run = start(&watched, "1000", &["--dashboard", "0"]);
    let connect = || TcpStream::connect(&run.place).expect("it listens");
    // Silent clients, more than there is room for; clients that ask and never read, and clients
    // that leave.
    let silent: Vec<_> = (0..20).map(|_| connect()).collect();
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"GET /events?seen=0 HTTP/1.1\r\nHost: localhost\r\n\r\n").ok();
            stream
        })
        .collect();
    for _ in 0..20 {
        connect().write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").ok();
        connect().write_all(&[0, 255, 13, 10]).ok();
    }
    assert_eq!(run.code(), Some(0));
    drop((silent, deaf));
    assert_eq!(hash(&alone), hash(&watched));
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_happens() {
    let sandbox = Sandbox::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let data = data();
    let train = |more: &[&str]| sandbox.run(&[&["train", "--data", &data, "--out", "run"], more].concat());
    train(&["--dashboard", &port]).refused(2).because(&["--dashboard: cannot listen at 127.0.0.1:", &port]);
    train(&["--dashboard", "65536"]).refused(2).because(&["--dashboard 65536", "must be a port"]);
    train(&["--dashboard", "lab-cifar10"]).refused(2).because(&["put a preset before"]);
    train(&["--dashboard-address", "::1"]).refused(2).because(&["--dashboard"]);
    train(&["--dashboard", "--dashboard-address", "here"]).refused(2).because(&["--dashboard-address here"]);
    assert!(!sandbox.path().join("run").exists());
}

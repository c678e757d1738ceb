//! `report.html`, opened in a real browser: its numbers are those of the run.

use std::path::Path;

use serde_json::Value;

use crate::browser::Browser;
use crate::support::{Sandbox, finish};
use crate::training::data;

/// A run of five epochs in `run`.
fn run(sandbox: &Sandbox) {
    let data = data();
    let arguments =
        ["train", "--data", &data, "--model", "linear:8,relu", "--batch-size", "16", "--epochs", "5"];
    let outcome = sandbox.run(&[&arguments[..], &["--device", "cpu", "--quiet", "--out", "run"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
}

fn metrics(run: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(run.join("metrics.jsonl")).expect("there are metrics");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The number at the beginning of a text, as people read it: `89.59%` is 0.8959.
fn number(text: &str) -> f64 {
    let plain = text.replace(',', "");
    match plain.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().expect("a number") / 100.0,
        None => plain.parse().unwrap_or_else(|_| panic!("{text:?} is no number")),
    }
}

/// Whether a number that people read is this one, to four digits or a hundredth of a percent.
#[track_caller]
fn assert_shows(text: &str, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    let error = (number(text) - expected).abs();
    assert!(error <= 6e-4 * expected.abs() || error <= 5.1e-5, "{text} is not {expected}");
}

#[test]
fn the_page_shows_what_the_run_measured() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let folder = sandbox.path().join("run");
    let metrics = metrics(&folder);
    assert!(metrics.len() > 2, "a curve needs points");
    let browser = Browser::open();
    browser.open_file(&folder.join("report.html"));

    // For programs: the same numbers, to the last digit.
    let data = browser.value("JSON.parse(document.querySelector('#data').textContent)");
    let epochs = data["epochs"].as_array().expect("a list");
    assert_eq!(epochs.len(), metrics.len());
    let keys: Vec<_> = epochs[0].as_object().expect("an object").keys().collect();
    for (epoch, expected) in epochs.iter().zip(&metrics) {
        // A browser writes 1.0 as 1.
        keys.iter().for_each(|key| assert_eq!(epoch[key].as_f64(), expected[key].as_f64(), "{key}"));
    }

    // For people: every cell of the table, and the best epoch on top.
    for (index, expected) in metrics.iter().enumerate() {
        for key in &keys {
            let cell = format!(".epochs tbody tr:nth-child({}) [data-key={key}]", index + 1);
            match key.as_str() {
                "seconds" | "images_per_second" => assert!(number(&browser.text(&cell)) >= 0.0),
                _ => assert_shows(&browser.text(&cell), &expected[key]),
            }
        }
    }
    let accuracy = |epoch: &&Value| epoch["test_accuracy"].as_f64().expect("a number");
    let best = metrics.iter().rev().max_by(|one, other| accuracy(one).total_cmp(&accuracy(other)));
    let best = best.expect("there are epochs");
    let headline = browser.value("document.querySelector('.figures dd').firstChild.textContent");
    assert_shows(headline.as_str().expect("text"), &best["test_accuracy"]);

    // The evaluation is of the same model on the same images.
    let right: u64 =
        (0..6).map(|class| data["test"]["confusion"][class][class].as_u64().expect("a count")).sum();
    let images = data["test"]["images"].as_u64().expect("a count");
    assert!((right as f64 / images as f64 - accuracy(&best)).abs() < 1e-9, "{right} of {images}");
    let shown = browser.value(
        "[...document.querySelectorAll('.matrix tbody tr')].map((row, class_) => row.cells[class_ + 1].textContent)",
    );
    let shown: u64 =
        shown.as_array().expect("a list").iter().map(|cell| number(cell.as_str().unwrap()) as u64).sum();
    assert_eq!(shown, right);
    let mistakes = browser.value("document.querySelectorAll('.mistakes li').length");
    assert_eq!(mistakes.as_u64(), Some((images - right).min(24)));

    // Every picture can be decoded, and nothing was fetched.
    let pictures = "[...document.images].every((image) => image.complete && image.naturalWidth === 4)";
    assert_eq!(browser.value(pictures), true);
    assert_eq!(browser.value("performance.getEntriesByType('resource').length"), 0);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn pointing_at_a_curve_tells_its_numbers() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let folder = sandbox.path().join("run");
    let metrics = metrics(&folder);
    let browser = Browser::open();
    browser.resize(1400);
    browser.open_file(&folder.join("report.html"));
    let reading = |key: &str| browser.text(&format!(".reading[data-key={key}] b"));
    let shows = |epoch: &Value| {
        for key in ["train_loss", "test_loss", "train_accuracy", "test_accuracy", "learning_rate"] {
            assert_shows(&reading(key), &epoch[key]);
        }
        assert_eq!(browser.text(".chart .epoch"), epoch["epoch"].to_string());
    };
    let last = metrics.last().expect("there are epochs");
    shows(last);

    let plot = browser.value("document.querySelector('.plot').getBoundingClientRect().toJSON()");
    let [x, y, width] = ["x", "y", "width"].map(|side| plot[side].as_f64().expect("a number"));
    for (index, epoch) in metrics.iter().enumerate() {
        let share = index as f64 / (metrics.len() - 1) as f64;
        browser.point(x + share * width, y + 50.0);
        shows(epoch);
        // The mark is on the curve: as far to the right as the pointer, and in every chart.
        let marks =
            browser.value("[...document.querySelectorAll('.cursor')].map((mark) => mark.getBBox().x)");
        let marks = marks.as_array().expect("a list");
        assert_eq!(marks.len(), 4);
        assert!(marks.iter().all(|mark| (mark.as_f64().unwrap() - 100.0 * share).abs() < 0.01), "{marks:?}");
    }
    browser.point(x, y - 400.0);
    shows(last);

    // The same without a pointer.
    browser.value("document.querySelector('.chart').focus()");
    browser.press("ArrowLeft");
    shows(&metrics[metrics.len() - 2]);
    browser.press("ArrowRight");
    shows(last);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_fits_narrow_and_wide_and_likes_the_dark() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let browser = Browser::open();
    let colours = "(() => { const style = getComputedStyle(document.documentElement);
        return [style.backgroundColor, style.color].map((colour) => +colour.match(/\\d+/)[0]); })()";
    for (scheme, dark) in [("light", false), ("dark", true)] {
        browser.prefer(scheme);
        for width in [320, 400, 800, 1400] {
            browser.resize(width);
            browser.open_file(&sandbox.path().join("run/report.html"));
            let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(browser.value(fits), true, "{width} pixels are too few");
            let colours = browser.value(colours);
            let [paper, ink] = [0, 1].map(|index| colours[index].as_u64().expect("red, 0 to 255"));
            assert_eq!(paper < ink, dark, "{scheme}: ink {ink} on paper {paper}");
            assert!(paper.abs_diff(ink) > 150, "{scheme}: ink {ink} on paper {paper}");
        }
    }
}

#[test]
fn a_run_without_its_data_still_has_a_report() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let config = std::fs::read_to_string(sandbox.path().join("run/config.toml")).expect("it is readable");
    let moved = config.replace("six-classes-5x4", "gone");
    std::fs::write(sandbox.path().join("run/config.toml"), moved).expect("it is writable");
    std::fs::remove_file(sandbox.path().join("run/report.html")).expect("there was one");
    let outcome = sandbox.run(&["report", "run", "--json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let event = &outcome.events()[0];
    assert!(event["missing"].as_str().is_some_and(|why| why.contains("gone")), "{event}");
    assert!(outcome.stderr.contains("gone"), "{outcome:#?}");
    let browser = Browser::open();
    browser.open_file(&sandbox.path().join("run/report.html"));
    let page = browser.text("main");
    assert!(page.contains("the data set cannot be read"), "{page}");
    assert_eq!(browser.value("document.querySelectorAll('.matrix, .mistakes').length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('.chart polyline').length"), 6);
    assert_eq!(browser.value("document.querySelectorAll('.units img').length > 0"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn other_images_than_the_runs_are_not_judged() {
    let (sandbox, data) = (Sandbox::new(), files());
    let run =
        ["train", "--data", "mine", "--model", "linear:4", "--max-steps", "2", "--device", "cpu", "--quiet"];
    data.iter().for_each(|(name, bytes)| sandbox.write(name, bytes));
    std::fs::create_dir(sandbox.path().join("mine")).expect("it is new");
    let place = |sandbox: &Sandbox| {
        for (name, _) in &data {
            std::fs::copy(sandbox.path().join(name), sandbox.path().join("mine").join(name))
                .expect("it is there");
        }
    };
    place(&sandbox);
    let outcome = sandbox.run(&[&run[..], &["--out", "run"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(sandbox.run(&["report", "run", "--json"]).events()[0]["missing"], Value::Null);
    let (labels, mut bytes) =
        data.iter().find(|(name, _)| name.starts_with("t10k-labels")).cloned().expect("it is");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(sandbox.path().join("mine").join(labels), bytes).expect("it is writable");
    let event = sandbox.run(&["report", "run", "--json"]).events().remove(0);
    assert!(event["missing"].as_str().is_some_and(|why| why.contains("not those")), "{event}");
}

/// The files of the small data set.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data/six-classes-5x4");
    let entries = std::fs::read_dir(folder).expect("it is there");
    let read = |entry: std::fs::DirEntry| {
        (
            entry.file_name().into_string().expect("plain"),
            std::fs::read(entry.path()).expect("it is readable"),
        )
    };
    entries.map(|entry| read(entry.expect("an entry"))).collect()
}

#[test]
fn a_run_that_is_stopped_has_a_report() {
    let sandbox = Sandbox::new();
    // Diverges at once.
    let data = data();
    let arguments = [
        "train", "--data", &data, "--lr", "1e30", "--device", "cpu", "--quiet", "--out", "run", "--epochs",
        "3",
    ];
    let outcome = finish(&mut sandbox.command(&arguments));
    assert_eq!(outcome.code, Some(5), "{outcome:#?}");
    let page = std::fs::read_to_string(sandbox.path().join("run/report.html")).expect("there is a report");
    assert!(page.contains("the run ended early (training diverged"), "{page}");
}

#[test]
fn what_is_no_run_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(&["report", "nothing"]).refused(6).because(&["nothing is not a run"]);
    run(&sandbox);
    for name in ["run.json", "metrics.jsonl"] {
        let path = sandbox.path().join("run").join(name);
        let whole = std::fs::read(&path).expect("it is readable");
        std::fs::write(&path, [b"{", &whole[..]].concat()).expect("it is writable");
        sandbox.run(&["report", "run"]).refused(6).because(&[name, "is damaged"]);
        std::fs::write(&path, whole).expect("it is writable");
    }
    std::fs::remove_file(sandbox.path().join("run/report.html")).expect("there was one");
    std::fs::create_dir(sandbox.path().join("run/report.html")).expect("the name is free");
    sandbox.run(&["report", "run", "--device", "cpu"]).refused(8).because(&["report.html"]);
}

#[test]
fn names_from_outside_stay_text() {
    let sandbox = Sandbox::new();
    let evil = "<img src=x onerror=alert(1)>&\"'</script>";
    run(&sandbox);
    let path = sandbox.path().join("run/run.json");
    let text = std::fs::read_to_string(&path).expect("it is readable");
    let mut facts: Value = serde_json::from_str(&text).expect("it is JSON");
    facts["dataset"]["name"] = evil.into();
    facts["model"] = evil.into();
    facts["device"]["name"] = evil.into();
    std::fs::write(&path, facts.to_string()).expect("it is writable");
    let outcome = sandbox.run(&["report", "run"]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let browser = Browser::open();
    browser.open_file(&sandbox.path().join("run/report.html"));
    assert_eq!(browser.text("h1"), evil);
    assert_eq!(browser.value("JSON.parse(document.querySelector('#data').textContent).facts.model"), evil);
    assert_eq!(browser.value("document.querySelectorAll('[onerror]').length"), 0);
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Weights that changed on the disk are not shown as if they were those of the run.
#[test]
fn a_damaged_checkpoint_is_not_reported_on() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let folder = sandbox.path().join("run");
    let best = std::fs::read_to_string(folder.join("best")).expect("there is a best");
    let weights = folder.join(best.trim()).join("model.safetensors");
    let mut bytes = std::fs::read(&weights).expect("it is readable");
    // A bit of a weight: still a model, but not the one that was saved.
    *bytes.last_mut().expect("it has bytes") ^= 1;
    std::fs::write(&weights, bytes).expect("it is writable");
    let outcome = sandbox.run(&["report", "run", "--device", "cpu"]);
    outcome.refused(6).because(&["is damaged", "model.safetensors is not what was saved"]);
}

/// The model that is shown is the one that the log names, where the last epoch is the best.
#[test]
fn the_hash_of_the_weights_is_that_of_the_log() {
    let (sandbox, data) = (Sandbox::new(), data());
    let arguments =
        ["train", "--data", &data, "--model", "conv:4x3,relu,linear:8", "--epochs", "1", "--quiet"];
    let outcome = sandbox.run(&[&arguments[..], &["--device", "cpu", "--out", "run"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let read =
        |name: &str| std::fs::read_to_string(sandbox.path().join("run").join(name)).expect("it is readable");
    let log = read("log.txt");
    let (_, logged) = log.trim_end().rsplit_once("weights ").expect("the log names the weights");
    let page = read("report.html");
    assert!(page.contains(&format!("\"weights_sha256\":\"{logged}\"")), "{logged}");
    assert!(page.contains(&format!("sha256 {}…", &logged[..16])), "{logged}");
}

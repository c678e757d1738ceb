//! `report.html`, opened in a real browser: its numbers are those of the run.

use serde_json::Value;

use crate::cli::browser::Browser;
use crate::cli::support::{Sandbox, fine, finish};
use crate::cli::training::data;

/// A short run on small data, recorded in `run`.
fn train(sandbox: &Sandbox, more: &[&str]) {
    let common = ["train", "--device", "cpu", "--quiet", "--out", "run"];
    fine(sandbox.run(&[&common[..], more].concat()));
}

/// A run of five epochs in `run`.
fn run(sandbox: &Sandbox) {
    train(sandbox, &["--data", &data(), "--model", "linear:8,relu", "--batch-size", "16", "--epochs", "5"]);
}

/// The report of the run, in a browser.
fn opened(sandbox: &Sandbox) -> Browser {
    let browser = Browser::open();
    browser.open_file(&sandbox.path().join("run/report.html"));
    browser
}

/// The number at the start of a formatted text: `89.59%` is 0.8959.
fn number(text: &str) -> f64 {
    let plain = text.replace(',', "");
    match plain.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().expect("a number") / 100.0,
        None => plain.parse().unwrap_or_else(|_| panic!("{text:?} is no number")),
    }
}

/// Whether a formatted number equals this one, to four digits or a hundredth of a percent.
#[track_caller]
fn assert_shows(text: &str, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    let error = (number(text) - expected).abs();
    assert!(error <= 6e-4 * expected.abs() || error <= 5.1e-5, "{text} is not {expected}");
}

/// The epoch with the highest accuracy on a split; ties go to the lowest loss, then to the first.
fn best<'a>(metrics: &'a [Value], split: &str) -> &'a Value {
    let figure = |epoch: &Value, name: &str| epoch[format!("{split}_{name}")].as_f64().expect("a number");
    let best = metrics.iter().rev().max_by(|one, other| {
        let losses = figure(other, "loss").total_cmp(&figure(one, "loss"));
        figure(one, "accuracy").total_cmp(&figure(other, "accuracy")).then(losses)
    });
    best.expect("there are epochs")
}

#[test]
fn the_page_shows_what_the_run_measured() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    let metrics = sandbox.metrics("run");
    assert!(metrics.len() > 2, "a curve needs points");
    let browser = opened(&sandbox);

    // The embedded data: the same numbers, to the last digit.
    let data = browser.value("JSON.parse(document.querySelector('#data').textContent)");
    let epochs = data["epochs"].as_array().expect("a list");
    assert_eq!(epochs.len(), metrics.len());
    let keys: Vec<_> = epochs[0].as_object().expect("an object").keys().collect();
    for (epoch, expected) in epochs.iter().zip(&metrics) {
        // A browser writes 1.0 as 1.
        keys.iter().for_each(|key| assert_eq!(epoch[key].as_f64(), expected[key].as_f64(), "{key}"));
    }

    // The visible page: every cell of the table, and the best epoch at the top.
    for (index, expected) in metrics.iter().enumerate() {
        for key in &keys {
            let cell = format!(".epochs tbody tr:nth-child({}) [data-key={key}]", index + 1);
            match key.as_str() {
                "seconds" | "images_per_second" => assert!(number(&browser.text(&cell)) >= 0.0),
                _ => assert_shows(&browser.text(&cell), &expected[key]),
            }
        }
    }
    let best = best(&metrics, "test");
    let headline = browser.value("document.querySelector('.figures dd').firstChild.textContent");
    assert_shows(headline.as_str().expect("text"), &best["test_accuracy"]);

    // The evaluation is of the same model on the same images.
    let right: u64 =
        (0..6).map(|class| data["test"]["confusion"][class][class].as_u64().expect("a count")).sum();
    let images = data["test"]["images"].as_u64().expect("a count");
    let accuracy = best["test_accuracy"].as_f64().expect("a number");
    assert!((right as f64 / images as f64 - accuracy).abs() < 1e-9, "{right} of {images}");
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
    let metrics = sandbox.metrics("run");
    let browser = opened(&sandbox);
    browser.resize(1400);
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
        let share = (index + 1) as f64 / metrics.len() as f64;
        browser.point(x + share * width, y + 50.0);
        shows(epoch);
        // The mark is on the curve, at the x position of the pointer, in every chart.
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

/// A run in `run` on data in `mine`.
fn run_on_own_data(sandbox: &Sandbox) {
    sandbox.copy(data(), "mine");
    train(sandbox, &["--data", "mine", "--model", "linear:8,relu", "--batch-size", "16", "--epochs", "3"]);
}

fn page(sandbox: &Sandbox) -> String {
    sandbox.read("run/report.html")
}

#[test]
fn a_report_keeps_what_it_cannot_find_again() {
    let sandbox = Sandbox::new();
    run_on_own_data(&sandbox);
    let first = page(&sandbox);
    assert!(first.contains("class=\"matrix\"") && first.contains("class=\"mistakes\""));
    sandbox.rename("mine", "elsewhere");
    // The data are moved, damaged, and found again where the user says.
    let elsewhere: &[&str] = &["--data", "elsewhere"];
    for (more, is_kept) in [(&[][..], true), (&["--force"], true), (elsewhere, false), (&[], true)] {
        let outcome = fine(sandbox.run(&[&["report", "run", "--json", "--device", "cpu"], more].concat()));
        let event = &outcome.events()[0];
        assert_eq!(event["missing"], Value::Null, "{event}");
        assert_eq!(event["kept"].as_str().is_some_and(|why| why.contains("mine")), is_kept, "{event}");
        assert_eq!(outcome.stderr.contains("those of the last report"), is_kept, "{outcome:#?}");
        assert_eq!(page(&sandbox), first, "the page has changed");
    }
    // If the user says where the data are, they must be read.
    for place in [["--data", "nowhere"], ["--data", "run"], ["--data-dir", "run"]] {
        sandbox.run(&[&["report", "run"], &place[..]].concat()).refused(3);
        assert_eq!(page(&sandbox), first);
    }
    sandbox.write("elsewhere/train-labels-idx1-ubyte", "changed");
    sandbox.run(&["report", "run", "--data", "elsewhere"]).refused(3);
    assert_eq!(page(&sandbox), first);
}

/// The place of a run's data is recorded, so the report can be written from any folder.
#[test]
fn data_are_looked_for_where_the_run_found_them() {
    let (sandbox, other) = (Sandbox::new(), Sandbox::new());
    run_on_own_data(&sandbox);
    sandbox.remove("run/evaluation.json");
    sandbox.remove("run/report.html");
    let run = sandbox.path().join("run").display().to_string();
    let outcome = fine(other.run(&["report", &run, "--json", "--device", "cpu"]));
    assert_eq!(outcome.events()[0]["missing"], Value::Null);

    // A known data set in the folder of the environment variable.
    sandbox.copy(concat!(env!("CARGO_MANIFEST_DIR"), "/data/fashion-mnist"), "sets/fashion-mnist");
    let place = sandbox.path().join("sets/fashion-mnist");
    let arguments = ["train", "--model", "linear:10", "--max-steps", "2", "--device", "cpu", "--quiet"];
    let mut train = other.command(&[&arguments[..], &["--out", "run"]].concat());
    assert_eq!(finish(train.env("SHADEGRAD_DATA", sandbox.path().join("sets"))).code, Some(0));
    let facts = other.json("run/run.json");
    assert_eq!(facts["data_files"]["folder"], place.display().to_string());
    assert_eq!(facts["data_files"]["count"], 4);
}

/// Runs of earlier versions have no file next to the page.
#[test]
fn a_page_that_cannot_be_made_again_is_not_overwritten() {
    let sandbox = Sandbox::new();
    run_on_own_data(&sandbox);
    let first = page(&sandbox);
    sandbox.rename("mine", "elsewhere");
    let text = sandbox.read("run/evaluation.json");
    sandbox.remove("run/evaluation.json");
    sandbox.run(&["report", "run"]).refused(3).because(&["would lose its confusion matrix", "mine"]);
    // The same if the file is damaged: truncated, without a class, with an invalid class, or with a
    // script.
    let changed = [
        text[..text.len() - 2].to_owned(),
        text.replacen("\"classes\":[", "\"classes\":[\"one more\",", 1),
        text.replacen("\"answer\":", "\"answer\":9", 1),
        text.replacen("data:image/png;base64,", "javascript:", 1),
    ];
    for damaged in changed {
        assert_ne!(damaged, text);
        sandbox.write("run/evaluation.json", damaged);
        sandbox.run(&["report", "run"]).refused(6).because(&["evaluation.json is damaged"]);
        assert_eq!(page(&sandbox), first);
    }
    let outcome = fine(sandbox.run(&["report", "run", "--force", "--json"]));
    let event = &outcome.events()[0];
    assert!(event["missing"].as_str().is_some_and(|why| why.contains("mine")), "{event}");
    let browser = opened(&sandbox);
    let shown = browser.text("main");
    assert!(shown.contains("mistakes are missing: the data set cannot be read"), "{shown}");
    assert_eq!(browser.value("document.querySelectorAll('.matrix, .mistakes').length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('.chart polyline').length"), 6);
    assert_eq!(browser.value("document.querySelectorAll('.units img').length > 0"), true);
    assert_eq!(browser.complaints(), [""; 0]);
    // With the data, everything is shown again.
    fine(sandbox.run(&["report", "run", "--data", "elsewhere", "--device", "cpu"]));
    assert_eq!(page(&sandbox), first);
    assert_eq!(sandbox.read("run/evaluation.json"), text);
}

/// The evaluation of another checkpoint is not shown as that of the best one.
#[test]
fn an_evaluation_of_another_checkpoint_says_so() {
    let sandbox = Sandbox::new();
    run_on_own_data(&sandbox);
    sandbox.rename("mine", "elsewhere");
    let words = "The run now has a better checkpoint";
    assert!(!page(&sandbox).contains(words));
    let mut kept = sandbox.json("run/evaluation.json");
    kept["weights_sha256"] = "0000".into();
    sandbox.write("run/evaluation.json", kept.to_string());
    assert_eq!(sandbox.run(&["report", "run"]).code, Some(0));
    assert!(page(&sandbox).contains(words));
}

/// Pictures in folders: the same file names in each, and more than a list should show.
#[test]
fn many_files_are_one_line_and_mistakes_name_theirs() {
    let sandbox = Sandbox::new();
    for class in ["ash", "birch", "cedar"] {
        sandbox.folder(&format!("trees/{class}"));
        for index in 0..70u32 {
            let path = sandbox.path().join(format!("trees/{class}/IMG_{index:03}.png"));
            let shade = |x, y| image::Luma([(x * 31 + y * 17 + index * 7 + class.len() as u32) as u8]);
            image::GrayImage::from_fn(8, 8, shade).save(path).expect("it can be written");
        }
    }
    train(&sandbox, &["fashion-mnist", "--data", "trees", "--model", "linear:4,relu", "--epochs", "2"]);
    let record = sandbox.read("run/run.json");
    assert!(record.len() < 2000 && record.contains("\"count\": 210"), "{record}");

    let browser = opened(&sandbox);
    let listed = browser.value(
        "[...document.querySelectorAll('.origin dl div')].filter((row) => row.textContent.includes('210 in '))
            .map((row) => row.textContent)",
    );
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(listed[0].as_str().is_some_and(|row| row.contains("trees, sha256 ")), "{listed:?}");

    // Each mistake shows the name of its file, and has the path in its title and in the data.
    let mistakes = browser.value(
        "[...document.querySelectorAll('.mistakes li')].map((item) => [item.title, item.textContent])",
    );
    let data = browser.value("JSON.parse(document.querySelector('#data').textContent)");
    let numbers = data["test"]["mistakes"].as_array().expect("a list");
    let mistakes = mistakes.as_array().expect("a list");
    assert!(!mistakes.is_empty() && mistakes.len() == numbers.len(), "{mistakes:?}");
    for (shown, mistake) in mistakes.iter().zip(numbers) {
        let file = mistake["file"].as_str().expect("a path");
        let class = ["ash", "birch", "cedar"][mistake["class"].as_u64().expect("a class") as usize];
        let (folder, name) = file.rsplit_once('/').expect("a folder and a name");
        assert!(folder.ends_with(&format!("trees/{class}")), "{file} is not a picture of {class}");
        assert!(sandbox.path().join(file).is_file(), "{file}");
        assert!(shown[0].as_str().is_some_and(|title| title.contains(file)), "{shown}");
        assert!(shown[1].as_str().is_some_and(|text| text.contains(name)), "{shown}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn figures_are_of_one_epoch_and_say_how_it_was_chosen() {
    let data = data();
    let common = ["--data", &data, "--model", "linear:8,relu", "--batch-size", "16", "--epochs", "6"];
    for (more, split, criterion) in [
        (&[][..], "test", "test accuracy"),
        (&["--validation", "0.3"], "validation", "validation accuracy"),
        (&["--validation", "0.3", "--monitor", "loss", "--lr", "2"], "validation", "validation loss"),
        (&["--monitor", "loss", "--lr", "2"], "test", "test loss"),
    ] {
        let sandbox = Sandbox::new();
        train(&sandbox, &[&common[..], more].concat());
        let metrics = sandbox.metrics("run");
        let loss = |epoch: &&Value| epoch[format!("{split}_loss")].as_f64().expect("a number");
        let best = match criterion.ends_with("loss") {
            true => metrics.iter().min_by(|one, other| loss(one).total_cmp(&loss(other))),
            false => Some(best(&metrics, split)),
        };
        let best = best.expect("there are epochs");
        let browser = opened(&sandbox);
        browser.resize(1400);
        let caption = browser.text(".charts .aside");
        let chosen = format!("The dashed line marks epoch {}, the best by {criterion}.", best["epoch"]);
        assert!(caption.contains(&chosen), "{caption}");
        let place = browser.value("document.querySelector('.best').getBBox().x").as_f64().expect("a place");
        let epoch = best["epoch"].as_f64().expect("a number");
        assert!((place - 100.0 * epoch / 6.0).abs() < 0.01, "{place} is not epoch {epoch}");

        // Each figure at the top is that of the best epoch and says so.
        let figures = browser.value(
            "[...document.querySelectorAll('.figures div')].map((figure) =>
                [...figure.querySelectorAll('dt, small')].map((part) => part.textContent)
                    .concat(figure.querySelector('dd').firstChild.textContent))",
        );
        let figures = figures.as_array().expect("a list");
        let labels: Vec<_> = figures.iter().map(|figure| figure[0].as_str().expect("text")).collect();
        let expected = match split {
            "test" => &["Test accuracy", "Train accuracy"][..],
            _ => &["Test accuracy", "Validation accuracy", "Train accuracy"],
        };
        assert_eq!(labels[..labels.len() - 2], *expected);
        for figure in &figures[..expected.len()] {
            let parts: Vec<_> =
                figure.as_array().expect("a list").iter().map(|part| part.as_str().expect("text")).collect();
            let key = parts[0].to_lowercase().replace(' ', "_");
            assert_shows(parts[parts.len() - 1], &best[&key]);
            assert_eq!(parts[1].split(',').next(), Some(&*format!("epoch {}", best["epoch"])));
            let loss = parts[2].strip_prefix("loss ").expect("a loss");
            assert_shows(loss, &best[key.replace("accuracy", "loss")]);
        }
        // The other figures are separate.
        let last = metrics.last().expect("there are epochs");
        let apart = browser.value("document.querySelector('.last')?.textContent ?? null");
        match apart.as_str() {
            Some(text) => {
                assert!(text.starts_with(&format!("After the last epoch, {}: ", last["epoch"])), "{text}");
                assert_ne!(best["epoch"], last["epoch"]);
            }
            None => assert_eq!(best["epoch"], last["epoch"]),
        }

        // Validation has curves, columns and readings wherever there are validation images.
        let curves = if split == "validation" { 8 } else { 6 };
        assert_eq!(browser.value("document.querySelectorAll('.chart polyline').length"), curves);
        for key in ["validation_loss", "validation_accuracy"] {
            if split == "validation" {
                let row = format!(".epochs tbody tr:last-child [data-key={key}]");
                for place in [format!(".reading[data-key={key}] b"), row] {
                    assert_shows(&browser.text(&place), &last[key]);
                }
            } else {
                let shown = browser.value(&format!("document.querySelector('[data-key={key}]')"));
                assert_eq!(shown, Value::Null);
            }
        }
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

/// One cycle in one epoch: the learning rate rises and falls, and its axis has small numbers.
#[test]
fn the_learning_rate_is_a_curve_of_all_steps() {
    let (sandbox, data) = (Sandbox::new(), data());
    let common = ["--data", &data, "--model", "linear:8,relu", "--batch-size", "4", "--epochs", "1"];
    let schedule = ["--schedule", "one-cycle", "--warmup", "0.25", "--lr", "3e-6"];
    train(&sandbox, &[&common[..], &schedule].concat());
    let steps = sandbox.metrics("run")[0]["step"].as_u64().expect("a number") as usize;
    assert!((20..500).contains(&steps), "{steps} steps");
    let browser = opened(&sandbox);
    browser.resize(1400);
    let points = browser.value(
        "[...document.querySelector('[data-key=learning_rate]').closest('.chart')
            .querySelector('polyline').points].map((point) => [point.x, point.y])",
    );
    let points: Vec<(f64, f64)> = serde_json::from_value(points).expect("places");
    assert_eq!(points.len(), steps);
    // The peak is a quarter of the way along; y positions count from the top.
    let top = points.iter().min_by(|one, other| one.1.total_cmp(&other.1)).expect("there are points");
    assert!((top.0 - 25.0).abs() < 200.0 / steps as f64, "{top:?}");
    assert!((points[0].1 - 96.0).abs() < 1.0 && (points[steps - 1].1 - 100.0).abs() < 0.1, "{points:?}");
    // No axis label is broken into two lines.
    let heights =
        browser.value("[...document.querySelectorAll('.plot .y')].map((label) => label.offsetHeight)");
    let heights = heights.as_array().expect("a list").iter().map(|height| height.as_f64().expect("pixels"));
    assert!(heights.clone().all(|height| height < 16.0), "{:?}", heights.collect::<Vec<_>>());
    let labels = browser.value(
        "[...document.querySelector('[data-key=learning_rate]').closest('.chart')
            .querySelectorAll('.y')].map((label) => label.textContent)",
    );
    assert_eq!(labels, serde_json::json!(["0", "1e-6", "2e-6", "3e-6"]));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn other_images_than_the_runs_are_not_judged() {
    let sandbox = Sandbox::new();
    sandbox.copy(data(), "mine");
    train(&sandbox, &["--data", "mine", "--model", "linear:4", "--max-steps", "2"]);
    let report = || {
        sandbox.remove("run/report.html");
        sandbox.remove("run/evaluation.json");
        sandbox.run(&["report", "run", "--json"]).events().remove(0)["missing"].take()
    };
    assert_eq!(report(), Value::Null);
    sandbox.spoil("mine/t10k-labels-idx1-ubyte");
    let missing = report();
    let why = missing.as_str().expect("a reason");
    assert!(why.contains("differs from the file that the run was trained on"), "{why}");
}

#[test]
fn a_run_that_is_stopped_has_a_report() {
    let sandbox = Sandbox::new();
    // This run diverges at once.
    let data = data();
    let arguments = ["train", "--data", &data, "--lr", "1e30", "--epochs", "3", "--device", "cpu", "--quiet"];
    let outcome = sandbox.run(&[&arguments[..], &["--out", "run"]].concat());
    assert_eq!(outcome.code, Some(5), "{outcome:#?}");
    let page = sandbox.read("run/report.html");
    assert!(page.contains("the run ended early (training diverged"), "{page}");
}

#[test]
fn what_is_no_run_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(&["report", "nothing"]).refused(6).because(&["nothing is not a run"]);
    run(&sandbox);
    for name in ["run.json", "metrics.jsonl"] {
        let path = format!("run/{name}");
        let whole = sandbox.read(&path);
        sandbox.write(&path, format!("{{{whole}"));
        sandbox.run(&["report", "run"]).refused(6).because(&[name, "is damaged"]);
        sandbox.write(&path, whole);
    }
    sandbox.remove("run/report.html");
    sandbox.folder("run/report.html");
    sandbox.run(&["report", "run", "--device", "cpu"]).refused(8).because(&["report.html"]);
}

#[test]
fn names_from_outside_stay_text() {
    let sandbox = Sandbox::new();
    let evil = "<img src=x onerror=alert(1)>&\"'</script>";
    run(&sandbox);
    let mut facts = sandbox.json("run/run.json");
    facts["dataset"]["name"] = evil.into();
    facts["model"] = evil.into();
    facts["device"]["name"] = evil.into();
    sandbox.write("run/run.json", facts.to_string());
    fine(sandbox.run(&["report", "run"]));
    let browser = opened(&sandbox);
    assert_eq!(browser.text("h1"), evil);
    assert_eq!(browser.value("JSON.parse(document.querySelector('#data').textContent).facts.model"), evil);
    assert_eq!(browser.value("document.querySelectorAll('[onerror]').length"), 0);
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Weights that changed on disk are not shown as those of the run.
#[test]
fn a_damaged_checkpoint_is_not_reported_on() {
    let sandbox = Sandbox::new();
    run(&sandbox);
    // One bit of a weight: still a valid model, but not the one that was saved.
    sandbox.spoil(&format!("run/{}/model.safetensors", sandbox.read("run/best").trim()));
    let outcome = sandbox.run(&["report", "run", "--device", "cpu"]);
    outcome.refused(6).because(&["is damaged", "model.safetensors has changed since it was saved"]);
}

/// The model in the report is the one that the log names, if the last epoch is the best.
#[test]
fn the_hash_of_the_weights_is_that_of_the_log() {
    let (sandbox, data) = (Sandbox::new(), data());
    train(&sandbox, &["--data", &data, "--model", "conv:4x3,relu,linear:8", "--epochs", "1"]);
    let log = sandbox.read("run/log.txt");
    let (_, logged) = log.trim_end().rsplit_once("weights ").expect("the log names the weights");
    let page = page(&sandbox);
    assert!(page.contains(&format!("\"weights_sha256\":\"{logged}\"")), "{logged}");
    assert!(page.contains(&format!("sha256 {}…", &logged[..16])), "{logged}");
}

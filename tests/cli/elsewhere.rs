//! `export` and `predict`, and training on folders of pictures, as users and scripts see them. How
//! other programs read the files is tested in `tests/interchange`.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use serde_json::Value;

use crate::cli::support::{Outcome, Sandbox, fine, finish};
use crate::cli::training::data;

/// A grey picture.
fn png(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = PngEncoder::new(&mut file);
    encoder.write_image(pixels, width, height, ExtendedColorType::L8).expect("a vector takes everything");
    file
}

/// A picture whose pixels are `value` plus noise that depends on `index`.
fn picture(side: u32, value: u8, index: u32) -> Vec<u8> {
    let noise = (0..side * side).map(|pixel| value + ((pixel * 7919 + index * 104_729) % 40) as u8);
    png(&noise.collect::<Vec<u8>>(), side, side)
}

/// A folder with dark and light pictures, which are easy to tell apart.
fn with_pictures() -> Sandbox {
    let sandbox = Sandbox::new();
    for (class, value) in [("dark ones", 0), ("light", 200)] {
        sandbox.folder(&format!("pictures/{class}"));
        for index in 0..20 {
            let side = 12 + index % 3;
            sandbox.write(&format!("pictures/{class}/{index}.png"), picture(side, value, index));
        }
    }
    sandbox
}

fn train(sandbox: &Sandbox, data: &str, more: &[&str]) -> Outcome {
    let common = ["train", "--data", data, "--model", "linear:8,relu", "--device", "cpu", "--out", "run"];
    fine(sandbox.run(&[&common[..], more].concat()))
}

fn predict(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    sandbox.run(&[&["predict", "run", "--device", "cpu"], arguments].concat())
}

#[test]
fn pictures_are_trained_on_measured_and_predicted() {
    let sandbox = with_pictures();
    let outcome = train(&sandbox, "pictures", &["--image-size", "6", "--epochs", "20", "--json"]);
    let start = &outcome.events()[0];
    assert_eq!(start["dataset"]["shape"], serde_json::json!([1, 6, 6]));
    assert_eq!((&start["dataset"]["train"], &start["dataset"]["test"]), (&32.into(), &8.into()));
    let notes = "note: pictures: 2 classes with 16 training pictures each: dark ones, light\n\
                 note: training: 32 pictures in pictures; testing: 8 more, 20 % of each class, held out because \
                 there is no test folder\n\
                 note: 40 pictures of 12x12 to 14x14, cropped and scaled to 6x6 grey\n";
    assert!(outcome.stderr.starts_with(notes), "{outcome:#?}");

    let arguments = ["eval", "run", "--data", "pictures", "--split", "all", "--device", "cpu", "--json"];
    let evaluation = &fine(sandbox.run(&arguments)).events()[0];
    assert_eq!((&evaluation["accuracy"], &evaluation["images"]), (&1.0.into(), &40.into()), "{evaluation}");

    let views = [&arguments[..], &["--tta", "mirror-shifts"]].concat();
    let averaged = &fine(sandbox.run(&views)).events()[0];
    assert_eq!((&averaged["tta"], &evaluation["tta"]), (&"mirror-shifts".into(), &"none".into()));
    assert_eq!(averaged["accuracy"], 1.0, "{averaged}");
    assert_ne!(averaged["loss"], evaluation["loss"], "{averaged}");

    let names = ["pictures/light/3.png", "pictures/dark ones/4.png"];
    let table = fine(predict(&sandbox, &[&names[..], &["--top", "1"]].concat()));
    let lines: Vec<Vec<&str>> =
        table.stdout.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(lines.len(), 3, "{table:#?}");
    assert_eq!(lines[1][..2], ["pictures/light/3.png", "light"]);
    assert_eq!(lines[2][..2], ["pictures/dark ones/4.png", "dark ones"]);

    let events = fine(predict(&sandbox, &[&names[..], &["--json"]].concat())).events();
    assert_eq!(events.len(), 2);
    for (event, (name, class)) in events.iter().zip(names.iter().zip(["light", "dark ones"])) {
        assert_eq!((&event["image"], &event["class"]), (&Value::from(*name), &Value::from(class)));
        let top = event["top"].as_array().expect("a list");
        assert_eq!((top.len(), &top[0]["probability"]), (2, &event["probability"]));
        let sum: f64 = top.iter().filter_map(|answer| answer["probability"].as_f64()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{event}");
    }
}

#[test]
fn quiet_training_still_names_what_it_leaves_out() {
    let sandbox = with_pictures();
    sandbox.write("pictures/light/broken.png", "no picture");
    let outcome = train(&sandbox, "pictures", &["--max-steps", "1", "--quiet"]);
    assert_eq!(outcome.stdout, "");
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("warning: ignored: pictures/light/broken.png"),
        "{lines:?}"
    );
    let log = sandbox.read("run/log.txt");
    assert_eq!(log.matches(lines[0]).count(), 1, "{log}");
}

#[test]
fn a_run_remembers_what_became_of_its_pictures() {
    let sandbox = with_pictures();
    train(&sandbox, "pictures", &["--image-size", "12", "--resize", "stretch", "--max-steps", "3"]);
    let config = sandbox.read("run/config.toml");
    assert!(config.contains("image-size = 12\n") && config.contains("resize = \"stretch\"\n"), "{config}");
    // Its middle is dark, most of it is light.
    let wide = (0..30 * 12).map(|pixel| if (9..21).contains(&(pixel % 30)) { 20 } else { 220 });
    sandbox.write("wide.png", png(&wide.collect::<Vec<u8>>(), 30, 12));
    let probability = |more: &[&str]| {
        let arguments = [&["wide.png", "--json"], more].concat();
        fine(predict(&sandbox, &arguments)).events()[0]["probability"].clone()
    };
    assert_eq!(probability(&[]), probability(&["--resize", "stretch"]));
    assert_ne!(probability(&[]), probability(&["--resize", "crop"]));
    fine(predict(&sandbox, &["pictures/light/0.png", "--resize", "refuse"]));
    let refused = predict(&sandbox, &["pictures/light/2.png", "--resize", "refuse"]);
    assert_eq!(refused.code, Some(3), "{refused:#?}");
    assert!(refused.stderr.contains("found a picture of 14x14, expected 12x12"), "{refused:#?}");
}

#[test]
fn a_picture_that_cannot_be_read_keeps_no_other_from_being_predicted() {
    let sandbox = with_pictures();
    train(&sandbox, "pictures", &["--max-steps", "3"]);
    let names = ["pictures/light/0.png", "missing.png", "run/config.toml", "pictures/light/1.png"];
    let outcome = predict(&sandbox, &[&names[..], &["--json"]].concat());
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    let predicted: Vec<_> = outcome.events().iter().map(|event| event["image"].clone()).collect();
    assert_eq!(predicted, [names[0], names[3]]);
    for name in [names[1], names[2]] {
        let said = |line: &str| line.starts_with("warning: skipped: ") && line.contains(name);
        assert!(outcome.stderr.lines().any(said), "no {name}: {outcome:#?}");
    }
    outcome.because(&["2 of 4 images cannot be used"]);
    // Logits have no names: if a row were missing, the others would belong to the wrong pictures.
    let outcome = predict(&sandbox, &[&names[..], &["--logits", "l.npy"]].concat());
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""));
    assert!(!sandbox.path().join("l.npy").exists());
}

#[test]
fn logits_of_a_data_set_are_a_matrix_in_a_file() {
    let (sandbox, data) = (Sandbox::new(), data());
    train(&sandbox, &data, &["--max-steps", "20"]);
    let outcome = fine(predict(&sandbox, &["--data", &data, "--logits", "l.npy", "--json"]));
    let event = &outcome.events()[0];
    assert_eq!((&event["event"], &event["classes"]), (&"logits".into(), &6.into()));
    let images = event["images"].as_u64().expect("a count");
    let bytes = std::fs::read(sandbox.path().join("l.npy")).expect("it is there");
    assert_eq!(bytes.len() as u64, 128 + 4 * 6 * images);
    // The largest logit of each row is the class in the table.
    let predictions = fine(predict(&sandbox, &["--data", &data, "--json", "--top", "1"])).events();
    assert_eq!(predictions.len() as u64, images);
    for (index, (row, prediction)) in bytes[128..].chunks_exact(24).zip(predictions).enumerate() {
        let values =
            row.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().expect("four bytes")));
        let largest =
            values.enumerate().max_by(|one, other| one.1.total_cmp(&other.1)).expect("six values").0;
        assert_eq!(prediction["image"], index.to_string());
        assert_eq!(prediction["class"], largest.to_string());
    }
}

#[test]
fn exports_say_what_they_are() {
    let (sandbox, data) = (Sandbox::new(), data());
    train(&sandbox, &data, &["--max-steps", "3"]);
    for format in ["onnx", "safetensors"] {
        let file = format!("model.{format}");
        let arguments = ["export", "run", "--format", format, "--out", &file];
        assert_eq!(fine(sandbox.run(&arguments)).stdout, format!("{file}: linear:8,relu,linear:6\n"));
        let event = &fine(sandbox.run(&[&arguments[..], &["--json"]].concat())).events()[0];
        assert_eq!(event["event"], "export");
        assert_eq!((&event["format"], &event["file"]), (&format.into(), &file.into()));
        assert_eq!(event["model"], "linear:8,relu,linear:6");
    }
    // An exported file is a model again.
    fine(sandbox.run(&["eval", "model.safetensors", "--data", &data, "--device", "cpu"]));
}

#[test]
fn one_model_gives_one_file() {
    let (sandbox, data) = (Sandbox::new(), data());
    train(&sandbox, &data, &["--max-steps", "3"]);
    for format in ["onnx", "safetensors"] {
        let written = ["one", "other"].map(|name| {
            fine(sandbox.run(&["export", "run", "--format", format, "--out", name]));
            std::fs::read(sandbox.path().join(name)).expect("it is there")
        });
        assert_eq!(written[0], written[1], "{format}");
    }
}

#[test]
fn mistakes_have_their_exit_codes() {
    let (sandbox, data) = (with_pictures(), data());
    train(&sandbox, &data, &["--max-steps", "3"]);
    let foreign = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/start/small-two-plain-256.safetensors");
    fine(sandbox.run(&["export", "run", "--format", "safetensors", "--out", "own.safetensors"]));
    sandbox.folder("none");
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["export", "run", "--out", "x"], 2, &["missing argument", "--format"]),
        (&["export", "run", "--format", "onnx"], 2, &["missing argument: --out"]),
        (
            &["export", "run", "--format", "onxx", "--out", "x"],
            2,
            &["--format onxx", "safetensors, onnx", "`onnx`?"],
        ),
        (
            &["export", "own.safetensors", "--format", "onnx", "--out", "./own.safetensors"],
            2,
            &["this is the model file itself"],
        ),
        (&["export", "nowhere", "--format", "onnx", "--out", "x"], 6, &["there is no model nowhere"]),
        (&["export", foreign, "--format", "onnx", "--out", "x"], 6, &["does not say which model"]),
        (&["export", "run", "--format", "onnx", "--out", "no/such/x"], 8, &["cannot write no/such/x"]),
        (&["predict", "run"], 2, &["missing argument: <IMAGE>"]),
        (&["predict", "run", "--data", &data, "a.png"], 2, &["--data cannot be used with IMAGE"]),
        (
            &["predict", "run", "a.png", "--resize", "shrink"],
            2,
            &["--resize shrink", "crop, stretch, refuse"],
        ),
        (&["predict", "run", "a.png", "--top", "x"], 2, &["--top x"]),
        (&["predict", foreign, "a.png"], 6, &["does not say which model"]),
        (
            &["predict", "run", "--data", "fashion-mnist", "--device", "cpu"],
            6,
            &["images of 1x5x4", "1x28x28"],
        ),
        (&["predict", "run", "--data", "pictures"], 3, &["dark ones", "one of 0, 1"]),
        (&["train", "--data", "none"], 3, &["none", "an empty folder", "one for each class"]),
        (&["train", "--data", "pictures", "--image-size", "5000"], 2, &["--image-size 5000", "1 to 4096"]),
        (
            &["train", "--data", "pictures", "--image-size", "0"],
            2,
            &["--image-size 0: must be a whole number"],
        ),
        (
            &["train", "--data", "pictures", "--resize", "none"],
            2,
            &["--resize none", "crop, stretch, refuse"],
        ),
        (&["train", "--data", "pictures", "--resize", "refuse"], 3, &["expected 64x64"]),
        (&["train", "--data", "fashion-mnist", "--image-size", "32"], 2, &["have 28x28"]),
        (&["train", "--data", &data, "--image-size", "32"], 2, &["have 5x4"]),
        (&["data", "verify", "none"], 3, &["an empty folder"]),
    ];
    for (arguments, code, fragments) in cases {
        println!("{arguments:?}");
        sandbox.run(arguments).refused(*code).because(fragments);
    }
}

#[test]
fn data_commands_describe_pictures() {
    let sandbox = with_pictures();
    let stats = fine(sandbox.run(&["data", "stats", "pictures", "--image-size", "8", "--json"]));
    let object = &stats.events()[0];
    assert_eq!(object["classes"], serde_json::json!(["dark ones", "light"]));
    assert_eq!((&object["height"], &object["train"]["per_class"]), (&8.into(), &serde_json::json!([16, 16])));
    let verified = fine(sandbox.run(&["data", "verify", "pictures"]));
    let lines: Vec<_> = verified.stdout.lines().collect();
    assert_eq!((lines.len(), lines[3]), (4, "pictures: 40 of 40 images can be read"), "{verified:#?}");
    assert_eq!(lines[0], "pictures: 2 classes with 16 training pictures each: dark ones, light");
    sandbox.write("pictures/light/broken.jpg", "no picture");
    let damaged = sandbox.run(&["data", "verify", "pictures", "--json"]);
    assert_eq!(damaged.code, Some(3), "{damaged:#?}");
    let object = &damaged.events()[0];
    assert_eq!(object["pictures"], 41);
    assert_eq!(object["files"][0]["path"], "pictures/light/broken.jpg");
    damaged.because(&["1 of 41 images cannot be read"]);
}

/// `eval`, `predict` and `export` refuse a checkpoint that has changed since it was saved. They do
/// not use another one instead.
#[test]
fn damaged_checkpoints_are_refused_by_name() {
    let sandbox = with_pictures();
    train(&sandbox, "pictures", &["--image-size", "6", "--epochs", "2", "--momentum", "0.9"]);
    let best = sandbox.read("run/best");
    let checkpoint = format!("run/{}", best.trim());
    let uses: [&[&str]; 3] = [
        &["eval", "MODEL", "--data", "pictures", "--device", "cpu"],
        &["predict", "MODEL", "pictures/light/3.png", "--device", "cpu"],
        &["export", "MODEL", "--format", "onnx", "--out", "model.onnx"],
    ];
    let try_all = |check: &dyn Fn(Outcome)| {
        for (arguments, model) in
            uses.iter().flat_map(|arguments| [(arguments, "run"), (arguments, &checkpoint)])
        {
            let replace = |&argument: &&'static str| if argument == "MODEL" { model } else { argument };
            check(sandbox.run(&arguments.iter().map(replace).collect::<Vec<_>>()));
        }
    };
    for file in ["model.safetensors", "optimizer.safetensors", "state.json", "config.toml"] {
        let path = format!("{checkpoint}/{file}");
        // The last byte of a weight, or trailing text: everything can still be parsed.
        sandbox.spoil(&path);
        let what = format!("is damaged: {file} has changed since it was saved");
        try_all(&|outcome| outcome.refused(6).because(&[&checkpoint, &what]));
        sandbox.rename(&path, "aside");
        // Without its weights, a folder is not a checkpoint.
        if file != "model.safetensors" {
            let what = format!("is damaged: it has no {file}");
            try_all(&|outcome| outcome.refused(6).because(&[&checkpoint, &what]));
        }
        sandbox.rename("aside", &path);
        sandbox.spoil(&path);
    }
    assert!(!sandbox.path().join("model.onnx").exists());
    try_all(&|outcome| drop(fine(outcome)));
}

/// A run's files can be read by everyone who may read the user's other files.
#[cfg(unix)]
#[test]
fn files_follow_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = with_pictures();
    sandbox.write("ordinary", "");
    let mode = |name: &str| std::fs::metadata(sandbox.path().join(name)).expect(name).permissions().mode();
    train(&sandbox, "pictures", &["--image-size", "6", "--max-steps", "1"]);
    fine(sandbox.run(&["export", "run", "--format", "onnx", "--out", "model.onnx"]));
    for name in ["run/best", "run/last", "run/run.json", "run/metrics.jsonl", "run/report.html", "model.onnx"]
    {
        assert_eq!(mode(name), mode("ordinary"), "{name}");
    }
}

/// The report has the usual permissions, even if the user's profile is private.
#[cfg(unix)]
#[test]
fn a_closed_pipe_costs_the_profile_and_not_the_report() {
    let sandbox = with_pictures();
    let common = ["train", "--data", "pictures", "--image-size", "6", "--device", "cpu", "--out", "run"];
    let mut command = sandbox.command(&[&common[..], &["--max-steps", "1", "--quiet", "--profile"]].concat());
    let (reader, writer) = std::io::pipe().expect("there are pipes");
    drop(reader);
    let outcome = finish(command.stdout(writer));
    assert_eq!(outcome.code, Some(141), "{outcome:#?}");
    assert!(sandbox.path().join("run/report.html").exists());
}

//! Mistakes in a configuration file: each ends with exit code 2 and a line that names the file, the
//! line, the key and what is allowed.

use crate::support::Sandbox;

/// A file, the line of the mistake, and what the error says of it.
const BAD_FILES: &[(&str, usize, &[&str])] = &[
    ("epochs = 0", 1, &["epochs = 0: must be a whole number from 1 to 4294967295"]),
    ("# x\n\nepochs = -3", 3, &["epochs = -3: must be a whole number"]),
    ("epochs = 2.0", 1, &["epochs = 2.0: must be a whole number"]),
    ("epochs = \"2\"", 1, &["epochs = \"2\": must be a whole number"]),
    ("epochs = true", 1, &["epochs = true: must be a whole number"]),
    ("epochs = [1, 2]", 1, &["epochs = [1, 2]: must be a whole number"]),
    ("epochs = { a = 1 }", 1, &["epochs = { a = 1 }: must be a whole number"]),
    ("epochs = 1979-05-27", 1, &["epochs = 1979-05-27: must be a whole number"]),
    ("epochs = 99999999999", 1, &["epochs = 99999999999: must be"]),
    ("epochs = 0xffffffffffffffffffff", 1, &["epochs = 0xfff", "must be"]),
    ("epochs = 0b0", 1, &["epochs = 0b0: must be"]),
    ("\nmax-steps = 0", 2, &["max-steps = 0: must be"]),
    ("lr = 1.0\nbatch-size = 0", 2, &["batch-size = 0: must be"]),
    ("batch-size = nan", 1, &["batch-size = nan: must be"]),
    ("seed = -1", 1, &["seed = -1: must be a whole number from 0"]),
    ("seed = 18446744073709551616", 1, &["seed = 18446744073709551616: must be"]),
    ("lr = 0.0", 1, &["lr = 0.0: must be a number above 0"]),
    ("lr = nan", 1, &["lr = nan: must be a number above 0"]),
    ("lr = -inf", 1, &["lr = -inf: must be a number above 0"]),
    ("lr = 1e39", 1, &["lr = 1e39: must be a number above 0 that 32 bits can hold"]),
    ("lr = \"0.1\"", 1, &["lr = \"0.1\": must be a number"]),
    ("lr = false", 1, &["lr = false: must be a number"]),
    ("momentum = 1", 1, &["momentum = 1: must be a number from 0 to below 1"]),
    ("momentum = -0.5", 1, &["momentum = -0.5: must be"]),
    ("weight-decay = -1e-4", 1, &["weight-decay = -1e-4: must be a number, 0 or more"]),
    ("l2 = inf", 1, &["l2 = inf: must be a number, 0 or more"]),
    ("warmup = 2", 1, &["warmup = 2: must be a number from 0 to 1"]),
    ("checkpoint-every = 0", 1, &["checkpoint-every = 0: must be a whole number of steps (500)"]),
    ("checkpoint-every = \"2 epochs\"", 1, &["checkpoint-every = \"2 epochs\": must be"]),
    ("checkpoint-every = true", 1, &["checkpoint-every = true: must be"]),
    ("validation = 1.0", 1, &["validation = 1.0: must be a number from 0 to below 1 or test"]),
    ("validation = \"tests\"", 1, &["did you mean `test`?"]),
    ("patience = 2", 1, &["patience = 2: needs images to judge by"]),
    ("keep-best = 1", 1, &["keep-best = 1: must be true or false"]),
    ("nesterov = 1", 1, &["nesterov = 1: must be true or false"]),
    ("shuffle = \"no\"", 1, &["shuffle = \"no\": must be true or false"]),
    ("shuffle = \"false\"", 1, &["shuffle = \"false\": must be true or false"]),
    ("schedule = \"cosin\"", 1, &["must be one of constant, linear, cosine; did you mean `cosine`?"]),
    ("schedule = 3", 1, &["schedule = 3: must be one of"]),
    ("optimizer = \"SGD\"", 1, &["optimizer = \"SGD\": must be sgd; did you mean `sgd`?"]),
    ("normalize = \"none\"", 1, &["must be one of unit, standard"]),
    ("init = \"xavir\"", 1, &["must be one of he, xavier, pytorch, normal or", "did you mean `xavier`?"]),
    ("preset = \"lab-cifar100\"", 1, &["must be one of", "did you mean `lab-cifar10`?"]),
    ("model = 3", 1, &["model = 3: must be text, and not empty"]),
    ("model = \"\"", 1, &["model = \"\": must be text, and not empty"]),
    ("model = [\"linear:3\"]", 1, &["must be text"]),
    ("data = \"\"\"\n\"\"\"", 1, &["data = ", "must be text, and not empty"]),
    ("device = 0", 1, &["device = 0: must be text"]),
    ("description = 3", 1, &["description = 3: must be text"]),
    ("batchsize = 3", 1, &["unknown key `batchsize`; did you mean `batch-size`?"]),
    ("batch_size = 3", 1, &["unknown key `batch_size`; did you mean `batch-size`?"]),
    ("Epochs = 3", 1, &["unknown key `Epochs`; did you mean `epochs`?"]),
    ("\n\n\nepoch = 3", 4, &["unknown key `epoch`; did you mean `epochs`?"]),
    ("learning-rate = 3", 1, &["unknown key `learning-rate`; did you mean `lr`?"]),
    ("no-shuffle = true", 1, &["unknown key `no-shuffle`; did you mean `shuffle = false`?"]),
    ("quux = 3", 1, &["unknown key `quux`"]),
    ("\"\" = 3", 1, &["unknown key ``"]),
    ("lr = 0.1\n[training]\nepochs = 3", 2, &["unknown key `training`"]),
    ("a.b = 3", 1, &["unknown key `a`"]),
    ("lr = 0.1\nlr = 0.2", 2, &["the key `lr` is there twice"]),
    ("lr = 0.1\nepochs = 3\nlr = 0.1", 3, &["the key `lr` is there twice"]),
    ("epochs 3", 1, &["not TOML: "]),
    ("epochs = ", 1, &["not TOML: "]),
    ("model = linear:10", 1, &["not TOML: "]),
    ("lr = 0.1\nmodel = \"linear", 2, &["not TOML: "]),
    ("lr = .1", 1, &["not TOML: "]),
    ("= 3", 1, &["not TOML: "]),
    ("lr = 0.1 epochs = 3", 1, &["not TOML: "]),
    ("{\"epochs\": 3}", 1, &["not TOML: "]),
    ("lr = 0.1\n\nnesterov = true", 3, &["nesterov = true: needs momentum above 0"]),
];

#[test]
fn a_mistake_in_a_file_is_named_by_its_line() {
    let sandbox = Sandbox::new();
    for (text, line, fragments) in BAD_FILES {
        println!("{text:?}");
        sandbox.write("mine.toml", text);
        let outcome = sandbox.run(&["train", "lab-cifar10", "--config", "mine.toml"]);
        outcome.refused(2).because(fragments);
        outcome.because(&[&format!("mine.toml:{line}: ")]);
    }
}

#[test]
fn a_file_that_is_none_is_refused() {
    let sandbox = Sandbox::new();
    let refused = |name: &str, why: &str| {
        let outcome = sandbox.run(&["train", "--config", name]);
        outcome.refused(2).because(&[&format!("cannot read {name}: {why}")]);
    };
    refused("missing.toml", "");
    refused(".", "it is a folder");
    sandbox.write("latin1.toml", b"model = \"\xe9\"");
    refused("latin1.toml", "it is not UTF-8 text");
    sandbox.write("huge.toml", vec![b'#'; (1 << 20) + 1]);
    refused("huge.toml", "1048577 bytes are too many");
    sandbox.write("model.safetensors", [0, 159, 146, 150]);
    refused("model.safetensors", "it is not UTF-8 text");
}

#[test]
fn no_file_makes_the_program_panic() {
    let sandbox = Sandbox::new();
    let good = "epochs = 3\nlr = 0.1 # x\nmodel = \"linear:10\"\nshuffle = false\n";
    for cut in 0..good.len() {
        sandbox.write("cut.toml", &good[..cut]);
        let code = sandbox.run(&["config", "show", "--config", "cut.toml"]).code;
        assert!(code == Some(0) || code == Some(2), "{:?}: {code:?}", &good[..cut]);
    }
}

#[test]
fn what_a_message_quotes_is_short_and_on_one_line() {
    let sandbox = Sandbox::new();
    sandbox.write("long.toml", format!("epochs = \"{}\"", "x\u{1b}[31m".repeat(1000)));
    sandbox.run(&["train", "--config", "long.toml"]).refused(2);
    sandbox.write("list.toml", format!("epochs = [\n{}]", "1,\n".repeat(1000)));
    let outcome = sandbox.run(&["train", "--config", "list.toml"]);
    outcome.refused(2).because(&["…"]);
    assert!(outcome.stderr.len() < 400, "{outcome:?}");
    let outcome = sandbox.run(&["train", "\u{1b}[31mred\nline"]);
    outcome.refused(2);
    assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
}

//! The folder from which a data set is loaded, and the errors if it is not found.

use crate::samples::data_sets::{
    expect_data_error, gzip, idx_images, idx_labels, search_nowhere, small_idx_contents, small_idx_set,
    write_idx,
};
use shadegrad::data::Dataset;
use shadegrad::data::catalogue::Catalogue;
use shadegrad::data::load::load;
use shadegrad::data::locate::Search;
use shadegrad::data::pictures::Wanted;
use shadegrad::{ErrorKind, Remedy, Result};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A catalogue of one small set, with all search folders.
struct Places {
    folder: TempDir,
    search: Search,
}

impl Places {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let set = small_idx_set("small", &small_idx_contents());
        let search = Search {
            environment: Some(place("environment")),
            cache: Some(place("cache")),
            shared: vec![place("vendored"), place("system")],
            ..search_nowhere(vec![set])
        };
        Places { folder, search }
    }

    fn path(&self, place: &str) -> PathBuf {
        self.folder.path().join(place)
    }

    fn load(&self, name: &str) -> Result<Dataset> {
        load(name, &self.search, &Wanted::default())
    }

    /// Returns the folder that the set is loaded from.
    fn loaded_from(&self) -> PathBuf {
        let dataset = self.load("small").unwrap();
        assert_eq!(dataset.files.len(), 4);
        dataset.files[0].parent().unwrap().to_owned()
    }
}

#[test]
fn places_are_looked_through_in_order() {
    let mut places = Places::new();
    for place in ["system", "vendored", "cache", "environment"] {
        for folder in [places.path(place), places.path(place).join("small")] {
            write_idx(&folder, &small_idx_contents());
            assert_eq!(places.loaded_from(), folder);
        }
    }
    let flag = places.path("flag");
    write_idx(&flag, &small_idx_contents());
    places.search.data_dir = Some(flag.clone());
    assert_eq!(places.loaded_from(), flag);
}

#[test]
fn a_set_that_is_nowhere_is_an_error_that_lists_the_places() {
    let places = Places::new();
    let error = places.load("small").unwrap_err();
    assert_eq!(error.remedy(), Some(&Remedy::FetchData("small".into())));
    let listed = ["environment", "cache", "vendored", "system"].map(|it| places.path(it));
    let mut parts: Vec<&str> = listed.iter().map(|path| path.to_str().unwrap()).collect();
    parts.push("train-images-idx3-ubyte");
    expect_data_error::<()>(Err(error), &parts);
}

#[test]
fn a_named_folder_without_the_set_is_an_error_even_if_others_have_it() {
    let mut places = Places::new();
    write_idx(&places.path("cache"), &small_idx_contents());
    let flag = places.path("flag");
    places.search.data_dir = Some(flag.clone());
    expect_data_error(places.load("small"), &[flag.to_str().unwrap()]);
}

#[test]
fn a_damaged_set_is_an_error_even_if_others_are_whole() {
    let places = Places::new();
    write_idx(&places.path("system"), &small_idx_contents());
    let damaged = places.path("cache").join("small");
    write_idx(&damaged, &small_idx_contents());
    let file = damaged.join("t10k-images-idx3-ubyte.gz");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    expect_data_error(places.load("small"), &[file.to_str().unwrap()]);
}

#[test]
fn an_incomplete_set_is_passed_over_but_mentioned() {
    let places = Places::new();
    let incomplete = places.path("cache").join("small");
    write_idx(&incomplete, &small_idx_contents());
    fs::remove_file(incomplete.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    expect_data_error(places.load("small"), &["(incomplete: no t10k-labels-idx1-ubyte)"]);
    write_idx(&places.path("system"), &small_idx_contents());
    assert_eq!(places.loaded_from(), places.path("system"));
}

#[test]
fn a_set_with_the_same_file_names_is_not_mistaken_for_the_one_wanted() {
    let mut places = Places::new();
    let mut other = small_idx_contents();
    other[1] = idx_labels(&[1, 1, 1]);
    places.search.catalogue.sets.push(small_idx_set("other", &other));
    write_idx(&places.path("environment"), &other);
    expect_data_error(places.load("small"), &["(holds other)"]);
    write_idx(&places.path("system"), &small_idx_contents());
    assert_eq!(places.loaded_from(), places.path("system"));
    assert_eq!(places.load("other").unwrap().train.labels, [1; 3]);
}

#[test]
fn a_known_set_has_its_known_number_of_images() {
    let places = Places::new();
    let mut shorter = small_idx_contents();
    shorter[2] = idx_images(1, 2, 3);
    shorter[3] = idx_labels(&[0]);
    write_idx(&places.path("cache"), &shorter);
    expect_data_error(places.load("small"), &["1 test images", "expected the 2 of small"]);
}

#[test]
fn unpacked_files_are_found_under_both_names() {
    let places = Places::new();
    let folder = places.path("cache");
    fs::create_dir_all(&folder).unwrap();
    let names = [
        "train-images-idx3-ubyte",
        "train-labels.idx1-ubyte",
        "t10k-images.idx3-ubyte",
        "t10k-labels-idx1-ubyte.gz",
    ];
    for (name, content) in names.iter().zip(small_idx_contents()) {
        let content = if name.ends_with(".gz") { gzip(&content) } else { content };
        fs::write(folder.join(name), content).unwrap();
    }
    let dataset = places.load("small").unwrap();
    assert_eq!(dataset.classes, ["zero", "one", "two"]);
    assert_eq!(dataset.files, names.map(|name| folder.join(name)));
}

#[test]
fn splits_have_images_of_the_same_size() {
    let places = Places::new();
    let mut contents = small_idx_contents();
    contents[2] = idx_images(2, 3, 2);
    write_idx(&places.path("cache"), &contents);
    expect_data_error(places.load("small"), &["t10k-images", "images of 3x2", "expected images of 2x3"]);
}

#[test]
fn a_folder_is_loaded_under_its_own_name() {
    let places = Places::new();
    let folder = places.path("my pictures");
    let mut contents = small_idx_contents();
    contents[1] = idx_labels(&[4, 0, 0]);
    write_idx(&folder, &contents);
    let dataset = places.load(folder.to_str().unwrap()).unwrap();
    assert_eq!(dataset.name, "my pictures");
    assert_eq!(dataset.classes, ["0", "1", "2", "3", "4"]);

    // A known set is recognised by its labels, whatever the name of its folder.
    write_idx(&folder, &small_idx_contents());
    let dataset = places.load(folder.to_str().unwrap()).unwrap();
    assert_eq!(dataset.name, "my pictures");
    assert_eq!(dataset.classes, ["zero", "one", "two"]);
}

#[test]
fn a_misspelt_name_gets_a_suggestion() {
    let search = Search { catalogue: Catalogue::built_in(), ..search_nowhere(Vec::new()) };
    for (wrong, right) in [
        ("fashion_mnist", Some("fashion-mnist")),
        ("FashionMNIST", Some("fashion-mnist")),
        ("MNIST", Some("mnist")),
        ("cifar-10", Some("cifar10")),
        ("CIFAR100", Some("cifar100")),
        ("imagenet", None),
    ] {
        let error = load(wrong, &search, &Wanted::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let advice = error.advice().unwrap();
        match right {
            Some(right) => assert_eq!(advice, format!("did you mean `{right}`?")),
            None => assert!(!advice.contains("did you mean"), "{advice}"),
        }
    }
}

#[test]
fn a_file_is_no_data_set() {
    let places = Places::new();
    let file = places.path("file.tar.gz");
    fs::write(&file, b"").unwrap();
    expect_data_error(
        places.load(file.to_str().unwrap()),
        &["a file", "expected a data set's name or a folder"],
    );
    // A search folder that is a file is skipped as well.
    let mut search = places.search.clone();
    search.data_dir = Some(file);
    expect_data_error(load("small", &search, &Wanted::default()), &["file.tar.gz"]);
}

#[test]
fn downloads_go_to_the_named_folder_or_the_cache() {
    let mut places = Places::new();
    let set = places.search.catalogue.sets[0].clone();
    let found = places.search.download_folder(&set).unwrap();
    assert_eq!(found, places.path("cache").join("small"));
    places.search.data_dir = Some(PathBuf::from("here"));
    let found = places.search.download_folder(&set).unwrap();
    assert_eq!(found, Path::new("here").join("small"));
    places.search.data_dir = None;
    places.search.cache = None;
    assert!(places.search.download_folder(&set).is_err());
}

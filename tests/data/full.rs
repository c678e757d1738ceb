//! The real data sets: Fashion-MNIST from the repository, and CIFAR-10 if it is available.

use crate::samples::data_sets::search_nowhere;
use shadegrad::data::Dataset;
use shadegrad::data::catalogue::Catalogue;
use shadegrad::data::load::load;
use shadegrad::data::locate::{ENVIRONMENT_VARIABLE, Search};
use shadegrad::data::pictures::Wanted;
use shadegrad::data::statistics::{class_counts, moments};
use shadegrad::data::verify::verify;
use std::path::{Path, PathBuf};

fn search_in(folder: PathBuf) -> Search {
    Search { data_dir: Some(folder), catalogue: Catalogue::built_in(), ..search_nowhere(Vec::new()) }
}

/// Compares with published figures, which are rounded to four digits.
#[track_caller]
fn expect_moments(dataset: &Dataset, mean: &[f64], std: &[f64]) {
    let found = moments(&dataset.train, dataset.shape);
    for (found, published) in [(found.mean, mean), (found.std, std)] {
        assert_eq!(found.len(), published.len());
        for (found, published) in found.iter().zip(published) {
            assert!((found - published).abs() <= 0.00005, "{found} {published}");
        }
    }
}

pub fn fashion_mnist_is_whole_and_official() {
    let search = search_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("data"));
    let dataset = load("fashion-mnist", &search, &Wanted::default()).unwrap();
    assert_eq!(dataset.shape.pixels(), 28 * 28);
    assert_eq!((dataset.train.len(), dataset.test.len()), (60_000, 10_000));
    assert_eq!(dataset.train.images.len(), 60_000 * 28 * 28);
    assert_eq!(class_counts(&dataset.train, 10), [6000; 10]);
    assert_eq!(class_counts(&dataset.test, 10), [1000; 10]);
    assert_eq!(dataset.classes[9], "Ankle boot");
    assert_eq!(dataset.train.labels[..4], [9, 0, 0, 3]);
    expect_moments(&dataset, &[0.2860], &[0.3530]);
    let set = search.catalogue.find("fashion-mnist").unwrap();
    let reports = verify(set, &search.require(set).unwrap()).unwrap();
    assert_eq!(reports.len(), 4);
    assert!(reports.iter().all(|report| report.fault.is_none()));
}

pub fn cifar_10_is_whole() {
    let folder = std::env::var_os(ENVIRONMENT_VARIABLE).expect("the folder of CIFAR-10");
    let dataset = load("cifar10", &search_in(folder.into()), &Wanted::default()).unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (50_000, 10_000));
    assert_eq!(class_counts(&dataset.train, 10), [5000; 10]);
    assert_eq!(class_counts(&dataset.test, 10), [1000; 10]);
    assert_eq!(dataset.classes[0], "airplane");
    assert_eq!(dataset.classes[9], "truck");
    let mean = [0.4914, 0.4822, 0.4465];
    expect_moments(&dataset, &mean, &[0.2470, 0.2435, 0.2616]);
}

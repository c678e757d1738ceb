//! The data sets that shadegrad knows by name: their properties, mirrors and checksums.
//!
//! The mirrors of the MNIST family compress the files differently, so their hashes are of the
//! decompressed contents. The hashes for CIFAR are of the archive and of the files in it.
//!
//! ```
//! use shadegrad::data::catalogue::Catalogue;
//!
//! let catalogue = Catalogue::built_in();
//! let set = catalogue.find("mnist").expect("it is a known data set");
//! assert_eq!((set.class_count, set.train_images), (10, 60_000));
//! ```

use super::ImageShape;
use super::cifar::{CIFAR_10, CIFAR_100, Cifar};

/// The file layout of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Four IDX files, as in MNIST.
    Idx,
    /// CIFAR's binary files, in an archive or in a folder.
    Cifar(&'static Cifar),
}

/// The bytes that a hash is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The file as it is.
    AsIs,
    /// The decompressed contents. For a file that is not gzip, its bytes.
    Decompressed,
}

/// A file to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its official name.
    pub name: String,
    /// The form to which `bytes` and `sha256` apply.
    pub form: Form,
    /// Size in that form, in bytes.
    pub bytes: u64,
    /// SHA-256 of that form, in lower-case hexadecimal.
    pub sha256: String,
    /// Addresses to download it from, in the order to try.
    pub mirrors: Vec<String>,
}

/// A data set that is known by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSet {
    /// The name, as the setting `data` takes it.
    pub name: String,
    /// A description in a few words.
    pub title: String,
    /// The layout of its files.
    pub format: Format,
    /// Number of classes.
    pub class_count: usize,
    /// Class names in the order of the labels. Empty if only the set's own files contain them.
    pub classes: Vec<String>,
    /// Number of training images.
    pub train_images: usize,
    /// Number of test images.
    pub test_images: usize,
    /// The files to download.
    pub files: Vec<KnownFile>,
    /// Name and SHA-256 of the official files inside the archive.
    pub members: Vec<(String, String)>,
}

impl KnownSet {
    /// Returns the shape of every image.
    pub fn shape(&self) -> ImageShape {
        match self.format {
            Format::Idx => ImageShape { channels: 1, height: 28, width: 28 },
            Format::Cifar(_) => ImageShape { channels: 3, height: 32, width: 32 },
        }
    }
}

/// All data sets that are known by name. [`Catalogue::built_in`] is the real list; tests make
/// others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// The sets, in the order of listings.
    pub sets: Vec<KnownSet>,
}

/// File name stems of the four files of an IDX set: training images and labels, test images and
/// labels.
pub const IDX_STEMS: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Decompressed sizes of these files. They are the same for MNIST and Fashion-MNIST.
const IDX_BYTES: [u64; 4] = [47_040_016, 60_008, 7_840_016, 10_008];

const FASHION_MNIST_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

const MNIST_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

const CIFAR_10_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

impl Catalogue {
    /// Returns the sets that shadegrad knows.
    pub fn built_in() -> Self {
        Catalogue { sets: vec![fashion_mnist(), mnist(), cifar_10(), cifar_100()] }
    }

    /// Returns the set called `name`.
    pub fn find(&self, name: &str) -> Option<&KnownSet> {
        self.sets.iter().find(|set| set.name == name)
    }

    /// Returns all names, separated by commas, for messages.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.sets.iter().map(|set| set.name.as_str()).collect();
        names.join(", ")
    }
}

fn fashion_mnist() -> KnownSet {
    idx_set(
        "fashion-mnist",
        "clothes, 28x28 grey",
        &FASHION_MNIST_CLASSES,
        &[
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ],
        [
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ],
    )
}

fn mnist() -> KnownSet {
    idx_set(
        "mnist",
        "handwritten digits, 28x28 grey",
        &MNIST_CLASSES,
        &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
        [
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ],
    )
}

fn cifar_10() -> KnownSet {
    let archive = KnownFile {
        name: "cifar-10-binary.tar.gz".to_owned(),
        form: Form::AsIs,
        bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd".to_owned(),
        mirrors: owned(&[
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
            "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz",
        ]),
    };
    KnownSet {
        classes: owned(&CIFAR_10_CLASSES),
        ..cifar_set(
            "cifar10",
            "animals and vehicles, 32x32 colour",
            &CIFAR_10,
            archive,
            &[
                "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
                "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
            ],
        )
    }
}

fn cifar_100() -> KnownSet {
    let archive = KnownFile {
        name: "cifar-100-binary.tar.gz".to_owned(),
        form: Form::AsIs,
        bytes: 168_513_733,
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec".to_owned(),
        mirrors: owned(&["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"]),
    };
    cifar_set(
        "cifar100",
        "a hundred kinds of things, 32x32 colour",
        &CIFAR_100,
        archive,
        &[
            "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
            "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a",
        ],
    )
}

/// Builds a set with MNIST's file layout. `bases` are the folders of the mirrors.
fn idx_set(name: &str, title: &str, classes: &[&str], bases: &[&str], hashes: [&str; 4]) -> KnownSet {
    let file = |index: usize| {
        let name = format!("{}.gz", IDX_STEMS[index]);
        KnownFile {
            form: Form::Decompressed,
            bytes: IDX_BYTES[index],
            sha256: hashes[index].to_owned(),
            mirrors: bases.iter().map(|base| format!("{base}{name}")).collect(),
            name,
        }
    };
    KnownSet {
        name: name.to_owned(),
        title: title.to_owned(),
        format: Format::Idx,
        class_count: classes.len(),
        classes: owned(classes),
        train_images: 60_000,
        test_images: 10_000,
        files: (0..IDX_STEMS.len()).map(file).collect(),
        members: Vec::new(),
    }
}

/// Builds a set with CIFAR's file layout. `hashes` are those of the image files in `archive`, in
/// order.
fn cifar_set(
    name: &str,
    title: &str,
    cifar: &'static Cifar,
    archive: KnownFile,
    hashes: &[&str],
) -> KnownSet {
    KnownSet {
        name: name.to_owned(),
        title: title.to_owned(),
        format: Format::Cifar(cifar),
        class_count: cifar.class_count(),
        classes: Vec::new(),
        train_images: 50_000,
        test_images: 10_000,
        files: vec![archive],
        members: cifar
            .image_files()
            .zip(hashes)
            .map(|(file, hash)| (file.to_owned(), (*hash).to_owned()))
            .collect(),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

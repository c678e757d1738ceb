//! Usual names of the folders with training, validation and test pictures.

/// The purpose of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Train,
    Validation,
    Test,
}

const TRAIN: [&str; 7] = ["train", "training", "trn", "trainset", "trainingset", "traindata", "trainval"];

const VALIDATION: [&str; 9] =
    ["val", "valid", "validation", "validate", "dev", "devset", "valset", "validset", "validationset"];

const TEST: [&str; 9] =
    ["test", "testing", "tst", "testset", "testingset", "testdata", "eval", "evaluation", "holdout"];

/// Words without meaning in the name of an image folder.
const GENERIC: [&str; 14] = [
    "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "data", "dataset", "set",
    "split", "folder", "dir",
];

/// A folder name that may denote a split. Classes may have such names as well (`training shoes`),
/// so the contents of the folders decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SplitName {
    pub(super) role: Role,
    /// How common its word is for the role; 0 is the most common.
    pub(super) rank: usize,
    /// The other words, such as `flowers` in `flowers_train2`. Generic words and numbers are left
    /// out.
    pub(super) rest: Vec<String>,
}

impl SplitName {
    /// Parses names such as `train`, `Training`, `train_images`, `TrainSet`, `flowers-test`,
    /// `val2017` and `hold-out`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (mut roles, mut rest, mut rank) = (Vec::new(), Vec::new(), 0);
        for word in words(name) {
            match role(&word) {
                Some((role, place)) => {
                    roles.push(role);
                    rank = rank.max(place);
                }
                None if GENERIC.contains(&word.as_str()) || word.starts_with(|it: char| it.is_numeric()) => {}
                None => rest.push(word),
            }
        }
        roles.sort();
        roles.dedup();
        let role = match roles[..] {
            [role] => role,
            // `train_val` contains both without separating them. It is used for training.
            [Role::Train, Role::Validation] => Role::Train,
            _ => return None,
        };
        Some(SplitName { role, rank, rest })
    }

    /// Whether the name contains no other words.
    pub(super) fn is_plain(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Returns the role that a word names, and the position of the word in its list.
fn role(word: &str) -> Option<(Role, usize)> {
    let lists = [(Role::Train, &TRAIN[..]), (Role::Validation, &VALIDATION), (Role::Test, &TEST)];
    let place = |list: &[&str]| list.iter().position(|known| *known == word);
    lists.into_iter().find_map(|(role, list)| place(list).map(|place| (role, place)))
}

/// Splits a name into lower-case words: at characters that are neither letters nor digits, at a
/// capital after a lower-case letter, and between letters and digits.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for character in name.chars() {
        if character.is_alphanumeric() {
            let goes_on = |last: char| {
                last.is_alphanumeric()
                    && last.is_numeric() == character.is_numeric()
                    && !(last.is_lowercase() && character.is_uppercase())
            };
            match words.last_mut() {
                Some(word) if last.is_some_and(goes_on) => word.extend(character.to_lowercase()),
                _ => words.push(character.to_lowercase().collect()),
            }
        }
        last = Some(character);
    }
    if let Some(at) = words.windows(2).position(|pair| pair == ["hold", "out"]) {
        words.splice(at..at + 2, ["holdout".into()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_known_under_the_names_people_use() {
        let cases = [
            (
                Role::Train,
                "train Train TRAIN training Training_Set train_images train-images images_train trn train2017 \
                 TrainImages trainingSet 01_train train.data X_train trainval train_val",
            ),
            (
                Role::Validation,
                "val Val valid VALID validation dev val_images images_val val2017 ValidationSet",
            ),
            (
                Role::Test,
                "test Test TESTING test_set test1 testSet eval evaluation holdout hold-out HoldOut hold_out",
            ),
        ];
        for (role, names) in cases {
            for name in names.split_whitespace() {
                let found = SplitName::of(name).unwrap_or_else(|| panic!("{name} is not understood"));
                assert_eq!(found.role, role, "{name}");
                assert_eq!(found.is_plain(), name != "X_train", "{name}");
            }
        }
        assert_eq!(SplitName::of("my flowers TRAIN (2)").unwrap().rest, ["my", "flowers"]);
        assert_eq!(SplitName::of("flowers-test").unwrap().rest, ["flowers"]);
    }

    #[test]
    fn words_that_only_contain_such_names_are_others() {
        let names = "trains trainer latest contest valley validity value devices invalid untrained testimony \
                     retrain strain daisy 2017 images test_train 图片";
        for name in names.split_whitespace().chain(["", "-"]) {
            assert_eq!(SplitName::of(name), None, "{name}");
        }
    }
}

//! Which folders are the splits of a data set, by their names and by what lies in them.

use std::collections::BTreeSet;

use super::split_names::{Role, SplitName};
use super::tree::Folder;

/// The folders of a data set's splits, each of which has a folder for each class.
#[derive(Debug)]
pub(super) struct Splits<'a> {
    /// The folder that they lie in.
    pub(super) around: &'a Folder,
    pub(super) train: Option<&'a Folder>,
    pub(super) validation: Option<&'a Folder>,
    pub(super) test: Option<&'a Folder>,
    /// Folders of validation or test pictures without folders of the classes.
    pub(super) unlabelled: Vec<&'a Folder>,
    /// Other folders with pictures.
    pub(super) others: Vec<&'a Folder>,
}

impl Splits<'_> {
    /// Whether there are pictures to train on and others, each in folders of classes.
    pub(super) fn are_several(&self) -> bool {
        self.train.is_some() && (self.validation.is_some() || self.test.is_some())
    }
}

/// A folder whose name may be that of a split.
struct Candidate<'a> {
    name: SplitName,
    /// As it lies beside the others.
    outer: &'a Folder,
    /// The folder with the classes: the same, or the only one in it where that has the same role,
    /// as in `seg_train/seg_train`.
    folder: &'a Folder,
}

impl<'a> Candidate<'a> {
    fn of(outer: &'a Folder) -> Option<Self> {
        let name = SplitName::of(&outer.name)?;
        let mut folder = outer;
        while let Some(only) = folder.only_branch()
            && SplitName::of(&only.name).is_some_and(|inner| inner.role == name.role)
        {
            folder = only;
        }
        Some(Candidate { name, outer, folder })
    }

    fn has_classes(&self) -> bool {
        self.folder.branches().next().is_some()
    }

    /// Whether it has a folder of one of these classes, whose names are in small letters.
    fn shares(&self, classes: &[String]) -> bool {
        self.folder.branches().any(|class| classes.contains(&class.name.to_lowercase()))
    }

    /// Whether its folders are to be read as classes, even where they are not those of `classes`:
    /// one folder of another name holds pictures of any class.
    fn is_labelled(&self, classes: &[String]) -> bool {
        self.shares(classes) || self.folder.branches().count() > 1
    }
}

/// The splits in `folder`, if that has some. `known` are the classes of a model.
///
/// A name alone is not enough, because classes may be called `test` or `training shoes`. Folders
/// are splits where one for training has folders of classes, and either its name says nothing else,
/// or another split agrees with it: by a folder of the same class, or by the other words of its
/// name. Without a folder for training, all folders must be splits. Where classes are known, one of
/// them must be there.
pub(super) fn find<'a>(folder: &'a Folder, known: Option<&[String]>) -> Option<Splits<'a>> {
    let known: Option<Vec<String>> =
        known.map(|known| known.iter().map(|name| name.to_lowercase()).collect());
    let candidates: Vec<_> = folder.branches().filter_map(Candidate::of).collect();
    let (train, mut rest): (Vec<_>, Vec<_>) =
        candidates.iter().partition(|candidate| candidate.name.role == Role::Train);
    let with_classes = train.into_iter().filter(|candidate| candidate.has_classes());
    let train = with_classes.min_by_key(|candidate| plainness(candidate));
    let classes = known.clone().or_else(|| train.map(|train| names(train.folder)));
    let is_labelled = |candidate: &Candidate<'_>| match &classes {
        Some(classes) => candidate.is_labelled(classes),
        None => candidate.has_classes(),
    };
    let agrees = |train: &Candidate<'_>, other: &Candidate<'_>| {
        classes.as_ref().is_some_and(|classes| other.shares(classes))
            || (other.name.rest == train.name.rest && !is_labelled(other))
    };
    let are_splits = match train {
        Some(train) => train.name.is_plain() || rest.iter().any(|other| agrees(train, other)),
        None => candidates.len() == folder.branches().count() && rest.iter().any(|it| it.has_classes()),
    };
    let are_known = known.is_none_or(|known| candidates.iter().any(|it| it.shares(&known)));
    if !(are_splits && are_known) {
        return None;
    }
    rest.sort_by_key(|candidate| plainness(candidate));
    let (labelled, unlabelled): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|candidate| is_labelled(candidate));
    let first = |role| labelled.iter().copied().find(|candidate| candidate.name.role == role);
    let (validation, test) = (first(Role::Validation), first(Role::Test));
    let told = [train, validation, test].into_iter().flatten().chain(unlabelled.iter().copied());
    let told: Vec<_> = told.map(|candidate| &candidate.outer.path).collect();
    Some(Splits {
        around: folder,
        train: train.map(|candidate| candidate.folder),
        validation: validation.map(|candidate| candidate.folder),
        test: test.map(|candidate| candidate.folder),
        unlabelled: unlabelled.into_iter().map(|candidate| candidate.outer).collect(),
        others: folder.branches().filter(|other| !told.contains(&&other.path)).collect(),
    })
}

/// The names of folders that can only be splits, but have no folders of classes in them; the one
/// for training comes first.
pub(super) fn without_classes(folder: &Folder) -> Option<Vec<&str>> {
    let mut candidates: Vec<_> = folder.branches().map(Candidate::of).collect::<Option<_>>()?;
    candidates.sort_by_key(|candidate| candidate.name.role);
    let roles: BTreeSet<_> = candidates.iter().map(|candidate| candidate.name.role).collect();
    let is_bare = |candidate: &Candidate<'_>| candidate.name.is_plain() && !candidate.has_classes();
    let names = candidates.iter().map(|candidate| candidate.outer.name.as_str());
    (roles.len() > 1 && candidates.iter().all(is_bare)).then(|| names.collect())
}

/// The names of the classes in a folder, in small letters.
fn names(folder: &Folder) -> Vec<String> {
    folder.branches().map(|class| class.name.to_lowercase()).collect()
}

/// Of several folders of the same role, the one with the least of this is taken.
fn plainness(candidate: &Candidate<'_>) -> (usize, usize, usize) {
    let SplitName { rank, rest, .. } = &candidate.name;
    (rest.len(), *rank, candidate.outer.name.chars().count())
}

//! Detection of the folders of a data set's splits, by their names and contents.

use std::collections::BTreeSet;

use super::split_names::{Role, SplitName};
use super::tree::Folder;

/// The folders of a data set's splits. Each has one sub-folder per class.
#[derive(Debug)]
pub(super) struct Splits<'a> {
    /// The folder that contains them.
    pub(super) around: &'a Folder,
    pub(super) train: Option<&'a Folder>,
    pub(super) validation: Option<&'a Folder>,
    pub(super) test: Option<&'a Folder>,
    /// Folders with validation or test pictures but without class folders.
    pub(super) unlabelled: Vec<&'a Folder>,
    /// Other folders with pictures.
    pub(super) others: Vec<&'a Folder>,
}

impl Splits<'_> {
    /// Whether there is a training split and another split, each with class folders.
    pub(super) fn are_several(&self) -> bool {
        self.train.is_some() && (self.validation.is_some() || self.test.is_some())
    }
}

/// A folder whose name may denote a split.
struct Candidate<'a> {
    name: SplitName,
    /// The folder next to the other splits.
    outer: &'a Folder,
    /// The folder with the classes. It is `outer` itself, or the only folder in it if that has the
    /// same role, as in `seg_train/seg_train`.
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

    /// Whether it has a folder of one of `classes`, whose names are in lower case.
    fn shares(&self, classes: &[String]) -> bool {
        self.folder.branches().any(|class| classes.contains(&class.name.to_lowercase()))
    }

    /// Whether its folders are classes, even if they are not among `classes`. A single folder with
    /// another name contains pictures of any class.
    fn is_labelled(&self, classes: &[String]) -> bool {
        self.shares(classes) || self.folder.branches().count() > 1
    }
}

/// Returns the splits in `folder`, if it has any. `known` are the classes of a model.
///
/// A name alone is not sufficient, because classes may be called `test` or `training shoes`.
/// Folders are splits if one for training has class folders, and either its name contains no other
/// word, or another split agrees with it by a folder of the same class or by the other words of its
/// name. Without a training folder, all folders must be splits. If classes are known, one of them
/// must be present.
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
    let used = [train, validation, test].into_iter().flatten().chain(unlabelled.iter().copied());
    let used: Vec<_> = used.map(|candidate| &candidate.outer.path).collect();
    Some(Splits {
        around: folder,
        train: train.map(|candidate| candidate.folder),
        validation: validation.map(|candidate| candidate.folder),
        test: test.map(|candidate| candidate.folder),
        unlabelled: unlabelled.into_iter().map(|candidate| candidate.outer).collect(),
        others: folder.branches().filter(|other| !used.contains(&&other.path)).collect(),
    })
}

/// Returns the names of folders that can only be splits but contain no class folders. The training
/// folder comes first.
pub(super) fn without_classes(folder: &Folder) -> Option<Vec<&str>> {
    let mut candidates: Vec<_> = folder.branches().map(Candidate::of).collect::<Option<_>>()?;
    candidates.sort_by_key(|candidate| candidate.name.role);
    let roles: BTreeSet<_> = candidates.iter().map(|candidate| candidate.name.role).collect();
    let is_bare = |candidate: &Candidate<'_>| candidate.name.is_plain() && !candidate.has_classes();
    let names = candidates.iter().map(|candidate| candidate.outer.name.as_str());
    (roles.len() > 1 && candidates.iter().all(is_bare)).then(|| names.collect())
}

/// Returns the names of the classes in a folder, in lower case.
fn names(folder: &Folder) -> Vec<String> {
    folder.branches().map(|class| class.name.to_lowercase()).collect()
}

/// Sort key of folders with the same role. The folder with the smallest key is used.
fn plainness(candidate: &Candidate<'_>) -> (usize, usize, usize) {
    let SplitName { rank, rest, .. } = &candidate.name;
    (rest.len(), *rank, candidate.outer.name.chars().count())
}

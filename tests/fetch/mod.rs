//! Downloads from faulty servers, and imports. Files in their final place are always official.

mod import;
mod resume;
mod server;

use crate::samples::data_sets::{
    expect_data_error, gzip, search_nowhere, small_cifar_set, small_idx_contents, small_idx_set,
};
use server::Answer::{HangUp, NoLength, Redirect, Status, Whole};
use server::{Answer, Server, header};
use shadegrad::data::catalogue::KnownSet;
use shadegrad::data::cifar::CIFAR_10;
use shadegrad::data::fetch::{FetchOptions, FetchedFile, Origin, fetch, load_or_fetch};
use shadegrad::data::pictures::Wanted;
use shadegrad::{ErrorKind, Remedy, Result};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

fn impatient() -> FetchOptions {
    FetchOptions {
        connect_timeout: Duration::from_secs(5),
        stall_timeout: Duration::from_millis(300),
        attempts: 3,
        back_off: Duration::from_millis(5),
        progress: false,
        proxy_from_environment: false,
    }
}

/// A set of one file (an archive), servers that act as its mirrors, and a folder for it.
struct Case {
    archive: Vec<u8>,
    set: KnownSet,
    servers: Vec<Server>,
    folder: TempDir,
}

impl Case {
    /// `mirrors` returns the answers of each mirror for the archive.
    fn new(mirrors: impl FnOnce(&[u8]) -> Vec<Vec<Answer>>) -> Self {
        let archive = small_archive();
        let servers: Vec<Server> = mirrors(&archive).into_iter().map(Server::start).collect();
        let mut set = small_cifar_set(&CIFAR_10, &archive);
        set.files[0].mirrors = (servers.iter().enumerate())
            .map(|(index, server)| format!("{}mirror-{index}/file", server.address))
            .collect();
        Case { archive, set, servers, folder: tempfile::tempdir().unwrap() }
    }

    fn fetch(&self) -> Result<Vec<FetchedFile>> {
        fetch(&self.set, self.folder.path(), &impatient())
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join(CIFAR_10.archive)
    }

    fn partial(&self) -> PathBuf {
        self.folder.path().join(format!("{}.part", CIFAR_10.archive))
    }

    fn requests(&self, server: usize) -> usize {
        self.servers[server].requests().len()
    }

    /// Downloads, and checks that the folder contains the official file and nothing else.
    #[track_caller]
    fn expect_downloaded(&self) {
        let files = self.fetch().unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].origin, Origin::Downloaded);
        assert_eq!(files[0].path, self.target());
        assert_eq!(fs::read(self.target()).unwrap(), self.archive);
        let mut left: Vec<_> = fs::read_dir(self.folder.path()).unwrap().collect();
        left.retain(|entry| entry.as_ref().unwrap().file_name() != ".lock");
        assert_eq!(left.len(), 1);
    }

    /// Downloads, and checks that this fails and that the folder stays empty.
    #[track_caller]
    fn expect_failure(&self, parts: &[&str]) {
        let result = self.fetch();
        let remedy = result.as_ref().unwrap_err().remedy();
        assert!(
            matches!(remedy, Some(Remedy::ImportData { name, .. }) if name == "small-cifar"),
            "{remedy:?}"
        );
        expect_data_error(result, parts);
        assert!(!self.target().exists());
    }
}

/// The contents to download. They are large enough to arrive in several pieces, and never parsed.
fn small_archive() -> Vec<u8> {
    let numbers =
        std::iter::successors(Some(1_u32), |last| Some(last.wrapping_mul(747_796_405).wrapping_add(1)));
    numbers.map(|number| (number >> 24) as u8).take(200_000).collect()
}

#[test]
fn a_good_mirror_is_asked_once() {
    let case = Case::new(|archive| vec![vec![Whole(archive.to_vec())]]);
    case.expect_downloaded();
    let requests = case.servers[0].requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("get /mirror-0/file http/1.1"));
    assert_eq!(header(&requests[0], "accept-encoding"), Some("identity"));
    assert_eq!(header(&requests[0], "range"), None);
    // An official file that exists is not downloaded again.
    assert_eq!(case.fetch().unwrap()[0].origin, Origin::AlreadyThere);
    assert_eq!(case.requests(0), 1);
}

#[test]
fn a_wrong_file_in_place_is_replaced() {
    let case = Case::new(|archive| vec![vec![Whole(archive.to_vec())]]);
    fs::write(case.target(), b"something else").unwrap();
    case.expect_downloaded();
}

#[test]
fn a_wrong_file_in_place_stays_until_the_right_one_is_there() {
    let case = Case::new(|_| vec![vec![Status(404)]]);
    fs::write(case.target(), b"something else").unwrap();
    expect_data_error(case.fetch(), &["404"]);
    assert_eq!(fs::read(case.target()).unwrap(), b"something else");
}

#[test]
fn a_refusal_moves_on_to_the_next_mirror_at_once() {
    for status in [401, 403, 404, 410] {
        let case = Case::new(|archive| vec![vec![Status(status)], vec![Whole(archive.to_vec())]]);
        case.expect_downloaded();
        assert_eq!(case.requests(0), 1);
    }
}

#[test]
fn an_overloaded_mirror_is_asked_again() {
    for status in [500, 502, 503, 429] {
        let answers = |archive: &[u8]| vec![Status(status), Status(status), Whole(archive.to_vec())];
        let case = Case::new(|archive| vec![answers(archive)]);
        case.expect_downloaded();
        assert_eq!(case.requests(0), 3);
    }
}

#[test]
fn a_mirror_that_stays_overloaded_is_given_up() {
    let case = Case::new(|archive| vec![vec![Status(503)], vec![Whole(archive.to_vec())]]);
    case.expect_downloaded();
    assert_eq!(case.requests(0), 3);
}

#[test]
fn a_wrong_file_is_refused_and_the_next_mirror_tried() {
    let case = Case::new(|archive| {
        let mut wrong = archive.to_vec();
        wrong[100] ^= 1;
        let longer = [archive, b"more"].concat();
        vec![
            vec![Whole(wrong)],
            vec![Whole(b"<html>Sign in to the hotel's network</html>".to_vec())],
            vec![Whole(longer)],
            vec![NoLength(archive[..500].to_vec())],
            vec![NoLength(archive.to_vec())],
        ]
    });
    case.expect_downloaded();
    for server in 0..5 {
        assert_eq!(case.requests(server), 1);
    }
}

#[test]
fn redirects_are_followed() {
    let archive = small_archive();
    let behind = Server::start(vec![Whole(archive)]);
    let case = Case::new(|_| vec![vec![Redirect(format!("{}other", behind.address))]]);
    case.expect_downloaded();
    let circle =
        Case::new(|archive| vec![vec![Redirect("/mirror-0/file".to_owned())], vec![Whole(archive.to_vec())]]);
    circle.expect_downloaded();
}

#[test]
fn when_all_mirrors_fail_each_reason_is_given() {
    let mut case = Case::new(|archive| {
        let mut wrong = archive.to_vec();
        wrong[100] ^= 1;
        vec![vec![Status(403)], vec![Status(503)], vec![HangUp], vec![Whole(wrong)]]
    });
    // A port that is no longer in use.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    case.set.files[0].mirrors.push(format!("http://{dead}/file"));
    case.set.files[0].mirrors.push("no address".to_owned());
    let mirrors = case.set.files[0].mirrors.clone();
    let mut parts: Vec<&str> = mirrors.iter().map(String::as_str).collect();
    parts.extend(["403", "503", "tried 3 times", "SHA-256", "expected"]);
    case.expect_failure(&parts);
    assert!(!case.partial().exists());
}

#[test]
fn any_compression_of_the_official_contents_will_do() {
    let contents = small_idx_contents();
    let folder = tempfile::tempdir().unwrap();
    let mut set = small_idx_set("small", &contents);
    let plain = Server::start(vec![Whole(contents[0].clone())]);
    let packed = Server::start(contents[1..].iter().map(|it| Whole(gzip(it))).collect());
    for (index, file) in set.files.iter_mut().enumerate() {
        let server = if index == 0 { &plain } else { &packed };
        file.mirrors = vec![format!("{}{}", server.address, file.name)];
    }
    let search = {
        let mut search = search_nowhere(vec![set]);
        search.cache = Some(folder.path().to_owned());
        search
    };
    let dataset = load_or_fetch("small", &search, &Wanted::default(), &impatient()).unwrap();
    assert_eq!(dataset.train.labels, [0, 1, 2]);
    // A file that is not compressed has no `.gz`.
    let names: Vec<_> =
        (dataset.files.iter()).map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names[0], "train-images-idx3-ubyte");
    assert_eq!(names[1], "train-labels-idx1-ubyte.gz");
    assert_eq!(load_or_fetch("small", &search, &Wanted::default(), &impatient()).unwrap(), dataset);
    assert_eq!(plain.requests().len() + packed.requests().len(), 4);
}

#[test]
fn nothing_is_downloaded_into_a_folder_that_the_user_named() {
    let case = Case::new(|archive| vec![vec![Whole(archive.to_vec())]]);
    let mut search = search_nowhere(vec![case.set.clone()]);
    search.data_dir = Some(case.folder.path().to_owned());
    let result = load_or_fetch("small-cifar", &search, &Wanted::default(), &impatient());
    expect_data_error(result, &["small-cifar not found"]);
    assert_eq!(case.requests(0), 0);
}

#[test]
fn two_downloads_into_one_folder_do_not_mix() {
    let case = Case::new(|archive| vec![vec![Whole(archive.to_vec())]]);
    let lock = fs::File::create(case.folder.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let error = case.fetch().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("another process"));
    drop(lock);
    case.expect_downloaded();
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_of_the_disk() {
    let mut case = Case::new(|archive| vec![vec![Whole(archive.to_vec())]]);
    let file = case.folder.path().join("file");
    fs::write(&file, b"").unwrap();
    case.set.name = "set".to_owned();
    let error = fetch(&case.set, &file.join("set"), &impatient()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

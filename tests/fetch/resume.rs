//! Interrupted downloads that are resumed.

use crate::fetch::server::Answer::{HangUp, Ranged, Short, Stall, Status, Whole, WrongRange};
use crate::fetch::server::header;
use crate::fetch::{Case, small_archive};
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn a_connection_that_breaks_is_made_again_and_goes_on() {
    let case = Case::new(|archive| {
        let first = Short(archive.to_vec(), 300, "\"one\"");
        vec![vec![first, HangUp, Ranged(archive.to_vec(), "\"one\"")]]
    });
    case.expect_downloaded();
    let requests = case.servers[0].requests();
    assert_eq!(header(&requests[1], "range"), Some("bytes=300-"));
    assert_eq!(header(&requests[2], "range"), Some("bytes=300-"));
    assert_eq!(header(&requests[2], "if-range"), Some("\"one\""));
}

#[test]
fn a_stall_ends_after_the_timeout_and_goes_on() {
    let case = Case::new(|archive| {
        let first = Stall(archive.to_vec(), 200, "\"one\"");
        vec![vec![first, Ranged(archive.to_vec(), "\"one\"")]]
    });
    let start = Instant::now();
    case.expect_downloaded();
    assert!(start.elapsed() < Duration::from_secs(5));
    let requests = case.servers[0].requests();
    assert_eq!(header(&requests[1], "range"), Some("bytes=200-"));
}

#[test]
fn a_partial_file_is_kept_for_the_next_run() {
    let archive = small_archive();
    let case = Case::new(|_| {
        let ranged = Ranged(archive.clone(), "\"one\"");
        let short = Short(archive.clone(), 400, "\"one\"");
        vec![vec![short, Status(503), Status(503), ranged]]
    });
    case.expect_failure(&["503"]);
    assert_eq!(fs::read(case.partial()).unwrap(), archive[..400]);
    case.expect_downloaded();
    let requests = case.servers[0].requests();
    assert_eq!(header(&requests[3], "range"), Some("bytes=400-"));
}

#[test]
fn a_server_that_ignores_ranges_starts_anew() {
    let case = Case::new(|archive| {
        let first = Short(archive.to_vec(), 300, "\"one\"");
        vec![vec![first, Whole(archive.to_vec())]]
    });
    case.expect_downloaded();
    let requests = case.servers[0].requests();
    assert_eq!(header(&requests[1], "range"), Some("bytes=300-"));
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_changed_object_starts_anew() {
    let case = Case::new(|archive| {
        let old = vec![7; archive.len()];
        let first = Short(old, 300, "\"old\"");
        vec![vec![first, Ranged(archive.to_vec(), "\"new\"")]]
    });
    case.expect_downloaded();
    assert_eq!(case.requests(0), 2);
}

#[test]
fn halves_of_two_objects_are_noticed() {
    // The server claims that the file is unchanged, but the first half was of another one.
    let case = Case::new(|archive| {
        let old = vec![7; archive.len()];
        let first = Short(old, 300, "\"one\"");
        vec![vec![first, Ranged(archive.to_vec(), "\"one\"")]]
    });
    case.expect_downloaded();
    assert_eq!(case.requests(0), 3);
}

#[test]
fn an_answer_to_another_range_is_not_appended() {
    let case = Case::new(|archive| {
        let first = Short(archive.to_vec(), 300, "\"one\"");
        let wrong = WrongRange(b"xy".to_vec());
        vec![vec![first, wrong, Ranged(archive.to_vec(), "\"one\"")]]
    });
    case.expect_downloaded();
}

#[test]
fn a_partial_file_from_one_mirror_is_not_continued_at_another() {
    let case = Case::new(|archive| {
        let short = Short(archive.to_vec(), 300, "\"one\"");
        vec![vec![short, Status(404)], vec![Ranged(archive.to_vec(), "\"one\"")]]
    });
    case.expect_downloaded();
    assert_eq!(header(&case.servers[1].requests()[0], "range"), None);
}

#[test]
fn a_download_that_only_lacks_its_check_is_not_repeated() {
    let case = Case::new(|archive| {
        let last = archive.len() - 1;
        vec![vec![Short(archive.to_vec(), last, "\"one\""), Status(404)]]
    });
    case.expect_failure(&["404"]);
    // The process was killed between the last byte and the verification.
    fs::write(case.partial(), &case.archive).unwrap();
    case.expect_downloaded();
    assert_eq!(case.requests(0), 2);
}

//! Detection of truncated JPEG files. The decoder does not report them but fills the missing part
//! with grey.

const MARK: u8 = 0xff;
const START: [u8; 2] = [MARK, 0xd8];
const SCAN: u8 = 0xda;
const END: [u8; 2] = [MARK, 0xd9];

/// Whether the end marker follows the start of the scan. Returns true for files that are not JPEG,
/// and for files so damaged that the decoder notices. Programs append other data, so the marker
/// need not come last.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&START) {
        return true;
    }
    let mut rest = &bytes[START.len()..];
    // Segments before the scan: a marker, a kind, a length that includes itself, and data that may
    // contain a small JPEG file (a thumbnail).
    while let [MARK, kind, high, low, ..] = *rest {
        if kind == SCAN {
            // In entropy-coded data, a zero follows each 0xff that does not start a marker.
            return rest.windows(END.len()).any(|pair| pair == END);
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        match rest.get(2 + length..) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP1_WITH_A_THUMBNAIL: &[u8] = &[0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
    const SCAN_HEADER: &[u8] = &[0xff, 0xda, 0, 2];

    #[test]
    fn the_end_counts_only_behind_the_pixels() {
        let file = |parts: &[&[u8]]| parts.concat();
        let whole = file(&[&START, APP1_WITH_A_THUMBNAIL, SCAN_HEADER, &[1, 0xff, 0, 2], &END, b"appended"]);
        assert!(is_whole(&whole));
        let cut = file(&[&START, APP1_WITH_A_THUMBNAIL, SCAN_HEADER, &[1, 0xff, 0, 2]]);
        assert!(!is_whole(&cut));
        assert!(!is_whole(&file(&[&START, &[0xff, 0xe1, 9, 9, 1]])), "a segment without its end");
    }

    #[test]
    fn what_is_no_jpeg_is_not_judged() {
        for bytes in [&b""[..], b"\xff", b"\x89PNG", b"\xff\xd8", b"\xff\xd8hello"] {
            assert!(is_whole(bytes));
        }
    }
}

//! Whether a JPEG file was cut short. The decoder does not tell: it paints the missing part grey.

const MARK: u8 = 0xff;
const START: [u8; 2] = [MARK, 0xd8];
const SCAN: u8 = 0xda;
const END: [u8; 2] = [MARK, 0xd9];

/// Whether the mark of the end follows the beginning of the pixels; also true of what is no JPEG, or one
/// that is so damaged that the decoder notices. Programs append other things, so it need not come last.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&START) {
        return true;
    }
    let mut rest = &bytes[START.len()..];
    // Segments before the pixels: a mark, a kind, a length that counts itself, and what may hold a small
    // JPEG file of its own.
    while let [MARK, kind, high, low, ..] = *rest {
        if kind == SCAN {
            // In coded pixels a zero follows each 0xff that is none of the marks.
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

//! What symphonia (0.6.1) does not take from a Matroska or WebM: what of the last packet is no sound, and whether the file is
//! whole.
//!
//! Elements of EBML (RFC 8794): an id, a size, a body. The encoder's padding is an element of the last block (`DiscardPadding`,
//! RFC 9559, 5.1.3.5.7), in nanoseconds.

use std::io::{self, Read, Seek, SeekFrom};

use super::error::AudioFault;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const DISCARD_PADDING: u32 = 0x75a2;
/// Elements that are looked at on the way: those of a day of sound are fewer.
const MOST_ELEMENTS: usize = 1 << 16;
/// The longest padding that is believed [ns]: no packet is longer.
const MOST_PADDING_NS: u64 = 1_000_000_000;

/// The padding of a file of `length` bytes [ns], 0 if it says nothing; the file then stands where it stood.
///
/// # Errors
/// A file that is shorter than it says.
pub(super) fn padding_ns(file: &mut (impl Read + Seek), length: u64) -> Result<u64, AudioFault> {
    let padding = find(file, length);
    file.seek(SeekFrom::Start(0))?;
    padding
}

fn find(file: &mut (impl Read + Seek), length: u64) -> Result<u64, AudioFault> {
    let mut left = MOST_ELEMENTS;
    let whole = Element {
        id: 0,
        start: 0,
        end: length,
    };
    let Some(segment) = last(file, &whole, SEGMENT, &mut left)? else {
        return Ok(0);
    };
    if segment.end > length && segment.end != u64::MAX {
        return Err(AudioFault::Short {
            claimed: segment.end,
            held: length,
        });
    }
    let mut inner = segment;
    inner.end = inner.end.min(length);
    for id in [CLUSTER, BLOCK_GROUP, DISCARD_PADDING] {
        match last(file, &inner, id, &mut left)? {
            Some(found) if found.end <= length => inner = found,
            // Written as it was made: it says nothing of its end.
            _ => return Ok(0),
        }
    }
    let bytes = inner.end - inner.start;
    if bytes == 0 || bytes > 8 {
        return Ok(0);
    }
    file.seek(SeekFrom::Start(inner.start))?;
    let mut value = Vec::new();
    file.take(bytes).read_to_end(&mut value)?;
    // Below zero it would be something before the sound.
    let is_negative = value.first().is_none_or(|first| *first >= 0x80);
    let padding = value
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let is_one = !is_negative && padding <= MOST_PADDING_NS;
    Ok(if is_one { padding } else { 0 })
}

/// Where the body of an element is; `end` is `u64::MAX` where it does not say.
struct Element {
    id: u32,
    start: u64,
    end: u64,
}

/// The last element of an id in another's body. Of one after whose beginning nothing can be found, none.
fn last(
    file: &mut (impl Read + Seek),
    parent: &Element,
    id: u32,
    left: &mut usize,
) -> io::Result<Option<Element>> {
    let (mut at, mut found) = (parent.start, None);
    while at < parent.end {
        if *left == 0 {
            return Ok(None);
        }
        *left -= 1;
        let Some(element) = element(file, at)? else {
            break;
        };
        at = element.end;
        if element.id == id {
            found = Some(element);
        } else if at == u64::MAX {
            return Ok(None);
        }
    }
    Ok(found)
}

/// The element that begins at `at`.
fn element(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Element>> {
    file.seek(SeekFrom::Start(at))?;
    let mut head = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut head)?;
    let Some((id, id_bytes)) = number(&head, 4, true) else {
        return Ok(None);
    };
    let Some((size, size_bytes)) = number(&head[id_bytes..], 8, false) else {
        return Ok(None);
    };
    let start = at + (id_bytes + size_bytes) as u64;
    // All ones: nobody knew.
    let unknown = (1 << (7 * size_bytes)) - 1;
    let end = match size == unknown {
        true => u64::MAX,
        false => start.saturating_add(size),
    };
    Ok(Some(Element {
        id: id as u32,
        start,
        end,
    }))
}

/// A number of as many bytes as its first one has zeros before the first 1, and how many those are. `marked` keeps that 1, as
/// ids are written.
fn number(bytes: &[u8], most: usize, marked: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > most || bytes.len() < length {
        return None;
    }
    let first = if marked {
        u64::from(first)
    } else {
        u64::from(first) & ((1 << (8 - length)) - 1)
    };
    let rest = bytes[1..length].iter();
    let value = rest.fold(first, |sum, byte| sum << 8 | u64::from(*byte));
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn made(id: &[u8], body: &[u8]) -> Vec<u8> {
        let size = 0x1000_0000u32 | body.len() as u32;
        [id, &size.to_be_bytes(), body].concat()
    }

    fn cluster(padding: &[u8]) -> Vec<u8> {
        let group = [made(b"\xa1", b"packet"), made(b"\x75\xa2", padding)].concat();
        let simple = made(b"\xa3", b"packet");
        let groups = [
            made(b"\xa0", &made(b"\xa1", b"first")),
            made(b"\xa0", &group),
        ]
        .concat();
        made(b"\x1f\x43\xb6\x75", &[simple, groups].concat())
    }

    fn file(clusters: &[u8]) -> Vec<u8> {
        let head = made(b"\x1a\x45\xdf\xa3", b"");
        [head, made(b"\x18\x53\x80\x67", clusters)].concat()
    }

    fn of(bytes: &[u8]) -> Result<u64, AudioFault> {
        padding_ns(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    #[test]
    fn the_last_block_says_what_of_it_is_padding() {
        let clusters = [cluster(&[1]), cluster(&[0x00, 0xcd, 0xfe, 0x60])].concat();
        let bytes = file(&clusters);
        assert_eq!(of(&bytes).unwrap(), 13_500_000);
        // What follows the clusters does not hide them.
        let cues = made(b"\x1c\x53\xbb\x6b", b"cues");
        assert_eq!(of(&file(&[clusters, cues].concat())).unwrap(), 13_500_000);
        // Less than nothing, and more than any packet.
        for odd in [&[0xff, 0x00][..], &[0x7f; 8], &[], &[1; 9]] {
            assert_eq!(of(&file(&cluster(odd))).unwrap(), 0, "{odd:?}");
        }
    }

    #[test]
    fn a_file_that_is_cut_off_is_one_and_one_of_unknown_size_is_none() {
        let bytes = file(&cluster(&[1]));
        let short = of(&bytes[..bytes.len() - 1]);
        assert!(
            matches!(short, Err(AudioFault::Short { held, .. }) if held + 1 == bytes.len() as u64)
        );
        let endless = [
            &made(b"\x1a\x45\xdf\xa3", b"")[..],
            b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
            &cluster(&[1]),
        ]
        .concat();
        assert_eq!(of(&endless).unwrap(), 1);
        for none in [&b""[..], b"\x1a\x45\xdf\xa3", b"\0\0\0\0\0\0\0\0\0\0\0\0"] {
            assert_eq!(of(none).unwrap(), 0);
        }
    }
}

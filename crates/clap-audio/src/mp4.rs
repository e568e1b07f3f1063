//! What symphonia (0.6.1) does not take from an MP4: where the sound begins, and whether it is protected.
//!
//! Encoders of AAC and Opus put silence before the sound, and the edit list of the track says how much (ISO/IEC 14496-12,
//! 8.6.6). Nothing is said of the end but in units of the whole film, which are coarser than samples: like ffmpeg, the last
//! packet is heard to its end.

use std::io::{Read, Seek, SeekFrom};

use super::container::Container;
use super::error::AudioFault;
use super::metered;

/// Boxes at the top of a file up to the one that describes it; files have a handful.
const MOST_BOXES: usize = 1000;
/// Steps that symphonia takes at most to find the times of all packets: for each it goes through the tables of all tracks.
/// Films of hours take a thousand times less.
const MOST_STEPS: u64 = 1 << 33;
/// Handlers, sample entries and boxes.
type Name = [u8; 4];

/// What comes before the sound, in units of which a second has `per_second`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Lead {
    units: u64,
    per_second: u32,
}

impl Lead {
    /// In samples at a rate.
    pub(super) fn samples(self, rate_hz: u32) -> u64 {
        match self.per_second {
            0 => 0,
            per_second => {
                let samples = u128::from(self.units) * u128::from(rate_hz);
                u64::try_from(samples / u128::from(per_second)).unwrap_or(u64::MAX)
            }
        }
    }
}

/// Look at the box that describes the file; it then stands where it stood.
///
/// # Errors
/// Sound that is protected against copying, no sound, an edit list that cuts it up, tables that no program writes.
pub(super) fn lead(file: &mut (impl Read + Seek)) -> Result<Lead, AudioFault> {
    let movie = movie(file)?;
    file.seek(SeekFrom::Start(0))?;
    // A file without one is left to the library, which says so.
    movie.map_or(Ok(Lead::default()), |movie| track(&movie))
}

/// The box `moov`.
fn movie(file: &mut (impl Read + Seek)) -> Result<Option<Vec<u8>>, AudioFault> {
    let mut position = 0;
    for _ in 0..MOST_BOXES {
        file.seek(SeekFrom::Start(position))?;
        let mut head = Vec::with_capacity(16);
        file.by_ref().take(16).read_to_end(&mut head)?;
        let Some(found) = Box::at(&head) else {
            return Ok(None);
        };
        if &found.name == b"moov" {
            if found.bytes > metered::HEADERS {
                return Err(damaged("its tables are larger than any program's"));
            }
            file.seek(SeekFrom::Start(position + found.header))?;
            let mut body = Vec::new();
            file.by_ref()
                .take(found.bytes - found.header)
                .read_to_end(&mut body)?;
            return Ok(Some(body));
        }
        let Some(next) = position.checked_add(found.bytes) else {
            return Ok(None);
        };
        position = next;
    }
    Ok(None)
}

/// The first track of sound, which is the one that is heard.
fn track(movie: &[u8]) -> Result<Lead, AudioFault> {
    let (mut entries, mut packets, mut sound) = (0u64, 0u64, None);
    for track in children(movie, b"trak") {
        let media = child(track, b"mdia");
        let table = child(child(media, b"minf"), b"stbl");
        entries = entries.saturating_add(four_at(child(table, b"stts"), 4));
        packets = packets.saturating_add(four_at(child(table, b"stsz"), 8));
        if sound.is_none() && child(media, b"hdlr").get(8..12) == Some(b"soun") {
            sound = Some((track, media, table));
        }
    }
    if entries.saturating_mul(packets) > MOST_STEPS {
        return Err(damaged("its tables are larger than any program's"));
    }
    let Some((track, media, table)) = sound else {
        return Err(AudioFault::NoTrack);
    };
    // A version, flags, a count, and then the first entry.
    if let Some(entry) = child(table, b"stsd").get(8..).and_then(Box::at)
        && matches!(&entry.name, b"enca" | b"drms" | b"drmi")
    {
        return Err(AudioFault::Protected);
    }
    Ok(Lead {
        units: edits(child(child(track, b"edts"), b"elst"))?,
        per_second: per_second(child(media, b"mdhd")),
    })
}

/// Where the one edit of a track that is none of emptiness begins.
fn edits(list: &[u8]) -> Result<u64, AudioFault> {
    let wide = list.first() == Some(&1);
    let size = if wide { 20 } else { 12 };
    let begins = list.get(8..).unwrap_or_default().chunks_exact(size);
    let begins = begins.map(|edit| match wide {
        true => wide_at(edit, 8) as i64,
        false => i64::from(four_at(edit, 4) as u32 as i32),
    });
    let mut begins = begins.filter(|begin| *begin >= 0);
    let first = begins.next().unwrap_or(0);
    match begins.next() {
        Some(_) => Err(damaged("its edit list cuts the sound into parts")),
        None => Ok(first.unsigned_abs()),
    }
}

/// The units of a track's times that a second has.
fn per_second(header: &[u8]) -> u32 {
    let at = if header.first() == Some(&1) { 20 } else { 12 };
    four_at(header, at) as u32
}

/// Four bytes; 0 beyond the end.
fn four_at(bytes: &[u8], at: usize) -> u64 {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |four| u64::from(u32::from_be_bytes(*four)))
}

/// Eight bytes; 0 beyond the end.
fn wide_at(bytes: &[u8], at: usize) -> u64 {
    four_at(bytes, at) << 32 | four_at(bytes, at + 4)
}

/// The header of a box: its name, its size with the header, and that of the header.
struct Box {
    name: Name,
    bytes: u64,
    header: u64,
}

impl Box {
    fn at(start: &[u8]) -> Option<Self> {
        let [a, b, c, d, name @ ..] = *start.first_chunk::<8>()?;
        let (bytes, header) = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => (u64::MAX, 8),
            1 => (u64::from_be_bytes(*start.get(8..)?.first_chunk()?), 16),
            bytes => (u64::from(bytes), 8),
        };
        (bytes >= header).then_some(Self {
            name,
            bytes,
            header,
        })
    }
}

/// The bodies of the boxes of a name in another one's.
fn children<'b>(mut body: &'b [u8], name: &'b Name) -> impl Iterator<Item = &'b [u8]> {
    std::iter::from_fn(move || {
        loop {
            let found = Box::at(body)?;
            let end = usize::try_from(found.bytes).unwrap_or(usize::MAX);
            let (whole, rest) = body.split_at(end.min(body.len()));
            body = rest;
            if found.name == *name {
                return whole.get(found.header as usize..);
            }
        }
    })
}

/// The first of them; nothing if there is none.
fn child<'b>(body: &'b [u8], name: &'b Name) -> &'b [u8] {
    children(body, name).next().unwrap_or_default()
}

fn damaged(what: &str) -> AudioFault {
    Container::Mp4.undecodable(what)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn made(name: &Name, body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32 + 8).to_be_bytes();
        [&size[..], name, body].concat()
    }

    fn elst(edits: &[(u32, i32)]) -> Vec<u8> {
        let edits = edits.iter().flat_map(|(length, begin)| {
            [length.to_be_bytes(), begin.to_be_bytes(), [0, 1, 0, 0]].concat()
        });
        let edits: Vec<u8> = edits.collect();
        made(b"edts", &made(b"elst", &[&[0; 8], &edits[..]].concat()))
    }

    /// A file of one track.
    fn file(handler: &Name, entry: &Name, edits: &[u8], stts: u32) -> Vec<u8> {
        let mdhd = [&[0; 12], &48_000u32.to_be_bytes()[..], &[0; 8]].concat();
        let stbl = [
            made(b"stsd", &[&[0; 8], &made(entry, &[0; 28])[..]].concat()),
            made(b"stts", &[&[0; 4], &stts.to_be_bytes()[..]].concat()),
            made(b"stsz", &[&[0; 8], &u32::MAX.to_be_bytes()[..]].concat()),
        ]
        .concat();
        let media = [
            made(b"mdhd", &mdhd),
            made(b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat()),
            made(b"minf", &made(b"stbl", &stbl)),
        ]
        .concat();
        let track = made(b"trak", &[edits, &made(b"mdia", &media)].concat());
        let moov = made(b"moov", &track);
        [made(b"ftyp", b"M4A "), made(b"mdat", &[7; 99]), moov].concat()
    }

    fn of(bytes: &[u8]) -> Result<Lead, AudioFault> {
        lead(&mut Cursor::new(bytes))
    }

    #[test]
    fn the_edit_list_says_where_the_sound_begins() {
        for (edits, expected) in [
            (elst(&[(3300, 1024)]), 1024),
            (elst(&[(100, -1), (3300, 2112)]), 2112),
            (elst(&[]), 0),
            (Vec::new(), 0),
        ] {
            let lead = of(&file(b"soun", b"mp4a", &edits, 1)).unwrap();
            assert_eq!((lead.units, lead.per_second), (expected, 48_000));
            assert_eq!(lead.samples(24_000), expected / 2);
        }
        let version_1 = [&[1, 0, 0, 0, 0, 0, 0, 1][..], &[0; 15], &[9, 0, 1, 0, 0]].concat();
        assert_eq!(edits(&version_1).unwrap(), 9);
    }

    #[test]
    fn what_cannot_be_heard_is_an_error() {
        let protected = of(&file(b"soun", b"drms", &[], 1));
        assert!(matches!(protected, Err(AudioFault::Protected)));
        let pictures = of(&file(b"vide", b"avc1", &[], 1));
        assert!(matches!(pictures, Err(AudioFault::NoTrack)));
        for bad in [
            file(b"soun", b"mp4a", &elst(&[(1, 0), (1, 500)]), 1),
            file(b"soun", b"mp4a", &[], 4000),
        ] {
            let error = of(&bad);
            assert!(matches!(error, Err(AudioFault::Undecodable { .. })));
        }
    }

    #[test]
    fn files_without_a_description_and_with_sizes_of_any_kind_are_left_to_the_library() {
        let whole = file(b"soun", b"mp4a", &[], 1);
        for bytes in [
            &whole[..40],
            b"\0\0\0\x04ftyp",
            b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\0\0\0\0mdat",
            b"",
        ] {
            assert_eq!(of(bytes).unwrap(), Lead::default(), "{bytes:?}");
        }
    }
}

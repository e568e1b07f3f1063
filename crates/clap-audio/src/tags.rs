//! What stands before the sound of a FLAC or an MP3 is passed over: titles, pictures, tables for seeking.
//!
//! symphonia (0.6.1) holds all of it until the end, and obeys no limit: of a file whose pictures are holes on the disk, a few
//! kilobytes take gigabytes.

use std::io::{Cursor, Read, Seek, SeekFrom};

use symphonia::core::io::{MediaSource, ReadOnlySource};

use super::container::Container;
use super::error::AudioFault;

/// Tags one after the other that are passed over; files have one.
const MOST_TAGS: usize = 16;
const ID3_HEADER_BYTES: u64 = 10;
/// Of the block that says what the samples are.
const STREAM_INFO_BYTES: usize = 34;

/// `file` without tags.
pub(super) fn passed<F>(
    mut file: F,
    container: Container,
) -> Result<Box<dyn MediaSource>, AudioFault>
where
    F: Read + Seek + Send + Sync + 'static,
{
    let mut start = 0;
    let mut four = starts_with(&mut file, start)?;
    for _ in 0..MOST_TAGS {
        let Some(bytes) = id3_bytes(&mut file, four)? else {
            break;
        };
        start += bytes;
        four = starts_with(&mut file, start)?;
    }
    if four == *b"fLaC" {
        let info = stream_info(&mut file, container)?;
        return Ok(Box::new(ReadOnlySource::new(Cursor::new(info).chain(file))));
    }
    file.seek(SeekFrom::Start(start))?;
    // Not as a file that it can seek in: there symphonia guesses the length of an MP3 without a Xing header from its first
    // bit rates, and trims what lies beyond the guess.
    Ok(Box::new(ReadOnlySource::new(file)))
}

/// The four bytes at `at`, zeros beyond the end; the file then stands behind them.
fn starts_with(file: &mut (impl Read + Seek), at: u64) -> Result<[u8; 4], AudioFault> {
    file.seek(SeekFrom::Start(at))?;
    let mut found = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut found)?;
    found.resize(4, 0);
    Ok([found[0], found[1], found[2], found[3]])
}

/// What an ID3v2 tag takes that begins with `four` bytes, which are read; `None` if it is none.
fn id3_bytes(file: &mut impl Read, four: [u8; 4]) -> Result<Option<u64>, AudioFault> {
    let [b'I', b'D', b'3', 2..=4] = four else {
        return Ok(None);
    };
    let mut rest = Vec::with_capacity(6);
    file.take(6).read_to_end(&mut rest)?;
    let [_, flags, size @ ..] = rest.as_slice() else {
        return Ok(None);
    };
    if size.len() != 4 || size.iter().any(|&byte| byte >= 0x80) {
        return Ok(None);
    }
    let size = size.iter().fold(0, |sum, &byte| sum << 7 | u64::from(byte));
    let footer = if flags & 0x10 == 0 {
        0
    } else {
        ID3_HEADER_BYTES
    };
    Ok(Some(ID3_HEADER_BYTES + size + footer))
}

/// A FLAC up to its frames, as if there were nothing but the stream info block. `file` stands behind `fLaC`, and then on the
/// first frame.
fn stream_info(file: &mut (impl Read + Seek), container: Container) -> Result<Vec<u8>, AudioFault> {
    let mut kept = None;
    loop {
        let mut header = [0; 4];
        file.read_exact(&mut header)
            .map_err(|e| container.undecodable(e))?;
        let [kind, size @ ..] = header;
        let size = size.iter().fold(0, |sum, &byte| sum << 8 | i64::from(byte));
        if kind & 0x7f == 0 {
            let mut info = [0; STREAM_INFO_BYTES];
            if kept.is_some() || size != info.len() as i64 {
                return Err(container.undecodable("its stream info block is damaged"));
            }
            file.read_exact(&mut info)
                .map_err(|e| container.undecodable(e))?;
            kept = Some(info);
        } else {
            file.seek(SeekFrom::Current(size))?;
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    let info = kept.ok_or_else(|| container.undecodable("it has no stream info block"))?;
    let mut start = b"fLaC\x80\0\0\x22".to_vec();
    start.extend_from_slice(&info);
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(bytes: &[u8]) -> Vec<u8> {
        let mut source = passed(Cursor::new(bytes.to_vec()), Container::Mp3).unwrap();
        let mut rest = Vec::new();
        source.read_to_end(&mut rest).unwrap();
        rest
    }

    #[test]
    fn tags_are_passed_over_and_what_is_none_is_kept() {
        let tag = b"ID3\x04\0\0\0\0\x01\x02";
        let body = [7; 130];
        assert_eq!(rest(&[&tag[..], &body, b"sound"].concat()), b"sound");
        assert_eq!(
            rest(&[&tag[..], &body, tag, &body, b"sound"].concat()),
            b"sound"
        );
        let footer = b"ID3\x04\0\x10\0\0\0\x01";
        assert_eq!(rest(&[&footer[..], b"x0123456789sound"].concat()), b"sound");
        for other in [
            &b"sound"[..],
            b"ID3",
            b"ID3\x04\0",
            b"ID3\x05\0\0\0\0\0\x01x",
            b"ID3\x04\0\0\x80\0\0\x01x",
            b"",
        ] {
            assert_eq!(rest(other), other);
        }
        assert!(rest(b"ID3\x04\0\0\x7f\x7f\x7f\x7f").is_empty());
    }

    #[test]
    fn of_a_flac_the_stream_info_and_the_frames_are_left() {
        let info = [&b"\0\0\0\x22"[..], &[9; 34]].concat();
        let picture = [&b"\x06\0\0\x05"[..], &[1; 5]].concat();
        let padding = [&b"\x81\0\0\x03"[..], &[0; 3]].concat();
        let flac = [&b"fLaC"[..], &info, &picture, &padding, b"frames"].concat();
        let left = [&b"fLaC\x80\0\0\x22"[..], &[9; 34], b"frames"].concat();
        assert_eq!(rest(&flac), left);
        assert_eq!(
            rest(&[&b"ID3\x03\0\0\0\0\0\x02xx"[..], &flac].concat()),
            left
        );
        for bad in [
            [&b"fLaC"[..], &padding].concat(),
            [&b"fLaC"[..], &info, &info, &padding].concat(),
            [&b"fLaC"[..], &info].concat(),
            b"fLaC\x80\0\0\x21".to_vec(),
            b"fLaC\x80\0\0\x22short".to_vec(),
        ] {
            let failed = passed(Cursor::new(bad.clone()), Container::Flac);
            assert!(
                matches!(failed, Err(AudioFault::Undecodable { .. })),
                "{bad:?}"
            );
        }
    }
}

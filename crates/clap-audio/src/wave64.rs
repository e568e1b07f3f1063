//! Sony's Wave64: a WAV whose chunks have names and sizes of their own, for more than 4 GiB.
//!
//! Every chunk begins with a GUID and its size in 8 bytes, which counts those 24 bytes too; the next one begins at a multiple
//! of 8 bytes.

use std::io::{Read, Seek, SeekFrom};

use super::error::AudioFault;
use super::riff::{self, Header};

/// How a file begins, as a GUID stands in memory.
pub(super) const RIFF: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
/// The end of the GUIDs of all other chunks, which begin with the names of a WAV's.
const TAIL: [u8; 12] = *b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
const HEADER_BYTES: u64 = 24;
/// Of the first chunk, and `wave`, which has no size.
const FIRST: u64 = 40;

/// Read the chunks of a file of `length` bytes up to its samples; `file` then stands on the first of them.
pub(super) fn read_header(
    file: &mut (impl Read + Seek),
    length: u64,
) -> Result<Header, AudioFault> {
    let mut position = FIRST;
    let mut format = None;
    while length.saturating_sub(position) >= HEADER_BYTES {
        file.seek(SeekFrom::Start(position))?;
        let (mut name, mut tail, mut size) = ([0; 4], [0; 12], [0; 8]);
        file.read_exact(&mut name)?;
        file.read_exact(&mut tail)?;
        file.read_exact(&mut size)?;
        let size = u64::from_le_bytes(size);
        let body = size
            .checked_sub(HEADER_BYTES)
            .ok_or_else(|| riff::damaged("a chunk is shorter than its header"))?;
        match (&name, tail == TAIL) {
            (b"fmt ", true) => {
                let body = u32::try_from(body).unwrap_or(u32::MAX);
                format = Some(riff::read_format(file, body)?);
            }
            (b"data", true) => {
                let format = format.ok_or_else(|| riff::damaged(riff::DATA_FIRST))?;
                let held = length - position - HEADER_BYTES;
                // ffmpeg writes the largest number to a pipe, others none.
                let claimed = match body {
                    0 if held > 0 => None,
                    body if body > i64::MAX as u64 - 64 => None,
                    body => Some(body),
                };
                return riff::count_samples(format, claimed, held);
            }
            _ => {}
        }
        position = size
            .checked_next_multiple_of(8)
            .and_then(|size| position.checked_add(size))
            .ok_or_else(|| riff::damaged("a chunk is larger than any file"))?;
    }
    Err(riff::no_data(format.as_ref()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunk(name: &[u8; 4], size: u64, body: &[u8]) -> Vec<u8> {
        let filling = vec![0; body.len().next_multiple_of(8) - body.len()];
        [name, &TAIL[..], &size.to_le_bytes(), body, &filling].concat()
    }

    fn of(chunks: &[Vec<u8>]) -> Result<Header, AudioFault> {
        let body = chunks.concat();
        let file = [&RIFF[..], &[0; 8], b"wave", &TAIL, &body].concat();
        let length = file.len() as u64;
        read_header(&mut Cursor::new(file), length)
    }

    fn format() -> Vec<u8> {
        let body = [1, 0, 1, 0, 0, 0x7d, 0, 0, 0, 0xfa, 0, 0, 2, 0, 16, 0];
        chunk(b"fmt ", 40, &body)
    }

    #[test]
    fn chunks_are_found_by_their_long_names_and_sizes() {
        let other = chunk(b"junk", 27, b"abc");
        let header = of(&[other, format(), chunk(b"data", 32, &[0; 8])]).unwrap();
        assert_eq!((header.sample_rate_hz, header.samples), (32_000, 4));
        for unknown in [24, i64::MAX as u64, u64::MAX] {
            let header = of(&[format(), chunk(b"data", unknown, &[0; 16])]).unwrap();
            assert_eq!((header.samples, header.told.is_some()), (8, true));
        }
    }

    #[test]
    fn damaged_files_are_named() {
        for (chunks, expected) in [
            (vec![format()], "no 'data' chunk"),
            (vec![chunk(b"data", 32, &[0; 8])], "before its 'fmt' chunk"),
            (vec![chunk(b"junk", 23, &[0; 8])], "shorter than its header"),
            (vec![chunk(b"junk", u64::MAX, &[])], "larger than any file"),
            (vec![format(), chunk(b"data", 1000, &[0; 8])], "cut off"),
        ] {
            let error = of(&chunks).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}

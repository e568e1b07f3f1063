//! The chunks of a RIFF WAVE file: where its samples are and how they are stored.
//!
//! Read before any sample, so that a claimed size is compared with the file's real one. The layout is that of
//! Microsoft's "Multiple Channel Audio Data and WAVE Files" (WAVEFORMATEX, WAVEFORMATEXTENSIBLE).

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use foreign::Foreign;

use super::error::AudioFault;

const PCM: u16 = 0x0001;
const IEEE_FLOAT: u16 = 0x0003;
const EXTENSIBLE: u16 = 0xfffe;
/// The last 14 bytes of every SubFormat GUID that stands for a format tag.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    /// Integers of this many bits; 8 bits are unsigned.
    Int(u16),
    /// Floats of this many bits.
    Float(u16),
}

/// What the chunks before the samples say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Header {
    pub(super) encoding: Encoding,
    pub(super) channels: u16,
    pub(super) sample_rate_hz: u32,
    /// Bytes of one sample of every channel.
    pub(super) block_bytes: u16,
    /// Samples per channel; the file is long enough for them.
    pub(super) samples: u32,
}

/// Read the chunks of a file of `length` bytes up to its samples; `file` then stands on the first of them.
pub(super) fn read_header(
    file: &mut (impl Read + Seek),
    length: u64,
) -> Result<Header, AudioFault> {
    file.seek(SeekFrom::Start(4))?;
    let mut riff_bytes = [0; 4];
    file.read_exact(&mut riff_bytes)?;
    let stated_length = u64::from(u32::from_le_bytes(riff_bytes)) + 8;
    let mut position = 12; // RIFF, size, WAVE: checked by whoever chose this reader
    let mut format = None;
    loop {
        if length.saturating_sub(position) < 8 {
            return Err(damaged(if format.is_some() {
                "it has no `data` chunk"
            } else {
                "it has no `fmt ` chunk"
            }));
        }
        file.seek(SeekFrom::Start(position))?;
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        let [i, d, e, n, size @ ..] = chunk;
        let size = u32::from_le_bytes(size);
        match &[i, d, e, n] {
            b"fmt " => format = Some(read_format(file, size)?),
            b"data" => {
                let format = format
                    .ok_or_else(|| damaged("its `data` chunk comes before its `fmt ` chunk"))?;
                // Zero, although more follows than the RIFF header knows of: nobody came back to fill it in.
                if size == u32::MAX || (size == 0 && length > stated_length + 1) {
                    return Err(AudioFault::UnknownLength);
                }
                return count_samples(format, size, length - position - 8);
            }
            _ => {}
        }
        // A chunk of odd size is followed by a byte that does not count.
        position += 8 + u64::from(size) + u64::from(size % 2);
    }
}

/// Fill in the number of samples, from the `data` chunk's size and the bytes that follow its header.
fn count_samples(
    mut format: Header,
    claimed_bytes: u32,
    held_bytes: u64,
) -> Result<Header, AudioFault> {
    let block = u32::from(format.block_bytes);
    if u64::from(claimed_bytes) > held_bytes {
        return Err(AudioFault::CutOff {
            claimed: u64::from(claimed_bytes / block),
            held: held_bytes / u64::from(block),
        });
    }
    if !claimed_bytes.is_multiple_of(block) {
        return Err(damaged(&format!(
            "its `data` chunk has {claimed_bytes} bytes, which is no multiple of the {block} that one sample takes"
        )));
    }
    format.samples = claimed_bytes / block;
    Ok(format)
}

/// Read a `fmt ` chunk of `size` bytes. The number of samples is not known yet.
fn read_format(file: &mut impl Read, size: u32) -> Result<Header, AudioFault> {
    if size < 16 {
        return Err(damaged("its `fmt ` chunk is too short"));
    }
    let mut bytes = [0u8; 40];
    let stored = &mut bytes[..if size < 40 { 16 } else { 40 }];
    file.read_exact(stored).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => damaged("the file ends inside its `fmt ` chunk"),
        _ => e.into(),
    })?;
    let u16_at = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]);
    let (tag, channels, block_bytes, bits) = (u16_at(0), u16_at(2), u16_at(12), u16_at(14));
    let sample_rate_hz = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    if channels == 0 {
        return Err(AudioFault::NoChannels);
    }
    let container_bits = u32::from(block_bytes / channels) * 8;
    if !block_bytes.is_multiple_of(channels)
        || container_bits == 0
        || u32::from(bits) > container_bits
    {
        return Err(damaged(&format!(
            "{channels} channels of {bits} bits do not make blocks of {block_bytes} bytes"
        )));
    }
    let (tag, bits) = match tag {
        // The bits that count stand at the top of the container, so a reader of whole containers scales them right.
        EXTENSIBLE if size >= 40 && bytes[26..] == GUID_TAIL => (u16_at(24), container_bits),
        EXTENSIBLE => {
            return Err(AudioFault::WavEncoding(Foreign::new(
                "an unknown SubFormat",
            )));
        }
        _ => (tag, u32::from(bits).next_multiple_of(8)),
    };
    let encoding = match (tag, bits) {
        (PCM, 8 | 16 | 24 | 32) => Encoding::Int(bits as u16),
        (IEEE_FLOAT, 32 | 64) if bits == container_bits => Encoding::Float(bits as u16),
        _ => return Err(AudioFault::WavEncoding(Foreign::new(describe(tag, bits)))),
    };
    Ok(Header {
        encoding,
        channels,
        sample_rate_hz,
        block_bytes,
        samples: 0,
    })
}

fn describe(tag: u16, bits: u32) -> String {
    match tag {
        PCM => format!("{bits}-bit PCM"),
        IEEE_FLOAT => format!("{bits}-bit float"),
        0x0002 | 0x0011 => "ADPCM".into(),
        0x0006 => "A-law".into(),
        0x0007 => "mu-law".into(),
        0x0055 => "MP3 data".into(),
        _ => format!("format tag {tag}"),
    }
}

fn damaged(what: &str) -> AudioFault {
    AudioFault::WavHeader(Foreign::new(what))
}

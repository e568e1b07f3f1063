//! The chunks of a RIFF WAVE file: where its samples are and how they are stored.
//!
//! Read before any sample, so that a claimed size is compared with the file's real one. The layout is that of
//! Microsoft's "Multiple Channel Audio Data and WAVE Files" (WAVEFORMATEX, WAVEFORMATEXTENSIBLE), and beyond 4 GiB that of
//! RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use foreign::Foreign;

use super::error::AudioFault;
use super::mono::Told;

const PCM: u16 = 0x0001;
const IEEE_FLOAT: u16 = 0x0003;
const A_LAW: u16 = 0x0006;
const MU_LAW: u16 = 0x0007;
const MS_ADPCM: u16 = 0x0002;
const IMA_ADPCM: u16 = 0x0011;
const EXTENSIBLE: u16 = 0xfffe;
pub(super) const DATA_FIRST: &str = "its 'data' chunk comes before its 'fmt' chunk";
/// Sizes of the 'data' chunk that programs write before they know it, and that nobody corrects in a pipe: ffmpeg's, those of
/// recorders, SoX's.
const UNKNOWN_SIZES: [u32; 3] = [u32::MAX, 0x7fff_ffff, 0x7fff_f000];
/// The last 14 bytes of every SubFormat GUID that stands for a format tag.
const GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// How one sample is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    /// Integers of this many bits; 8 bits are unsigned.
    Int(u16),
    /// Floats of this many bits.
    Float(u16),
    /// 8 bits that stand for 13 or 14 (ITU-T G.711).
    ALaw,
    MuLaw,
    /// Blocks of 4 bits a sample (Microsoft's and IMA's ADPCM), each of which begins anew.
    Adpcm(Adpcm, u16),
}

impl Encoding {
    /// Samples per channel that are stored together.
    pub(super) fn samples_in_block(self) -> u64 {
        match self {
            Self::Adpcm(_, samples) => u64::from(samples),
            _ => 1,
        }
    }
}

/// What a block of ADPCM begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Adpcm {
    Microsoft,
    Ima,
}

impl Adpcm {
    /// Samples per channel of a block of so many bytes.
    fn samples(self, block_bytes: u16, channels: u16) -> Option<u16> {
        // A header of 7 bytes holds two samples, one of 4 bytes one.
        let (header, first) = match self {
            Self::Microsoft => (7, 2),
            Self::Ima => (4, 1),
        };
        let bytes = block_bytes.checked_sub(header * channels)?;
        (u32::from(bytes) * 2 / u32::from(channels) + first)
            .try_into()
            .ok()
    }
}

/// What the chunks before the samples say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Header {
    pub(super) encoding: Encoding,
    pub(super) channels: u16,
    pub(super) sample_rate_hz: u32,
    /// Bytes of one sample of every channel, or of one block of ADPCM.
    pub(super) block_bytes: u16,
    /// Samples per channel; the file is long enough for them.
    pub(super) samples: u64,
    /// What is not as it should be, and was read all the same.
    pub(super) told: Option<Told>,
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
    let (mut format, mut long_size) = (None, None);
    loop {
        if length.saturating_sub(position) < 8 {
            return Err(no_data(format.as_ref()));
        }
        file.seek(SeekFrom::Start(position))?;
        let mut chunk = [0; 8];
        file.read_exact(&mut chunk)?;
        let [i, d, e, n, size @ ..] = chunk;
        let size = u32::from_le_bytes(size);
        match &[i, d, e, n] {
            b"fmt " => format = Some(read_format(file, size)?),
            b"ds64" if size >= 24 => long_size = read_long_size(file)?,
            b"data" => {
                let format = format.ok_or_else(|| damaged(DATA_FIRST))?;
                let held = length - position - 8;
                let claimed = match (size, long_size) {
                    (u32::MAX, Some(long)) => Some(long),
                    // Zero, although more follows than the RIFF header knows of: nobody came back to fill it in.
                    (0, _) if length > stated_length + 1 => None,
                    (size, _) if UNKNOWN_SIZES.contains(&size) && u64::from(size) > held => None,
                    (size, _) => Some(u64::from(size)),
                };
                return count_samples(format, claimed, held);
            }
            _ => {}
        }
        position += 8 + u64::from(size);
        if size % 2 == 1 && !begins_chunk(file, position)? {
            // A chunk of odd size is followed by a byte that does not count.
            position += 1;
        }
    }
}

/// Whether a chunk's name stands at `position`: some programs leave out the byte after a chunk of odd size.
fn begins_chunk(file: &mut (impl Read + Seek), position: u64) -> Result<bool, AudioFault> {
    file.seek(SeekFrom::Start(position))?;
    let mut name = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut name)?;
    Ok(name.len() == 4 && name.iter().all(|b| (0x20..0x7f).contains(b)))
}

/// The size of the 'data' chunk in a `ds64` chunk.
fn read_long_size(file: &mut impl Read) -> Result<Option<u64>, AudioFault> {
    let mut bytes = [0; 16];
    file.read_exact(&mut bytes)?;
    let size = bytes.as_chunks::<8>().0.last();
    Ok(size.map(|size| u64::from_le_bytes(*size)))
}

/// A file that ends before its samples.
pub(super) fn no_data(format: Option<&Header>) -> AudioFault {
    damaged(match format {
        Some(_) => "it has no 'data' chunk",
        None => "it has no 'fmt' chunk",
    })
}

/// Fill in the number of samples, from the 'data' chunk's size, if it says, and the bytes that follow its header.
pub(super) fn count_samples(
    mut format: Header,
    claimed: Option<u64>,
    held: u64,
) -> Result<Header, AudioFault> {
    let block = u64::from(format.block_bytes);
    let in_block = format.encoding.samples_in_block();
    let bytes = match claimed {
        None => {
            format.told = Some(Told::LengthUnknown);
            held
        }
        // A part of the last sample may be missing, but not of a block.
        Some(claimed)
            if claimed.saturating_sub(held) >= block || claimed > held && in_block > 1 =>
        {
            return Err(AudioFault::CutOff {
                claimed: claimed / block * in_block,
                held: held / block * in_block,
            });
        }
        Some(claimed) => {
            if claimed > held || !claimed.is_multiple_of(block) {
                format.told = Some(Told::PartOfSample);
            }
            claimed.min(held)
        }
    };
    format.samples = bytes / block * in_block;
    Ok(format)
}

/// Read a 'fmt' chunk of `size` bytes. The number of samples is not known yet.
pub(super) fn read_format(file: &mut impl Read, size: u32) -> Result<Header, AudioFault> {
    if size < 16 {
        return Err(damaged("its 'fmt' chunk is too short"));
    }
    let mut bytes = [0u8; 40];
    let stored = &mut bytes[..if size < 40 { 16 } else { 40 }];
    file.read_exact(stored).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => damaged("the file ends inside its 'fmt' chunk"),
        _ => e.into(),
    })?;
    let u16_at = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]);
    let (tag, channels, block_bytes, bits) = (u16_at(0), u16_at(2), u16_at(12), u16_at(14));
    let sample_rate_hz = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    if channels == 0 {
        return Err(AudioFault::NoChannels);
    }
    let adpcm = match tag {
        MS_ADPCM => Some(Adpcm::Microsoft),
        IMA_ADPCM => Some(Adpcm::Ima),
        _ => None,
    };
    if let (Some(kind), 4) = (adpcm, bits) {
        let in_block = kind
            .samples(block_bytes, channels)
            .filter(|_| channels <= 2);
        let in_block =
            in_block.ok_or_else(|| damaged("its blocks of ADPCM have an impossible size"))?;
        return Ok(Header {
            encoding: Encoding::Adpcm(kind, in_block),
            channels,
            sample_rate_hz,
            block_bytes,
            samples: 0,
            told: None,
        });
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
        (A_LAW, 8) if container_bits == 8 => Encoding::ALaw,
        (MU_LAW, 8) if container_bits == 8 => Encoding::MuLaw,
        _ => return Err(AudioFault::WavEncoding(Foreign::new(describe(tag, bits)))),
    };
    Ok(Header {
        encoding,
        channels,
        sample_rate_hz,
        block_bytes,
        samples: 0,
        told: None,
    })
}

fn describe(tag: u16, bits: u32) -> String {
    match tag {
        PCM => format!("{bits}-bit PCM"),
        IEEE_FLOAT => format!("{bits}-bit float"),
        MS_ADPCM | IMA_ADPCM => format!("{bits}-bit ADPCM"),
        A_LAW | MU_LAW => format!("{bits}-bit G.711"),
        0x0055 => "MP3 data".into(),
        _ => format!("format tag {tag}"),
    }
}

pub(super) fn damaged(what: &str) -> AudioFault {
    AudioFault::WavHeader(Foreign::new(what))
}

//! WAV files: PCM of 8, 16, 24 and 32 bit and 32-bit float through `hound`; 64-bit float, A-law and mu-law, which it lacks, by
//! hand; ADPCM through `symphonia`.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};

use foreign::Foreign;

use super::error::AudioFault;
use super::mono::{Heard, Mono, Sink};
use super::riff::{Encoding, Header};
use super::{adpcm, g711};

const BUFFER_BYTES: usize = 1 << 18;

/// Read the samples that begin where `file` stands, and that `header` is of.
pub(super) fn read(mut file: File, header: Header, sink: Sink) -> Result<Heard, AudioFault> {
    let mut mono = Mono::new(
        header.sample_rate_hz,
        usize::from(header.channels),
        usize::try_from(header.samples).unwrap_or(usize::MAX),
        sink,
    )?;
    let block = u64::from(header.block_bytes);
    let mut left = header.samples / header.encoding.samples_in_block();
    while left > 0 {
        // A file may hold more than a header of 32 bits can say.
        let blocks = left.min(MOST_BYTES / block);
        read_blocks(&header, blocks, (&mut file).take(blocks * block), &mut mono)?;
        left -= blocks;
    }
    let mut heard = mono.finish()?;
    heard.told = header.told;
    Ok(heard)
}

/// Bytes of samples that are read behind one header.
const MOST_BYTES: u64 = 1 << 30;

/// So many blocks, which `data` has: samples of every channel, but of ADPCM.
fn read_blocks(
    header: &Header,
    blocks: u64,
    data: impl Read,
    mono: &mut Mono,
) -> Result<(), AudioFault> {
    match header.encoding {
        Encoding::Float(64) => read_bytes(data, |sample| f64::from_le_bytes(sample) as f32, mono),
        Encoding::ALaw => read_bytes(data, |[sample]| g711::a_law(sample), mono),
        Encoding::MuLaw => read_bytes(data, |[sample]| g711::mu_law(sample), mono),
        Encoding::Adpcm(kind, in_block) => adpcm::read(data, header, (kind, in_block), mono),
        Encoding::Float(bits) => {
            let reader = reader(header, (3, bits), blocks, data)?;
            for sample in reader.into_samples::<f32>() {
                mono.push(sample.map_err(fault)?)?;
            }
            Ok(())
        }
        Encoding::Int(bits) => {
            // Exact in f64, so rounded once.
            let scale = (-f64::from(bits - 1)).exp2();
            let reader = reader(header, (1, bits), blocks, data)?;
            for sample in reader.into_samples::<i32>() {
                mono.push((f64::from(sample.map_err(fault)?) * scale) as f32)?;
            }
            Ok(())
        }
    }
}

/// `hound` over a header in the shortest form and the samples.
///
/// The header is written anew because `hound` refuses forms that occur: `fmt ` chunks of other sizes, 32-bit PCM in
/// WAVEFORMATEX, fewer valid bits than stored ones, chunks of odd size before the samples.
fn reader<R: Read>(
    header: &Header,
    (tag, bits): (u16, u16),
    samples: u64,
    data: R,
) -> Result<hound::WavReader<impl Read + use<R>>, AudioFault> {
    let data_bytes = samples * u64::from(header.block_bytes); // at most MOST_BYTES
    let bytes_per_second = header
        .sample_rate_hz
        .saturating_mul(u32::from(header.block_bytes));
    let mut start = Vec::with_capacity(44);
    start.extend_from_slice(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0");
    start.extend_from_slice(&tag.to_le_bytes());
    start.extend_from_slice(&header.channels.to_le_bytes());
    start.extend_from_slice(&header.sample_rate_hz.to_le_bytes());
    start.extend_from_slice(&bytes_per_second.to_le_bytes());
    start.extend_from_slice(&header.block_bytes.to_le_bytes());
    start.extend_from_slice(&bits.to_le_bytes());
    start.extend_from_slice(b"data");
    start.extend_from_slice(&(data_bytes as u32).to_le_bytes());
    let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(start).chain(data));
    hound::WavReader::new(whole).map_err(fault)
}

/// Samples of `N` bytes.
fn read_bytes<const N: usize>(
    mut data: impl Read,
    value: impl Fn([u8; N]) -> f32,
    mono: &mut Mono,
) -> Result<(), AudioFault> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    while data
        .by_ref()
        .take(BUFFER_BYTES as u64)
        .read_to_end(&mut buffer)?
        > 0
    {
        let (samples, _) = buffer.as_chunks::<N>();
        for &sample in samples {
            mono.push(value(sample))?;
        }
        buffer.clear();
    }
    Ok(())
}

fn fault(error: hound::Error) -> AudioFault {
    match error {
        hound::Error::IoError(e) => e.into(),
        other => AudioFault::WavHeader(Foreign::said(other)),
    }
}
